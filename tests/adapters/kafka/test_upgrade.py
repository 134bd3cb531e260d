"""What workers of the version before left is taken over by those of this one, while one after the other is restarted.

The fixture holds the topics of a cluster whose processors wrote states of version 1: 70 customers, 150 days; and what
its shop sold later.
"""

import json
import signal
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest
import zstandard
from kafka import KafkaProducer

from streamproc.adapters.kafka.names import Names
from streamproc.core.control import JournalRecord, ModelSnapshot, Tick
from streamproc.core.events import CustomerEvent
from streamproc.desk.warning import Entry
from streamproc.monitor.state import VERSION, decode_state
from streamproc.simulate import SimEvent
from tests.adapters.kafka.committed import Committed
from tests.adapters.kafka.workers import Workers, journal_of
from tests.servers.broker import Kafka
from tests.servers.redis_server import RedisServer

FIXTURE = Path(__file__).parents[2] / "fixtures" / "cluster-v1.msgpack.zst"
STATE = b"s"
PROGRAM = str(Path(sys.executable).with_name("streamproc"))


Kept = tuple[bytes | None, bytes | None, list[tuple[str, bytes]]]
"""Key, value and headers of a record."""


class Left(msgspec.Struct):
    """What the topics hold, by name and partition; and what was sold later: stream, time, line."""

    topics: dict[str, dict[int, list[Kept]]]
    later: list[SimEvent]


@pytest.fixture(scope="module")
def left() -> Left:
    return msgspec.msgpack.decode(zstandard.decompress(FIXTURE.read_bytes()), type=Left)


@pytest.fixture
def workers(kafka_own: Kafka, redis_server: RedisServer, tmp_path: Path, left: Left) -> Iterator[Workers]:
    """Everything as it was left, at the offsets where it was."""
    made = Workers(kafka_own, redis_server.url, Names().prefix, tmp_path, partitions=2)
    made.make_topics()
    producer = KafkaProducer(bootstrap_servers=kafka_own.bootstrap, acks="all", linger_ms=5)
    for topic, partitions in left.topics.items():
        for number, records in partitions.items():
            for key, value, headers in records:
                producer.send(topic, value, key, headers, partition=number)
    producer.flush()
    producer.close()
    yield made
    made.close()


def test_workers_go_on_with_what_the_version_before_has_left(workers: Workers, left: Left) -> None:
    names = workers.names
    half = len(left.later) // 2
    events = left.later
    first = workers.start()
    workers.start()
    workers.wait_ready()
    workers.produce(events[:half])
    workers.unsupervised(first).signal(signal.SIGTERM)
    assert first.wait(30) == 0
    workers.produce(events[half:])
    workers.start()
    workers.wait_ready()
    committed = Committed(workers.bootstrap, workers.topics | {names.alerts: 1})
    workers.wait_quiet(committed)
    committed.close()
    for worker in workers.running:
        assert "CRITICAL" not in worker.last_words()

    journals = [journal_of(committed, names, n) for n in range(2)]
    everything_is_in_the_journal_once(left, journals)
    assert len(committed.values((names.dead_letters, 0))) == len(left.topics[names.dead_letters][0])
    ticks = [[r.at for r in journal if isinstance(r, Tick)] for journal in journals]
    assert ticks[0] == ticks[1] == sorted(set(ticks[0]))
    models = sum(b'"type":"model"' in (value or b"") for _, value, _ in left.topics[names.journal][0])
    assert sum(isinstance(record, ModelSnapshot) for record in journals[0]) > models
    nobody_is_warned_twice(left, committed.values((names.warnings, 0)), names)
    every_state_is_read(left, committed, names)


def everything_is_in_the_journal_once(left: Left, journals: list[list[JournalRecord]]) -> None:
    held = Counter(r.event_id for journal in journals for r in journal if isinstance(r, CustomerEvent))
    assert set(held.values()) == {1}
    assert {str(json.loads(line)["event_id"]) for stream, _, line, *_ in left.later if stream != "facts"} <= held.keys()


def nobody_is_warned_twice(left: Left, lines: list[bytes], names: Names) -> None:
    before = [value for _, value, _ in left.topics[names.warnings][0]]
    assert lines[: len(before)] == before
    assert len(lines) > len(before)
    every = [msgspec.json.decode(line, type=Entry) for line in lines]
    raised = [line.warning_id for line in every if line.kind == "raised"]
    assert len(raised) == len(set(raised))


def every_state_is_read(left: Left, committed: Committed, names: Names) -> None:
    topic = names.changelog("monitor")
    before = {key for n in range(2) for key, *_ in left.topics[topic][n] if key is not None and key[:1] == STATE}
    kept = {key: body[8:] for n in range(2) for key, body in committed.kept((topic, n)).items() if key[:1] == STATE}
    assert before <= kept.keys()
    assert {decode_state(body).version for body in kept.values()} == {VERSION}
    assert VERSION in {body[1] for body in kept.values()}, "who was looked at since is kept as this version keeps it"


def test_a_model_that_somebody_pins_is_in_force_everywhere_and_stays(workers: Workers) -> None:
    def models(*words: str) -> list[dict[str, Any]]:
        command = [PROGRAM, "models", *words]
        ran = subprocess.run(command, env=workers.environment, capture_output=True, check=True, timeout=60)
        assert b"has not done it yet" not in ran.stderr
        return [json.loads(line) for line in ran.stdout.splitlines() if line.startswith(b"{")]

    workers.start()
    workers.wait_ready()
    earlier = models("list", "--json")[-2]
    models("pin", earlier["id"][:8])
    *_, last = models("list", "--json")
    assert (last["id"], last["running"], last["pinned"]) == (earlier["id"], True, True)
    committed = Committed(workers.bootstrap, {workers.names.journal: workers.partitions})
    committed.look()
    committed.close()
    for number in range(workers.partitions):
        *_, told = [r for r in journal_of(committed, workers.names, number) if isinstance(r, ModelSnapshot)]
        assert (told.reason, json.loads(bytes(told.snapshot))["id"]) == ("pinned", earlier["id"])
    models("unpin")
    assert not any(model["pinned"] for model in models("list", "--json"))
    models("rollback")
    assert models("list", "--json")[-1]["id"] != earlier["id"]
