"""What comes next is gone from the log: no worker goes on by itself, and whoever says so goes on with what is left."""

import signal
import time
from collections.abc import Iterator
from pathlib import Path

import aiokafka
import pytest
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient
from typer.testing import CliRunner

from streamproc.cli.main import app
from tests.adapters.kafka.toy_cluster import Toys, eventually
from tests.servers.broker import Broker

POSITION, BEGIN = 100, 150
GONE = 73
MENDING = "say go-on {place}"


@pytest.fixture
def toys(kafka: Broker, topic_prefix: str, tmp_path: Path) -> Iterator[Toys]:
    kafka.create({f"{topic_prefix}{name}": 1 for name in ("purchases", "alerts", "dead")})
    kafka.create({f"{topic_prefix}progress": 1}, cleanup_policy="compact")
    intake = {"name": "intake", "topics": ["purchases"], "changelog": "progress", "shared": True, "mending": MENDING}
    made = Toys(kafka.bootstrap, topic_prefix, tmp_path, [intake])
    yield made
    made.close()


def topic(toys: Toys) -> str:
    return f"{toys.prefix}purchases"


def fill(toys: Toys, count: int) -> None:
    producer = KafkaProducer(bootstrap_servers=toys.bootstrap, acks="all")
    for n in range(count):
        producer.send(topic(toys), b"%d" % n, b"c%d" % (n % 50), partition=0)
    producer.flush()
    producer.close()


def shorten(toys: Toys, begin: int = BEGIN) -> None:
    admin = KafkaAdminClient(bootstrap_servers=toys.bootstrap)
    admin.delete_records({aiokafka.TopicPartition(topic(toys), 0): begin})
    admin.close()


def make_anew(toys: Toys, kafka: Broker, count: int) -> None:
    admin = KafkaAdminClient(bootstrap_servers=toys.bootstrap)
    admin.delete_topics([topic(toys)])
    eventually(lambda: topic(toys) not in admin.list_topics(), "deleted")
    admin.close()
    kafka.create({topic(toys): 1})
    fill(toys, count)


def position(toys: Toys) -> int:
    return int(toys.kept("progress")[0].get(f"{topic(toys)}/0/".encode() + b"\0position", b"0"))


def read_the_first(toys: Toys, *, goes_on: bool = False) -> None:
    """A worker has read up to POSITION."""
    worker = toys.start()
    fill(toys, POSITION)
    eventually(lambda: position(toys) == POSITION, "the first are read")
    if not goes_on:
        assert toys.end(worker) == 0


def refuses(toys: Toys, words: str) -> None:
    """Workers end, again and again, say why and what to do, and commit nothing."""
    before = toys.read("progress"), toys.read("alerts")
    for _ in range(2):
        toys.running.clear()
        assert toys.start().wait(30) == GONE
    assert toys.said(words) >= 2
    assert toys.said(MENDING.format(place=f"{topic(toys)}/0")) >= 2
    assert (toys.read("progress"), toys.read("alerts")) == before
    toys.running.clear()


def go_on(toys: Toys, monkeypatch: pytest.MonkeyPatch, place: str = "purchases/0") -> str:
    monkeypatch.setenv("STREAMPROC_KAFKA__BROKERS", toys.bootstrap)
    monkeypatch.setenv("STREAMPROC_KAFKA__PREFIX", toys.prefix)
    monkeypatch.setenv("STREAMPROC_KAFKA__PURCHASES", topic(toys))
    ran = CliRunner().invoke(app, ["topics", "go-on", toys.prefix + place])
    return f"{ran.exit_code} {ran.output} {ran.stderr} {ran.exception!r}"


def test_records_that_were_deleted_unread_are_given_up_by_a_person_alone(
    toys: Toys, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_the_first(toys)
    assert "nothing is lost" in go_on(toys, monkeypatch)
    fill(toys, 100)
    shorten(toys)
    refuses(toys, f"begins at {BEGIN}, after our position {POSITION}")
    assert go_on(toys, monkeypatch).startswith("0 ")
    assert position(toys) == BEGIN
    toys.start()
    eventually(lambda: position(toys) == 200, "the rest is read")
    assert "nothing is lost" in go_on(toys, monkeypatch)
    assert not toys.tend(), "who asks in vain disturbs nobody"


@pytest.mark.parametrize("count", [10, POSITION, 2 * POSITION])
def test_a_topic_made_anew_is_known_however_much_is_in_it(
    toys: Toys, kafka: Broker, count: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    read_the_first(toys)
    make_anew(toys, kafka, count)
    refuses(toys, f"is not what our position {POSITION} is in: the topic was made anew")
    assert "made anew" in go_on(toys, monkeypatch)
    toys.start()
    eventually(lambda: position(toys) == count, "all of it is read")


@pytest.mark.parametrize("count", [10, 2 * POSITION])
def test_a_topic_made_anew_under_a_worker_ends_it(toys: Toys, kafka: Broker, count: int) -> None:
    read_the_first(toys, goes_on=True)
    [worker] = toys.running
    make_anew(toys, kafka, count)
    assert worker.wait(60) == GONE
    assert position(toys) == POSITION
    assert toys.said("made anew while it was read")
    refuses(toys, "the topic was made anew")


def test_records_deleted_under_a_worker_that_has_not_read_them_end_it(toys: Toys) -> None:
    read_the_first(toys, goes_on=True)
    [worker] = toys.running
    worker.send_signal(signal.SIGSTOP)
    fill(toys, 1)  # answers the fetch that waits for it
    time.sleep(0.5)
    fill(toys, 99)
    shorten(toys)
    worker.send_signal(signal.SIGCONT)
    assert worker.wait(30) == GONE
    assert toys.said("the log no longer holds")
    assert toys.said(MENDING.format(place=f"{topic(toys)}/0"))
    assert POSITION <= position(toys) <= POSITION + 1
    refuses(toys, f"begins at {BEGIN}, after our position")


def test_only_the_firms_topics_are_gone_on_with(toys: Toys, monkeypatch: pytest.MonkeyPatch) -> None:
    assert "no partition of a topic of the firm's" in go_on(toys, monkeypatch, "journal/0")
    assert "partition" in go_on(toys, monkeypatch, "purchases/7")
