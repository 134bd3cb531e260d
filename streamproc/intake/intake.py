"""One source's intake: its mapping, its ids, the shared rates. Bytes and rows in; journal records or refusals out.

A record is read in two steps, so that a file can be put in order by time before anything that depends on the
order (occurrence numbers, currency rates) happens: `open_body` / `open_row` need nothing but the record,
`finish` is called in the order of time.
"""

from collections.abc import Sequence
from typing import Literal
from zoneinfo import ZoneInfo

from msgspec import Struct

from streamproc.core.time import SECOND
from streamproc.intake.decode import Decoded, Words, decode_json
from streamproc.intake.ids import Occurrences, RowHasher, hash_of_bytes
from streamproc.intake.journal import JournalEvent, Scribe, Stamp
from streamproc.intake.mapping import Mapping
from streamproc.intake.rates import Rates
from streamproc.intake.refusal import Position, Refusal
from streamproc.intake.rows import RowPlan
from streamproc.intake.times import Times
from streamproc.wire.feed import FeedFirmFact

MAX_AHEAD = 300 * SECOND
"""How far after `now` an event may be dated (clocks differ), in microseconds."""

Skipped = Literal["skipped"]


class Draft(Struct, frozen=True, gc=False):
    """A record whose time is known and whose rest is not decided yet.

    `at` µs; `rank` 0 for what holds for everybody (it comes before the customers' events of the same
    instant, so that a rate of the day holds for the day), else 1; `content` a decoded event, or a row's cells.
    """

    at: int
    rank: int
    content: Decoded | list[str]


class Settings(Struct, frozen=True):
    """What holds for every source.

    `keep_text` keeps free texts of complaints and contacts; `require_ids` refuses JSON events that name no
    event_id (HTTP, where a repeat could not be told from a second event); `in_order` says that `finish` is
    called in order of time, so that fewer contents need be remembered.
    """

    keep_text: bool = False
    require_ids: bool = False
    in_order: bool = False


class Intake:
    """The intake of one source: a JSON feed, or, with a `header`, the rows of a table.

    For a table the mapping must be one that `infer_mapping(header)` returned.
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
        self._scribe = Scribe(mapping, rates, self._times, keep_text=self._settings.keep_text)
        self._seen = Occurrences(in_order=self._settings.in_order)
        self._plan = None if header is None else RowPlan(mapping, header, self._words)
        self._hash_row = RowHasher(list(header or ()))
        self.skipped: int = 0

    def take(self, body: bytes, position: Position, now: int, key: str = "") -> JournalEvent | Refusal | None:
        """The journal record in one JSON event; None for a kind that is skipped.

        `key` names the event where it does not itself (an Idempotency-Key). `now` is the wall clock, µs.
        """
        draft = self.open_body(body, now)
        return self.finish(draft, body, position, key) if isinstance(draft, Draft) else draft

    def take_row(self, row: list[str], position: Position, now: int) -> JournalEvent | Refusal | None:
        """The journal record in one row of the table; None for a kind that is skipped."""
        draft = self.open_row(row, now)
        return self.finish(draft, b"", position) if isinstance(draft, Draft) else draft

    def open_body(self, body: bytes, now: int) -> Draft | Refusal | None:
        """First step, for a JSON event: decoded and dated."""
        decoded = decode_json(body, self._words)
        if isinstance(decoded, Refusal):
            return decoded
        if decoded == "skipped":
            self.skipped += 1
            return None
        event = decoded[0]
        at = self._dated(event.occurred_at, now)
        if isinstance(at, Refusal):
            return at
        return Draft(at, 0 if isinstance(event, FeedFirmFact) else 1, decoded)

    def open_row(self, row: list[str], now: int) -> Draft | Refusal | None:
        """First step, for a row: split rightly and dated. Raises TypeError where there is no header."""
        if self._plan is None:
            raise TypeError("an intake without a header reads no rows")
        stamp = self._plan.stamp(row)
        if stamp is None:
            self.skipped += 1
            return None
        if isinstance(stamp, Refusal):
            return stamp
        at = self._dated(stamp, now)
        return at if isinstance(at, Refusal) else Draft(at, 1, row)

    def finish(self, draft: Draft, body: bytes, position: Position, key: str = "") -> JournalEvent | Refusal:
        """Second step: named, converted, written as a journal record. `body` is the JSON event's bytes."""
        content = draft.content
        if isinstance(content, list):
            assert self._plan is not None  # a row's draft comes from open_row
            decoded = self._plan.decode(content)
            if isinstance(decoded, Refusal):
                return decoded
        else:
            decoded = content
        event, returned = decoded
        event_id = event.event_id or key
        if not event_id:
            if self._settings.require_ids:
                return Refusal("missing_field", "event_id", "or an Idempotency-Key")
            hashed = self._hash_row(content) if isinstance(content, list) else hash_of_bytes(body)
            event_id = f"{hashed}-{self._seen.number(draft.at, hashed)}"
        return self._scribe.write(event, Stamp(event_id, draft.at, position.source, returned))

    def _dated(self, stamp: str | float, now: int) -> int | Refusal:
        at = self._times.parse(stamp)
        if isinstance(at, Refusal):
            return at
        if at < 0:
            return Refusal("too_old", "occurred_at", "before 1970")
        if at > now + MAX_AHEAD:
            return Refusal("in_future", "occurred_at", "more than 5 min ahead of the clock")
        return at
