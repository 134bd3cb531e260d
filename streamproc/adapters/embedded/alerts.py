"""The alerts in SQLite: each line as it came."""

import sqlite3
from collections.abc import Iterable, Iterator

import msgspec

from streamproc.adapters.embedded.schema import version_of
from streamproc.core.alerts import Alert

SINCE_VERSION = 2
"""The tables' version from which on there are alerts; an older folder is brought up when it is written to."""


def write(db: sqlite3.Connection, lines: Iterable[Alert]) -> None:
    """Adds lines, inside the transaction that is open."""
    db.executemany(
        "INSERT INTO alerts (alert_id, at, body) VALUES (?, ?, ?)",
        [(line.id, line.at, msgspec.json.encode(line)) for line in lines],
    )


def lines(db: sqlite3.Connection, after: int = 0) -> Iterator[tuple[int, Alert]]:
    """The lines numbered above `after`, in order."""
    if version_of(db) < SINCE_VERSION:
        return
    for seq, body in db.execute("SELECT seq, body FROM alerts WHERE seq > ? ORDER BY seq", (after,)):
        yield seq, msgspec.json.decode(body, type=Alert)
