"""Every metric of ours: what it means, its labels, who tells it, and a question that it answers.

The rule kept here: a name has one meaning and one set of labels, whoever tells it; labels are codes of closed sets.
deploy/metrics.md is this table.
"""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple

from prometheus_client.metrics_core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    InfoMetricFamily,
    Metric,
    SummaryMetricFamily,
)

from streamproc.core.durations import Durations

Kind = Literal["counter", "gauge", "histogram", "summary", "info"]
Teller = Literal["run", "worker", "page"]
"""`streamproc run` with its page, a worker of a cluster, the page of a cluster (`streamproc serve`)."""

RUN: Final[tuple[Teller, ...]] = ("run",)
WORKER: Final[tuple[Teller, ...]] = ("worker",)
BOTH: Final[tuple[Teller, ...]] = ("run", "worker")
PAGES: Final[tuple[Teller, ...]] = ("run", "page")
ALL: Final[tuple[Teller, ...]] = ("run", "worker", "page")


class Described(NamedTuple):
    """One metric; `name` as it is queried, but for the endings of histograms and summaries. `asks` is in PromQL."""

    name: str
    kind: Kind
    meaning: str
    labels: tuple[str, ...]
    tellers: tuple[Teller, ...]
    asks: str


# Of several workers each tells of its own partitions: what is counted adds up, and a state's sum is over all of them.
TABLE = (
    # --- what runs
    Described(
        "streamproc_build_info", "info", "The running version.", ("version",), ALL,
        "count by (version) (streamproc_build_info)",
    ),
    Described(
        "streamproc_policy_info", "info", "The warning policy in force: its name, and a digest of all it says.",
        ("policy", "digest"), BOTH, "count by (policy, digest) (streamproc_policy_info)",
    ),
    Described(
        "streamproc_worker_ready", "gauge", "Whether the app owns its partitions and has read them back.", ("app",),
        WORKER, "min by (app) (streamproc_worker_ready)",
    ),
    # --- the feeds
    Described(
        "streamproc_events_total", "counter",
        "Events taken into the journal, by stream; on a cluster repeats are among them.", ("stream",), BOTH,
        "sum by (stream) (rate(streamproc_events_total[5m]))",
    ),
    Described(
        "streamproc_repeated_events_total", "counter",
        "Events that told nothing new: told before, or overtaken by a later word on the same order, return, contact or "
        "complaint.", (), BOTH, "sum(increase(streamproc_repeated_events_total[1h]))",
    ),
    Described(
        "streamproc_refused_total", "counter",
        "Records refused, by reason: they are in the dead letters, but for what came late of the forgotten.",
        ("reason",), BOTH,
        "sum by (reason) (increase(streamproc_refused_total[1h])) > 0",
    ),
    Described(
        "streamproc_late_events_total", "counter",
        "Events that came after their tick had passed: late, or too_late to change a label.", ("kind",), BOTH,
        "sum by (kind) (increase(streamproc_late_events_total[1d]))",
    ),
    Described(
        "streamproc_dead_letters", "gauge", "Dead letters that are kept and were not sent again.", (), RUN,
        "streamproc_dead_letters",
    ),
    Described(
        "streamproc_feed_read_timestamp_seconds", "gauge", "The newest event of a feed, as Unix time.", ("feed",), BOTH,
        "max by (feed) (streamproc_feed_read_timestamp_seconds)",
    ),
    Described(
        "streamproc_feed_age_seconds", "gauge",
        "How long before the program's own time the newest event of a feed lies; its time is the wall's once it is "
        "live.", ("feed",), BOTH, "max by (feed) (streamproc_feed_age_seconds)",
    ),
    Described(
        "streamproc_feed_stale", "gauge", "1 where a feed has brought nothing for long: time passes it.", ("feed",),
        WORKER, "max by (feed) (streamproc_feed_stale) == 1",
    ),
    Described(
        "streamproc_purchases_stale", "gauge",
        "1 where customers' silence is not taken for silence, for purchases are stale.", (), WORKER,
        "max(streamproc_purchases_stale)",
    ),
    Described(
        "streamproc_source_holds_seconds", "gauge",
        "By how much a source that is not read to its end holds time back; 0: it does not.", ("topic", "partition"),
        WORKER, "topk(5, streamproc_source_holds_seconds)",
    ),
    Described(
        "streamproc_source_held", "gauge",
        "1 where a source is more than an hour of event time ahead of the slowest, and waits for it.",
        ("topic", "partition"), WORKER, "sum by (topic) (streamproc_source_held) > 0",
    ),
    Described(
        "streamproc_lag_records", "gauge", "Committed records not processed yet.", ("app", "topic", "partition"),
        WORKER, "sum by (app) (streamproc_lag_records)",
    ),
    Described(
        "streamproc_inbox_requests", "gauge", "Requests and batches that wait for the writer.", (), RUN,
        "max_over_time(streamproc_inbox_requests[5m])",
    ),
    # --- time
    Described(
        "streamproc_clock_timestamp_seconds", "gauge", "The last tick, as Unix time.", (), BOTH,
        "max(streamproc_clock_timestamp_seconds)",
    ),
    Described(
        "streamproc_read_timestamp_seconds", "gauge", "How far time has come, as Unix time.", (), RUN,
        "changes(streamproc_read_timestamp_seconds[10m]) == 0",
    ),
    Described(
        "streamproc_behind_seconds", "gauge", "How far time is behind the wall; 0 where it does not follow it.", (),
        BOTH, "max(streamproc_behind_seconds)",
    ),
    Described(
        "streamproc_open_ticks", "gauge", "Ticks that are written and that not every partition is through with.", (),
        WORKER, "max(streamproc_open_ticks)",
    ),
    Described(
        "streamproc_due_customers", "gauge", "Customers whose next look is due and has not come yet.", (), BOTH,
        "sum(streamproc_due_customers)",
    ),
    # --- the work
    Described(
        "streamproc_batch_duration_seconds", "histogram",
        "Seconds from the begin of a batch until it is committed, by app (run: the one process).", ("app",), BOTH,
        "histogram_quantile(0.99, sum by (app, le) (rate(streamproc_batch_duration_seconds_bucket[5m])))",
    ),
    Described(
        "streamproc_transaction_duration_seconds", "histogram",
        "Seconds of a transaction alone: SQLite's commit, or Kafka's from its begin to its end.", ("app",), BOTH,
        "histogram_quantile(0.99, sum by (app, le) (rate(streamproc_transaction_duration_seconds_bucket[5m])))",
    ),
    Described(
        "streamproc_recovery_duration_seconds", "histogram", "Seconds that reading back new partitions took.", ("app",),
        WORKER,
        "sum by (app) (rate(streamproc_recovery_duration_seconds_sum[1h]))"
        " / sum by (app) (rate(streamproc_recovery_duration_seconds_count[1h]))",
    ),
    Described(
        "streamproc_rebalances_total", "counter", "Assignments of partitions that this worker was given.", ("app",),
        WORKER, "sum by (app) (increase(streamproc_rebalances_total[1h]))",
    ),
    Described(
        "streamproc_looks_total", "counter", "Looks at customers by outcome.", ("outcome",), BOTH,
        "sum by (outcome) (rate(streamproc_looks_total[1h]))",
    ),
    # --- what is kept
    Described(
        "streamproc_state_bytes", "gauge",
        "Bytes of the customers' encoded states; of many a worker looks once a minute, a run at a sample.",
        (), BOTH, "sum(streamproc_state_bytes) / sum(streamproc_kept_customers)",
    ),
    Described(
        "streamproc_kept_customers", "gauge", "Customers whose state is kept.", (), BOTH,
        "sum(streamproc_kept_customers)",
    ),
    Described(
        "streamproc_journal_records", "gauge",
        "Records of the journal; on Kafka the marks that end transactions are among them, looked at every ten minutes.",
        (), BOTH, "sum(deriv(streamproc_journal_records[1h]))",
    ),
    Described(
        "streamproc_journal_bytes", "gauge",
        "Bytes of the journal's records by a sample of them; what they take on disk, and in copies, is more.", (), BOTH,
        "sum(deriv(streamproc_journal_bytes[6h])) * 86400 * 365",
    ),
    Described(
        "streamproc_data_bytes", "gauge", "Bytes of the data folder's database and of its log.", ("file",), RUN,
        "sum(streamproc_data_bytes)",
    ),
    Described(
        "streamproc_disk_free_bytes", "gauge", "Bytes that are free where the data folder lies.", (), RUN,
        "predict_linear(streamproc_disk_free_bytes[6h], 86400 * 3) < 0",
    ),
    Described(
        "streamproc_disk_bytes", "gauge", "Size of the disk on which the data folder lies.", (), RUN,
        "streamproc_disk_free_bytes / streamproc_disk_bytes",
    ),
    # --- the feed in Redis
    Described(
        "streamproc_redis_up", "gauge", "1 while Redis takes the feed's lines.", (), WORKER, "min(streamproc_redis_up)"
    ),
    Described(
        "streamproc_redis_append_only", "gauge",
        "1 where Redis writes its append-only file, and can; looked at every half minute.", (), WORKER,
        "min(streamproc_redis_append_only)",
    ),
    Described(
        "streamproc_feed_position", "gauge", "Offset of the last record of the warnings topic that Redis has.", (),
        WORKER, "max(streamproc_feed_position)",
    ),
    Described(
        "streamproc_feed_lag_records", "gauge", "Records of the warnings topic that are not in Redis yet.", (), WORKER,
        "max(streamproc_feed_lag_records)",
    ),
    Described(
        "streamproc_feed_lines_total", "counter", "Lines that this worker brought to Redis.", (), WORKER,
        "sum(rate(streamproc_feed_lines_total[5m]))",
    ),
    Described(
        "streamproc_feed_unreadable_total", "counter", "Records of the warnings topic that hold no line.", (), WORKER,
        "sum(increase(streamproc_feed_unreadable_total[1d])) > 0",
    ),
    # --- the customers
    Described(
        "streamproc_customers", "gauge", "Customers by stage, as of their last looks.", ("stage",), BOTH,
        "sum by (stage) (streamproc_customers)",
    ),
    Described(
        "streamproc_graded_customers", "gauge", "Customers by value grade.", ("grade",), BOTH,
        "sum by (grade) (streamproc_graded_customers)",
    ),
    Described(
        "streamproc_segmented_customers", "gauge",
        "Customers by segment, one of five; who was not looked at since the program tells it is missing.", ("segment",),
        BOTH, "sum by (segment) (streamproc_segmented_customers)",
    ),
    Described(
        "streamproc_transitions_total", "counter", "Moves in the lifecycle.", ("before", "after"), BOTH,
        "sum by (before, after) (increase(streamproc_transitions_total[1d]))",
    ),
    Described(
        "streamproc_won_back_customers_total", "counter", "Lost customers who bought again.", (), BOTH,
        "sum(increase(streamproc_won_back_customers_total[1d]))",
    ),
    Described(
        "streamproc_lost_customers_total", "counter",
        "Customers lost, by the grade they had; ever, in the partition: it goes on where that moves to.",
        ("grade", "partition"), BOTH,
        # First one figure a partition, whoever told it, then the time: or one that came back would count twice.
        "sum by (grade) (increase(max by (grade, partition) (streamproc_lost_customers_total)[30d:1m]))"
        " / avg_over_time(sum by (grade) (streamproc_graded_customers)[30d:1m])",
    ),
    Described(
        "streamproc_losses", "gauge",
        "Customers lost in the last 24 months, by likeliest cause, and by grade and segment before.",
        ("cause", "grade", "segment"), BOTH, "topk(5, sum by (cause) (streamproc_losses))",
    ),
    Described(
        "streamproc_customer_equity", "gauge", "Sum of lifetime values, in units of the currency.", ("currency",), BOTH,
        "sum by (currency) (streamproc_customer_equity)",
    ),
    Described(
        "streamproc_value_at_risk", "gauge", "Expected loss over open warnings, in units.", ("currency",), BOTH,
        "sum by (currency) (streamproc_value_at_risk) / sum by (currency) (streamproc_customer_equity)",
    ),
    Described(
        "streamproc_unhappy_customers", "gauge", "Customers who are unhappy and silent.", (), BOTH,
        "sum(streamproc_unhappy_customers)",
    ),
    Described(
        "streamproc_satisfaction_perceived", "gauge", "Sum of the points perceived in the answers of a year.", (), BOTH,
        "sum(streamproc_satisfaction_perceived) / sum(streamproc_satisfaction_expected)",
    ),
    Described(
        "streamproc_satisfaction_expected", "gauge", "Sum of the points expected in the answers of a year.", (), BOTH,
        "sum(streamproc_satisfaction_perceived) / sum(streamproc_satisfaction_expected)",
    ),
    # --- complaints, and what is told to those who run the shop
    Described(
        "streamproc_complaint_steps_total", "counter",
        "Steps of complaints that told something new; a category is one of the causes, other or unknown.",
        ("status", "category"), BOTH,
        'sum by (category) (increase(streamproc_complaint_steps_total{status="opened"}[7d]))',
    ),
    Described(
        "streamproc_complaint_answer_seconds", "summary",
        "Seconds from the opening of a complaint to its acknowledgement, or to its resolution.",
        ("status", "category"), BOTH,
        "sum by (status, category) (rate(streamproc_complaint_answer_seconds_sum[7d]))"
        " / sum by (status, category) (rate(streamproc_complaint_answer_seconds_count[7d]))",
    ),
    Described(
        "streamproc_open_complaints", "gauge", "Complaints that somebody owes an answer.", ("category",), BOTH,
        "sum by (category) (streamproc_open_complaints)",
    ),
    Described(
        "streamproc_open_alerts", "gauge", "Open alerts about the base, a feed or a promise.", ("kind", "severity"),
        BOTH, "sum by (kind, severity) (streamproc_open_alerts) > 0",
    ),
    # --- the warnings
    Described(
        "streamproc_raised_warnings_total", "counter", "Warnings raised, by severity at the time.", ("severity",), BOTH,
        "sum by (severity) (increase(streamproc_raised_warnings_total[1d]))",
    ),
    Described(
        "streamproc_warning_causes_total", "counter", "Warnings raised, by their likeliest cause.", ("cause",), BOTH,
        "topk(3, sum by (cause) (increase(streamproc_warning_causes_total[7d])))",
    ),
    Described(
        "streamproc_service_warnings_total", "counter", "Warnings of unhappy and silent customers, by severity.",
        ("severity",), BOTH, "sum by (severity) (increase(streamproc_service_warnings_total[7d]))",
    ),
    Described(
        "streamproc_warning_changes_total", "counter", "Changes of warnings: raised, escalated, ended.", ("change",),
        BOTH, "sum by (change) (increase(streamproc_warning_changes_total[1d]))",
    ),
    Described(
        "streamproc_open_warnings", "gauge",
        "Open warnings by severity, those of unhappy customers among them; on a cluster as the feed in Redis has them.",
        ("severity",), BOTH, "sum by (severity) (streamproc_open_warnings)",
    ),
    Described(
        "streamproc_warned_customers", "gauge", "Customers with an open warning that they may leave.", (), BOTH,
        "sum(streamproc_warned_customers)",
    ),
    Described(
        "streamproc_desk_steps_total", "counter",
        "What people did about warnings (claim, snooze, outcome, …), and overdue: nobody did until it was due.",
        ("action",), BOTH, 'sum(increase(streamproc_desk_steps_total{action="overdue"}[1d]))',
    ),
    Described(
        "streamproc_verdicts_total", "counter", "Warnings judged at their by-when.", ("verdict",), BOTH,
        'sum(increase(streamproc_verdicts_total{verdict="right"}[30d]))'
        " / sum(increase(streamproc_verdicts_total[30d]))",
    ),
    Described(
        "streamproc_warning_lead_seconds", "summary",
        "Seconds from the raising of a warning to the loss of its customer: the horizon over, or the contract ended.",
        (), BOTH,
        "sum(increase(streamproc_warning_lead_seconds_sum[30d]))"
        " / sum(increase(streamproc_warning_lead_seconds_count[30d])) / 86400",
    ),
    # --- the model
    Described(
        "streamproc_model_info", "info", "The snapshot in force, and what it is founded on.", ("snapshot", "speaks"),
        BOTH, "count by (snapshot, speaks) (streamproc_model_info)",
    ),
    Described(
        "streamproc_model_created_timestamp_seconds", "gauge",
        "When the snapshot in force was made, in the program's own time; none before the first.", (), BOTH,
        "max(streamproc_clock_timestamp_seconds) - min(streamproc_model_created_timestamp_seconds)",
    ),
    Described(
        "streamproc_refused_snapshots_total", "counter",
        "Snapshots that the trainer refused: not finite, or worse than the one in force.", (), BOTH,
        "increase(max(streamproc_refused_snapshots_total)[7d:1m])",
    ),
    Described(
        "streamproc_snapshot_refused", "gauge",
        "1 where the newest snapshot was refused, so that an older one stays in force; the log says why.", (), WORKER,
        "max(streamproc_snapshot_refused) == 1",
    ),
    Described(
        "streamproc_model_log_loss", "gauge", "Log-loss (nats) over the newest judged examples.", ("model",), BOTH,
        "min by (model) (streamproc_model_log_loss)",
    ),
    Described(
        "streamproc_model_auc", "gauge", "Area under the ROC curve over the newest judged examples.", ("model",), BOTH,
        "max by (model) (streamproc_model_auc)",
    ),
    Described(
        "streamproc_model_brier_score", "gauge", "Brier score over the newest judged examples.", ("model",), BOTH,
        "min by (model) (streamproc_model_brier_score)",
    ),
    Described(
        "streamproc_model_calibration_error", "gauge", "Expected calibration error over the newest judged examples.",
        ("model",), BOTH, 'max(streamproc_model_calibration_error{model="ours"}) > 0.1',
    ),
    Described(
        "streamproc_model_base_rate", "gauge", "Share of the newest judged examples that left.", (), BOTH,
        "max(streamproc_model_base_rate)",
    ),
    Described(
        "streamproc_model_judged_examples", "gauge", "Examples that the model's figures are over.", (), BOTH,
        "max(streamproc_model_judged_examples)",
    ),
    Described(
        "streamproc_model_drifts", "gauge", "Drifts seen over the judged examples kept.", ("watched",), BOTH,
        "max by (watched) (streamproc_model_drifts)",
    ),
    # --- page and interface
    Described(
        "streamproc_http_requests_total", "counter", "Requests answered.", ("route", "method", "status"), PAGES,
        'sum by (route) (rate(streamproc_http_requests_total{status=~"5.."}[5m]))',
    ),
    Described(
        "streamproc_http_request_duration_seconds", "histogram",
        "Seconds from a request's first line to the end of its answer; streams are not in it.", ("route",), PAGES,
        "histogram_quantile(0.95, sum by (route, le) (rate(streamproc_http_request_duration_seconds_bucket[5m])))",
    ),
    Described(
        "streamproc_http_streams", "gauge", "Open streams of the feed.", (), PAGES, "sum(streamproc_http_streams)"
    ),
)  # fmt: skip

CATALOGUE: Mapping[str, Described] = {one.name: one for one in TABLE}

Labelled = Mapping[tuple[str, ...], float]
"""Values by the labels, in the catalogue's order."""


def family(name: str, values: Labelled) -> Metric:
    """A counter or gauge of the catalogue with these values."""
    about = CATALOGUE[name]
    if about.kind == "counter":
        found: Metric = CounterMetricFamily(name.removesuffix("_total"), about.meaning, labels=about.labels)
    else:
        found = GaugeMetricFamily(name, about.meaning, labels=about.labels)
    for labels, value in sorted(values.items()):
        found.add_metric(labels, value)  # type: ignore[attr-defined] # both have it
    return found


def by_label(name: str, values: Mapping[str, float]) -> Metric:
    """A counter or gauge with values by its one label."""
    return family(name, {(label,): value for label, value in values.items()})


def single(name: str, value: float) -> Metric:
    """A counter or gauge without labels."""
    return family(name, {(): value})


def info(name: str, values: dict[str, str]) -> Metric:
    """A metric whose labels are what it tells."""
    assert set(values) == set(CATALOGUE[name].labels)
    return InfoMetricFamily(name.removesuffix("_info"), CATALOGUE[name].meaning, values)


def histogram(name: str, values: Mapping[str, Durations]) -> Metric:
    """Durations by the one label."""
    about = CATALOGUE[name]
    found = HistogramMetricFamily(name, about.meaning, labels=about.labels)
    for label, durations in sorted(values.items()):
        buckets = [("+Inf" if bound == float("inf") else str(bound), count) for bound, count in durations.buckets()]
        found.add_metric((label,), buckets, durations.total)
    return found


def summary(name: str, values: Mapping[tuple[str, ...], tuple[int, float]]) -> Metric:
    """Counts and sums by the labels."""
    about = CATALOGUE[name]
    found = SummaryMetricFamily(name, about.meaning, labels=about.labels)
    for labels, (count, total) in sorted(values.items()):
        found.add_metric(labels, count, total)
    return found
