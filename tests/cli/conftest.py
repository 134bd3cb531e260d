"""A data folder made once from a small simulated shop, and the program to ask it with."""

import shutil
from pathlib import Path

import msgspec
import pytest
from typer.testing import CliRunner

from streamproc.cli.main import app
from streamproc.simulate import Dirt, Shop, write
from tests.cli.shop import Cli, Feeds, Ran, feed_into

SHOP = Shop(customers=100, days=420, seed=5, dirt=Dirt(poison=0.01))
NAMES = ("purchases", "complaints", "contacts", "facts")


@pytest.fixture(scope="session")
def feeds(tmp_path_factory: pytest.TempPathFactory) -> Feeds:
    """The files of a small shop: one line in a hundred cannot be read, two customers turn out to be one."""
    folder = tmp_path_factory.mktemp("feeds")
    write(SHOP, folder)
    alias = {
        "event_id": "alias-1",
        "customer_id": Feeds.ALIAS,
        "occurred_at": "2024-10-01T00:00:00Z",
        "alias_of": Feeds.OWN_ID,
    }
    with (folder / "facts.jsonl").open("ab") as file:
        file.write(msgspec.json.encode(alias) + b"\n")
    return Feeds([folder / f"{name}.jsonl" for name in NAMES])


@pytest.fixture(scope="session")
def folder(tmp_path_factory: pytest.TempPathFactory, feeds: Feeds) -> Path:
    """A data folder that has read the shop's files. Tests that write take `own` instead."""
    path = tmp_path_factory.mktemp("data")
    feed_into(path, feeds.paths)
    return path


@pytest.fixture
def own(folder: Path, tmp_path: Path) -> Path:
    """A copy of the folder for one test."""
    return Path(shutil.copytree(folder, tmp_path / "own"))


@pytest.fixture
def cli(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The program, called where there are no settings: `cli("status", "--data", folder)`."""
    monkeypatch.chdir(tmp_path)

    def run(*words: object) -> Ran:
        result = CliRunner().invoke(app, [str(word) for word in words])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout_bytes, result.stderr)

    return run
