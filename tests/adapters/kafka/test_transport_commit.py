"""What a transaction holds, who sees it, and who goes on from it."""

import asyncio
import json
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import aiokafka
import pytest
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient

from tests.adapters.kafka.toy import POISON, RAISE, SLOW
from tests.adapters.kafka.toy_cluster import Toys, alerts_of, eventually, expected, per_source, settle
from tests.servers.broker import PASSWORD, USER, Broker

TOY = {"name": "toy", "topics": ["journal"], "changelog": "changelog"}

Make = Callable[..., Toys]


@pytest.fixture
def make(kafka: Broker, topic_prefix: str, tmp_path: Path) -> Iterator[Make]:
    made: list[Toys] = []

    def make_toys(*apps: dict[str, Any], journal: int = 2, **settings: str) -> Toys:
        kafka.create({topic_prefix + name: 1 for name in ("alerts", "dead", "progress", "inbox", "clock")})
        kafka.create({topic_prefix + name: n for name, n in (("journal", journal), ("ticks", 3), ("a", 2), ("b", 3))})
        kafka.create({f"{topic_prefix}changelog": journal}, cleanup_policy="compact", **settings)
        made.append(Toys(kafka.bootstrap, topic_prefix, tmp_path, apps or (TOY,)))
        return made[-1]

    yield make_toys
    for toys in made:
        toys.close()


def events(count: int, *, customers: int = 50) -> list[tuple[bytes, bytes]]:
    return [(b"c%d" % (n % customers), b"%d" % n) for n in range(count)]


async def in_transactions(bootstrap: str, topic: str, *, between: float) -> None:
    """Writes 500 events that are aborted, then 500 that are committed after a while, in transactions that overlap."""
    first = aiokafka.AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=f"{topic}-1")
    second = aiokafka.AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=f"{topic}-2")
    async with first, second:
        await asyncio.gather(first.begin_transaction(), second.begin_transaction())
        for key, value in events(500):
            await first.send(topic, b"1000000", key, partition=0)
            await second.send(topic, value, key, partition=0)
        await asyncio.gather(first.flush(), second.flush())
        await asyncio.sleep(between)
        await first.abort_transaction()
        await second.commit_transaction()


def test_what_was_aborted_is_never_seen(make: Make) -> None:
    toys = make(journal=1)
    toys.start()
    asyncio.run(in_transactions(toys.bootstrap, f"{toys.prefix}journal", between=5.0))
    toys.produce("journal", events(100))
    settle(toys, "journal", "changelog")
    assert sum(json.loads(s)[0] for k, s in toys.kept("changelog")[0].items() if not k.startswith(b"\0")) == 600


def test_an_aborted_transaction_leaves_no_state(make: Make) -> None:
    async def abort(bootstrap: str, topic: str) -> None:
        async with aiokafka.AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=topic) as producer:
            await producer.begin_transaction()
            for key, value in ((b"c1", b"[1000, 1000]"), (b"\0position", b"99")):
                await producer.send_and_wait(topic, value, key, partition=0)
            await producer.abort_transaction()

    toys = make(journal=1)
    worker = toys.start()
    toys.produce("journal", events(150))
    settle(toys, "journal", "changelog")
    asyncio.run(abort(toys.bootstrap, f"{toys.prefix}changelog"))
    assert toys.end(worker) == 0
    toys.start()
    toys.produce("journal", events(150))
    settle(toys, "journal", "changelog")


def test_what_lies_behind_anothers_open_transaction_is_read_back_too(make: Make) -> None:
    # Owners share the progress topic: while one has a transaction open, the last stable offset hides what the
    # others have committed since.
    async def stay_open(bootstrap: str, topic: str, meanwhile: Callable[[], None]) -> None:
        async with aiokafka.AIOKafkaProducer(bootstrap_servers=bootstrap, transactional_id=topic) as producer:
            await producer.begin_transaction()
            await producer.send_and_wait(topic, b"1", b"another/0/\0position", partition=0)
            await asyncio.to_thread(meanwhile)
            await producer.abort_transaction()

    def replace_owner() -> None:
        toys.produce("a", events(1000))
        alerts, _ = expected("a", toys.read("a"), toys.prefix)
        eventually(lambda: len(toys.read("alerts")[0]) == len(alerts), "alerts")
        assert toys.end(worker) == 0
        toys.start()
        time.sleep(4)
        assert toys.said("intake owns") == 1, "it cannot know yet where to go on"

    toys = make({"name": "intake", "topics": ["a"], "changelog": "progress", "shared": True})
    worker = toys.start()
    eventually(lambda: toys.said("intake owns") == 1, "the first owner works")
    asyncio.run(stay_open(toys.bootstrap, f"{toys.prefix}progress", replace_owner))
    eventually(lambda: toys.said("intake owns") == 2, "the new owner knows")
    time.sleep(1)
    alerts, _ = expected("a", toys.read("a"), toys.prefix)
    assert per_source(alerts_of(toys.read("alerts"))) == per_source(alerts)


def test_one_process_hosts_several_apps_over_several_topics(make: Make) -> None:
    # Each app is a group of its own; partitions of several topics share one changelog partition, and a tick
    # written from `wake` reaches every partition once and in order, whoever dies.
    intake = {"name": "intake", "topics": ["a", "b"], "changelog": "progress", "shared": True}
    clock = {"name": "clock", "topics": ["inbox"], "changelog": "clock", "ticks": 3}
    toys = make(intake, clock, TOY)
    toys.start()
    toys.start()
    for topic in ("a", "b", "journal"):
        toys.produce(topic, events(3000))
    eventually(lambda: len(toys.read("ticks")[0]) >= 3, "three ticks")
    for process in toys.running:
        process.kill()
        process.wait()
    toys.tend()
    for topic in ("a", "b", "journal"):
        toys.produce(topic, events(3000))
    settle_apps(toys)
    seen = len(toys.read("ticks")[0])
    eventually(lambda: len(toys.read("ticks")[0]) > seen + 1, "the clock goes on")
    ticks = {n: [json.loads(r.value or b"")[0] for r in records] for n, records in toys.read("ticks").items()}
    assert {tuple(sequence) for sequence in (t[: len(ticks[0])] for t in ticks.values())} == {
        tuple(range(1, len(ticks[0]) + 1))
    }


def settle_apps(toys: Toys) -> None:
    topics = ("a", "b", "journal")
    oracle = {topic: expected(topic, toys.read(topic), toys.prefix) for topic in topics}
    alerts = per_source([alert for found, _ in oracle.values() for alert in found])
    eventually(lambda: per_source(alerts_of(toys.read("alerts"))) == alerts, "the same alerts")
    progress = toys.kept("progress")[0]
    for topic in topics[:2]:
        for partition, states in oracle[topic][1].items():
            mine = f"{toys.prefix}{topic}/{partition}/".encode()
            kept = {k[len(mine) :]: v for k, v in progress.items() if k.startswith(mine)}
            assert {k: v for k, v in kept.items() if not k.startswith(b"\0")} == states


def test_a_worker_shows_who_it_is_and_checks_who_answers(kafka: Broker, make: Make) -> None:
    toys = make()
    toys.told |= {
        "brokers": kafka.sasl_ssl,
        "secured": {
            "security": "SASL_SSL",
            "user": USER,
            "password": PASSWORD,
            "authority": str(kafka.certificates.authority),
        },
    }
    toys.start()
    toys.produce("journal", events(1000))
    settle(toys, "journal", "changelog")
    assert not toys.said(PASSWORD)


def test_an_idle_worker_writes_nothing(make: Make) -> None:
    toys = make()
    toys.start()
    toys.produce("journal", events(10))
    settle(toys, "journal", "changelog")
    before = toys.read("changelog")
    time.sleep(3)
    assert toys.read("changelog") == before


def test_a_fetch_of_idle_partitions_holds_up_no_busy_one(make: Make) -> None:
    """While a batch is worked on, what was fetched waits, and the next fetch asks for the other partitions alone."""
    toys = make()
    toys.told["fetch_wait"] = 30_000
    toys.start()
    toys.produce("journal", [(b"c1", b"1")])
    settle(toys, "journal", "changelog")
    for _ in range(8):
        toys.produce("journal", [(b"c1", SLOW), (b"c1", b"1")])
        time.sleep(0.2)  # so that it comes while another is worked on
    counted = b"[9, 9]"
    eventually(lambda: any(counted in kept.values() for kept in toys.kept("changelog").values()), "all counted", 15)


def test_others_transactions_go_on_while_a_long_batch_is_worked_on(make: Make) -> None:
    clock = {"name": "clock", "topics": ["inbox"], "changelog": "clock", "ticks": 3}
    toys = make(clock, TOY)
    toys.start()
    toys.produce("journal", [(b"c1", b"1")])
    settle(toys, "journal", "changelog")
    toys.produce("journal", [(b"c1", SLOW)] * 20 + [(b"c1", b"1")])  # ten seconds
    settle(toys, "journal", "changelog")
    done = next(r.timestamp for rs in toys.read("changelog").values() for r in reversed(rs) if r.key == b"c1")
    meanwhile = [r for r in toys.read("ticks")[0] if done - 8_000 < r.timestamp < done - 1_000]
    assert meanwhile, "the clock's transactions went on"


def test_only_partitions_that_move_are_read_back(make: Make) -> None:
    toys = make(journal=4)
    first = toys.start()
    toys.produce("journal", events(1000))
    settle(toys, "journal", "changelog")
    second = toys.start()
    eventually(lambda: toys.said("toy owns") == 3, "both own partitions")
    assert toys.said("of these new []") == 1
    assert toys.end(second) == 0
    eventually(lambda: toys.said("toy owns") == 4, "the first owns all again")
    toys.produce("journal", events(1000))
    settle(toys, "journal", "changelog")
    assert first.poll() is None


def test_a_compacted_changelog_is_read_to_its_end(make: Make) -> None:
    toys = make(segment_ms="200", min_cleanable_dirty_ratio="0.0", delete_retention_ms="0", max_compaction_lag_ms="200")
    worker = toys.start()
    for _ in range(3):
        toys.produce("journal", events(2000, customers=20))
        settle(toys, "journal", "changelog")
        time.sleep(1)
    assert toys.end(worker) == 0
    eventually(lambda: all(len(r) < 100 for r in toys.read("changelog").values()), "compacted")
    toys.start()
    toys.produce("journal", events(2000, customers=20))
    settle(toys, "journal", "changelog")


def test_sigterm_lets_the_batch_in_hand_be_committed(make: Make) -> None:
    toys = make(journal=1)
    worker = toys.start()
    toys.produce("journal", events(100))
    settle(toys, "journal", "changelog")
    toys.produce("journal", [(b"c1", SLOW)] * 6 + events(1))
    time.sleep(0.5)
    began = time.monotonic()
    assert toys.end(worker) == 0
    assert time.monotonic() - began < 10
    committed = int(toys.kept("changelog")[0][b"\0position"])
    assert committed > 100


def test_an_error_of_the_processor_ends_the_process_with_nothing_committed(make: Make) -> None:
    toys = make(journal=1)
    worker = toys.start()
    toys.produce("journal", events(100))
    settle(toys, "journal", "changelog")
    before = toys.read("changelog"), toys.read("alerts")
    toys.produce("journal", [*events(50), (b"c1", RAISE)])
    # Each event may be a batch; what is not committed is the batch with the error in it, every time it is tried.
    assert worker.wait(30) == 70
    kept = toys.kept("changelog")[0]
    assert int(kept[b"\0position"]) <= 150
    assert before[0][0] == toys.read("changelog")[0][: len(before[0][0])]
    toys.running.clear()
    assert toys.start().wait(30) == 70
    toys.running.clear()
    assert toys.start().wait(30) == 70
    assert int(toys.kept("changelog")[0][b"\0position"]) <= 150
    assert toys.read("dead") == {0: []}


def test_a_record_that_kills_the_process_twice_is_put_aside(make: Make) -> None:
    toys = make()
    toys.produce("journal", [*events(300), (b"c7", POISON), *events(300)])
    toys.start()
    settle(toys, "journal", "changelog")
    assert 1 <= toys.exits.count(-signal.SIGKILL) <= 2
    [dead] = toys.read("dead")[0]
    assert (dead.key, dead.value) == (b"c7", POISON)
    [place] = [
        f"{toys.prefix}journal/{n}/{r.offset}"
        for n, rs in toys.read("journal").items()
        for r in rs
        if r.value == POISON
    ]
    assert dict(dead.headers)["place"] == place.encode()


def test_a_position_below_the_log_start_is_an_error(make: Make) -> None:
    toys = make(journal=1)
    worker = toys.start()
    toys.produce("journal", events(100))
    settle(toys, "journal", "changelog")
    assert toys.end(worker) == 0
    toys.produce("journal", events(100))
    shorten(toys, 150)
    assert toys.start().wait(30) == 73
    assert toys.said("begins at 150, after our position 100")


def test_a_log_that_begins_at_the_position_is_none(make: Make) -> None:
    toys = make(journal=1)
    worker = toys.start()
    toys.produce("journal", events(100))
    settle(toys, "journal", "changelog")
    assert toys.end(worker) == 0
    shorten(toys, 100)
    toys.start()
    toys.produce("journal", events(10))
    eventually(lambda: toys.kept("changelog")[0][b"\0position"] == b"110", "went on")


def shorten(toys: Toys, begin: int) -> None:
    admin = KafkaAdminClient(bootstrap_servers=toys.bootstrap)
    admin.delete_records({aiokafka.TopicPartition(f"{toys.prefix}journal", 0): begin})
    admin.close()


def test_a_topic_made_anew_is_an_error(make: Make, kafka: Broker) -> None:
    toys = make(journal=1)
    worker = toys.start()
    toys.produce("journal", events(100))
    settle(toys, "journal", "changelog")
    assert toys.end(worker) == 0
    name = f"{toys.prefix}journal"
    admin = KafkaAdminClient(bootstrap_servers=toys.bootstrap)
    admin.delete_topics([name])
    eventually(lambda: name not in admin.list_topics(), "deleted")
    admin.close()
    kafka.create({name: 1})
    producer = KafkaProducer(bootstrap_servers=toys.bootstrap)
    producer.send(name, b"1", b"c1").get(10)
    producer.close()
    assert toys.start().wait(30) == 73
    assert toys.said("the topic was made anew")
