"""What a folder has counted, as whoever watches it over time is to see it: figures that only grow.

A journal made anew counts what is in it, and that may be less. What was counted before beyond that is kept beside it:
or it would be taken for a new beginning, and all of it for news.
"""

import sqlite3

import msgspec

BEYOND = "counted_beyond"
"""The key in `meta`; by name and label, as `name/label`."""


def ever(db: sqlite3.Connection) -> dict[tuple[str, str], int]:
    """By name and label what was counted ever, in whatever journal the folder had."""
    counts = {(name, label): n for name, label, n in db.execute("SELECT name, label, n FROM counts")}
    row = db.execute("SELECT body FROM meta WHERE key = ?", (BEYOND,)).fetchone()
    beyond = {} if row is None else msgspec.msgpack.decode(row[0], type=dict[str, int])
    for key, n in beyond.items():
        name, _, label = key.partition("/")
        counts[name, label] = counts.get((name, label), 0) + n
    return counts


def carry(old: sqlite3.Connection, new: sqlite3.Connection) -> None:
    """Notes in the file made anew, inside the transaction that is open, what the old one has counted beyond it."""
    now = ever(new)
    beyond = {"/".join(key): n - now.get(key, 0) for key, n in sorted(ever(old).items()) if n > now.get(key, 0)}
    if beyond:
        new.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (BEYOND, msgspec.msgpack.encode(beyond)))
