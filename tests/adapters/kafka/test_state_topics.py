"""A topic of state that was made anew is no beginning: no worker goes on with it, and nothing is done twice."""

import json
import signal
import subprocess
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient

from streamproc.adapters.kafka.state_topics import ids_in
from streamproc.adapters.kafka.transactions import Record
from tests.adapters.kafka.committed import Committed, Place
from tests.adapters.kafka.toy_cluster import eventually
from tests.adapters.kafka.workers import PROGRAM, Workers
from tests.servers.broker import Broker
from tests.servers.redis_server import RedisServer

GONE = 73


@pytest.fixture
def workers(kafka: Broker, redis_server: RedisServer, topic_prefix: str, tmp_path: Path) -> Iterator[Workers]:
    made = Workers(kafka, redis_server.url, topic_prefix, tmp_path, partitions=2)
    made.make_topics()
    yield made
    made.close()


def produce(workers: Workers, begin: int, end: int) -> None:
    producer = KafkaProducer(bootstrap_servers=workers.bootstrap, acks="all")
    for n in range(begin, end):
        at = f"2024-01-{1 + n // 24:02}T{n % 24:02}:00:00Z"
        order = {"event_id": f"p{n}", "customer_id": f"c{n % 7}", "occurred_at": at, "schema_version": 1}
        order |= {"order_id": f"o{n}", "amount": "12.00", "currency": "EUR", "quantity": 1}
        producer.send(workers.inputs["purchases"], json.dumps(order).encode(), key=b"c%d" % (n % 7))
    producer.flush()
    producer.close()


def all_of(workers: Workers) -> dict[Place, list[Record]]:
    committed = Committed(workers.bootstrap, workers.topics)
    committed.look()
    committed.close()
    return dict(committed.records)


def taken_in(workers: Workers) -> int:
    found = all_of(workers)
    journal = [record for n in range(2) for record in found[workers.names.journal, n]]
    return sum(b'"event_id":"p' in (record.value or b"") for record in journal)


def make_anew(workers: Workers, kafka: Broker, topic: str, records: Sequence[tuple[int, Record]] = ()) -> None:
    admin = KafkaAdminClient(bootstrap_servers=workers.bootstrap)
    admin.delete_topics([topic])
    eventually(lambda: topic not in admin.list_topics(), "deleted")
    admin.close()
    kafka.create({topic: workers.topics[topic]}, cleanup_policy="compact")
    producer = KafkaProducer(bootstrap_servers=workers.bootstrap, acks="all")
    for number, record in records:
        producer.send(topic, record.value, key=record.key, partition=number)
    producer.flush()
    producer.close()


def by_monitors(workers: Workers, found: dict[Place, list[Record]]) -> list[bytes | None]:
    """What rests on the monitors' states; the clock may well have gone on before the worker ended."""
    names = workers.names
    inbox = [r.value for r in found[names.desk_inbox, 0] if b'"type":"source_read"' not in (r.value or b"")]
    return [*inbox, *(r.value for r in found[names.examples, 0]), *(r.value for r in found[names.dead_letters, 0])]


def go_on(workers: Workers, topic: str) -> tuple[int, str]:
    command = [PROGRAM, "topics", "go-on", topic]
    ran = subprocess.run(command, env=workers.environment, capture_output=True, text=True, check=False)
    return ran.returncode, ran.stdout + ran.stderr


def found_anew(workers: Workers) -> dict[str, str]:
    """The topics that `topics check` and `doctor` call made anew, with what mends it."""
    said = [
        subprocess.run([PROGRAM, *words, "--json"], env=workers.environment, capture_output=True, check=False).stdout
        for words in (["topics", "check"], ["doctor"])
    ]
    told = [[json.loads(line) for line in text.splitlines()] for text in said]
    anew = [{row["check"]: row["mend"] for row in rows if "made anew" in row["detail"]} for rows in told]
    assert anew[0] == anew[1]
    return anew[0]


def refuses(workers: Workers, topic: str) -> None:
    worker = workers.unsupervised(workers.start())
    assert worker.wait(60) == GONE
    assert f"{topic} is not the topic that the journal began with" in worker.last_words()
    assert f"`streamproc topics go-on {topic}`" in worker.last_words()


def test_a_changelog_made_anew_is_refused_until_it_holds_what_it_held(workers: Workers, kafka: Broker) -> None:
    topic = workers.names.changelog("monitor")
    worker = workers.start()
    workers.wait_ready()
    produce(workers, 0, 50)
    workers.eventually(lambda: taken_in(workers) == 50, "all is taken in")
    worker.signal(signal.SIGTERM)
    assert workers.unsupervised(worker).wait(30) == 0
    before = all_of(workers)
    assert set(ids_in(before[workers.names.journal, 1][0].headers)) >= {topic, workers.names.progress}
    assert go_on(workers, topic) == (0, f"{topic} is the right one, nothing was changed\n")
    assert found_anew(workers) == {}
    make_anew(workers, kafka, topic)
    refuses(workers, topic)
    assert found_anew(workers) == {topic: f"restore it from a copy, then: streamproc topics go-on {topic}"}
    code, said = go_on(workers, topic)
    assert (code, "holds nothing" in said) == (3, True), said
    make_anew(workers, kafka, topic, [(n, record) for n in range(2) for record in before[topic, n]])
    refuses(workers, topic)
    assert by_monitors(workers, all_of(workers)) == by_monitors(workers, before), "nothing was found twice meanwhile"
    assert go_on(workers, topic) == (0, f"{topic} stands for the lost one\n")
    assert found_anew(workers) == {}
    workers.start()
    workers.wait_ready()
    produce(workers, 50, 60)
    workers.eventually(lambda: taken_in(workers) == 60, "the rest is taken in, and nothing again")


def test_positions_made_anew_under_a_worker_end_it_and_all_that_follow(workers: Workers, kafka: Broker) -> None:
    topic = workers.names.progress
    worker = workers.unsupervised(workers.start())
    workers.eventually(lambda: worker.ready, "ready")
    produce(workers, 0, 50)
    workers.eventually(lambda: taken_in(workers) == 50, "all is taken in")
    make_anew(workers, kafka, topic)
    assert worker.wait(60) != 0
    refuses(workers, topic)
    assert taken_in(workers) == 50
