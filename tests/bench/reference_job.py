"""The reference job, by us and by others: `python -m tests.bench.reference_job [--events N] [--rounds N]`.

Events of 200 bytes in 4 partitions, 20,000 customers (Pareto): decode, an aggregate a customer with durable state,
an alert for one event in a hundred. Every contender runs the same core in a process of its own, all in turns; what
is compared is the CPU of all its threads, from its first event on to the end. The bare loops and other engines are
measured where they are installed (the extra `bench`).
"""

import argparse
import asyncio
import random
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from importlib import import_module
from importlib.util import find_spec
from pathlib import Path
from typing import Any
from zlib import crc32

import aiokafka
import faust
from rich.console import Console
from rich.table import Table

from streamproc.adapters.kafka.apps import Settings
from streamproc.adapters.kafka.ownership import AppSpec
from streamproc.adapters.kafka.transactions import Connection, Output, Record, Writes
from streamproc.adapters.kafka.worker import run
from streamproc.cli.common import seldom_collecting
from streamproc.core.turns import Turns
from tests.bench.reference_core import ENCODER, FIGURE, STATES, Core, finish
from tests.bench.reference_peers import bytewax, quixstreams
from tests.servers.broker import Kafka

ROOT = Path(__file__).resolve().parents[2]
PARTITIONS = 4
CUSTOMERS = 20_000
BYTES = 200
BATCH = 2000
BARE = "bare loop with changelog"
STOCK_EVENTS = 100_000
GUARANTEES = {
    "bare loop": "at least once, state lost on a crash",
    BARE: "at least once, state and output apart after a crash",
    "streamproc transport": "exactly once: output, state and position in one transaction",
    "quixstreams": "exactly once: output, changelog and position in one transaction",
    "bytewax": "at least once: state and position of the same moment, output after it again",
    "stock Faust": "at least once, state and output apart after a crash",
}


# ---------------------------------------------------------------------------------------- contenders


class Ours:
    """The job as a processor of our transport."""

    seen = 0
    ended = 0
    began: float | None = None

    def __init__(self, prefix: str, events: int) -> None:
        self._core = Core()
        self._alerts = f"{prefix}alerts"
        self._events = events

    def restore(self, key: bytes, value: bytes) -> None:
        self._core.states[key] = STATES.decode(value)

    def process(self, records: Sequence[Record]) -> Turns[Writes]:
        if Ours.began is None:
            Ours.began = time.process_time()
        outputs, changed, apply = [], set(), self._core.apply
        for record in records:
            yield
            key = record.key or b""
            changed.add(key)
            alert = apply(key, record.value or b"")
            if alert is not None:
                outputs.append(Output(self._alerts, 0, key, alert))
        Ours.seen += len(records)
        return Writes(outputs, [(key, ENCODER.encode(self._core.states[key])) for key in changed])

    def poison(self, record: Record) -> Writes:
        raise AssertionError(record)

    def wake(self, now: float, *, caught_up: bool) -> None:  # noqa: ARG002 - no clock is needed
        # Between batches: what this partition has processed is committed.
        if Ours.seen == self._events and Ours.began is not None:
            Ours.ended += 1
            if Ours.ended == PARTITIONS:
                finish(Ours.began, self._events)


def ours(brokers: str, source: str, prefix: str, events: int) -> None:
    spec = AppSpec("job", (source,), f"{prefix}changelog", lambda _topic, _partition: Ours(prefix, events))
    run([spec], Settings(Connection(brokers), prefix))


def bare(brokers: str, source: str, prefix: str, events: int, *, changelog: bool) -> None:
    """The loop anybody would write with the fastest client."""
    kafka = import_module("confluent_kafka")
    consumer = kafka.Consumer(
        {
            "bootstrap.servers": brokers,
            "group.id": prefix,
            "auto.offset.reset": "earliest",
            "enable.auto.commit": False,
            "isolation.level": "read_committed",
        }
    )
    producer = kafka.Producer({"bootstrap.servers": brokers, "linger.ms": 5, "acks": "all"})
    consumer.subscribe([source])
    core, seen, began = Core(), 0, 0.0
    while seen < events:
        messages = consumer.consume(BATCH, timeout=1.0)
        if not messages:
            continue
        began = began or time.process_time()
        changed = {}
        for message in messages:
            key = message.key()
            changed[key] = message.partition()
            alert = core.apply(key, message.value())
            if alert is not None:
                producer.produce(f"{prefix}alerts", alert, key, partition=0)
        if changelog:
            for key, partition in changed.items():
                producer.produce(f"{prefix}changelog", ENCODER.encode(core.states[key]), key, partition=partition)
                producer.poll(0)
        producer.flush()
        consumer.commit(asynchronous=False)
        seen += len(messages)
    finish(began, events)


def bare_without(brokers: str, source: str, prefix: str, events: int) -> None:
    bare(brokers, source, prefix, events, changelog=False)


def bare_with(brokers: str, source: str, prefix: str, events: int) -> None:
    bare(brokers, source, prefix, events, changelog=True)


def stock(brokers: str, source: str, prefix: str, events: int) -> None:
    """Faust as its manual shows it: an agent and a table, event by event."""
    events = min(events, STOCK_EVENTS)
    app = faust.App(
        f"{prefix}stock",
        broker=f"kafka://{brokers}",
        store="memory://",
        topic_partitions=PARTITIONS,
        topic_replication_factor=1,
        consumer_auto_offset_reset="earliest",
        key_serializer="raw",
        value_serializer="raw",
        web_enabled=False,
        datadir=tempfile.mkdtemp(),
    )
    table = app.Table("states", partitions=PARTITIONS, value_type=bytes)
    alerts = app.topic(f"{prefix}alerts", key_type=bytes, value_type=bytes)
    core, seen, began = Core(), 0, 0.0

    async def agent(stream: Any) -> None:
        nonlocal seen, began
        async for event in stream.events():
            began = began or time.process_time()
            alert = core.apply(event.key, event.value)
            table[event.key] = ENCODER.encode(core.states[event.key])
            if alert is not None:
                await alerts.send(key=event.key, value=alert)
            seen += 1
            if seen == events:
                finish(began, events)

    app.agent(app.topic(source, key_type=bytes, value_type=bytes))(agent)
    faust.Worker(app, loglevel="ERROR", quiet=True, redirect_stdouts=False).execute_from_commandline()


CONTENDERS: dict[str, Callable[[str, str, str, int], None]] = {
    "bare loop": bare_without,
    BARE: bare_with,
    "streamproc transport": ours,
    "quixstreams": quixstreams,
    "bytewax": bytewax,
    "stock Faust": stock,
}
NEEDS = {"bare loop": "confluent_kafka", BARE: "confluent_kafka", "quixstreams": "quixstreams", "bytewax": "bytewax"}

# ------------------------------------------------------------------------------------------ the race


async def fill(brokers: str, topic: str, events: int) -> None:
    """Writes the events, whole batches at a time."""
    chance = random.Random(1)
    producer = aiokafka.AIOKafkaProducer(bootstrap_servers=brokers, max_batch_size=1 << 18)
    await producer.start()
    batches = [producer.create_batch() for _ in range(PARTITIONS)]
    for number in range(events):
        customer = b"c%d" % min(int(chance.paretovariate(0.5)), CUSTOMERS)
        value = b'{"customer":"%s","amount":%d,"order":"o%d","note":"' % (customer, chance.randrange(10_000), number)
        value += b"." * (BYTES - len(value) - 2) + b'"}'
        partition = crc32(customer) % PARTITIONS
        if batches[partition].append(timestamp=None, key=customer, value=value) is None:
            await producer.send_batch(batches[partition], topic, partition=partition)
            batches[partition] = producer.create_batch()
            batches[partition].append(timestamp=None, key=customer, value=value)
    for partition, batch in enumerate(batches):
        if batch.record_count():
            await producer.send_batch(batch, topic, partition=partition)
    await producer.stop()


def measure(kafka: Kafka, contender: str, run_number: int, events: int) -> float:
    """CPU µs an event of one run, in topics of its own."""
    prefix = f"run{run_number}."
    kafka.create({f"{prefix}alerts": 1})
    kafka.create({f"{prefix}changelog": PARTITIONS}, cleanup_policy="compact")
    command = [sys.executable, "-m", "tests.bench.reference_job", "--run", contender]
    told = [kafka.bootstrap, "events", prefix, str(events)]
    process = subprocess.Popen([*command, *told], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    try:
        said, complaints = process.communicate(timeout=600)
    except subprocess.TimeoutExpired:
        process.send_signal(signal.SIGKILL)
        raise
    _, mark, figure = said.rpartition(FIGURE)  # Faust's spinner may stand before it
    if not mark:
        raise SystemExit(f"{contender} ended with {process.returncode}:\n{complaints.decode()[-4000:]}")
    return float(figure)


def race(events: int, rounds: int, wanted: Sequence[str]) -> dict[str, float]:
    """The best figure of each contender."""
    names = [name for name in wanted if name not in NEEDS or find_spec(NEEDS[name])]
    for name in wanted:
        if name not in names:
            print(f"{name}: left out, for {NEEDS[name]} is not installed (pip install '.[bench]')", file=sys.stderr)
    best: dict[str, float] = {}
    with tempfile.TemporaryDirectory() as folder:
        kafka = Kafka(Path(folder) / "kafka")
        kafka.start()
        try:
            kafka.create({"events": PARTITIONS})
            asyncio.run(fill(kafka.bootstrap, "events", events))
            for run_number in range(rounds * len(names)):
                name = names[run_number % len(names)]
                micros = measure(kafka, name, run_number, events)
                print(f"{name}: {micros:.1f} µs", file=sys.stderr, flush=True)
                best[name] = min(micros, best.get(name, micros))
        finally:
            kafka.kill()
    return best


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m tests.bench.reference_job", description="The reference job.")
    parser.add_argument("--events", type=int, default=1_000_000)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--only", action="append", choices=CONTENDERS)
    parser.add_argument("--run", nargs=5, metavar=("CONTENDER", "BROKERS", "SOURCE", "PREFIX", "EVENTS"))
    given = parser.parse_args()
    if given.run:
        contender, brokers, source, prefix, events = given.run
        with seldom_collecting():
            CONTENDERS[contender](brokers, source, prefix, int(events))
        return
    best = race(given.events, given.rounds, given.only or list(CONTENDERS))
    table = Table("contender", "CPU µs an event", f"times {BARE}", "guarantee")
    for name, micros in best.items():
        ratio = f"{micros / best[BARE]:.2f}" if BARE in best else "-"
        table.add_row(name, f"{micros:.2f}", ratio, GUARANTEES[name])
    Console().print(table)


if __name__ == "__main__":
    main()
