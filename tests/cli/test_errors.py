"""What goes wrong is told in words, with what to do, and with the exit code that goes with it."""

import signal
import sqlite3
import subprocess
from contextlib import closing
from pathlib import Path

import pytest
import typer

from streamproc.adapters.embedded.lock import holder, writer_lock
from streamproc.adapters.embedded.schema import FILE, StoreError, connect
from streamproc.cli.common import guarded
from streamproc.config import ConfigError
from tests.cli.shop import PROGRAM, Cli


@pytest.mark.parametrize(
    ("error", "code", "said"),
    [
        (ConfigError("--at is no time"), 2, "--at is no time"),
        (sqlite3.OperationalError("database or disk is full"), 3, "free space, run again"),
        (sqlite3.OperationalError("unable to open database file"), 3, "`streamproc doctor` looks for the cause"),
        (sqlite3.DatabaseError("file is not a database"), 3, "`streamproc doctor` says what can be done"),
        (StoreError("in use"), 3, "in use"),
        (OSError(28, "No space left on device"), 3, "No space left on device"),
        (KeyboardInterrupt(), 130, ""),
    ],
)
def test_an_error_is_words_and_a_code(
    capsys: pytest.CaptureFixture[str], error: BaseException, code: int, said: str
) -> None:
    with pytest.raises(typer.Exit) as exited, guarded():
        raise error
    assert exited.value.exit_code == code
    assert said in capsys.readouterr().err


def test_a_mistake_of_the_program_is_no_message() -> None:
    with pytest.raises(ZeroDivisionError), guarded():
        raise ZeroDivisionError


def test_a_folder_that_cannot_be_made_is_told(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"")
    (tmp_path / "orders.csv").write_text("customer_id,date\nc,2025-01-01\n", encoding="utf-8")
    for place in ("file", "file/data", "/proc/data"):
        ran = cli("run", "orders.csv", "--exit-when-done", "--data", place)
        assert (ran.code, ran.out) == (3, "")
        assert f"cannot write to {place}" in ran.err
        assert "--data" in ran.err
        assert "Errno" not in ran.err


def test_a_folder_in_use_names_who_uses_it(cli: Cli, own: Path) -> None:
    with subprocess.Popen(
        [*PROGRAM, "run", "--live", "--listen", "off", "--data", str(own)], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        next(text for text in process.stdout if "Ctrl-C stops" in text)
        try:
            assert holder(own) == str(process.pid)
            for words in (["run", "-"], ["dead-letters", "redrive", "--all"], ["restore", own / FILE, "--force"]):
                ran = cli(*words, "--data", own)
                assert ran.code == 3
                assert f"in use by process {process.pid}: stop it" in ran.err
            assert cli("status", "--data", own).code == 0
        finally:
            process.send_signal(signal.SIGTERM)
        assert process.wait(60) == 0  # a supervisor's stop is no failure
    assert holder(own) is None


def test_the_lock_is_free_again_after_an_error(tmp_path: Path) -> None:
    with pytest.raises(ZeroDivisionError), writer_lock(tmp_path):
        raise ZeroDivisionError
    with writer_lock(tmp_path):
        assert holder(tmp_path) is not None


def test_a_folder_begun_with_other_settings_says_which_may_not_change(cli: Cli, own: Path, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("customer_id,date\nc,2025-01-01\n", encoding="utf-8")
    ran = cli("run", "orders.csv", "--exit-when-done", "--horizon", "30", "--data", own)
    assert ran.code == 2
    assert "horizon_days = 90, and that may not change (asked for: 30)" in ran.err
    (tmp_path / "streamproc.toml").write_text("partitions = 4\n", encoding="utf-8")
    ran = cli("run", "orders.csv", "--exit-when-done", "--data", own)
    assert ran.code == 3
    assert "begun with 1 partitions, not 4" in ran.err


def test_a_folder_in_which_nothing_was_read_yet_says_how_to_begin(cli: Cli, tmp_path: Path) -> None:
    with closing(connect(tmp_path / "empty")):
        pass
    for command in ("status", "replay", "backup copy.db"):
        ran = cli(*command.split(), "--data", tmp_path / "empty")
        assert ran.code == 3
        assert "streamproc run FILE" in ran.err


@pytest.mark.parametrize(
    ("text", "said"), [(None, "cannot read mine.toml"), ("version = 1", "mine.toml: the playbook cannot be used")]
)
def test_a_playbook_that_cannot_be_used_is_wrong_settings(
    cli: Cli, tmp_path: Path, text: str | None, said: str
) -> None:
    (tmp_path / "orders.csv").write_text("customer_id,date\nc,2025-01-01\n", encoding="utf-8")
    (tmp_path / "streamproc.toml").write_text('playbook = "mine.toml"\n', encoding="utf-8")
    if text is not None:
        (tmp_path / "mine.toml").write_text(text, encoding="utf-8")
    ran = cli("run", "orders.csv", "--exit-when-done", "--data", "d")
    assert ran.code == 2
    assert said in ran.err


@pytest.mark.parametrize("policy", ["raise_at = 2.0", 'raise_at = "high"', "riase_at = 0.5"])
def test_a_policy_that_cannot_be_used_is_wrong_settings(cli: Cli, tmp_path: Path, policy: str) -> None:
    (tmp_path / "orders.csv").write_text("customer_id,date\nc,2025-01-01\n", encoding="utf-8")
    (tmp_path / "streamproc.toml").write_text(f"[policy]\n{policy}\n", encoding="utf-8")
    ran = cli("run", "orders.csv", "--exit-when-done", "--data", "d")
    assert ran.code == 2
    assert "the warning policy cannot be used" in ran.err
