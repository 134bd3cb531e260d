"""Whatever deploy/ sets or calls is there: every variable is a setting, every command and flag the program's."""

import re
import shlex
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import typer
from pydantic import BaseModel

from streamproc.cli.main import app
from streamproc.config import Settings, load
from tests.deploy.composed import compose
from tests.deploy.image import stages
from tests.deploy.test_systemd import SERVICES, unit
from tests.ground.source import ROOT, tracked

FOLDER = ROOT / "deploy"
FILES = [path for path in tracked() if FOLDER in path.parents]
PROGRAM: Any = typer.main.get_command(app)  # of typer's own classes, which have no public names


def variables(model: type[BaseModel], prefix: str = "STREAMPROC_") -> Iterator[str]:
    """The environment variables of the settings."""
    for name, field in model.model_fields.items():
        yield prefix + name.upper()
        kind = field.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from variables(kind, f"{prefix}{name.upper()}__")


KNOWN = set(variables(Settings))


def test_the_settings_are_known() -> None:
    assert {"STREAMPROC_TOKEN", "STREAMPROC_KAFKA__BROKERS", "STREAMPROC_REDIS__URL"} <= KNOWN


def test_every_variable_is_a_setting() -> None:
    found = [
        f"{path.relative_to(ROOT)}: {name}"
        for path in FILES
        for name in re.findall(r"STREAMPROC_[A-Z_]+", path.read_text(encoding="utf-8"))
        if name not in KNOWN
    ]
    assert found == []


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix == ".toml"], ids=lambda path: path.name)
def test_every_file_of_settings_can_be_used(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for line in (FOLDER / "kubernetes/overlays/production/settings.env").read_text(encoding="utf-8").splitlines():
        if "kubernetes" in path.parts:
            monkeypatch.setenv(*line.split("=", 1))
    load(path)


def wrong(words: list[str]) -> str:
    """What is wrong with a command line, empty for nothing: whether its command and its flags are there."""
    command = PROGRAM
    context = PROGRAM.make_context("streamproc", [], resilient_parsing=True)
    while hasattr(command, "get_command") and words:
        name, *words = words
        if name.startswith("-"):
            return "" if name in {"--help", "--version"} else name
        below = command.get_command(context, name)
        if below is None:
            return name
        command = below
    flags = {flag for option in command.params for flag in (*option.opts, *option.secondary_opts)} | {"--help"}
    return " ".join(word for word in words if word.startswith("--") and word.partition("=")[0] not in flags)


def test_what_is_not_there_is_seen() -> None:
    assert wrong(["topics", "create"]) == wrong(["worker", "--health", "x"]) == ""
    assert wrong(["topics", "destroy"]) == "destroy"
    assert wrong(["worker", "--fast"]) == "--fast"


def started() -> Iterator[list[str]]:
    """The command lines by which anything starts the program."""
    for service in compose()["services"].values():
        if service["image"].startswith("streamproc:"):
            yield service["command"]
    for path in FILES:
        if "kubernetes" in path.parts and path.suffix == ".yaml":
            for found in re.findall(r'^ *args: \[("[a-z].*)\]$', path.read_text(encoding="utf-8"), re.MULTILINE):
                yield [word.strip(' "') for word in found.split(",")]
    for name in SERVICES:
        yield shlex.split(unit(name)["Service"]["ExecStart"])[1:]
    [final] = stages((FOLDER / "image" / "Dockerfile").read_text(encoding="utf-8"))[-1:]
    yield [word.strip(' "[]') for word in final.all("CMD")[0].split(",")]


def test_what_is_started_is_there() -> None:
    lines = list(started())
    assert len(lines) >= 10
    assert [(line, found) for line in lines if (found := wrong(line))] == []


def told(path: Path) -> Iterator[str]:
    """The command lines that a page tells its reader."""
    text = path.read_text(encoding="utf-8")
    code = re.findall(r"```[a-z]*\n(.*?)```", text, re.DOTALL) + re.findall(r"^(?: {4}.*\n)+", text, re.MULTILINE)
    for line in [line for block in code for line in block.splitlines()] + re.findall(r"`([^`\n]+)`", text):
        yield from re.findall(r"(?:^|(?<!-[nu]) |/)streamproc ((?:[a-z-]+ ?)[^|;&#>`]*)", line)


@pytest.mark.parametrize("path", [path for path in FILES if path.suffix == ".md"], ids=lambda path: path.name)
def test_what_a_page_tells_to_type_is_there(path: Path) -> None:
    assert [(line, found) for line in told(path) if (found := wrong(re.sub(r"[\[\]()'\",]", " ", line).split()))] == []
