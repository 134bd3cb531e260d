"""Somebody is forgotten in a data folder: what names them goes at once, from every table and from the file itself.

The rules kept here: the journal without their records, and with the mark that they were forgotten, gives what it gave
for everybody else. What the feed told of them is gone from it; its readers are told so, in lines that name nobody. A
line that is deleted leaves its number unused. Of what was refused, a letter that names the id in any field goes too.
"""

import json
import re
import sqlite3
from collections.abc import Iterable
from contextlib import suppress
from itertools import product
from pathlib import Path

import msgspec

from streamproc.adapters.embedded import feed
from streamproc.adapters.embedded.copies import PART
from streamproc.adapters.embedded.journal import note_unused, unused_numbers
from streamproc.adapters.embedded.rewriting import drop
from streamproc.adapters.embedded.runner import Runner
from streamproc.adapters.embedded.schema import StoreError
from streamproc.core.alerts import Alert
from streamproc.core.control import Handover
from streamproc.core.events import CustomerFact
from streamproc.core.time import to_text
from streamproc.desk.forgetting import Traces, alert_without, farewell
from streamproc.wire.journal import decode

KEPT = "streamproc-*.db*"
"""Files beside a folder's own, as `retract` and `backup` leave them: they hold what they held."""

ENCODINGS = ("utf-8", "gb18030", "big5", "shift_jis", "euc_kr", "cp1252", "cp1251", "iso8859_2")
"""In which refused bytes that are no UTF-8 are looked through: a letter does not say how its table is written."""

_ALIASES = (b'"alias_of":', b'"type":"handover"')
_THEIRS = "customer IN (SELECT value FROM json_each(?))"
_TABLES = ("journal", "states", "waiting", "feed", "retold", "warnings")


def ids_of(db: sqlite3.Connection, customer_id: str) -> frozenset[str]:
    """The id and all that were told to be the same customer's, by whatever way."""
    known: dict[str, set[str]] = {}
    for mark in _ALIASES:
        for (body,) in db.execute("SELECT body FROM journal WHERE customer IS NOT NULL AND instr(body, ?)", (mark,)):
            record = decode(body)
            other = record.alias_of if isinstance(record, CustomerFact) else None
            other = record.alias if isinstance(record, Handover) else other
            if other is not None and isinstance(record, CustomerFact | Handover):
                known.setdefault(record.customer_id, set()).add(other)
                known.setdefault(other, set()).add(record.customer_id)
    found, wanted = set[str](), [customer_id]
    while wanted:
        one = wanted.pop()
        if one not in found:
            found.add(one)
            wanted += known.get(one, ())
    return frozenset(found)


def traces(db: sqlite3.Connection, ids: frozenset[str]) -> Traces:
    """What the folder holds of them."""
    names = json.dumps(sorted(ids))
    return Traces(
        ids=tuple(sorted(ids)),
        records=_one(db, f"SELECT count(*) FROM journal WHERE {_THEIRS}", names),  # noqa: S608 - our own words
        warnings=_one(db, f"SELECT count(*) FROM warnings WHERE {_THEIRS}", names),  # noqa: S608 - our own words
        dead_letters=len(_letters(db, ids)),
    )


def forget(db: sqlite3.Connection, runner: Runner, ids: frozenset[str], at: int) -> None:
    """Lets go of all that the folder holds of them, in one transaction; `purge` takes it out of the file."""
    db.execute("PRAGMA secure_delete = ON")
    runner.forget(ids, at)
    names = json.dumps(sorted(ids))
    told = [name for (name,) in db.execute(
        f"SELECT DISTINCT warning_id FROM feed WHERE {_THEIRS} AND warning_id != '' ORDER BY 1", (names,)  # noqa: S608
    )]  # fmt: skip
    feed.write(db, farewell(told, to_text(runner.progress.clock)))
    db.execute(f"DELETE FROM care WHERE warning_id IN (SELECT id FROM warnings WHERE {_THEIRS})", (names,))  # noqa: S608
    note_unused(db, unused_numbers(db) + traces(db, ids).records)
    for table in _TABLES:
        db.execute(f"DELETE FROM {table} WHERE {_THEIRS}", (names,))  # noqa: S608 - our own words
    db.executemany("DELETE FROM dead_letters WHERE id = ?", [(number,) for number in _letters(db, ids)])
    _redact_alerts(db, ids)
    runner.commit()


def purge(db: sqlite3.Connection) -> None:
    """Writes the file anew: no page and no log holds what was deleted. Raises StoreError while somebody reads."""
    for step in ("PRAGMA wal_checkpoint(TRUNCATE)", "VACUUM", "PRAGMA wal_checkpoint(TRUNCATE)"):
        answer = db.execute(step).fetchone()
        if answer is not None and answer[0]:
            raise StoreError(
                "somebody reads the folder just now: what was deleted may still lie in the file's log. Run the same "
                "command again once nobody does"
            )


def drop_halves(folder: Path) -> None:
    """Deletes what a retraction or a restoring that was broken off left: it is of no use, and holds everybody."""
    drop(folder)
    (folder / PART).unlink(missing_ok=True)


def kept_beside(folder: Path) -> list[Path]:
    """Earlier files of the folder, which hold what they held."""
    return sorted(folder.glob(KEPT))


def _redact_alerts(db: sqlite3.Connection, ids: frozenset[str]) -> None:
    for seq, body in db.execute("SELECT seq, body FROM alerts").fetchall():
        told = msgspec.json.decode(body, type=Alert)
        left = alert_without(told, ids)
        if left is not told:
            db.execute("UPDATE alerts SET body = ? WHERE seq = ?", (msgspec.json.encode(left), seq))


def _one(db: sqlite3.Connection, query: str, *values: object) -> int:
    (number,) = db.execute(query, values).fetchone()
    return int(number)


# --------------------------------------------------------------------------------------------- dead letters


def _letters(db: sqlite3.Connection, ids: frozenset[str]) -> list[int]:
    """The numbers of the dead letters that name one of them."""
    ours, theirs = _word(ids, ("utf-8",)), _word(ids, ENCODINGS)
    rows = db.execute("SELECT id, raw, detail FROM dead_letters").fetchall()
    return [
        number
        for number, raw, detail in rows
        if names_one(raw, ids, ours if _is_text(raw) else theirs) or ours.search(detail.encode())
    ]


def _word(ids: Iterable[str], encodings: Iterable[str]) -> re.Pattern[bytes]:
    """One of the ids as a word of its own, in one of the encodings, or with JSON's escapes."""
    written = {json.dumps(one)[1:-1].encode() for one in ids}
    for one, encoding in product(ids, encodings):
        with suppress(UnicodeEncodeError):  # it cannot be written so
            written.add(one.encode(encoding))
    return re.compile(rb"(?<![\w.@+-])(?:" + b"|".join(map(re.escape, sorted(written))) + rb")(?![\w@+-])")


def _is_text(raw: bytes) -> bool:
    try:
        raw.decode()
    except UnicodeDecodeError:
        return False
    return True


def names_one(raw: bytes, ids: frozenset[str], word: re.Pattern[bytes]) -> bool:
    """Whether bytes that were refused name one of the ids: as a text in their JSON, else as a word of their own."""
    try:
        return _holds(msgspec.json.decode(raw), ids)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return word.search(raw) is not None


def _holds(value: object, ids: frozenset[str], name: str = "") -> bool:
    """A number is an id only in a member that is called so."""
    if isinstance(value, str):
        return value.strip() in ids
    if isinstance(value, dict):
        return any(_holds(key, ids) or _holds(part, ids, str(key)) for key, part in value.items())
    if isinstance(value, list):
        return any(_holds(part, ids, name) for part in value)
    return isinstance(value, int) and str(value) in ids and ("customer" in name.lower() or "id" in name.lower())
