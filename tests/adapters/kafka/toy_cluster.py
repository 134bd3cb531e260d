"""Toy workers on a real Kafka: started, killed, paused; and the oracle they are held against."""

import asyncio
import json
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import aiokafka
from kafka import KafkaProducer

from streamproc.adapters.kafka.transactions import Record
from streamproc.core.turns import whole
from tests.adapters.kafka.toy import POISON, Counter

ROOT = Path(__file__).resolve().parents[3]
PATIENCE = 60.0
SESSION = 3.0

Records = dict[int, list[Record]]
States = dict[bytes, bytes]


def eventually(condition: Callable[[], bool], what: str, seconds: float = PATIENCE) -> float:
    """Waits until it holds; the seconds that took."""
    began = time.monotonic()
    while not condition():
        assert time.monotonic() - began < seconds, f"not within {seconds:.0f} s: {what}"
        time.sleep(0.1)
    return time.monotonic() - began


class Toys:
    """Workers of one description, each a process; what they say goes to files in `folder`."""

    def __init__(self, bootstrap: str, prefix: str, folder: Path, apps: Sequence[dict[str, Any]], **more: Any) -> None:
        self.prefix = prefix
        self.folder = folder
        self.bootstrap = bootstrap
        self.told = {"brokers": bootstrap, "prefix": prefix, "apps": apps, "session": SESSION, **more}
        self._started = 0
        self._logs: dict[int, Path] = {}
        self.running: list[subprocess.Popen[bytes]] = []
        self.exits: list[int] = []

    def start(self) -> subprocess.Popen[bytes]:
        self._started += 1
        command = [sys.executable, "-m", "tests.adapters.kafka.toy", json.dumps(self.told)]
        path = self.folder / f"worker-{self._started}.log"
        with path.open("wb") as log:
            process = subprocess.Popen(command, cwd=ROOT, stderr=log, stdout=log)
        self.running.append(process)
        self._logs[process.pid] = path
        return process

    def tend(self) -> int:
        """What a supervisor does: starts anew what has ended; how many have ended so far."""
        for process in [p for p in self.running if p.poll() is not None]:
            self.running.remove(process)
            self.exits.append(process.returncode)
            self.start()
        return len(self.exits)

    def end(self, process: subprocess.Popen[bytes], sent: signal.Signals = signal.SIGTERM) -> int:
        """Sends the signal; the exit code."""
        process.send_signal(sent)
        code = process.wait(30)
        self.running.remove(process)
        return code

    def close(self) -> None:
        for process in self.running:
            process.kill()
            process.wait()

    def owns(self, process: subprocess.Popen[bytes]) -> bool:
        """True once the worker has taken partitions over."""
        return " owns [(" in self._logs[process.pid].read_text(errors="replace")

    def said(self, words: str) -> int:
        """How often the workers have said so."""
        return sum(log.read_text(errors="replace").count(words) for log in self.folder.glob("worker-*.log"))

    # ------------------------------------------------------------------------------- topics

    def produce(self, topic: str, events: Iterable[tuple[bytes, bytes]], per_second: int | None = None) -> int:
        """Sends events, at most so many a second; restarts workers that end meanwhile."""
        producer = KafkaProducer(bootstrap_servers=self.bootstrap, acks="all", linger_ms=5)
        began, sent = time.monotonic(), 0
        for sent, (key, value) in enumerate(events, 1):
            producer.send(self.prefix + topic, key=key, value=value)
            if per_second and sent % 200 == 0:
                time.sleep(max(0.0, began + sent / per_second - time.monotonic()))
        producer.flush()
        producer.close()
        return sent

    def read(self, topic: str) -> Records:
        """All that is committed."""
        return asyncio.run(_read(self.bootstrap, self.prefix + topic))

    def kept(self, changelog: str) -> dict[int, States]:
        """The last values of each changelog partition."""
        kept: dict[int, States] = {}
        for partition, records in self.read(changelog).items():
            states = kept.setdefault(partition, {})
            for record in records:
                assert record.key is not None
                if record.value is None:
                    states.pop(record.key, None)
                else:
                    states[record.key] = record.value
        return kept


async def _read(bootstrap: str, topic: str) -> Records:
    consumer = aiokafka.AIOKafkaConsumer(
        bootstrap_servers=bootstrap, isolation_level="read_committed", auto_offset_reset="earliest"
    )
    await consumer.start()
    try:
        await consumer._client.force_metadata_update()
        await consumer._client._wait_on_metadata(topic)
        partitions = [aiokafka.TopicPartition(topic, n) for n in consumer.partitions_for_topic(topic) or ()]
        consumer.assign(partitions)
        ends = await consumer.end_offsets(partitions)
        found: Records = {p.partition: [] for p in partitions}
        while left := [p for p in partitions if await consumer.position(p) < ends[p]]:
            for partition, records in (await consumer.getmany(*left, timeout_ms=200)).items():
                found[partition.partition] += [
                    Record(r.offset, r.key, r.value, r.headers, r.timestamp)
                    for r in records
                    if r.offset < ends[partition]
                ]
        return found
    finally:
        await consumer.stop()


# ----------------------------------------------------------------------------------- the oracle


def alerts_of(records: Records) -> list[tuple[str, int, list[int]]]:
    """Alerts as (source, offset, state), in the order they are in."""
    return [(a["from"], a["offset"], a["state"]) for r in records[0] for a in [json.loads(r.value or b"")]]


def expected(topic: str, inputs: Records, prefix: str) -> tuple[list[tuple[str, int, list[int]]], Mapping[int, States]]:
    """Alerts and states that a pure run over the committed input gives."""
    outputs, states = [], {}
    for partition, records in inputs.items():
        counter = Counter(f"{prefix}{topic}", partition, prefix)
        writes = whole(counter.process([r for r in records if r.value != POISON]))
        outputs += [Record(0, o.key, o.value, (), 0) for o in writes.outputs]
        states[partition] = {key: value for key, value in writes.changes if value is not None}
    return alerts_of({0: outputs}), states


def per_source(alerts: list[tuple[str, int, list[int]]]) -> dict[str, list[tuple[str, int, list[int]]]]:
    """The alerts of each source, in order."""
    return {source: [a for a in alerts if a[0] == source] for source in sorted({a[0] for a in alerts})}


def settle(toys: Toys, topic: str, changelog: str, seconds: float = PATIENCE) -> None:
    """Waits until all input is processed; then alerts and states must be those of the pure run, event for event."""
    inputs = toys.read(topic)
    alerts, states = expected(topic, inputs, toys.prefix)
    ends = {n: records[-1].offset + 1 for n, records in inputs.items() if records}

    def done() -> bool:
        toys.tend()
        kept = toys.kept(changelog)
        return all(int(kept[n].get(b"\0position", b"0")) >= end for n, end in ends.items())

    eventually(done, f"{topic} processed", seconds)
    assert per_source(alerts_of(toys.read("alerts"))) == per_source(alerts)
    kept = toys.kept(changelog)
    assert {n: {k: v for k, v in s.items() if not k.startswith(b"\0")} for n, s in kept.items()} == dict(states)
