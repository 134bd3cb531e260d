"""`python -m tests.bench.takeover [--customers N]`: how long a worker takes to own a base, and in what memory.

States of a simulated shop are copied under as many ids as asked for into the monitor's changelog, a share of them twice
(what compaction has not come to yet). Then a worker that runs the monitor alone takes all partitions; then a second one
joins, and the first is killed.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from itertools import cycle, islice
from pathlib import Path

from kafka import KafkaProducer

from streamproc.adapters.kafka.names import Names
from streamproc.core.ids import partition_of
from tests.bench.harness import say
from tests.bench.monitor import Drive
from tests.bench.shop import EVENTS_A_CUSTOMER, Material
from tests.servers.broker import Kafka
from tests.servers.health import door_in, figures_of, is_ready
from tests.servers.usage import cpu_seconds, megabytes

PROGRAM = str(Path(sys.executable).with_name("streamproc"))
PARTITIONS = 4
PATTERN_EVENTS = 30_000
TWICE = 0.5
"""The share that is there twice: compaction begins at half of a partition being old by default."""

A_TRANSACTION = 20_000
PATIENCE = 600.0
NEVER = 1 << 62


def main() -> None:
    """Measures, and prints what was measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.takeover", description=__doc__)
    parser.add_argument("--customers", type=int, default=1_000_000)
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="streamproc-bench-") as folder:
        _measure(given.customers, Path(folder))


def _measure(customers: int, folder: Path) -> None:
    kafka = Kafka(folder / "kafka")
    kafka.start()
    told = {**os.environ, "STREAMPROC_KAFKA__BROKERS": kafka.bootstrap, "STREAMPROC_KAFKA__PARTITIONS": str(PARTITIONS)}
    try:
        subprocess.run([PROGRAM, "topics", "create"], env=told, check=True, stdout=subprocess.DEVNULL)
        written = _fill(kafka.bootstrap, customers, folder)
        gigabytes = written / 1e9
        print(f"{customers:,} customers, {gigabytes:.2f} GB of changelog, {TWICE:.0%} of the customers twice")
        with _worker(told, folder / "first.log") as first:
            took = _ready(folder / "first.log")
            cpu, memory = cpu_seconds(first.pid), megabytes(first.pid)
            print(f"  all of it read back by one worker: {took:.1f} s, {took / gigabytes:.1f} s a GB, {cpu:.1f} s CPU")
            print(f"  its memory: {memory:,} MB, {memory * 1e6 / customers:,.0f} bytes a customer")
            with _worker(told, folder / "second.log") as second:
                print(f"  a second one joins, and has its share after {_ready(folder / 'second.log'):.1f} s")
                print(f"  its memory: {megabytes(second.pid):,} MB")
                first.kill()
                killed = time.monotonic()
                _until(lambda: _owned(folder / "second.log") == PARTITIONS and is_ready(door_in(folder / "second.log")))
                print(f"  the first is killed, and the second has everything after {time.monotonic() - killed:.1f} s")
    finally:
        kafka.kill()


def _fill(brokers: str, customers: int, folder: Path) -> int:
    """Writes the changelog; bytes of keys and values."""
    topic, bodies = Names().changelog("monitor"), _states(folder)
    say(f"{len(bodies):,} states of {sum(map(len, bodies)) / len(bodies):,.0f} bytes, copied to {customers:,}")
    producer = KafkaProducer(bootstrap_servers=brokers, transactional_id="takeover", linger_ms=20, batch_size=1 << 19)
    producer.init_transactions()
    rows = enumerate(islice(cycle(bodies), int(customers * (1 + TWICE))))
    written = 0
    while some := list(islice(rows, A_TRANSACTION)):
        producer.begin_transaction()
        for number, body in some:
            customer_id = f"customer-{number % customers:07}"
            key, value = b"s" + customer_id.encode(), NEVER.to_bytes(8, "big") + body
            producer.send(topic, value, key, partition=partition_of(customer_id, PARTITIONS))
            written += len(key) + len(value)
        producer.commit_transaction()
    producer.close()
    return written


def _states(folder: Path) -> list[bytes]:
    """What the monitor keeps of the customers of a simulated shop."""
    material = Material(PATTERN_EVENTS, folder)
    assert material.shop.customers == PATTERN_EVENTS // EVENTS_A_CUSTOMER
    drive = Drive(material.snapshot)
    drive.take(material.records)
    return list(drive.states.bodies.values())


@contextmanager
def _worker(told: dict[str, str], log: Path) -> Iterator["subprocess.Popen[bytes]"]:
    with log.open("wb") as to:
        process = subprocess.Popen([PROGRAM, "worker", "--only", "monitor"], env=told, stdout=to, stderr=to)
    try:
        yield process
    finally:
        process.kill()
        process.wait()


def _ready(log: Path) -> float:
    """Seconds until it says that all it owns is read back."""
    began = time.monotonic()
    _until(lambda: is_ready(door_in(log)))
    return time.monotonic() - began


def _owned(log: Path) -> int:
    """How many journal partitions it says that it owns and has read back."""
    return figures_of(door_in(log)).count('streamproc_lag_records{app="monitor"')


def _until(condition: Callable[[], bool]) -> None:
    deadline = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < deadline, "not in time: see the logs"
        time.sleep(0.1)


if __name__ == "__main__":
    main()
