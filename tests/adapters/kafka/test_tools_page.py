"""The base at a glance and the page of a cluster: what its monitors, its journal and its feed hold."""

import json
import uuid
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import islice
from pathlib import Path

import httpx
import msgspec
import pytest
from kafka import KafkaConsumer, TopicPartition

from streamproc.adapters.kafka.monitor import META
from streamproc.adapters.kafka.transactions import Record
from streamproc.adapters.web import acting
from streamproc.cli.serve_cluster import served
from streamproc.config import ConfigError, Settings, load
from streamproc.desk.record import gathered, record_of
from streamproc.desk.warning import Entry, Money
from streamproc.monitor.totals import merged
from streamproc.words import words_in
from tests.adapters.kafka.filled import Filled, fill_redis
from tests.adapters.kafka.simulated import NAMES
from tests.adapters.kafka.test_processors import lines, ran
from tests.servers.broker import Broker
from tests.servers.redis_server import RedisServer

BEHIND = 200
"""Records behind the last of what a monitor remembers: more than are read first."""


@pytest.fixture(scope="module")
def filled(kafka: Broker) -> Filled:
    filled = Filled(kafka, f"t{uuid.uuid4().hex[:10]}.", ran(22, most=60))
    topic = filled.topic(NAMES.changelog("monitor"))
    kafka.create({topic: filled.run.partitions})
    for number in range(filled.run.partitions):
        meta = msgspec.msgpack.encode(filled.run.monitor(number).partition.meta)
        noise = [Record(n, b"sc-%d" % n, b"12345678", (), 0) for n in range(BEHIND * (number == 1))]
        filled.write({(topic, number): [Record(0, META, b"an older one", (), 0), Record(1, META, meta, (), 0), *noise]})
    return filled


@pytest.fixture
def page(
    filled: Filled, redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> Iterator[httpx.Client]:
    """A page over the cluster."""
    filled.cli(monkeypatch, tmp_path)
    fill_redis(redis_server.url, filled.prefix, filled.run)
    monkeypatch.setenv("STREAMPROC_REDIS__URL", redis_server.url)
    with served(load(None, listen="127.0.0.1:0")) as url, httpx.Client(base_url=url, timeout=60) as client:
        yield client


def ended(entries: list[Entry]) -> dict[str, int]:
    """How many warnings stand how."""
    standing = {entry.warning_id: entry.kind for entry in entries if entry.kind != "verdict"}
    return dict(Counter(standing.values()))


def test_status_is_what_the_monitors_remember(filled: Filled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (told,) = filled.cli(monkeypatch, tmp_path)("status", "--json").lines
    metas = [filled.run.monitor(number).partition.meta for number in range(filled.run.partitions)]
    base = merged([meta.totals for meta in metas])
    assert told["stages"] == base.stages
    assert told["customers"] == sum(base.stages.values()) > 0
    assert told["model"]["id"] == metas[0].snapshot.id
    assert told["warnings"] == ended(lines(filled.run))
    assert sum(told["verdicts"].values()) == sum(entry.kind == "verdict" for entry in lines(filled.run))
    assert told["dead_letters"] == len(filled.run.log.records[NAMES.dead_letters, 0])


def test_the_page_shows_the_feed_and_the_base(filled: Filled, page: httpx.Client) -> None:
    counts = ended(lines(filled.run))
    summary = page.get("/api/summary").json()
    assert summary["warnings"] == counts
    open_now = page.get("/api/warnings", params={"open": "true", "limit": 500}).json()["warnings"]
    assert len(open_now) == counts.get("raised", 0) + counts.get("escalated", 0) > 0
    shown = page.get("/").text
    assert all(f'id="{warning["id"]}"' in shown for warning in open_now)
    assert f"{summary['customers']:,}" in shown


def test_the_record_is_of_the_feed_s_lines(
    filled: Filled, page: httpx.Client, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    base = merged([filled.run.monitor(number).partition.meta.totals for number in range(filled.run.partitions)])
    wanted = record_of(gathered(lines(filled.run)), base, Money("EUR"))
    assert wanted.raised > 0
    (told,) = filled.cli(monkeypatch, tmp_path)("record", "--json").lines
    assert told == page.get("/api/record").json() == json.loads(msgspec.json.encode(wanted))
    assert "data-chart" in page.get("/record").text


def test_the_report_is_of_the_whole_cluster(filled: Filled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    cli, file = filled.cli(monkeypatch, tmp_path), tmp_path / "firm.html"
    assert cli("report", "--out", file).code == 0
    (told,) = cli("status", "--json").lines
    money = words_in("en").money(told["customer_equity"], told["currency"])
    assert money in file.read_text(encoding="utf-8")
    assert told["customers"] > 0


def test_a_step_goes_to_the_topic_of_the_firms_facts(
    filled: Filled, page: httpx.Client, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(acting, "PATIENCE", 0.5)  # no worker is there to take it up
    topic = f"{filled.prefix}facts"
    warning = page.get("/api/warnings").json()["warnings"][0]
    answer = page.post(f"/api/warnings/{warning['id']}/claim", json={"by": "Li"}, headers={"idempotency-key": "k"})
    assert answer.status_code == 202, answer.text
    with closing(KafkaConsumer(bootstrap_servers=filled.kafka.bootstrap, consumer_timeout_ms=10_000)) as consumer:
        consumer.assign([TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)])
        consumer.seek_to_beginning()
        record = next(consumer)
    step = json.loads(record.value)
    assert (step["action"], step["by"], step["warning_id"]) == ("claim", "Li", warning["id"])
    assert (record.key.decode(), step["event_id"]) == (warning["customer_id"], answer.json()["event_id"])


def test_a_customer_s_page_is_told_from_the_journal(filled: Filled, page: httpx.Client) -> None:
    entry = next(e for e in lines(filled.run) if e.kind == "raised" and e.warning_kind == "churn")
    report = page.get(f"/api/customers/{entry.customer_id}").json()
    assert entry.warning_id in [warning["id"] for warning in report["warnings"]]
    why = page.get(f"/api/customers/{entry.customer_id}/why", params={"at": entry.at}).json()
    assert why["warning_id"] == entry.warning_id
    assert page.get(f"/customers/{entry.customer_id}").status_code == 200
    assert page.get("/api/customers/nobody").status_code == 404


def test_the_stream_has_every_line_of_the_feed(filled: Filled, page: httpx.Client) -> None:
    wanted = [json.loads(msgspec.json.encode(entry)) for entry in lines(filled.run)]
    with page.stream("GET", "/stream", params={"after": 0}) as stream:
        data = (line.removeprefix("data: ") for line in stream.iter_lines() if line.startswith("data: "))
        assert [json.loads(line) for line in islice(data, len(wanted))] == wanted


def test_events_are_not_posted_to_the_page(page: httpx.Client) -> None:
    assert page.post("/events", json={}).status_code == 404
    assert "/events" not in page.get("/openapi.json").json()["paths"]


def test_a_feed_that_is_away_is_told_and_comes_back(page: httpx.Client, redis_server: RedisServer) -> None:
    assert page.get("/readyz").status_code == 200
    redis_server.kill()
    try:
        away = page.get("/api/warnings")
        assert away.status_code == 503
        assert "Redis" in away.json()["detail"]
        assert away.headers["retry-after"]
        shown = page.get("/", headers={"accept": "text/html"})
        assert shown.status_code == 503
        assert "Redis" in shown.text
    finally:
        redis_server.start()
    assert page.get("/api/warnings").status_code == 200


def test_without_a_redis_there_is_no_page(filled: Filled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked = filled.cli(monkeypatch, tmp_path)("serve")
    assert asked.code == 2
    assert "STREAMPROC_REDIS__URL" in asked.err
    with pytest.raises(ConfigError, match="token"), served(_beyond_this_machine(monkeypatch)):
        pass


def _beyond_this_machine(monkeypatch: pytest.MonkeyPatch) -> Settings:
    monkeypatch.setenv("STREAMPROC_REDIS__URL", "redis://127.0.0.1:9/0")
    return load(None, listen="0.0.0.0:0")
