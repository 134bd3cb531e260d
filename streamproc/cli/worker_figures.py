"""What a worker tells Prometheus beside how its apps stand: the figures of the partitions that it owns.

Each process of a cluster is asked at a port of its own, and tells of its own partitions: what is counted adds up over
them, in any number of processes. Counters begin at 0 with the process, as Prometheus expects.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from weakref import WeakSet, WeakValueDictionary

from prometheus_client.metrics_core import Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from streamproc.adapters.kafka.desk import DeskProcessor
from streamproc.adapters.kafka.feedwriter import FeedWriter
from streamproc.adapters.kafka.journal_size import JournalSize
from streamproc.adapters.kafka.liveness import Liveness
from streamproc.adapters.kafka.monitor import Kept, MonitorProcessor
from streamproc.adapters.kafka.trainer import TrainerProcessor
from streamproc.adapters.metrics.catalogue import by_label, histogram, single
from streamproc.adapters.metrics.collect import build, of_base, of_counts, of_desk, of_judged, of_rules
from streamproc.adapters.metrics.seen import Judged
from streamproc.adapters.redis.store import RedisFeedStore
from streamproc.cli.figures import base_of, desk_of, judged_of, rules_of
from streamproc.core.policy import Severity
from streamproc.desk.feed import FeedAwayError
from streamproc.desk.warning import Money
from streamproc.monitor.counts import Counts

SLOW_SECONDS = 60.0
"""What takes a look at every customer, or at every judged example, is as old as this at the most."""

SLOW_SHARE = 0.005
"""Of a core's time may be spent on it: of few customers it is always new."""


class Here:
    """The processors that this process made last; which of them are its own still is known by the apps.

    They are not held here: the states of a partition that has moved away are let go.
    """

    def __init__(self, money: Money) -> None:
        self.money = money
        self.counts = Counts()
        self.monitors = WeakValueDictionary[int, MonitorProcessor]()
        self._trainers = WeakSet[TrainerProcessor]()
        self._desks = WeakSet[DeskProcessor]()

    @property
    def trainer(self) -> TrainerProcessor | None:
        """The trainer made last, where it is still there."""
        return next(iter(self._trainers), None)

    @trainer.setter
    def trainer(self, made: TrainerProcessor) -> None:
        self._trainers = WeakSet([made])

    @property
    def desk(self) -> DeskProcessor | None:
        """The desk made last, where it is still there."""
        return next(iter(self._desks), None)

    @desk.setter
    def desk(self, made: DeskProcessor) -> None:
        self._desks = WeakSet([made])


def has(apps: Sequence[Liveness], name: str) -> bool:
    """Whether this worker owns the app's partition, and has read it back."""
    return any(app.app == name and app.ready and app.partitions for app in apps)


def process_collectors() -> list[Collector]:
    """What every Python process tells of itself."""
    return [ProcessCollector(registry=None), PlatformCollector(registry=None)]


class WorkerFigures(Collector):
    """The figures of this process; of desk and trainer only where it owns them. Asked by the worker's own loop."""

    def __init__(self, apps: Sequence[Liveness], here: Here, clock: Callable[[], float] = time.monotonic) -> None:
        self.redis: RedisFigures | None = None
        self.journal: JournalSize | None = None
        self._apps = apps
        self._here = here
        self._clock = clock
        self._fresh_until = float("-inf")
        self._looked_at: tuple[int, ...] = ()
        self._kept: list[Kept] = []
        self._judged: Judged | None = None

    def collect(self) -> Iterator[Metric]:
        """The figures as they are now."""
        yield build()
        yield from of_counts(self._here.counts)
        for name, durations in (
            ("streamproc_batch_duration_seconds", {app.app: app.batches for app in self._apps}),
            ("streamproc_transaction_duration_seconds", {app.app: app.transactions for app in self._apps}),
            ("streamproc_recovery_duration_seconds", {app.app: app.recoveries for app in self._apps}),
        ):
            yield histogram(name, durations)
        yield by_label("streamproc_rebalances_total", {app.app: app.rebalances for app in self._apps})
        monitors = self._monitors()
        self._look(monitors)
        yield from self._of_monitors(monitors)
        if self._judged is not None:
            yield from of_judged(self._judged)
        desk = self._here.desk if has(self._apps, "desk") else None
        if desk is not None:
            yield from of_desk(desk_of(desk.desk))
            yield single("streamproc_open_ticks", desk.open_ticks)
        if self.redis is not None:
            yield from self.redis.figures(desk=desk is not None)

    def owned(self) -> list[int]:
        """The journal's partitions whose monitors are owned and read back."""
        return [place[1] for app in self._apps if app.app == "monitor" and app.ready for place in app.partitions]  # type: ignore[index] # (topic, number)

    def _monitors(self) -> list[MonitorProcessor]:
        return [self._here.monitors[number] for number in self.owned() if number in self._here.monitors]

    def _of_monitors(self, monitors: Sequence[MonitorProcessor]) -> Iterator[Metric]:
        if not monitors:
            return
        parts = {monitor.partition.number: monitor.partition.meta.totals for monitor in monitors}
        yield from of_base(base_of(parts, self._here.money))
        yield from of_rules(rules_of(monitors[0].partition.meta))
        yield single("streamproc_state_bytes", sum(kept.size for kept in self._kept))
        yield single("streamproc_kept_customers", sum(kept.customers for kept in self._kept))
        yield single("streamproc_due_customers", sum(kept.due for kept in self._kept))
        size = None if self.journal is None else self.journal.of(self.owned())
        if size is not None:
            yield single("streamproc_journal_records", size.records)
            yield single("streamproc_journal_bytes", size.size)

    def _look(self, monitors: Sequence[MonitorProcessor]) -> None:
        """Takes the slow figures anew where they are old, or of other partitions than before."""
        now = self._clock()
        trainer = self._here.trainer if has(self._apps, "trainer") else None
        owned = tuple(map(id, (*monitors, trainer)))
        if now < self._fresh_until and owned == self._looked_at:
            return
        self._kept = [monitor.kept() for monitor in monitors]
        self._judged = None if trainer is None else judged_of(trainer.trainer.record())
        done = self._clock()
        self._fresh_until, self._looked_at = done + min(SLOW_SECONDS, (done - now) / SLOW_SHARE), owned


class RedisFigures:
    """How the feed in Redis stands, and whether Redis writes down what it takes."""

    def __init__(self, writer: FeedWriter, store: RedisFeedStore) -> None:
        self._writer = writer
        self._store = store
        self._writes_down: bool | None = None
        self._open: Mapping[str, int] | None = None

    async def look(self) -> None:
        """Asks Redis what it would take too long to ask at a scrape."""
        try:
            self._writes_down = await self._store.writes_down()
            counts = await self._store.counts()
        except FeedAwayError:
            self._writes_down = self._open = None  # that it is away is told already
        else:
            self._open = None if counts is None else counts.open_by_severity

    def figures(self, *, desk: bool) -> Iterator[Metric]:
        """The figures as they are now; what is not known is not told, what there is once only where the `desk` is."""
        status, position = self._writer.status, self._writer.position
        yield single("streamproc_redis_up", float(status.redis_up))
        yield single("streamproc_feed_lines_total", status.written)
        yield single("streamproc_feed_unreadable_total", status.unreadable)
        if status.lag is not None:
            yield single("streamproc_feed_lag_records", status.lag)
        if position is not None:
            yield single("streamproc_feed_position", position)
        if self._writes_down is not None:
            yield single("streamproc_redis_append_only", float(self._writes_down))
        if desk and self._open is not None:
            yield by_label("streamproc_open_warnings", {s.code: self._open.get(s.code, 0) for s in Severity})
