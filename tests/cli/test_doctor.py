"""`streamproc doctor`: finds what is wrong, says what mends it, and leaves what is right alone."""

import os
import sqlite3
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from streamproc.adapters.embedded import checks
from streamproc.adapters.embedded.lock import writer_lock
from streamproc.adapters.embedded.schema import FILE
from streamproc.monitor.state import decode_state, encode_state
from tests.cli.shop import Cli, Ran, asked, changed

CHECKS = {"folder", "disk", "process", "schema", "write-ahead log", "database", "journal", "clock", "states", "replay"}


def faults(ran: Ran) -> dict[str, str]:
    return {line["check"]: line["mend"] for line in ran.lines if line["level"] == "fault"}


def test_a_sound_folder_has_no_faults(cli: Cli, folder: Path) -> None:
    ran = cli("doctor", "--json", "--data", folder)
    assert (ran.code, faults(ran)) == (0, {})
    assert {line["check"] for line in ran.lines} == CHECKS | {"parquet"}
    assert cli("doctor", "--data", folder).code == 0


def test_a_missing_folder_is_a_fault(cli: Cli, tmp_path: Path) -> None:
    ran = cli("doctor", "--json", "--data", tmp_path / "gone")
    assert ran.code == 1
    assert "streamproc run FILE" in faults(ran)["folder"]
    assert cli("doctor", "--data", tmp_path).code == 1


@pytest.mark.parametrize("closed", ["folder", "file"])
def test_what_may_not_be_written_is_not_called_broken(own: Path, monkeypatch: pytest.MonkeyPatch, closed: str) -> None:
    real = os.access
    shut = own if closed == "folder" else own / FILE
    monkeypatch.setattr(os, "access", lambda path, mode: Path(path) != shut and real(path, mode))
    found = [finding for finding in checks.check_folder(own, now=1 << 60) if finding.level == "fault"]
    assert [finding.mend for finding in found] == [f"chmod u+{'rwx' if closed == 'folder' else 'rw'} {shut}"]


def test_a_running_process_is_noted(cli: Cli, own: Path) -> None:
    with writer_lock(own):
        ran = cli("doctor", "--json", "--data", own)
    assert ran.code == 0
    process = next(line for line in ran.lines if line["check"] == "process")
    assert (process["level"], process["detail"]) == ("note", f"process {os.getpid()} is writing")


def lose_a_record(folder: Path) -> None:
    changed(folder, "DELETE FROM journal WHERE seq = 5")


def spoil_a_record(folder: Path) -> None:
    last = asked(folder, "SELECT max(seq) FROM journal")[0]
    changed(folder, "UPDATE journal SET body = ? WHERE seq = ?", b'{"type":"riddle"}', last)


def spoil_the_states(folder: Path) -> None:
    changed(folder, "UPDATE states SET body = ?", b"\x93\x01\x02\x03")


def age_the_states(folder: Path) -> None:
    changed(folder, "UPDATE states SET body = ?", b"\x94\x63\x00\x00\xc0")


def swap_the_states(folder: Path) -> None:
    body = asked(folder, "SELECT body FROM states LIMIT 1")[0]
    changed(folder, "UPDATE states SET body = ?", body)


def renew_the_schema(folder: Path) -> None:
    path = folder / "streamproc.db"
    content = bytearray(path.read_bytes())
    content[60:64] = (99).to_bytes(4, "big")  # user_version in SQLite's header
    path.write_bytes(content)


def tear_the_file(folder: Path) -> None:
    path = folder / "streamproc.db"
    content = bytearray(path.read_bytes())
    content[len(content) // 2 : len(content) // 2 + 8_192] = b"\xff" * 8_192
    path.write_bytes(content)


def scribble_over_the_file(folder: Path) -> None:
    (folder / "streamproc.db").write_bytes(b"shopping list" * 1_000)


@pytest.mark.parametrize(
    ("spoil", "check", "mend"),
    [
        (lose_a_record, "journal", "streamproc restore"),
        (spoil_a_record, "journal", "streamproc restore"),
        (spoil_the_states, "states", "streamproc restore"),
        (age_the_states, "states", "streamproc restore"),
        (swap_the_states, "replay", "streamproc replay"),
        (renew_the_schema, "schema", "upgrade"),
        (tear_the_file, "database", "streamproc restore"),
        (scribble_over_the_file, "database", "streamproc restore"),
    ],
)
def test_what_is_wrong_is_found_with_what_mends_it(
    cli: Cli, own: Path, spoil: Callable[[Path], None], check: str, mend: str
) -> None:
    spoil(own)
    ran = cli("doctor", "--json", "--data", own)
    assert ran.code == 1
    assert mend in faults(ran)[check]
    shown = cli("doctor", "--data", own)
    assert shown.code == 1
    assert "FAULT" in shown.out


def test_states_from_before_figures_were_kept_are_no_fault(own: Path) -> None:
    """What an earlier version did not keep is filled in as customers are looked at."""
    with closing(sqlite3.connect(own / "streamproc.db")) as db:
        for customer, body in db.execute("SELECT customer, body FROM states").fetchall():
            state = decode_state(body)
            if state.decisions.counted is not None:
                state.decisions.counted.segment = 0
            earlier = encode_state(state)
            db.execute("UPDATE states SET body = ? WHERE customer = ?", (earlier, customer))
        db.commit()
    found = {finding.check: finding.level for finding in checks.check_folder(own, now=1 << 60)}
    assert found["replay"] == "ok"


def test_a_clock_in_the_future_and_a_full_disk_are_faults(own: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "LEAST_FREE_BYTES", 1 << 62)
    found = {finding.check: finding for finding in checks.check_folder(own, now=0)}
    assert (found["clock"].level, found["disk"].level) == ("fault", "fault")


def test_a_folder_without_the_log_is_only_noted(own: Path) -> None:
    asked(own, "PRAGMA journal_mode = DELETE")
    found = {finding.check: finding.level for finding in checks.check_folder(own, now=1 << 60)}
    assert found["write-ahead log"] == "note"
    assert "fault" not in found.values()
