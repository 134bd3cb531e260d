"""The feed's home as its writer and its readers see it, wherever it is.

A home that is fed from a log of its own keeps the place in that log with what it holds, and both change in one step. So
it may be set back to an earlier state, or emptied, at any time: whoever writes asks where it stands and goes on there.
"""

from collections.abc import Iterable, Sequence
from typing import Any, Literal, NamedTuple, Protocol

import msgspec

from streamproc.desk.report import Current, WarningNow
from streamproc.desk.warning import Entry, State

Order = Literal["newest_first", "most_at_stake"]

OPEN_STATES = ("raised", "escalated")


class FeedAwayError(Exception):
    """The feed's home does not answer, or takes nothing just now; the message says why. Try again later."""


class FeedMovedError(Exception):
    """The feed's home stands at another place than the writer took for granted: nothing was written from there on."""


class Line(NamedTuple):
    """One line of the feed: its number, and its JSON as it came."""

    seq: int
    body: bytes


class Numbered(NamedTuple):
    """A record of the log: its offset, its bytes, and the line in it (None: it holds none that can be read)."""

    offset: int
    body: bytes
    entry: Entry | None


class Place(NamedTuple):
    """The last record taken in: its offset, and its bytes where they are at hand, to know the log again by."""

    offset: int
    body: bytes | None


class Counts(NamedTuple):
    """Warnings by state; verdicts by right and wrong; the open ones by severity. Codes that never came are left out."""

    states: dict[str, int]
    verdicts: dict[str, int]
    open_by_severity: dict[str, int]


class FeedReader(Protocol):
    """Questions to the feed, from any thread. All raise FeedAwayError."""

    def warnings(
        self,
        *,
        open_only: bool = False,
        customers: Iterable[str] | None = None,
        limit: int | None = None,
        order: Order = "newest_first",
        after: str | None = None,
    ) -> list[WarningNow]:
        """Warnings as they stand: open ones, of some customers, at most `limit` behind the warning `after`."""
        ...

    def warning(self, warning_id: str) -> WarningNow | None:
        """One warning as it stands, None if there is none of this id."""
        ...

    def life_of(self, warning_id: str) -> tuple[Entry, ...]:
        """The feed's lines of one warning, from the one that raised it on."""
        ...

    def counts(self) -> Counts:
        """How many warnings stand how."""
        ...

    def last(self) -> int:
        """The number of the feed's last line, 0 where there is none."""
        ...

    def lines(self, after: int, limit: int) -> list[Line]:
        """At most `limit` lines numbered above `after`, in order."""
        ...


class FeedStore(Protocol):
    """Takes the feed's lines in, each once."""

    async def place(self) -> Place | None:
        """The last record taken in, None: none yet. Raises FeedAwayError."""
        ...

    async def write(self, after: int | None, records: Sequence[Numbered]) -> int:
        """Takes in the records that follow the offset `after` (None: the log's first), without a gap.

        Gives how many were new: what was taken in before is passed over. Raises FeedMovedError, FeedAwayError; some
        of the records may have been taken in then.
        """
        ...

    def emptying(self) -> str:
        """The shell command after which the feed is built anew from the log's first record."""
        ...

    def skipping_to(self, offset: int) -> str:
        """The shell command after which an empty feed begins at this offset."""
        ...


def line_in(body: bytes | None) -> Entry | None:
    """The line that a record holds, None where it holds none.

    Ids and times are text without NUL, as intake lets in no other, and a warning is the line's own.
    """
    try:
        entry = msgspec.json.decode(body or b"", type=Entry)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    told = entry.warning
    if told is not None and (told.id, told.customer_id) != (entry.warning_id, entry.customer_id):
        return None
    texts = (entry.warning_id, entry.customer_id, entry.at, "" if told is None else told.raised_at)
    return None if any("\0" in text for text in texts) else entry


class Standing(msgspec.Struct):
    """What has become of a warning, beside its body as it was raised; `care` is JSON."""

    state: State
    updated_at: str
    current: Current
    verdict: bool | None
    care: msgspec.Raw


_ENCODE = msgspec.json.Encoder().encode
_DECODE_BODY = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_DECODE_NOW = msgspec.json.Decoder(WarningNow).decode


def as_it_stands(body: bytes, standing: Standing) -> WarningNow:
    """The warning whose JSON `body` is, as it stands."""
    return _DECODE_NOW(_ENCODE({**_DECODE_BODY(body), **_DECODE_BODY(_ENCODE(standing))}))


def stake_of(expected_loss: str) -> float:
    """The number that a decimal text is sorted by; what is no finite number counts as nothing."""
    try:
        stake = float(expected_loss)
    except ValueError:
        return 0.0
    return stake if abs(stake) < float("inf") else 0.0


def rank(warning: WarningNow, order: Order) -> tuple[Any, ...]:
    """What warnings are sorted by, descending."""
    by_time = (warning.raised_at, warning.id)
    return by_time if order == "newest_first" else (stake_of(warning.current.expected_loss), *by_time)
