"""The journal in SQLite: appended in batches, read in order."""

import json
import sqlite3
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from streamproc.adapters.embedded.schema import StoreError
from streamproc.core.control import CORE_VERSION, JournalRecord, Setup
from streamproc.wire.journal import DecodeFailure, decode, encode

PAGE = 5_000

GONE = "forgotten"
"""The key under which a folder keeps how many numbers are unused."""


class Numbered(NamedTuple):
    """A record with its place in the journal."""

    seq: int
    record: JournalRecord


class Journal:
    """The journal's one writer. Records get their numbers at once and are written by `flush`."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        self._rows: list[tuple[int, str | None, str | None, bytes]] = []
        (last,) = db.execute("SELECT coalesce(max(seq), 0) FROM journal").fetchone()
        self.last: int = last

    def known(self, event_ids: Iterable[str]) -> set[str]:
        """Which of the ids the journal holds, as far as it is flushed."""
        wanted = json.dumps(list(event_ids))
        query = "SELECT event_id FROM journal WHERE event_id IN (SELECT value FROM json_each(?))"
        return {event_id for (event_id,) in self._db.execute(query, (wanted,))}

    def append(self, record: JournalRecord, *, arrived: bool = True) -> None:
        """Adds a record at the end. What an alias forwards did not arrive: its event's id is the journal's already."""
        self.last += 1
        event_id = getattr(record, "event_id", None) if arrived else None
        self._rows.append((self.last, getattr(record, "customer_id", None), event_id, encode(record)))

    def flush(self) -> None:
        """Writes what was added, inside the transaction that is open."""
        self._db.executemany("INSERT INTO journal (seq, customer, event_id, body) VALUES (?, ?, ?, ?)", self._rows)
        self._rows.clear()


def read(db: sqlite3.Connection, after: int = 0, upto: int | None = None) -> Iterator[Numbered]:
    """The records numbered above `after` (up to `upto`), in order. Raises StoreError at one that cannot be read."""
    limit = upto if upto is not None else 1 << 62
    while True:
        rows = db.execute(
            "SELECT seq, body FROM journal WHERE seq > ? AND seq <= ? ORDER BY seq LIMIT ?", (after, limit, PAGE)
        ).fetchall()
        if not rows:
            return
        yield from _decoded(rows)
        after = rows[-1][0]


def read_customer(db: sqlite3.Connection, customer_ids: Iterable[str]) -> Iterator[Numbered]:
    """What concerns the customers: their own records and those for everybody, in order."""
    query = (
        "SELECT seq, body FROM journal WHERE customer IN (SELECT value FROM json_each(?)) "
        "UNION ALL SELECT seq, body FROM journal WHERE customer IS NULL ORDER BY seq"
    )
    yield from _decoded(db.execute(query, (json.dumps(list(customer_ids)),)))


def check_core(first: JournalRecord) -> None:
    """Raises StoreError where a journal that begins with this record was begun under newer rules than ours."""
    if isinstance(first, Setup) and first.core_version > CORE_VERSION:
        raise StoreError(
            f"the journal was begun by a newer streamproc (core version {first.core_version}, "
            f"this one knows {CORE_VERSION}): upgrade"
        )


def unused_numbers(db: sqlite3.Connection) -> int:
    """How many numbers of records are unused: of those deleted with whom they were of, or left out before an import."""
    row = db.execute("SELECT body FROM meta WHERE key = ?", (GONE,)).fetchone()
    return 0 if row is None else int(row[0])


def note_unused(db: sqlite3.Connection, numbers: int) -> None:
    """Notes how many there are, inside the transaction that is open."""
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (GONE, str(numbers)))


def read_own(db: sqlite3.Connection, customer_id: str) -> Iterator[Numbered]:
    """The customer's own records alone, in order."""
    yield from _decoded(db.execute("SELECT seq, body FROM journal WHERE customer = ? ORDER BY seq", (customer_id,)))


def _decoded(rows: Iterable[tuple[int, bytes]]) -> Iterator[Numbered]:
    for seq, body in rows:
        record = decode(body)
        if isinstance(record, DecodeFailure):
            raise StoreError(
                f"journal record {seq} cannot be read ({record.why}): restore the folder from a backup "
                "or read it with the version of streamproc that wrote it"
            )
        yield Numbered(seq, record)
