"""`streamproc serve`: the page and the interface of a cluster, over its feed in Redis and its journal on Kafka."""

import signal
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from contextlib import contextmanager
from threading import Lock
from typing import Annotated, NamedTuple, TypeVar

import typer

from streamproc.adapters.embedded import customers
from streamproc.adapters.embedded.schema import StoreError
from streamproc.adapters.kafka.security import redis_arguments
from streamproc.adapters.kafka.tools import ClusterError
from streamproc.adapters.metrics import Metrics
from streamproc.adapters.redis.client import reading_client
from streamproc.adapters.redis.reader import RedisFeedReader
from streamproc.adapters.web.access import Access, AccessError, parse_listen
from streamproc.adapters.web.app import build
from streamproc.adapters.web.ports import Asked, AwayError, Behind, Drawn, Position, Result, Sent
from streamproc.adapters.web.server import Server
from streamproc.cli.cluster import Cluster, cluster_of
from streamproc.cli.common import ConfigOption, LanguageOption, Screen, guarded
from streamproc.cli.desk_steps import read_step, steps_to_kafka
from streamproc.cli.record import record_drawn, record_in
from streamproc.cli.reporting import Reporter
from streamproc.config import ConfigError, Settings, load
from streamproc.core.alerts import Alert
from streamproc.desk.feed import FeedAwayError, Line
from streamproc.desk.record import Record
from streamproc.desk.report import CustomerReport, Summary, WarningNow, WhyAnswer
from streamproc.desk.warning import Entry
from streamproc.intake.refusal import Refusal
from streamproc.words import Language

FRESH = 2.0
"""Seconds for which the base at a glance holds: to ask Kafka anew costs some tenths of a second."""

T = TypeVar("T")


def serve(
    *,
    listen: Annotated[str | None, typer.Option(help="Where page and API are.", show_default="127.0.0.1:8080")] = None,
    lang: LanguageOption = None,
    config: ConfigOption = None,
) -> None:
    """Serve the page and the interface of a cluster, until Ctrl-C or SIGTERM.

    The warnings come from Redis; of a customer it is read on Kafka what was taken in. Events are not posted here: they
    go to the firm's topics; what people do about warnings goes to that of the firm's facts. Whoever listens beyond this
    machine needs a token (STREAMPROC_TOKEN).

    For example:

        streamproc serve --listen 127.0.0.1:8080
    """
    with guarded():
        screen = Screen(load(config, listen=listen, language=lang))
        stopped = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stopped.set())
        with served(screen.settings) as url:
            screen.note(f"{url} · Ctrl-C stops")
            stopped.wait()


@contextmanager
def served(settings: Settings) -> Iterator[str]:
    """Serves while the block runs; gives the page's address. Raises ConfigError, ClusterError, StoreError."""
    if not settings.redis.url.get_secret_value():
        raise ConfigError("the page shows the feed in Redis: STREAMPROC_REDIS__URL=redis://host:6379/0")
    with cluster_of(settings):  # what is wrong with it is said now, not on the page
        pass
    reader = ClusterReader(settings)
    try:
        address = parse_listen(settings.listen)
        behind = Behind(reader, None, Metrics(lambda: None), StepTaker(settings, reader))
        built = build(behind, Access(address.host, settings.token, tuple(settings.hosts)), settings.language)
        server = Server(built, address)
    except AccessError as error:
        raise ConfigError(str(error)) from error
    server.start()
    try:
        yield server.address.url
    finally:
        server.stop()
        reader.close()


class _Seen(NamedTuple):
    at: float
    summary: Summary
    clock: int
    alerts: list[Alert]


class ClusterReader:
    """Answers from the cluster. Kafka is asked by one thread at a time: each question reads with its own client."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._feed = RedisFeedReader(reading_client(**redis_arguments(settings.redis)), settings.kafka.prefix)
        self._one = Lock()
        self._seen: _Seen | None = None
        self._reporter = Reporter(settings)

    # ---------------------------------------------------------------------------------------- warnings

    def warnings(self, asked: Asked) -> list[WarningNow]:
        """Warnings as they stand."""
        named = None if asked.customer is None else [asked.customer]
        with _told():
            return self._feed.warnings(
                open_only=asked.open_only, customers=named, limit=asked.limit, order=asked.order, after=asked.after
            )

    def warning(self, warning_id: str) -> WarningNow | None:
        """One warning as it stands."""
        with _told():
            return self._feed.warning(warning_id)

    # ------------------------------------------------------------------------------- customers, the base

    def customer(self, customer_id: str) -> CustomerReport | None:
        """All that is known of one customer."""
        return self._ask(lambda cluster: customers.report(cluster, customer_id))

    def why(self, customer_id: str, at: int | None) -> WhyAnswer:
        """Why there was, or was no, warning at that time (µs; None: now)."""
        return self._ask(lambda cluster: customers.why(cluster, customer_id, at))

    def summary(self) -> Summary | None:
        """The whole base at a glance, at most FRESH seconds old; None while nothing was read."""
        seen = self._glance()
        return seen.summary if seen.clock else None

    def life_of(self, warning_id: str) -> tuple[Entry, ...]:
        """The feed's lines of one warning."""
        with _told():
            return self._feed.life_of(warning_id)

    def alerts(self, *, open_only: bool = True) -> list[Alert]:
        """The alerts' last lines, the newest first, of the open ones at most FRESH seconds old."""
        return self._glance().alerts if open_only else self._ask(lambda cluster: cluster.alerts(open_only=False))

    def record(self, since: int) -> Record:
        """How the warnings raised from then on (µs) fared."""
        return self._ask(lambda cluster: record_in(cluster, since))

    def record_page(self, language: Language) -> Drawn:
        """The record of all warnings, with charts."""
        return self._ask(lambda cluster: record_drawn(cluster, language))

    def report_page(self, language: Language) -> Drawn | None:
        """The firm at a glance."""
        return self._reporter.page(language, self.position().clock)

    def close(self) -> None:
        """Ends what goes on beside the questions."""
        self._reporter.close()

    def currency(self) -> str:
        """The reporting currency."""
        return self._glance().summary.currency

    def position(self) -> Position:
        """How far time has come; it stands where nothing waits for it, so it is compared with no wall clock."""
        clock = self._glance().clock
        return Position(clock, clock, wall=False)

    # -------------------------------------------------------------------------------------------- feed

    def version(self) -> int:
        """Another number whenever the feed has changed."""
        with _told():
            return self._feed.version()

    def last(self) -> int:
        """The number of the feed's last line, 0 where there is none."""
        with _told():
            return self._feed.last()

    def lines(self, after: int, limit: int) -> list[Line]:
        """At most `limit` lines of the feed numbered above `after`, in order."""
        with _told():
            return self._feed.lines(after, limit)

    # ------------------------------------------------------------------------------------------ asking

    def _glance(self) -> _Seen:
        with self._one:
            if self._seen is None or time.monotonic() - self._seen.at > FRESH:
                seen = self._asked(lambda c: (c.summary(), c.clock(), c.alerts(open_only=True)))
                self._seen = _Seen(time.monotonic(), *seen)
            return self._seen

    def _ask(self, question: Callable[[Cluster], T]) -> T:
        with self._one:
            return self._asked(question)

    def _asked(self, question: Callable[[Cluster], T]) -> T:
        with _told(), cluster_of(self._settings) as cluster:
            return question(cluster)


class StepTaker:
    """Sends what people do at the desk to the topic of the firm's facts; whether it is a repeat the journal knows."""

    def __init__(self, settings: Settings, reader: ClusterReader) -> None:
        self._settings = settings
        self._reader = reader

    def take(self, sent: Sequence[Sent]) -> "Future[list[Result]]":
        """Hands steps on. Raises AwayError."""
        answer: Future[list[Result]] = Future()
        with _told():
            answer.set_result([self._send(one) for one in sent])
        return answer

    def probe(self) -> "Future[list[Result]]":
        """Nothing waits for a writer here."""
        return self.take([])

    def _send(self, one: Sent) -> Result:
        currency = self._reader.currency()
        step = read_step(one.body, currency)
        if isinstance(step, Refusal):
            return Result(event_id=None, status="refused", reason=step.reason, field=step.field, detail=step.detail)
        steps_to_kafka(self._settings, [step], currency)
        return Result(event_id=step.event_id, status="new")


@contextmanager
def _told() -> Iterator[None]:
    try:
        yield
    except (FeedAwayError, ClusterError, StoreError) as error:
        raise AwayError(str(error)) from error
