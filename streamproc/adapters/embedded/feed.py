"""The feed in SQLite: lines as they came, and each warning as it stands."""

import sqlite3
from collections.abc import Iterable, Iterator

import msgspec

from streamproc.desk.warning import Entry

_ENCODE = msgspec.json.Encoder().encode

# Of one id again only where the first was withdrawn with the data behind it, and the same data has come again.
_RAISE = "INSERT OR REPLACE INTO warnings VALUES (?, ?, ?, ?, 'raised', ?, ?, ?, NULL, ?, ?)"
_GO_ON = (
    "UPDATE warnings SET state = ?, updated_at = ?, severity = coalesce(?, severity), "
    "probability = coalesce(?, probability), expected_loss = coalesce(?, expected_loss) WHERE id = ?"
)
RETOLD = "retold"
"""The key under which a folder made anew keeps the number of the last line of the feed that was told before."""

_NO_CARE = "DELETE FROM care WHERE warning_id = ?"
_CARE = "INSERT OR REPLACE INTO care VALUES (?, ?)"
UNTOLD = -1.0
"""Stands for the probability of a warning that has none: folders of the first version have no place for nothing."""

_TOUCH = "UPDATE warnings SET updated_at = ? WHERE id = ?"
_JUDGE = "UPDATE warnings SET verdict = ?, updated_at = ? WHERE id = ?"


def write(db: sqlite3.Connection, entries: Iterable[Entry]) -> None:
    """Adds lines to the feed, inside the transaction that is open."""
    for entry in entries:
        db.execute(
            "INSERT INTO feed (warning_id, customer, at, kind, body) VALUES (?, ?, ?, ?, ?)",
            (entry.warning_id, entry.customer_id, entry.at, entry.kind, _ENCODE(entry)),
        )
        if entry.warning is not None:
            w = entry.warning
            risk = UNTOLD if w.risk is None else w.risk.probability
            db.execute(_NO_CARE, (w.id,))
            db.execute(
                _RAISE,
                (
                    w.id, w.customer_id, w.raised_at, w.raised_at, w.severity, risk, w.value.expected_loss,
                    w.history, _ENCODE(w),
                ),
            )  # fmt: skip
        elif entry.care is not None:
            db.execute(_CARE, (entry.warning_id, _ENCODE(entry.care)))
            db.execute(_TOUCH, (entry.at, entry.warning_id))
        elif entry.kind == "verdict":
            db.execute(_JUDGE, (entry.right, entry.at, entry.warning_id))
        else:
            db.execute(
                _GO_ON, (entry.kind, entry.at, entry.severity, entry.probability, entry.expected_loss, entry.warning_id)
            )


def lines(db: sqlite3.Connection, after: int = 0) -> Iterator[tuple[int, Entry]]:
    """The feed's lines numbered above `after`."""
    for seq, body in db.execute("SELECT seq, body FROM feed WHERE seq > ? ORDER BY seq", (after,)):
        yield seq, msgspec.json.decode(body, type=Entry)


def retelling(db: sqlite3.Connection) -> Iterator[bytes]:
    """The lines that a replay of the folder's journal gives.

    Up to where the journal was made anew last, the feed holds what was told then, and what was said of the difference.
    """
    row = db.execute("SELECT body FROM meta WHERE key = ?", (RETOLD,)).fetchone()
    told_before = 0 if row is None else msgspec.msgpack.decode(row[0], type=int)
    if row is not None:
        yield from (body for (body,) in db.execute("SELECT body FROM retold ORDER BY seq"))
    query = "SELECT body FROM feed WHERE seq > ? AND customer != '' ORDER BY seq"  # without names: of who is forgotten
    for (body,) in db.execute(query, (told_before,)):
        yield body
