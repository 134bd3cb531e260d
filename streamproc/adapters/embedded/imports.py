"""What came from where: the sources that the journal's records name, and when a run began to take something from each.

A source is told by the name its records carry (a file's without its folder, `http`, `desk`). Two imports of one name
are told apart by where in the journal each began.
"""

import sqlite3
from collections import deque
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from itertools import pairwise

import msgspec
from msgspec import Struct

from streamproc.adapters.embedded.schema import version_of
from streamproc.core.control import JournalRecord

SINCE_VERSION = 3
"""The tables' version from which on the beginnings of imports are kept."""

_PAGE = 5_000


class Import(Struct, frozen=True, kw_only=True):
    """What one run took in from one source: `records` of it are in the journal, the first one numbered `number`.

    `begun` is when the run read the first (RFC 3339; None: an earlier version did not keep that), `since` and `until`
    are the times (µs) of its first and last event.
    """

    number: int
    source: str
    begun: str | None
    records: int
    since: int
    until: int


class _Told(Struct):
    """What of a record says where it came from."""

    at: int
    source: str = ""


_READ = msgspec.json.Decoder(_Told).decode


def note(db: sqlite3.Connection, source: str, seq: int, at: str | None = None) -> None:
    """Notes that a run takes in its first record of a source, now or then, inside the transaction that is open."""
    when = f"{datetime.now(UTC):%Y-%m-%dT%H:%M:%SZ}" if at is None else at
    db.execute("INSERT OR REPLACE INTO imports VALUES (?, ?, ?)", (seq, source, when))


def begun(db: sqlite3.Connection) -> list[tuple[int, str, str]]:
    """Where in the journal a run began with a source, which, and when; in order."""
    if version_of(db) < SINCE_VERSION:
        return []
    return list(db.execute("SELECT seq, source, at FROM imports ORDER BY seq"))


def imports(db: sqlite3.Connection) -> list[Import]:
    """All imports of which the journal holds a record, in order."""
    ahead, running = begun(db), dict[str, int]()
    times: dict[int, str] = {}
    found: dict[int, Import] = {}
    for seq, told in _arrived(db):
        while ahead and ahead[0][0] <= seq:
            number, source, at = ahead.pop(0)
            running[source], times[number] = number, at
        number = running.setdefault(told.source, seq)
        known = found.get(number)
        if known is None:
            known = Import(
                number=number, source=told.source, begun=times.get(number), records=0, since=told.at, until=told.at
            )
        found[number] = msgspec.structs.replace(
            known, records=known.records + 1, since=min(known.since, told.at), until=max(known.until, told.at)
        )
    return [found[number] for number in sorted(found)]


class Beginnings:
    """Where imports begin: each with the first of its records that is there, for one before it may be gone."""

    def __init__(self, found: Iterable[Import]) -> None:
        self._ahead: dict[str, deque[Import]] = {}
        for one in found:
            self._ahead.setdefault(one.source, deque()).append(one)

    def of(self, record: JournalRecord, seq: int) -> Import | None:
        """The import whose first record this is, of those that are asked for; None: it is not the first."""
        ahead, begins = self._ahead.get(getattr(record, "source", "")), None
        while ahead and ahead[0].number <= seq:
            begins = ahead.popleft()
        return begins


def _arrived(db: sqlite3.Connection) -> Iterator[tuple[int, _Told]]:
    """The records that came from outside, with their numbers."""
    after = 0
    query = "SELECT seq, body FROM journal WHERE seq > ? AND event_id IS NOT NULL ORDER BY seq LIMIT ?"
    while rows := db.execute(query, (after, _PAGE)).fetchall():
        for seq, body in rows:
            yield seq, _READ(body)
        after = rows[-1][0]


def spans(found: Iterable[Import], source: str, number: int | None) -> list[tuple[int, int]]:
    """Between which numbers (the second not included) a source's records belong to it, or to its import `number`."""
    own = sorted(one.number for one in found if one.source == source)
    apart = pairwise([*own, 1 << 62])
    return [(begin, end) for begin, end in apart if number in (None, begin)]
