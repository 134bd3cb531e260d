"""One source's intake: bytes and rows in; journal records or refusals out.

`take` and `take_row` are called in the order of time where there is one, for occurrence numbers and currency
rates follow it; `peek` and `peek_row` tell that order beforehand.
"""

from collections.abc import Sequence
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from streamproc.core.time import SECOND
from streamproc.intake.decode import Decoded, Peek, Words, decode_json, peek_json
from streamproc.intake.ids import Occurrences, RowHasher, hash_of_bytes
from streamproc.intake.journal import JournalEvent, Scribe, Stamp
from streamproc.intake.mapping import Mapping
from streamproc.intake.rates import Rates
from streamproc.intake.refusal import Position, Refusal
from streamproc.intake.renaming import renamer
from streamproc.intake.rows import RowPlan
from streamproc.intake.times import Times
from streamproc.wire.feed import FIRM_FACTS

MAX_AHEAD = 300 * SECOND
"""How far after `now` an event may be dated (clocks differ), in microseconds."""

Order = tuple[int, int]
"""Where an event belongs in time: at (µs), then 0 for what holds for everybody, 1 for the rest.

So a fact comes before the customers' events of the same instant, and a rate of the day holds for the day.
"""


class Settings(Struct, frozen=True):
    """What holds for every source.

    `keep_text` keeps free texts of complaints and contacts; `require_ids` refuses JSON events that name no
    event_id (HTTP, where a repeat could not be told from a second event); `in_order` says that records are
    taken in order of time, so that fewer contents need be remembered.
    """

    keep_text: bool = False
    require_ids: bool = False
    in_order: bool = False


class Intake:
    """The intake of one source: a JSON feed, or, with a `header`, the rows of a table.

    For a table the mapping must be one that `infer_mapping(header)` returned. `skipped` counts the events of
    kinds that the mapping says to skip.
    """

    def __init__(
        self,
        rates: Rates,
        mapping: Mapping | None = None,
        header: Sequence[str] | None = None,
        settings: Settings | None = None,
    ) -> None:
        mapping = mapping or Mapping()
        self._settings = settings or Settings()
        self._times = Times(ZoneInfo(mapping.time_zone), mapping.time_format)
        self._words = Words(mapping)
        self._rename = renamer(mapping)
        self._scribe = Scribe(mapping, rates, self._times, keep_text=self._settings.keep_text)
        self._seen = Occurrences(in_order=self._settings.in_order)
        self._plan = RowPlan(Mapping() if header is None else mapping, header or (), self._words)
        self._hash_row = RowHasher(list(header or ()))
        self.skipped = 0

    def take(
        self, body: bytes, position: Position, now: int, *, key: str = "", at: int | None = None
    ) -> JournalEvent | Refusal | None:
        """The journal record in one JSON event; None for a kind that is skipped.

        `key` names the event where it does not itself (an Idempotency-Key). `now` is the wall clock, µs. `at`
        is the event's time where `peek` has told it.
        """
        decoded = decode_json(self._rename(body), self._words)
        if isinstance(decoded, tuple):
            return self._finish(decoded, body, position, self._dated(decoded[0].occurred_at, now, at), key)
        return self._left_out(decoded)

    def take_row(
        self, row: list[str], position: Position, now: int, *, at: int | None = None
    ) -> JournalEvent | Refusal | None:
        """The journal record in one row of the table; None for a kind that is skipped. `at` as `peek_row` told."""
        decoded = self._plan.decode(row)
        if isinstance(decoded, tuple):
            return self._finish(decoded, row, position, self._dated(decoded[0].occurred_at, now, at))
        return self._left_out(decoded)

    def peek(self, body: bytes, now: int) -> Order | None:
        """Where a JSON event belongs in time; None for one without a usable time."""
        seen = peek_json(self._rename(body))
        at = None if seen is None else self._dated(seen.occurred_at, now)
        if seen is None or not isinstance(at, int):
            return None
        return at, 0 if _is_firms(seen) else 1

    def peek_row(self, row: list[str], now: int) -> Order | None:
        """Where a row belongs in time; None for one without a usable time."""
        at = self._dated(self._plan.stamp(row), now)
        return (at, 1) if isinstance(at, int) else None

    def _left_out(self, answer: Refusal | Literal["skipped"]) -> Refusal | None:
        if isinstance(answer, Refusal):
            return answer
        self.skipped += 1
        return None

    def _finish(
        self, decoded: Decoded, content: bytes | list[str], position: Position, at: int | Refusal, key: str = ""
    ) -> JournalEvent | Refusal:
        """Named, and written as a journal record."""
        if not isinstance(at, int):
            return at
        event, returned = decoded
        event_id = event.event_id or key
        if not event_id:
            if self._settings.require_ids:
                return Refusal("missing_field", "event_id", "or an Idempotency-Key")
            hashed = self._hash_row(content) if isinstance(content, list) else hash_of_bytes(content)
            event_id = f"{hashed}-{self._seen.number(at, hashed)}"
        return self._scribe.write(event, Stamp(event_id, at, position.source, returned))

    def _dated(self, stamp: str | float, now: int, known: int | None = None) -> int | Refusal:
        if known is not None:
            return known
        at = self._times.parse(stamp)
        if not isinstance(at, int):
            return at
        if at < 0:
            return Refusal("too_old", "occurred_at", "before 1970")
        if at > now + MAX_AHEAD:
            return Refusal("in_future", "occurred_at", "more than 5 min ahead of the clock")
        return at


def _is_firms(seen: Peek) -> bool:
    return seen.fact in FIRM_FACTS or seen.kind in FIRM_FACTS
