"""A backup ends although another process goes on committing, and holds what was there when it began."""

import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from streamproc.adapters.embedded import copies
from streamproc.adapters.embedded.schema import connect


def test_a_backup_of_a_folder_in_use_ends_and_is_as_of_one_instant(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(copies, "PAGES", 5)
    steps = 0
    with closing(connect(tmp_path / "data")) as writer, closing(connect(tmp_path / "data", readonly=True)) as reader:
        writer.execute("INSERT INTO meta VALUES ('progress', zeroblob(200000))")

        def committing(_done: int, _total: int) -> None:
            nonlocal steps
            steps += 1
            assert steps < 100, "the copy starts over again and again"
            writer.execute("INSERT OR REPLACE INTO meta VALUES ('later', ?)", (bytes(steps),))

        copies.copy_out(reader, tmp_path / "b.db", committing)
        assert writer.execute("SELECT count(*) FROM meta").fetchone() == (2,)
    with closing(sqlite3.connect(tmp_path / "b.db")) as copy:
        assert copy.execute("SELECT key FROM meta").fetchall() == [("progress",)]
