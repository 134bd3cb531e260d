"""A cluster as commands ask it: its journal and its feed, where a data folder's commands have the folder's."""

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager

from msgspec.structs import replace

from streamproc.adapters.embedded.journal import Numbered
from streamproc.adapters.embedded.models import KnownModel
from streamproc.adapters.embedded.schema import StoreError
from streamproc.adapters.kafka.reading import Topics, topics_of
from streamproc.adapters.kafka.reading_alerts import alert_news, alerts_in
from streamproc.adapters.kafka.reading_base import desk_of, metas_of, pinned_in
from streamproc.adapters.kafka.reading_feed import TopicFeed
from streamproc.adapters.kafka.reading_journal import Journal, Placed
from streamproc.adapters.kafka.redriving import DeadLetters
from streamproc.adapters.kafka.security import redis_arguments
from streamproc.adapters.redis.client import reading_client
from streamproc.adapters.redis.reader import RedisFeedReader
from streamproc.config import Settings
from streamproc.core.alerts import Alert, OpenAlert, standing
from streamproc.core.control import ClockMode, Setup
from streamproc.desk.cases import CaseNow, cases_now
from streamproc.desk.feed import FeedAwayError, Order
from streamproc.desk.glance import Counted, Time, glance
from streamproc.desk.report import Summary, WarningNow
from streamproc.desk.warning import Entry
from streamproc.monitor.effects import Totals
from streamproc.monitor.totals import merged
from streamproc.scoring.snapshot import is_finite, read_snapshot


def as_kept(line: Alert, opened: Mapping[str, OpenAlert]) -> Alert:
    """An open alert with the customers whom the desk still has in it; what is over stays as it was told."""
    known = None if line.state == "ended" else opened.get(f"{line.kind}/{line.subject}")
    return line if known is None else replace(line, customers=known.finding.customers)


class Cluster:
    """What the brokers hold as it is now; warnings are Redis' where one is set, else the warnings topic's."""

    def __init__(self, topics: Topics, feed: RedisFeedReader | None) -> None:
        self._topics = topics
        self.journal = Journal(topics)
        self.topic_feed = TopicFeed(topics)
        self._feed = feed or self.topic_feed
        self._setup: Setup | None = None

    # ------------------------------------------------------------------------------------- one customer

    def setup(self) -> Setup:
        """The journal's set-up. Raises StoreError where nothing was ever written."""
        self._setup = self._setup or self.journal.setup()
        if self._setup is None:
            raise StoreError("the cluster's journal is empty: start with `streamproc worker`")
        return self._setup

    def clock(self) -> int:
        """How far time has come (µs)."""
        return self.journal.clock()

    def known(self, customer_id: str) -> bool:
        """Whether the journal holds a record of this id."""
        return next(self.own(customer_id), None) is not None

    def records(self, customer_id: str) -> Iterator[Numbered]:
        """The customer's records and those for everybody, in order, numbered by offset."""
        return numbered(self.journal.of_customer(customer_id))

    def own(self, customer_id: str) -> Iterator[Numbered]:
        """The customer's records alone."""
        return (n for n in self.records(customer_id) if getattr(n.record, "customer_id", None) is not None)

    def warnings(self, customer_ids: Iterable[str]) -> list[WarningNow]:
        """These customers' warnings, the newest first."""
        return self._feed.warnings(customers=customer_ids)

    def life_of(self, warning_id: str) -> tuple[Entry, ...]:
        """The feed's lines of one warning."""
        return self._feed.life_of(warning_id)

    # ---------------------------------------------------------------------------------------- the base

    def summary(self) -> Summary:
        """The whole base at a glance. Raises StoreError where nothing was ever written."""
        setup, parts, counts = self.setup(), metas_of(self._topics), self._feed.counts()
        counted = Counted(
            records=sum(span.end - span.begin for span in self.journal.spans.values()),
            warnings=counts.states,
            verdicts=counts.verdicts,
            dead_letters=sum(letter.redriven is None for letter in DeadLetters(self._topics).read()),
            counts={},
        )
        mode = parts[0].mode if parts else ClockMode(at=0, mode="event")
        pinned = pinned_in(self._topics) is not None
        return glance(setup, parts, Time(self.clock(), mode.mode, mode.live), counted, pinned=pinned)

    # --------------------------------------------------------------------------------------- the models

    def models(self) -> list[KnownModel]:
        """The journal's snapshots, oldest first; numbered by their offsets in the first partition."""
        self.setup()
        read = ((offset, record, read_snapshot(record.snapshot)) for offset, record in self.journal.models())
        return [
            KnownModel(
                seq=offset,
                id=snapshot.id,
                at=record.at,
                refused=None if is_finite(snapshot) else "not finite",
                snapshot=snapshot,
            )
            for offset, record, snapshot in read
        ]

    def pinned(self) -> str | None:
        """The id of the model that stays in force until it is unpinned."""
        return pinned_in(self._topics)

    # ----------------------------------------------------------------------------------------- the feed

    def standing(self, *, open_only: bool, customer: str | None, limit: int | None, order: Order) -> list[WarningNow]:
        """Warnings as they stand."""
        customers = None if customer is None else [customer]
        return self._feed.warnings(open_only=open_only, customers=customers, limit=limit, order=order)

    def told(self) -> Iterator[Entry]:
        """The warnings topic's lines from the first on."""
        return self.topic_feed.told()

    def totals(self) -> Totals:
        """The totals over all partitions."""
        return merged([part.totals for part in metas_of(self._topics)])

    def news(self) -> Iterator[Entry]:
        """The warnings topic's lines from now on."""
        return self.topic_feed.news()

    # ----------------------------------------------------------------------------- complaints and alerts

    def cases(self) -> list[CaseNow]:
        """The open complaints."""
        desk = desk_of(self._topics)
        return [] if desk is None else cases_now(desk.watch.cases)

    def alerts(self, *, open_only: bool) -> list[Alert]:
        """Each alert's last line; of the open ones without those who were forgotten since it was told."""
        lines = standing(alerts_in(self._topics), open_only=open_only)
        asked = any(line.customers and line.state != "ended" for line in lines)
        desk = desk_of(self._topics) if asked else None
        return lines if desk is None else [as_kept(line, desk.watch.open) for line in lines]

    def alert_news(self) -> Iterator[Alert]:
        """The alerts' lines from now on."""
        return alert_news(self._topics)


@contextmanager
def cluster_of(settings: Settings) -> Iterator[Cluster]:
    """The cluster that the settings name. Raises ConfigError where they name none; ClusterError, also from within.

    Raises StoreError while Redis does not answer.
    """
    feed = None
    if settings.redis.url.get_secret_value():
        feed = RedisFeedReader(reading_client(**redis_arguments(settings.redis)), settings.kafka.prefix)
    with topics_of(settings.kafka) as topics:
        try:
            yield Cluster(topics, feed)
        except FeedAwayError as error:
            raise StoreError(f"{error}; `streamproc doctor` looks for the cause") from error


def numbered(records: Iterator[Placed]) -> Iterator[Numbered]:
    """A partition's records, numbered by their offsets."""
    return (Numbered(offset, record) for offset, record in records)
