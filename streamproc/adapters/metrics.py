"""Metrics for Prometheus: what the store counts, read when asked, and what the process itself sees.

Names follow Prometheus' rules: base units, `_total` for counters, one meaning a name. Labels are codes of closed sets:
never a customer, an event or a path.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import NamedTuple

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram
from prometheus_client.exposition import CONTENT_TYPE_LATEST, generate_latest
from prometheus_client.gc_collector import GCCollector
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, InfoMetricFamily, Metric
from prometheus_client.platform_collector import PlatformCollector
from prometheus_client.process_collector import ProcessCollector
from prometheus_client.registry import Collector

from streamproc import __version__

SECONDS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
MICRO = 1e6


class Model(NamedTuple):
    """Figures of one model over the newest judged examples."""

    log_loss: float
    auc: float
    brier: float
    calibration_error: float


class Base(NamedTuple):
    """The customers as of their last looks; money in units of the currency."""

    currency: str
    stages: Mapping[str, int]
    grades: Mapping[str, int]
    equity: float
    at_risk: float


class Seen(NamedTuple):
    """All that is read at one scrape. `clock`, `read`, `now` in µs, 0: nothing yet; `wall`: time follows the wall.

    `counts` are by name and label, `open_warnings` by severity, `models` by who (ours, challenger).
    """

    counts: Mapping[tuple[str, str], int]
    clock: int
    read: int
    now: int
    wall: bool
    waiting: int
    dead_letters: int
    open_warnings: Mapping[str, int]
    base: Base | None = None
    snapshot: str = ""
    speaks: str = ""
    models: Mapping[str, Model] = {}
    drifts: Mapping[str, int] = {}


_COUNTED = {
    "looks": ("streamproc_looks", "Looks at customers by outcome.", "outcome"),
    "refused": ("streamproc_refused", "Records sent to the dead letters, by reason.", "reason"),
    "severities": ("streamproc_raised_warnings", "Warnings raised, by severity at the time.", "severity"),
    "warnings": ("streamproc_warning_changes", "Changes of warnings: raised, escalated, ended.", "change"),
    "verdicts": ("streamproc_verdicts", "Warnings judged at their by-when.", "verdict"),
    "late": ("streamproc_late_events", "Events that came after their tick had passed.", "kind"),
}
"""Which counts of the store become which counter, and what their label means."""

REPEAT = "repeat"


class StoreCollector(Collector):
    """Turns what the store counts into metrics, at each scrape anew."""

    def __init__(self, look: Callable[[], Seen | None]) -> None:
        self._look = look

    def describe(self) -> Iterable[Metric]:
        """Nothing in advance: the store is asked only when scraped."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The metrics of one scrape; none while there is no store."""
        yield InfoMetricFamily("streamproc_build", "The running version.", {"version": __version__})
        seen = self._look()
        if seen is None:
            return
        yield from _events(seen)
        yield from _times(seen)
        yield _gauge("streamproc_inbox_requests", "Requests and batches that wait for the writer.", seen.waiting)
        yield _gauge("streamproc_dead_letters", "Dead letters that are kept.", seen.dead_letters)
        yield _gauges("streamproc_open_warnings", "Open warnings by severity.", "severity", seen.open_warnings)
        if seen.base is not None:
            yield from _base(seen.base)
        yield from _models(seen)


def _events(seen: Seen) -> Iterator[Metric]:
    by_name: dict[str, dict[str, int]] = {}
    for (name, label), count in seen.counts.items():
        by_name.setdefault(name, {})[label] = count
    taken = {stream: count for stream, count in by_name.get("events", {}).items() if stream != REPEAT}
    yield _counter("streamproc_events", "New events taken into the journal, by stream.", "stream", taken)
    repeats = CounterMetricFamily("streamproc_repeated_events", "Events that the journal had already.")
    repeats.add_metric((), by_name.get("events", {}).get(REPEAT, 0))
    yield repeats
    for name, (metric, meaning, label) in _COUNTED.items():
        yield _counter(metric, meaning, label, by_name.get(name, {}))
    moves = CounterMetricFamily("streamproc_transitions", "Moves in the lifecycle.", labels=("before", "after"))
    for move, count in by_name.get("transitions", {}).items():
        before, _, after = move.partition(">")
        moves.add_metric((before, after), count)
    yield moves
    won_back = CounterMetricFamily("streamproc_won_back_customers", "Lost customers who bought again.")
    won_back.add_metric((), sum(by_name.get("won_back", {}).values()))
    yield won_back


def _times(seen: Seen) -> Iterator[Metric]:
    yield _gauge("streamproc_clock_timestamp_seconds", "The last tick, as Unix time.", seen.clock / MICRO)
    yield _gauge("streamproc_read_timestamp_seconds", "How far time has come, as Unix time.", seen.read / MICRO)
    behind = max(0.0, (seen.now - seen.read) / MICRO) if seen.wall else 0.0
    yield _gauge("streamproc_behind_seconds", "How far time is behind the wall; 0 where it does not follow it.", behind)


def _base(base: Base) -> Iterator[Metric]:
    yield _gauges("streamproc_customers", "Customers by stage, as of their last looks.", "stage", base.stages)
    yield _gauges("streamproc_graded_customers", "Customers by value grade.", "grade", base.grades)
    worth = {base.currency: base.equity}
    yield _gauges("streamproc_customer_equity", "Sum of lifetime values, in units of the currency.", "currency", worth)
    risk = {base.currency: base.at_risk}
    yield _gauges("streamproc_value_at_risk", "Expected loss over open warnings, in units.", "currency", risk)


def _models(seen: Seen) -> Iterator[Metric]:
    if seen.snapshot:
        about = {"snapshot": seen.snapshot, "speaks": seen.speaks}
        yield InfoMetricFamily("streamproc_model", "The snapshot in force.", about)
    if seen.models:
        for field, metric, meaning in (
            ("log_loss", "streamproc_model_log_loss", "Log-loss (nats) over the newest judged examples."),
            ("auc", "streamproc_model_auc", "Area under the ROC curve over the newest judged examples."),
            ("brier", "streamproc_model_brier_score", "Brier score over the newest judged examples."),
            (
                "calibration_error",
                "streamproc_model_calibration_error",
                "Expected calibration error over the newest judged examples.",
            ),
        ):
            yield _gauges(metric, meaning, "model", {who: getattr(m, field) for who, m in seen.models.items()})
    if seen.drifts:
        yield _gauges("streamproc_model_drifts", "Drifts seen over the judged examples kept.", "watched", seen.drifts)


def _counter(name: str, meaning: str, label: str, counts: Mapping[str, int]) -> Metric:
    family = CounterMetricFamily(name, meaning, labels=(label,))
    for value, count in sorted(counts.items()):
        family.add_metric((value,), count)
    return family


def _gauges(name: str, meaning: str, label: str, values: Mapping[str, float]) -> Metric:
    family = GaugeMetricFamily(name, meaning, labels=(label,))
    for key, value in sorted(values.items()):
        family.add_metric((key,), value)
    return family


def _gauge(name: str, meaning: str, value: float) -> Metric:
    return GaugeMetricFamily(name, meaning, value=value)


class Metrics:
    """The process' metrics: requests and streams as they happen, the store and the process when scraped."""

    def __init__(self, look: Callable[[], Seen | None]) -> None:
        self._registry = CollectorRegistry(auto_describe=False)
        self._registry.register(StoreCollector(look))
        ProcessCollector(registry=self._registry)
        PlatformCollector(registry=self._registry)
        GCCollector(registry=self._registry)
        self._requests = Counter(
            "streamproc_http_requests", "Requests answered.", ("route", "method", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "streamproc_http_request_duration_seconds",
            "Seconds from a request's first line to the end of its answer; streams are not in it.",
            ("route",),
            buckets=SECONDS,
            registry=self._registry,
        )
        self._streams = Gauge("streamproc_http_streams", "Open streams of the feed.", registry=self._registry)

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        """One answered request; `route` is the route's pattern, never the path asked for."""
        known = method if method in {"GET", "HEAD", "POST"} else "other"
        self._requests.labels(route, known, str(status)).inc()
        if route != "/stream":
            self._seconds.labels(route).observe(seconds)

    def streams(self, count: int) -> None:
        """How many streams are open."""
        self._streams.set(count)

    def exposition(self) -> tuple[bytes, str]:
        """All metrics as text, and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST
