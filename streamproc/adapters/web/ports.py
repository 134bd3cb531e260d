"""What the page and the interface need of the runtime behind them."""

from collections.abc import Sequence
from concurrent.futures import Future
from typing import Literal, NamedTuple, Protocol

from msgspec import Struct

from streamproc.core.alerts import Alert
from streamproc.desk.feed import Line, Order
from streamproc.desk.record import Record
from streamproc.desk.report import CustomerReport, Summary, WarningNow, WhyAnswer
from streamproc.desk.warning import Entry
from streamproc.words import Language


class BusyError(Exception):
    """No room for more events just now, or the writer is gone: nothing was taken, try again later."""


class AwayError(Exception):
    """What is behind the pages does not answer just now; the message says why, for people."""


class Sent(NamedTuple):
    """One event as it was posted: its bytes, its number in the request from 1, an Idempotency-Key."""

    body: bytes
    row: int
    key: str


class Result(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of one posted event; a refused one says why and which field is at fault."""

    event_id: str | None
    status: Literal["new", "repeat", "refused"]
    reason: str | None = None
    field: str | None = None
    detail: str | None = None


class Taker(Protocol):
    """Where posted events go. Called by one thread at a time, never by the event loop's."""

    def take(self, sent: Sequence[Sent]) -> "Future[list[Result]]":
        """Hands events on; the future is done once all that is taken is durable. Raises BusyError."""
        ...

    def probe(self) -> "Future[list[Result]]":
        """Done once the writer has answered. Raises BusyError."""
        ...


class Asked(NamedTuple):
    """Which warnings: of one customer or of all, at most `limit`, in the order behind the warning `after`."""

    open_only: bool = False
    customer: str | None = None
    limit: int = 100
    after: str | None = None
    order: Order = "newest_first"


class Position(NamedTuple):
    """How far time has come (µs): `clock` by ticks, `read` by what was taken in; `wall`: it follows the wall."""

    clock: int
    read: int
    wall: bool


class Drawn(NamedTuple):
    """A page that is whole: its text, and what it may do (a content security policy)."""

    html: str
    policy: str


class Reader(Protocol):
    """What is asked of the data, by any thread. Everything is as of the last commit. All raise AwayError."""

    def warnings(self, asked: Asked) -> list[WarningNow]:
        """Warnings as they stand."""
        ...

    def warning(self, warning_id: str) -> WarningNow | None:
        """One warning as it stands."""
        ...

    def customer(self, customer_id: str) -> CustomerReport | None:
        """All that is known of one customer."""
        ...

    def why(self, customer_id: str, at: int | None) -> WhyAnswer:
        """Why there was, or was no, warning at that time (µs; None: now)."""
        ...

    def summary(self) -> Summary | None:
        """The whole base at a glance, None while nothing was read."""
        ...

    def life_of(self, warning_id: str) -> tuple[Entry, ...]:
        """The feed's lines of one warning, from the one that raised it on."""
        ...

    def alerts(self, *, open_only: bool = True) -> list[Alert]:
        """The last lines of the alerts to those who run the shop, of the open ones or of all; the newest first."""
        ...

    def record(self, since: int) -> Record:
        """How the warnings raised from then on (µs; 0: all) fared."""
        ...

    def record_page(self, language: Language) -> Drawn:
        """The record of all warnings, with charts."""
        ...

    def report_page(self, language: Language) -> Drawn | None:
        """The firm at a glance, with charts; None while it is being made: ask again."""
        ...

    def position(self) -> Position:
        """How far time has come."""
        ...

    def version(self) -> int:
        """Another number whenever something was committed since; cheap enough to ask four times a second."""
        ...

    def last(self) -> int:
        """The number of the feed's last line, 0 where there is none."""
        ...

    def lines(self, after: int, limit: int) -> list[Line]:
        """At most `limit` lines of the feed numbered above `after`, in order."""
        ...


class Gauge(Protocol):
    """Where requests are counted."""

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """One answered request; `route` is the route's pattern, never the path asked for."""
        ...

    def streams(self, count: int) -> None:
        """How many streams are open."""
        ...

    def exposition(self) -> tuple[bytes, str]:
        """All metrics as text, and its content type."""
        ...


class Behind(NamedTuple):
    """All that is behind the pages; without a taker no event can be posted.

    `desk` is where steps of the desk's go; without one they go with the events.
    """

    reader: Reader
    taker: Taker | None
    gauge: Gauge
    desk: Taker | None = None
