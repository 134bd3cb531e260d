"""Figures into metrics: one function for each part, whoever tells it."""

from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import permutations, product
from typing import get_args

from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector

from streamproc import __version__
from streamproc.adapters.metrics.catalogue import by_label, family, histogram, info, single, summary
from streamproc.adapters.metrics.seen import AtDesk, Base, Counts, Judged, Kept, Ruled, Seen, Time
from streamproc.core.causes import CAUSES
from streamproc.core.complaints import STATUSES
from streamproc.core.events import DeskAction
from streamproc.core.lifecycle import Stage
from streamproc.core.policy import Outcome, Severity
from streamproc.intake.refusal import Reason
from streamproc.monitor.blame import UNKNOWN
from streamproc.monitor.counts import ANSWERS, OTHER
from streamproc.monitor.effects import DeadReason

MICRO = 1e6

_COUNTED = {
    "looks": "streamproc_looks_total",
    "refused": "streamproc_refused_total",
    "severities": "streamproc_raised_warnings_total",
    "causes": "streamproc_warning_causes_total",
    "service_warnings": "streamproc_service_warnings_total",
    "warnings": "streamproc_warning_changes_total",
    "verdicts": "streamproc_verdicts_total",
    "steps": "streamproc_desk_steps_total",
    "late": "streamproc_late_events_total",
}
"""Which counts become which counter, each by its one label."""

KILLED, UNREADABLE, NOT_FINITE, FORGOTTEN = "killed_the_process", "unreadable", "not_finite", "forgotten"
"""Why a record of a cluster is refused, beside what intake and monitor say; of the forgotten nothing is kept."""

_SEVERITIES = tuple(severity.code for severity in Severity)
_CATEGORIES = (*CAUSES, OTHER, UNKNOWN)
ALWAYS: Mapping[str, tuple[str, ...]] = {
    "events": ("purchase", "return", "complaint", "contact", "fact", "deskstep"),
    "looks": tuple(Outcome),
    "refused": (*dict.fromkeys((*get_args(Reason), *get_args(DeadReason), KILLED, UNREADABLE, NOT_FINITE, FORGOTTEN)),),
    "severities": _SEVERITIES,
    "service_warnings": _SEVERITIES,
    "causes": (*CAUSES, UNKNOWN),
    "late": ("late", "too_late"),
    "verdicts": ("right", "wrong"),
    "steps": (*get_args(DeskAction), "overdue", "refused"),
    "warnings": ("raised", "recovered", "lost", "withdrawn", "escalated"),
    "transitions": tuple(f"{before.code}>{after.code}" for before, after in permutations(Stage, 2)),
    "complaints": tuple(map(">".join, product(STATUSES, _CATEGORIES))),
}
"""Labels that are told with 0, too: the closed set of each.

What appears with its first count was never seen to grow to it: a rate would leave that out, after every start.
"""

REPEAT = "repeat"


class RunCollector(Collector):
    """Turns what a run's data folder tells into metrics, at each scrape anew."""

    def __init__(self, look: Callable[[], Seen | None]) -> None:
        self._look = look

    def describe(self) -> Iterable[Metric]:
        """Nothing in advance: the folder is asked only when scraped."""
        return ()

    def collect(self) -> Iterator[Metric]:
        """The metrics of one scrape; none but the version while there is no folder."""
        yield build()
        seen = self._look()
        if seen is None:
            return
        yield from of_counts(seen.counts)
        yield from of_time(seen.time)
        yield single("streamproc_read_timestamp_seconds", seen.time.read / MICRO)
        yield from of_feeds(seen.newest, seen.time.read)
        yield single("streamproc_inbox_requests", seen.waiting)
        yield histogram("streamproc_batch_duration_seconds", seen.batches)
        yield histogram("streamproc_transaction_duration_seconds", seen.transactions)
        if seen.kept is not None:
            yield from _kept(seen.kept)
        if seen.base is not None:
            yield from of_base(seen.base)
        if seen.ruled is not None:
            yield from of_rules(seen.ruled)
        if seen.judged is not None:
            yield single("streamproc_refused_snapshots_total", seen.judged.refused)
            yield from of_judged(seen.judged)
        if seen.desk is not None:
            yield from of_desk(seen.desk)


def build() -> Metric:
    """The running version."""
    return info("streamproc_build_info", {"version": __version__})


def of_counts(counts: Counts) -> Iterator[Metric]:
    """What happened, by name and label."""
    by_name: dict[str, dict[str, int]] = {name: dict.fromkeys(labels, 0) for name, labels in ALWAYS.items()}
    for (name, label), count in counts.items():
        by_name.setdefault(name, {})[label] = count
    taken = {stream: count for stream, count in by_name.get("events", {}).items() if stream != REPEAT}
    yield by_label("streamproc_events_total", taken)
    for name, metric in _COUNTED.items():
        yield by_label(metric, by_name.get(name, {}))
    yield family("streamproc_transitions_total", _pairs(by_name.get("transitions", {})))
    yield single("streamproc_won_back_customers_total", counts.get(("won_back", ""), 0))
    yield single("streamproc_repeated_events_total", counts.get(("events", REPEAT), 0) + counts.get(("repeats", ""), 0))
    leads = counts.get(("leads", ""), 0), counts.get(("lead_seconds", ""), 0)
    yield summary("streamproc_warning_lead_seconds", {(): leads})
    steps = _pairs(by_name["complaints"])
    yield family("streamproc_complaint_steps_total", steps)
    seconds = _pairs(by_name.get("complaint_seconds", {}))
    answers = {labels: (int(n), seconds.get(labels, 0)) for labels, n in steps.items() if labels[0] in ANSWERS}
    yield summary("streamproc_complaint_answer_seconds", answers)


def _pairs(counts: Mapping[str, int]) -> dict[tuple[str, ...], float]:
    return {tuple(label.split(">", 1)): count for label, count in counts.items()}


def of_time(time: Time) -> Iterator[Metric]:
    """How far time is."""
    yield single("streamproc_clock_timestamp_seconds", time.clock / MICRO)
    behind = max(0.0, (time.now - time.read) / MICRO) if time.wall and time.read else 0.0
    yield single("streamproc_behind_seconds", behind)


def of_feeds(newest: Mapping[str, int], now: int) -> Iterator[Metric]:
    """The newest event of each feed (µs), and how long before `now` that lies."""
    yield by_label("streamproc_feed_read_timestamp_seconds", {feed: at / MICRO for feed, at in newest.items()})
    ages = {feed: max(0, now - at) / MICRO for feed, at in newest.items() if at}
    yield by_label("streamproc_feed_age_seconds", ages)


def of_base(base: Base) -> Iterator[Metric]:
    """The customers."""
    yield by_label("streamproc_customers", base.stages)
    yield by_label("streamproc_graded_customers", base.grades)
    yield by_label("streamproc_segmented_customers", base.segments)
    yield family("streamproc_lost_customers_total", base.lost)
    yield family("streamproc_losses", base.losses)
    yield family("streamproc_customer_equity", {(base.currency,): base.equity})
    yield family("streamproc_value_at_risk", {(base.currency,): base.at_risk})
    yield single("streamproc_warned_customers", base.warned)
    yield single("streamproc_unhappy_customers", base.unhappy)
    yield single("streamproc_satisfaction_perceived", base.perceived)
    yield single("streamproc_satisfaction_expected", base.expected)


def of_rules(ruled: Ruled) -> Iterator[Metric]:
    """The snapshot and the policy in force."""
    yield info("streamproc_model_info", {"snapshot": ruled.snapshot, "speaks": ruled.speaks})
    yield info("streamproc_policy_info", {"policy": ruled.policy, "digest": ruled.digest})
    if ruled.created:
        yield single("streamproc_model_created_timestamp_seconds", ruled.created / MICRO)


def of_judged(judged: Judged) -> Iterator[Metric]:
    """How the models stand."""
    yield single("streamproc_model_judged_examples", judged.examples)
    yield single("streamproc_model_base_rate", judged.base_rate)
    for name, field in (
        ("streamproc_model_log_loss", "log_loss"),
        ("streamproc_model_auc", "auc"),
        ("streamproc_model_brier_score", "brier"),
        ("streamproc_model_calibration_error", "calibration_error"),
    ):
        yield by_label(name, {who: getattr(model, field) for who, model in judged.models.items()})
    yield by_label("streamproc_model_drifts", judged.drifts)


def of_desk(desk: AtDesk) -> Iterator[Metric]:
    """What the desk has open."""
    yield by_label("streamproc_open_complaints", desk.complaints)
    yield family("streamproc_open_alerts", desk.alerts)


def _kept(kept: Kept) -> Iterator[Metric]:
    yield single("streamproc_dead_letters", kept.dead_letters)
    yield by_label("streamproc_open_warnings", kept.open_warnings)
    yield single("streamproc_kept_customers", kept.customers)
    yield single("streamproc_due_customers", kept.due)
    yield single("streamproc_state_bytes", kept.state_bytes)
    yield single("streamproc_journal_records", kept.journal)
    yield single("streamproc_journal_bytes", kept.journal_bytes)
    yield by_label("streamproc_data_bytes", kept.files)
    yield single("streamproc_disk_free_bytes", kept.disk_free)
    yield single("streamproc_disk_bytes", kept.disk)
