"""A source that is read far ahead of the others waits for the slowest in its topic, and goes on when that has come."""

import json
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from kafka import KafkaProducer
from msgspec import msgpack

from streamproc.adapters.kafka.abreast import Abreast
from streamproc.adapters.kafka.clock import AHEAD, ClockState, Mode, Source, ahead, target
from streamproc.adapters.kafka.intake import STATE, IntakeProcessor, Read
from streamproc.adapters.kafka.names import Names
from streamproc.adapters.kafka.transactions import Record
from streamproc.core.time import DAY, FOREVER, HOUR, SECOND, to_text
from streamproc.core.turns import whole
from streamproc.intake.intake import Intake
from streamproc.intake.rates import Rates
from tests.adapters.kafka.committed import Committed
from tests.adapters.kafka.test_worker_metrics import exposed, figures
from tests.adapters.kafka.workers import Workers
from tests.servers.broker import Broker
from tests.servers.redis_server import RedisServer

NOW = 1_750_000_000.0
ALL = frozenset({"a", "b"})
BEGAN = datetime(2025, 3, 1, tzinfo=UTC)
ORDERS, BATCH = 12_000, 5_000
SOURCES = st.builds(Source, read=st.integers(1, 9 * DAY), caught_up=st.booleans())
MODES = st.sampled_from(["wall", "event"])


def test_an_hour_beyond_the_slowest_of_those_that_time_waits_for() -> None:
    sources = {"a": Source(5 * DAY), "b": Source(3 * DAY), "c": Source(DAY, caught_up=True)}
    assert ahead(sources, ALL, "a", "wall", NOW) == 3 * DAY + HOUR
    assert ahead(sources, ALL, "b", "wall", NOW) == 5 * DAY + HOUR
    assert ahead(sources | {"b": Source(3 * DAY, caught_up=True)}, ALL, "a", "wall", NOW) == FOREVER


@pytest.mark.parametrize("others", [{}, {"b": Source()}])
def test_nobody_runs_ahead_of_what_may_have_anything_in_it(others: dict[str, Source]) -> None:
    assert ahead({"a": Source(5 * DAY), **others}, ALL, "a", "wall", NOW) == 0


def test_who_is_silent_because_nobody_reads_it_is_waited_for_as_time_waits_for_it() -> None:
    gone = Source(DAY, caught_up=True, told=NOW - 3600)
    assert ahead({"a": Source(5 * DAY), "b": gone}, ALL, "a", "wall", NOW) == DAY + HOUR
    assert ahead({"a": Source(5 * DAY), "b": gone}, ALL, "a", "event", NOW) == FOREVER


def test_nobody_waits_for_a_topic_that_is_not_in_the_settings_any_more() -> None:
    removed = Source(DAY, told=NOW - 3600)
    assert ahead({"a": Source(5 * DAY), "b": Source(4 * DAY), "c": removed}, ALL, "a", "wall", NOW) == 4 * DAY + HOUR


def test_an_order_that_is_dated_far_ahead_of_its_neighbours_makes_its_source_wait_for_nobody() -> None:
    """Else all that comes behind it would be read when time has passed it, and be late."""
    abreast = Abreast(frozenset({"a/0", "b/0"}), "wall")
    told = Record(0, b"b/0/" + STATE, msgpack.encode(Read(read=3 * DAY)), (), int(NOW * 1000))
    abreast._take(None, [told])
    source = IntakeProcessor(("a", 0), Names(), 1, Intake(Rates("EUR")), lambda: int(NOW * SECOND))

    def reads(*times: int) -> bool:
        orders = [{"event_id": f"p{at}", "order_id": f"o{at}", "customer_id": "c", "amount": 5} for at in times]
        told = [json.dumps({**order, "occurred_at": to_text(at)}) for order, at in zip(orders, times, strict=True)]
        whole(source.process([Record(n, None, line.encode(), (), 0) for n, line in enumerate(told)]))
        return abreast.held(source, NOW)

    assert not reads(*(2 * DAY + n * HOUR for n in range(9)), 900 * DAY)
    assert reads(*(3 * DAY + n * HOUR for n in range(9)))
    assert not reads(*(3 * DAY - n * HOUR for n in range(9)))


@given(st.dictionaries(st.sampled_from("abcdef"), SOURCES, min_size=1), MODES)
def test_somebody_may_always_go_on_and_it_is_the_one_that_time_waits_for(
    sources: dict[str, Source], mode: Mode
) -> None:
    may = {name for name, s in sources.items() if s.read <= ahead(sources, frozenset(sources), name, mode, NOW)}
    behind = {name: s.read for name, s in sources.items() if not s.caught_up}
    assert {name for name, read in behind.items() if read == min(behind.values())} <= may
    upto = target(ClockState(sources=sources), frozenset(sources), mode, NOW)
    assert upto is not None
    assert all(sources[name].read <= upto + AHEAD for name in may if behind and name in behind)


@pytest.fixture
def workers(kafka: Broker, redis_server: RedisServer, topic_prefix: str, tmp_path: Path) -> Iterator[Workers]:
    made = Workers(kafka, redis_server.url, topic_prefix, tmp_path, partitions=2)
    made.make_topics()
    yield made
    made.close()


def orders(workers: Workers) -> None:
    """An order a minute."""
    producer = KafkaProducer(bootstrap_servers=workers.bootstrap, acks="all", linger_ms=20)
    for n in range(ORDERS):
        at = (BEGAN + timedelta(minutes=n)).isoformat()
        order = {"event_id": f"p{n}", "customer_id": f"c{n % 9}", "occurred_at": at, "schema_version": 1}
        order |= {"order_id": f"o{n}", "amount": "12.00", "currency": "EUR", "quantity": 1}
        producer.send(workers.inputs["purchases"], json.dumps(order).encode(), partition=0)
    producer.flush()
    producer.close()


def slow_one_says(workers: Workers, minutes: int, *, caught_up: bool = False) -> None:
    """What another worker's intake would keep of a source that it reads."""
    read = int((BEGAN + timedelta(minutes=minutes)).timestamp()) * SECOND
    producer = KafkaProducer(bootstrap_servers=workers.bootstrap)
    kept = msgpack.encode(Read(read=read, caught_up=caught_up))
    producer.send(workers.names.progress, kept, key=b"elsewhere/0/" + STATE).get(10)
    producer.close()


def test_a_fast_feed_waits_in_its_topic(workers: Workers) -> None:
    slow_one_says(workers, 0)
    orders(workers)
    committed = Committed(workers.bootstrap, {workers.names.journal: 2})

    def taken_in() -> int:
        committed.look()
        return sum(b'"order_id"' in body for n in range(2) for body in committed.values((workers.names.journal, n)))

    def held() -> float:
        topic = workers.inputs["purchases"]
        return figures(exposed(worker)).get(f'streamproc_source_held{{partition="0",topic="{topic}"}}', 0.0)

    worker = workers.start()
    workers.wait_ready()
    workers.eventually(lambda: held() == 1, "it waits", 60)
    first = taken_in()
    assert 0 < first <= BATCH, "a batch, before it is known how far it brings it"
    time.sleep(3)
    assert taken_in() == first
    assert worker.ready
    slow_one_says(workers, first + 30)
    workers.eventually(lambda: taken_in() > first, "it goes on")
    second = taken_in()
    assert second <= first + BATCH
    slow_one_says(workers, first + 31, caught_up=True)
    workers.eventually(lambda: taken_in() == ORDERS, "all is taken in")
    workers.eventually(lambda: held() == 0, "and it waits no more")
    committed.close()
