"""The image: what its Dockerfile promises, and its steps run in an empty folder."""

import json
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

import streamproc
from tests.deploy.image import DOCKERFILE, Rehearsal, Stage, may_rehearse, stages
from tests.ground.source import ROOT

HADOLINT = Path(sys.executable).with_name("hadolint")
LET_THROUGH = DOCKERFILE.with_name("Dockerfile.dockerignore")


@pytest.fixture(scope="module")
def parts() -> list[Stage]:
    return stages(DOCKERFILE.read_text(encoding="utf-8"))


def test_hadolint_finds_nothing() -> None:
    done = subprocess.run([HADOLINT, DOCKERFILE], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout) == (0, "")


def test_every_stage_starts_from_one_exact_version(parts: list[Stage]) -> None:
    [base] = {stage.base for stage in parts}
    assert re.fullmatch(r"python:3\.11\.\d+-slim-[a-z]+", base)  # the Python that the lock is for, and CI tests with


def test_nothing_is_fetched_but_what_is_locked(parts: list[Stage]) -> None:
    assert [stage.all("ADD") for stage in parts] == [[], []]
    fetching = [rest for stage in parts for rest in stage.all("RUN") if re.search(r"curl|wget|apt|pip install", rest)]
    for rest in fetching:
        for words in re.findall(r"pip install ([^&]+)", rest):
            assert "--require-hashes" in words or "--no-index" in words
        assert not re.search(r"curl|wget|apt", rest)


def test_what_changes_often_comes_after_what_takes_long(parts: list[Stage]) -> None:
    order = [f"{step.word} {step.rest}" for step in parts[0].steps]
    locked = next(n for n, line in enumerate(order) if "--require-hashes" in line)
    program = next(n for n, line in enumerate(order) if line.startswith("COPY streamproc"))
    assert order[:locked].count("COPY requirements.lock ./") == 1
    assert locked < program


def test_nobody_runs_as_root_and_nothing_secret_is_baked_in(parts: list[Stage]) -> None:
    final = parts[-1]
    assert final.all("USER") == ["10001:10001"]  # a number: Kubernetes can see that it is not root
    after = [step.word for step in final.steps][[step.word for step in final.steps].index("USER") :]
    assert "RUN" not in after
    set_up = {name for stage in parts for name in stage.variables} | {rest for s in parts for rest in s.all("ARG")}
    assert [name for name in set_up if re.search(r"(?i)token|password|secret|key|redis|kafka", name)] == []


def test_signals_reach_the_program_and_its_health_is_asked(parts: list[Stage]) -> None:
    final = parts[-1]
    assert json.loads(final.all("ENTRYPOINT")[0]) == ["streamproc"]
    [health] = final.all("HEALTHCHECK")
    assert "/livez" in health
    assert final.all("EXPOSE") == ["8080"]


def test_the_label_tells_the_version(parts: list[Stage]) -> None:
    labels = dict(pair.split("=", 1) for pair in shlex.split(parts[-1].all("LABEL")[0]))
    assert labels["org.opencontainers.image.version"] == streamproc.__version__
    assert f"-t streamproc:{streamproc.__version__} " in DOCKERFILE.read_text(encoding="utf-8")


def test_only_what_is_copied_reaches_the_build(parts: list[Stage]) -> None:
    lines = LET_THROUGH.read_text(encoding="utf-8").splitlines()
    rules = [line for line in lines if line and not line.startswith("#")]
    wanted = {word for rest in parts[0].all("COPY") for word in shlex.split(rest)[:-1]}
    assert rules[0] == "*"
    assert {rule[1:] for rule in rules if rule.startswith("!")} == wanted
    assert all((ROOT / name).exists() for name in wanted)


@pytest.fixture
def built(tmp_path: Path) -> Iterator[Rehearsal]:
    if not may_rehearse():
        pytest.skip("only root may give a process a file system of its own")
    rehearsal = Rehearsal(tmp_path / "image")
    rehearsal.build()
    yield rehearsal
    rehearsal.remove()


def test_the_steps_build_what_runs_as_nobody_with_a_read_only_root(built: Rehearsal, parts: list[Stage]) -> None:
    imported = "for name in worker serve backtest; do streamproc $name --help >/dev/null; done"
    touching = f"streamproc version; id -u; {imported}; touch /opt/x /etc/streamproc/x || python -m pip list"
    said, _ = built.start(touching).communicate()
    assert said.splitlines()[:2] == [streamproc.__version__, "10001"]
    assert said.count("Read-only file system") == 2
    assert "No module named pip" in said

    health = shlex.join(json.loads(parts[-1].all("HEALTHCHECK")[0].partition("CMD ")[2]))
    serving = f"""
        export STREAMPROC_TOKEN=0123456789abcdef
        streamproc run --live --listen 0.0.0.0:8080 2>/var/lib/streamproc/log & run=$!
        if {health} 2>/dev/null; then echo healthy too early; fi
        until {health} 2>/dev/null; do kill -0 $run || exit 9; sleep 0.2; done
        kill -TERM $run; wait $run || echo ended $?
        ls /var/lib/streamproc
    """
    said, _ = built.start(serving, writable=["/var/lib/streamproc"]).communicate(timeout=120)
    assert "healthy" not in said
    assert ".db" in said, said
