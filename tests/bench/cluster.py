"""`python -m tests.bench.cluster [--events N] [--days N]`: what an event costs on a cluster, all processors together.

A simulated shop is in the topics before the workers start; then one worker runs all four apps until nothing is left.
CPU is the worker's own, all threads, from its start to the last line of the feed. A tick costs whatever is in it: the
fewer days the events are of, the more of them share one.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import time
from collections import Counter
from pathlib import Path

from kafka.admin import KafkaAdminClient

from streamproc.adapters.kafka.lag import read_lags
from streamproc.config import KafkaSettings
from streamproc.simulate import Shop, simulate
from tests.bench.harness import MICRO, say
from tests.bench.shop import DAYS, EVENTS_A_CUSTOMER
from tests.servers.broker import Kafka
from tests.servers.redis_server import RedisServer
from tests.servers.usage import cpu_seconds

PROGRAM = Path(sys.executable).with_name("streamproc")
PARTITIONS = 4
CALM = 3
"""Looks in a row at which nothing is left to be read."""


def main() -> None:
    """Measures, and prints what was measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.cluster", description=__doc__)
    parser.add_argument("--events", type=int, default=100_000)
    parser.add_argument("--days", type=int, default=DAYS, help="of the shop's life")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="streamproc-bench-") as folder:
        _measure(given.events, given.days, Path(folder))


def _measure(events: int, days: int, folder: Path) -> None:
    kafka, redis = Kafka(folder / "kafka"), RedisServer(folder / "redis")
    kafka.start()
    redis.start()
    told = {
        **os.environ,
        "STREAMPROC_KAFKA__BROKERS": kafka.bootstrap,
        "STREAMPROC_KAFKA__PARTITIONS": str(PARTITIONS),
        "STREAMPROC_KAFKA__CLOCK": "event",
        "STREAMPROC_REDIS__URL": redis.url,
    }
    try:
        subprocess.run([PROGRAM, "topics", "create"], env=told, check=True, stdout=subprocess.DEVNULL)
        sent = _sell(events, days, told)
        began = time.monotonic()
        with (folder / "worker.log").open("wb") as log, subprocess.Popen(
            [PROGRAM, "worker"], env=told, stdout=log, stderr=log
        ) as worker:  # fmt: skip
            cpu = _until_done(worker, kafka.bootstrap, folder / "worker.log")
            seconds = time.monotonic() - began
            worker.terminate()
        print(f"{sent:,} events of {days} days, {PARTITIONS} partitions, one worker with all apps, Redis feed")
        print(f"  {cpu / sent * MICRO:.0f} µs CPU an event; {sent / seconds:,.0f} events/s from its start")
        for topic, size in sorted(_sizes(folder / "kafka" / "data").items()):
            print(f"  {topic:28} {size / 1e6:8.1f} MB, {size / sent:6.0f} bytes an event")
    finally:
        redis.kill()
        kafka.kill()


def _sell(events: int, days: int, told: dict[str, str]) -> int:
    shop = Shop(customers=max(1, round(events / EVENTS_A_CUSTOMER * DAYS / days)), days=days)
    lines = [event.line for event in simulate(shop)]
    say(f"{len(lines):,} events into the topics")
    subprocess.run(
        [PROGRAM, "produce", "-"], input=b"\n".join(lines) + b"\n", env=told, check=True, stdout=subprocess.DEVNULL
    )
    return len(lines)


def _sizes(data: Path) -> Counter[str]:
    """Bytes of the logs, by topic, as they lie on the broker's disk."""
    found = Counter[str]()
    for log in data.glob("*/*.log"):
        found[log.parent.name.rpartition("-")[0]] += log.stat().st_size
    return Counter({topic: size for topic, size in found.items() if size and not topic.startswith("__")})


def _until_done(worker: "subprocess.Popen[bytes]", brokers: str, log: Path) -> float:
    """Seconds of CPU until nothing was left to be read; the looks that found it so are not counted."""
    settings, calm, cpu = KafkaSettings(brokers=brokers), 0, 0.0
    admin = KafkaAdminClient(bootstrap_servers=brokers)
    try:
        while calm < CALM:
            time.sleep(6.0)  # the groups tell their positions every five seconds
            assert worker.poll() is None, f"the worker ended: {log.read_text()[-1000:]}"
            lags = read_lags(admin, settings)
            left = sum(lag.lag for lag in lags) + sum(lag.position is None and lag.end > 0 for lag in lags)
            say(f"  {left:,} records left")
            if left or not calm:
                cpu = cpu_seconds(worker.pid)
            calm = 0 if left else calm + 1
    finally:
        admin.close()
    return cpu


if __name__ == "__main__":
    main()
