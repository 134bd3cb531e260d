"""Asking a data folder that may not be written, as somebody whom permissions bind (root is not)."""

import shutil
import sqlite3
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import closing
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from streamproc.adapters.embedded.schema import FILE, StoreError, connect
from tests.cli.shop import Cli, Feeds, asked

AS_NOBODY = """
import json, os, sys
from typer.testing import CliRunner
from streamproc.cli.main import app
own, theirs, commands = sys.argv[1], sys.argv[2], json.loads(sys.argv[3])
def answers(folder):
    for words in commands:
        ran = CliRunner().invoke(app, [word.replace("FOLDER", folder) for word in words])
        yield ran.exit_code, ran.stdout, ran.stderr
list(answers(own))  # what is imported late is imported now: the program's files may be out of reach, too
if os.geteuid() == 0:
    os.setgroups([])
    os.setegid(65534)
    os.seteuid(65534)
print(json.dumps(list(answers(theirs))))
"""


class Answer(NamedTuple):
    code: int
    out: str
    err: str


def asked_as_nobody(own: Path, theirs: Path, *commands: Sequence[str]) -> list[Answer]:
    """How commands go on a folder that may not be written; they go on one's `own` first."""
    told = msgspec.json.encode([[*words, "--data", "FOLDER"] for words in commands]).decode()
    program = [sys.executable, "-c", AS_NOBODY, str(own), str(theirs), told]
    ran = subprocess.run(program, cwd=theirs.parent, capture_output=True, check=True, timeout=120)
    return msgspec.json.decode(ran.stdout, type=list[Answer])


@pytest.fixture
def shut(folder: Path) -> Iterator[Path]:
    """A copy of the folder, to be read by all and written by nobody; its path is open to all as well."""
    with tempfile.TemporaryDirectory() as place:
        Path(place).chmod(0o755)
        path = Path(shutil.copytree(folder, Path(place) / "shut"))
        for log in path.glob(f"{FILE}-*"):
            assert not log.name.endswith("-wal") or not log.stat().st_size
            log.unlink()
        close(path)
        yield path
        path.chmod(0o755)


def close(path: Path) -> None:
    for file in path.iterdir():
        file.chmod(0o444)
    path.chmod(0o555)


QUESTIONS = (
    ("status", "--json"),
    ("warnings", "--json"),
    ("customer", Feeds.OWN_ID, "--json"),
    ("why", Feeds.OWN_ID, "--json"),
    ("dead-letters", "list", "--json"),
    ("models", "list", "--json"),
    ("replay",),
)


def test_every_question_is_answered_as_if_the_folder_could_be_written(cli: Cli, own: Path, shut: Path) -> None:
    answers = asked_as_nobody(own, shut, *QUESTIONS)
    for words, answer in zip(QUESTIONS, answers, strict=True):
        expected = cli(*words, "--data", own)
        assert (answer.code, answer.out) == (expected.code, expected.out), answer.err


def commit_one_more(db: sqlite3.Connection) -> None:
    db.execute("INSERT INTO dead_letters VALUES (NULL, 'k', 'not_json', '', '', 's', 1, 0, x'00', NULL)")


def test_what_a_running_writer_committed_is_read_from_its_log(own: Path, shut: Path) -> None:
    before = len(asked(own, "SELECT id FROM dead_letters"))
    shut.chmod(0o755)
    for file in shut.iterdir():
        file.chmod(0o644)
    with closing(connect(shut)) as writer:
        commit_one_more(writer)
        close(shut)
        assert (shut / f"{FILE}-wal").stat().st_size
        (answer,) = asked_as_nobody(own, shut, ("dead-letters", "list", "--json"))
        assert (answer.code, len(answer.out.splitlines())) == (0, before + 1)


def test_commits_that_cannot_be_read_are_not_passed_over(own: Path, shut: Path) -> None:
    with closing(connect(own)) as writer:
        commit_one_more(writer)
        log = (own / f"{FILE}-wal").read_bytes()
    shut.chmod(0o755)
    (shut / f"{FILE}-wal").write_bytes(log)
    close(shut)
    (answer,) = asked_as_nobody(own, shut, ("status",))
    assert answer.code == 3
    for said in ("may not be written", f"{FILE}-wal", "as the owner", "--data"):
        assert said in answer.err


def test_what_nobody_can_write_is_not_followed(shut: Path) -> None:
    missing = shut.parent / "missing"  # following one's own would not end
    (answer,) = asked_as_nobody(missing, shut, ("warnings", "--follow"))
    assert answer.code == 3
    assert "nothing to follow" in answer.err


def test_writing_commands_say_that_the_folder_may_not_be_written(own: Path, shut: Path) -> None:
    (answer,) = asked_as_nobody(own, shut, ("dead-letters", "redrive", "--all"))
    assert answer.code == 3
    assert f"cannot write to {shut}" in answer.err


@pytest.mark.parametrize("name", ["50% off?", "week #7", "a b"])
def test_a_folder_may_have_any_name(cli: Cli, own: Path, name: str) -> None:
    folder = own.rename(own.with_name(name))
    assert cli("status", "--data", folder).code == 0
    assert cli("backup", folder / "copy.db", "--data", folder).code == 0
    assert [path.name for path in own.parent.iterdir()] == [name]  # no file beside it, of half the name


def test_other_trouble_is_not_taken_for_a_read_only_folder(own: Path) -> None:
    (own / FILE).write_bytes(b"shopping list" * 1_000)
    with pytest.raises(StoreError, match="not a database"):
        connect(own, readonly=True)
