"""What a real worker tells of its feeds: a purchases feed that is dead is told by the log and by /metrics."""

import json
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from kafka import KafkaProducer

from streamproc.adapters.metrics.catalogue import TABLE
from streamproc.core.policy import Severity
from streamproc.simulate import Shop, simulate
from tests.adapters.catalogue import held_to_the_catalogue
from tests.adapters.kafka.workers import Worker, Workers
from tests.deploy.live import asked_of, shows
from tests.servers.broker import Broker
from tests.servers.health import door_in, figures_of
from tests.servers.monitoring import Prometheus
from tests.servers.process import wait_until
from tests.servers.redis_server import RedisServer


def exposed(worker: Worker) -> str:
    return figures_of(door_in(worker.log))


def figures(text: str) -> dict[str, float]:
    return {name: float(value) for name, value in (line.rsplit(" ", 1) for line in text.splitlines() if line[0] != "#")}


SELDOM = {
    "streamproc_customer_equity",
    "streamproc_graded_customers",
    "streamproc_lost_customers_total",
    "streamproc_losses",
    "streamproc_model_auc",
    "streamproc_model_brier_score",
    "streamproc_model_calibration_error",
    "streamproc_model_created_timestamp_seconds",
    "streamproc_model_log_loss",
    "streamproc_open_alerts",
    "streamproc_open_complaints",
    "streamproc_segmented_customers",
    "streamproc_feed_position",
}
"""What a shop with one customer may have nothing of."""


def told_by_a_worker() -> set[str]:
    return {about.name for about in TABLE if "worker" in about.tellers and about.kind not in {"histogram", "summary"}}


def names_in(prometheus: Prometheus) -> set[str]:
    return {series["metric"]["__name__"] for series in prometheus.ask('{__name__=~"streamproc_.+"}')}


def dashboards_show(worker: Worker, folder: Path) -> None:
    """Every panel that only a cluster tells of has something to show, from a real Prometheus."""
    door = door_in(worker.log)
    assert door is not None
    prometheus = Prometheus(folder, [door])
    prometheus.start()
    try:
        for asks in sorted(asked_of("worker")):
            wait_until(partial(shows, prometheus, asks), asks, seconds=20)
        for asks in sorted(asked_of("any")):
            prometheus.ask(asks)
        wait_until(lambda: told_by_a_worker() - names_in(prometheus) <= SELDOM, "all is told", seconds=20)
        wait_until(lambda: bool(prometheus.ask("streamproc:lag:records")), "the rules' own figures are there")
    finally:
        prometheus.kill()


def line(event_id: str, days_ago: float, **fields: object) -> bytes:
    at = (datetime.now(UTC) - timedelta(days=days_ago)).isoformat()
    return json.dumps(
        {"event_id": event_id, "customer_id": "c1", "occurred_at": at, "schema_version": 1} | fields
    ).encode()


def test_dead_purchases_are_told(kafka: Broker, redis_server: RedisServer, topic_prefix: str, tmp_path: Path) -> None:
    workers = Workers(kafka, redis_server.url, topic_prefix, tmp_path, partitions=2)
    workers.environment["STREAMPROC_KAFKA__CLOCK"] = "wall"
    workers.make_topics()
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap)
    purchase = line("p1", 10, order_id="o1", amount="12.00", currency="EUR", quantity=1)
    producer.send(workers.inputs["purchases"], purchase, key=b"c1").get(10)
    contact = line("k1", 0.01, contact_id="k1", direction="in", channel="mail", purpose="inquiry", result="resolved")
    producer.send(workers.inputs["contacts"], contact, key=b"c1").get(10)
    producer.close()
    try:
        worker = workers.start()
        workers.wait_ready()
        workers.eventually(lambda: "silence is not taken for silence" in worker.last_words(), "the log says so")
        text = exposed(worker)
        told = figures(text)
        assert told["streamproc_purchases_stale"] == 1
        assert told['streamproc_feed_stale{feed="purchases"}'] == 1
        assert told['streamproc_feed_stale{feed="contacts"}'] == 0
        assert told["streamproc_behind_seconds"] < 86_400
        assert told["streamproc_refused_snapshots_total"] == told["streamproc_snapshot_refused"] == 0
        assert told['streamproc_late_events_total{kind="late"}'] == 0
        holds = {name: by for name, by in told.items() if name.startswith("streamproc_source_holds_seconds")}
        assert len(holds) == 8
        assert not any(holds.values())
        assert worker.ready
        assert (
            told['streamproc_events_total{stream="purchase"}'] == told['streamproc_events_total{stream="contact"}'] == 1
        )
        assert told['streamproc_customers{stage="first_time"}'] == told["streamproc_kept_customers"] == 1
        assert told["streamproc_state_bytes"] > 0
        assert told["streamproc_redis_up"] == told["streamproc_redis_append_only"] == 1
        assert told['streamproc_feed_age_seconds{feed="purchases"}'] > 9 * 86_400
        assert told['streamproc_rebalances_total{app="monitor"}'] >= 1
        assert told['streamproc_transaction_duration_seconds_count{app="intake"}'] > 0
        assert told["process_start_time_seconds"] > 0
        assert {name: n for name, n in told.items() if name.startswith("streamproc_open_warnings")} == {
            f'streamproc_open_warnings{{severity="{severity.code}"}}': 0 for severity in Severity
        }
        workers.eventually(lambda: figures(exposed(worker)).get("streamproc_journal_bytes", 0) > 500, "it is measured")
        assert figures(exposed(worker))["streamproc_journal_records"] > 4
        held_to_the_catalogue(text, "worker")
        dashboards_show(worker, tmp_path / "prometheus")
    finally:
        workers.close()


def summed(workers: list[Worker], name: str) -> float:
    """Over all of them, as `sum` does."""
    return sum(n for worker in workers for key, n in figures(exposed(worker)).items() if key.partition("{")[0] == name)


def test_two_workers_tell_of_each_customer_once_and_one_that_is_left_of_all(
    kafka: Broker, redis_server: RedisServer, topic_prefix: str, tmp_path: Path
) -> None:
    workers = Workers(kafka, redis_server.url, topic_prefix, tmp_path, partitions=4)
    workers.make_topics()
    told_in_euro = [e for e in simulate(Shop(customers=30, days=200, seed=4)) if b'"currency":"EUR"' in e.line]
    sold = [event for event in told_in_euro if event.stream == "purchases"]
    buyers = len({json.loads(event.line)["customer_id"] for event in sold})
    workers.produce(sold)
    try:
        one, other = workers.start(), workers.start()
        workers.wait_ready()

        def told(of: list[Worker]) -> dict[str, float]:
            names = ("kept_customers", "customers", "lost_customers_total", "state_bytes", "journal_records")
            return {name: summed(of, f"streamproc_{name}") for name in names}

        def is_shared() -> bool:
            return min(summed([w], "streamproc_kept_customers") for w in (one, other)) > 0

        workers.eventually(is_shared, "both own some of the journal", 60)
        workers.eventually(lambda: told([one, other])["customers"] == buyers, "all are looked at", 60)
        workers.eventually(lambda: summed([one, other], "streamproc_lag_records") == 0, "all is read", 60)
        texts = [exposed(worker) for worker in (one, other)]
        for name in ("streamproc_open_warnings", "streamproc_open_ticks", "streamproc_clock_timestamp_seconds"):
            assert sum(f"\n{name}" in text for text in texts) == 1, name
        before = told([one, other])
        assert before["kept_customers"] == before["customers"] == buyers
        workers.unsupervised(other).kill()
        workers.eventually(lambda: told([one])["kept_customers"] == buyers, "the other's are taken over", 60)
        workers.eventually(lambda: told([one])["journal_records"] >= before["journal_records"] > 0, "and measured", 60)
        after = told([one])
        for name in ("customers", "lost_customers_total", "state_bytes"):
            assert after[name] == before[name], name
    finally:
        workers.close()
