"""`streamproc backup` and `restore`: one file as of one instant, put back as it was."""

import signal
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from streamproc.adapters.embedded.lock import writer_lock
from streamproc.adapters.embedded.schema import FILE, connect
from tests.cli.shop import Cli, asked, feed_into, lines_of


def test_what_is_restored_is_what_was_backed_up(cli: Cli, folder: Path, tmp_path: Path) -> None:
    made = cli("backup", tmp_path / "b.db", "--data", folder)
    assert (made.code, made.out) == (0, f"{tmp_path / 'b.db'}\n")
    restored = tmp_path / "restored"
    assert cli("restore", tmp_path / "b.db", "--data", restored).code == 0
    for table in ("journal", "states", "feed", "warnings", "models", "dead_letters", "meta", "counts", "waiting"):
        query = f"SELECT * FROM {table} ORDER BY 1, 2"
        assert asked(restored, query) == asked(folder, query), table
    assert cli("doctor", "--data", restored).code == 0
    assert cli("replay", "--data", restored).code == 0
    assert sorted(path.name for path in tmp_path.glob("b.db*")) == ["b.db"]


def test_a_restored_folder_goes_on_as_the_first_would(cli: Cli, own: Path, tmp_path: Path) -> None:
    cli("backup", tmp_path / "b.db", "--data", own)
    cli("restore", tmp_path / "b.db", "--data", tmp_path / "other")
    event = {"event_id": "n", "customer_id": "c0000001", "occurred_at": "2025-04-01", "order_id": "n", "amount": 5}
    feed = tmp_path / "more.jsonl"
    feed.write_bytes(lines_of([event]))
    for folder in (own, tmp_path / "other"):
        feed_into(folder, [feed])
    for query in ("SELECT * FROM journal", "SELECT * FROM states ORDER BY 1", "SELECT * FROM feed"):
        assert asked(own, query) == asked(tmp_path / "other", query)


def test_a_folder_gets_a_file_named_after_the_time(cli: Cli, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "kept").mkdir()
    for target in ("kept", "new"):
        path = Path(cli("backup", target, "--data", folder).out.strip())
        assert path.parent == Path(target)
        assert path.name.startswith("streamproc-2")
        assert path.is_file()


def test_a_backup_can_be_made_in_the_middle_of_a_write(cli: Cli, own: Path, tmp_path: Path) -> None:
    count = asked(own, "SELECT count(*) FROM journal")
    with writer_lock(own), closing(connect(own)) as db:
        db.execute("BEGIN IMMEDIATE")
        db.execute("DELETE FROM journal")
        assert cli("backup", tmp_path / "b.db", "--data", own).code == 0
        db.execute("ROLLBACK")
    cli("restore", tmp_path / "b.db", "--data", tmp_path / "r")
    assert asked(tmp_path / "r", "SELECT count(*) FROM journal") == count


DYING = """
import os, pathlib, sys
from streamproc.adapters.embedded.copies import put_back
pathlib.Path.replace = lambda *_: os.kill(os.getpid(), 9)
put_back(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
"""
WRITING = """
import os, pathlib, sys
from streamproc.adapters.embedded.schema import connect
connect(pathlib.Path(sys.argv[1])).execute("INSERT INTO counts VALUES ('only', 'in the log', 1)")
os.kill(os.getpid(), 9)
"""


def test_killed_before_the_backup_is_in_place_all_is_as_it_was(cli: Cli, own: Path, tmp_path: Path) -> None:
    """What the last writer left in the file's log is not lost with it."""
    cli("backup", tmp_path / "b.db", "--data", own)
    for code, *words in ((WRITING, own), (DYING, tmp_path / "b.db", own)):
        ran = subprocess.run([sys.executable, "-c", code, *map(str, words)], check=False)
        assert ran.returncode == -signal.SIGKILL
    assert asked(own, "SELECT n FROM counts WHERE name = 'only'") == [1]
    assert cli("restore", tmp_path / "b.db", "--force", "--data", own).code == 0
    assert asked(own, "SELECT n FROM counts WHERE name = 'only'") == []


def test_while_somebody_reads_nothing_is_put_back(cli: Cli, own: Path, tmp_path: Path) -> None:
    cli("backup", tmp_path / "b.db", "--data", own)
    with closing(connect(own, readonly=True)) as reader:
        reader.execute("SELECT count(*) FROM journal").fetchone()
        ran = cli("restore", tmp_path / "b.db", "--force", "--data", own)
        assert (ran.code, "somebody reads" in ran.err) == (3, True)
    assert cli("restore", tmp_path / "b.db", "--force", "--data", own).code == 0


def test_data_is_replaced_only_when_forced(cli: Cli, folder: Path, own: Path, tmp_path: Path) -> None:
    cli("backup", tmp_path / "b.db", "--data", folder)
    with closing(connect(own)) as db:
        db.execute("DELETE FROM feed")
        refused = cli("restore", tmp_path / "b.db", "--data", own)
    assert refused.code == 2
    assert "--force" in refused.err
    assert asked(own, "SELECT count(*) FROM feed") == [0]
    assert cli("restore", tmp_path / "b.db", "--force", "--data", own).code == 0
    assert asked(own, "SELECT count(*) FROM feed") == asked(folder, "SELECT count(*) FROM feed")


@pytest.mark.parametrize("content", [b"", b"shopping list" * 999, b"SQLite format 3\0" + b"\xff" * 9_999])
def test_what_is_no_backup_is_refused_and_nothing_is_touched(
    cli: Cli, own: Path, tmp_path: Path, content: bytes
) -> None:
    (tmp_path / "b.db").write_bytes(content)
    before = (own / FILE).read_bytes()
    ran = cli("restore", tmp_path / "b.db", "--force", "--data", own)
    assert ran.code == 3
    assert "no backup" in ran.err
    assert (own / FILE).read_bytes() == before


def test_a_newer_or_a_damaged_backup_is_refused(cli: Cli, folder: Path, tmp_path: Path) -> None:
    cli("backup", tmp_path / "b.db", "--data", folder)
    content = bytearray((tmp_path / "b.db").read_bytes())
    newer = content[:60] + (99).to_bytes(4, "big") + content[64:]
    (tmp_path / "newer.db").write_bytes(newer)
    ran = cli("restore", tmp_path / "newer.db", "--data", tmp_path / "r")
    assert ran.code == 3
    assert "newer streamproc" in ran.err
    content[len(content) // 2 : len(content) // 2 + 8_192] = b"\xff" * 8_192
    (tmp_path / "torn.db").write_bytes(content)
    assert cli("restore", tmp_path / "torn.db", "--data", tmp_path / "r").code == 3
    assert not (tmp_path / "r" / FILE).exists()


def test_wrong_places_are_told(cli: Cli, folder: Path, own: Path, tmp_path: Path) -> None:
    assert cli("restore", tmp_path / "gone.db", "--data", tmp_path / "r").code == 2
    (tmp_path / "file").write_bytes(b"")
    assert cli("backup", tmp_path / "file" / "b.db", "--data", folder).code == 3
    cli("backup", tmp_path / "b.db", "--data", folder)
    with writer_lock(own):
        assert cli("restore", tmp_path / "b.db", "--force", "--data", own).code == 3
