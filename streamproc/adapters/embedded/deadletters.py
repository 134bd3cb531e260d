"""Dead letters in SQLite: what was refused, byte for byte, with its reason and where it stood."""

import sqlite3
from collections.abc import Iterable, Iterator
from hashlib import blake2b

from msgspec import Struct

from streamproc.intake.refusal import Position, Refusal
from streamproc.monitor.effects import DeadLettered
from streamproc.wire.journal import encode

JOURNAL = "journal"
"""The source's name of records that were refused after they had entered the journal; `row` is their number."""


class DeadLetter(Struct, frozen=True):
    """One refused record."""

    reason: str
    field: str
    detail: str
    source: str
    row: int
    offset: int
    raw: bytes


class Kept(Struct, frozen=True):
    """A dead letter with its number, and when it was redriven (empty: never)."""

    id: int
    letter: DeadLetter
    redriven: str | None


def of_refusal(refusal: Refusal, raw: bytes, position: Position) -> DeadLetter:
    """The dead letter of what intake refused."""
    return DeadLetter(
        refusal.reason, refusal.field, refusal.detail, position.source, position.row, position.offset, raw
    )


def of_effect(effect: DeadLettered, seq: int) -> DeadLetter:
    """The dead letter of a record that could not be applied; `seq` numbers the record that was being applied."""
    raw = effect.customer_id.encode() if effect.event is None else encode(effect.event)  # a look has no event
    return DeadLetter(effect.reason, "", effect.trace, JOURNAL, seq, 0, raw)


def write(db: sqlite3.Connection, letters: Iterable[DeadLetter]) -> list[str]:
    """Keeps dead letters, inside the transaction that is open; the reasons of those that were not known already."""
    fresh = []
    for x in letters:
        done = db.execute(
            "INSERT INTO dead_letters (key, reason, field, detail, source, row, offset, raw) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?) ON CONFLICT (key) DO NOTHING",
            (_key(x), x.reason, x.field, x.detail, x.source, x.row, x.offset, x.raw),
        )
        if done.rowcount:
            fresh.append(x.reason)
    return fresh


def _key(letter: DeadLetter) -> str:
    place = f"{letter.source}\0{letter.row}\0{letter.offset}\0{letter.reason}\0".encode()
    return blake2b(place + letter.raw, digest_size=16).hexdigest()


def read(db: sqlite3.Connection, *, reason: str | None = None, after: int = 0) -> Iterator[Kept]:
    """The dead letters numbered above `after`, of one reason or of all."""
    query = (
        "SELECT id, reason, field, detail, source, row, offset, raw, redriven FROM dead_letters "
        "WHERE id > ? AND (? IS NULL OR reason = ?) ORDER BY id"
    )
    for number, *fields, redriven in db.execute(query, (after, reason, reason)):
        yield Kept(number, DeadLetter(*fields), redriven)


def mark_redriven(db: sqlite3.Connection, number: int, when: str) -> None:
    """Notes that a dead letter was sent through intake again."""
    db.execute("UPDATE dead_letters SET redriven = ? WHERE id = ?", (when, number))
