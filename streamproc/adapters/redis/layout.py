"""How the feed lies in Redis: its keys, its bounds, and a warning's row.

| key | type | holds |
|---|---|---|
| position | text | the offset of the last record taken in |
| lines | stream | the last `Bounds.lines` lines as they came; a line's number is its offset + 1 |
| bodies, standings, lives | hashes | by warning: as it was raised, as it stands, what came after it was raised |
| newest, stakes, open-newest, open-stakes, customers | sorted sets | the orders in which warnings are listed |
| settled | sorted set | warnings of which nothing more will come, the longest settled first |
| counts | hash | how many warnings stand how, of all that ever were |

A warning of which something may still come (open, or without its verdict) is always kept; of the settled ones the last
`Bounds.settled`. The log keeps everything: with other bounds and an emptied Redis the feed is built anew.
"""

from collections.abc import Mapping
from typing import NamedTuple

import msgspec

from streamproc.desk.feed import Counts, Numbered, Standing, as_it_stands, stake_of
from streamproc.desk.forgetting import is_farewell
from streamproc.desk.report import Current, WarningNow
from streamproc.desk.warning import Entry, State, Warning  # noqa: A004 - it is the domain's word

LAYOUT = 2
"""What another layout holds lies beside it, under keys of its own: it is built from the log, not made from the old."""


class Bounds(NamedTuple):
    """How much is kept: so many lines, so many settled warnings.

    Of warnings with eight reasons a line takes 1.5 KB and a warning 3.6 KB: half a gigabyte where both are reached.
    """

    lines: int = 100_000
    settled: int = 100_000


USUAL = Bounds()


class Keys(NamedTuple):
    """The feed's keys, in the order in which take.lua names them."""

    position: str
    lines: str
    bodies: str
    standings: str
    lives: str
    newest: str
    stakes: str
    open_newest: str
    open_stakes: str
    customers: str
    settled: str
    counts: str


def keys_under(prefix: str) -> Keys:
    """The keys of the feed of this prefix. The braces keep them together in a Redis Cluster."""
    return Keys(*(f"{{{prefix}feed}}:{LAYOUT}:{name.replace('_', '-')}" for name in Keys._fields))


class Row(msgspec.Struct, array_like=True):
    """A warning as it stands, all text as take.lua keeps it; `member` is its place in sorted sets, `care` JSON."""

    customer: str
    member: str
    stake: str
    state: State
    updated_at: str
    severity: str
    probability: str
    expected_loss: str
    verdict: str
    care: str


_VERDICTS = {"": None, "right": True, "wrong": False}
_ENCODE = msgspec.json.Encoder().encode
_DECODE_ROW = msgspec.msgpack.Decoder(Row).decode


def arguments(record: Numbered, before: int | None) -> list[bytes | str | int]:
    """The arguments of take.lua up to the bounds, for a record that follows the one at `before`."""
    place: list[bytes | str | int] = [record.offset, "" if before is None else before, record.offset + 1]
    entry = record.entry
    if entry is None:
        return [*place, "unreadable", *[""] * 10]
    if is_farewell(entry):
        return [*place, "forget", *[""] * 8, entry.customer_id, ""]
    told = entry.warning
    if told is not None:
        return [*place, "raise", record.body, told.id, told.raised_at, "", *_figures(told), *_raised(told)]
    if entry.kind == "verdict":
        word = "" if entry.right is None else "right" if entry.right else "wrong"
        return [*place, "verdict", record.body, entry.warning_id, entry.at, word, *[""] * 6]
    if entry.care is not None:
        return [*place, "care", record.body, entry.warning_id, entry.at, *[""] * 6, _ENCODE(entry.care)]
    return [*place, "change", record.body, entry.warning_id, entry.at, entry.kind, *_changed(entry), "", ""]


def _figures(told: Warning) -> tuple[str, str, str, str]:
    loss = told.value.expected_loss
    return told.severity, "" if told.risk is None else repr(told.risk.probability), loss, repr(stake_of(loss))


def _raised(told: Warning) -> tuple[str, bytes]:
    return told.customer_id, _ENCODE(told)


def _changed(entry: Entry) -> tuple[str, str, str, str]:
    loss = entry.expected_loss or ""
    probability = "" if entry.probability is None else repr(entry.probability)
    return entry.severity or "", probability, loss, repr(stake_of(loss)) if loss else ""


def counts_of(found: Mapping[bytes, bytes]) -> Counts:
    """How many warnings stand how, as the hash of counts tells."""
    counts = Counts({}, {}, {})
    tables = {"state": counts.states, "verdict": counts.verdicts, "open": counts.open_by_severity}
    for name, number in found.items():
        what, _, code = name.decode().partition(" ")
        if int(number):
            tables[what][code] = int(number)
    return counts


def row_of(packed: bytes) -> Row:
    """A row as take.lua packed it."""
    return _DECODE_ROW(packed)


def now_of(row: Row, body: bytes) -> WarningNow:
    """The warning as it stands."""
    probability = float(row.probability) if row.probability else None
    current = Current(severity=row.severity, probability=probability, expected_loss=row.expected_loss)
    care = msgspec.Raw(row.care.encode() or b"null")
    return as_it_stands(body, Standing(row.state, row.updated_at, current, _VERDICTS[row.verdict], care))
