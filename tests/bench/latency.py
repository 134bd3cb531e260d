"""`python -m tests.bench.latency [--rate N] [--seconds N] [--workers N]`: from an event to its warning in Redis.

Ticks follow the wall, one a second. The policy warns of everybody at their first purchase; one event in a hundred is
such a first purchase, the others are purchases of customers who were warned of, for whom the cooldown lasts. Each of
the workers runs all apps. Beside the times stands their CPU an event: on a machine that others use it tells more.
"""

import argparse
import json
import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from statistics import quantiles

import msgspec
from kafka import KafkaProducer

from streamproc.adapters.redis.client import reading_client
from streamproc.adapters.redis.reader import RedisFeedReader
from streamproc.core.policy import Policy
from tests.bench.harness import MICRO, say
from tests.servers.broker import Kafka
from tests.servers.redis_server import RedisServer
from tests.servers.usage import cpu_seconds

PROGRAM = str(Path(sys.executable).with_name("streamproc"))
PARTITIONS = 4
KNOWN = 2_000
ONE_IN = 100
LOOK_EVERY = 0.02
WARM_UP = 10.0
EVERYBODY = Policy(
    name="everybody",
    raise_at=0.0,
    clear_at=0.0,
    escalate_at=1.0,
    minimum_silence=0.0,
    minimum_purchase_days=0,
    minimum_customers_fitted=0,
    cooldown_days=1,
    recent_contact_days=0,
)


def main() -> None:
    """Measures, and prints what was measured."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench.latency", description=__doc__)
    parser.add_argument("--rate", type=int, default=2_000, help="events a second")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--workers", type=int, default=1)
    given = parser.parse_args()
    with (
        tempfile.TemporaryDirectory(prefix="streamproc-bench-") as folder,
        cluster(Path(folder), given.workers) as (told, workers),
    ):
        sent, seen, cpu = _measure(told, workers, given.rate, given.seconds)
    waited = sorted(seen[customer] - at for customer, at in sent.items() if customer in seen)
    assert waited, "nobody was warned of"
    cuts = quantiles(waited, n=100)
    print(f"{given.rate:,} events/s for {given.seconds} s, {PARTITIONS} partitions, workers: {given.workers}")
    print(f"  sent to warning in Redis: p50 {cuts[49]:.2f} s, p99 {cuts[98]:.2f} s, most {waited[-1]:.2f} s")
    print(f"  {len(waited):,} warnings of {len(sent):,} expected; {cpu * MICRO:.0f} µs CPU of the workers an event")


@contextmanager
def cluster(folder: Path, count: int) -> Iterator[tuple[dict[str, str], list[int]]]:
    """A broker, a Redis and workers; gives the settings, and the workers' process ids."""
    kafka, redis = Kafka(folder / "kafka"), RedisServer(folder / "redis")
    kafka.start()
    redis.start()
    told = {
        **os.environ,
        "STREAMPROC_KAFKA__BROKERS": kafka.bootstrap,
        "STREAMPROC_KAFKA__PARTITIONS": str(PARTITIONS),
        "STREAMPROC_POLICY": msgspec.json.encode(EVERYBODY).decode(),
        "STREAMPROC_REDIS__URL": redis.url,
    }
    try:
        subprocess.run([PROGRAM, "topics", "create"], env=told, check=True, stdout=subprocess.DEVNULL)
        with (folder / "worker.log").open("wb") as log:
            workers = [
                subprocess.Popen([PROGRAM, "worker", "--health", "127.0.0.1:0"], env=told, stdout=log, stderr=log)
                for _ in range(count)
            ]
        yield told, [worker.pid for worker in workers]
        for worker in workers:
            worker.terminate()
        for worker in workers:
            worker.wait()
    finally:
        redis.kill()
        kafka.kill()


def _measure(
    told: dict[str, str], workers: Sequence[int], rate: int, seconds: int
) -> tuple[dict[str, float], dict[str, float], float]:
    """When each newcomer's purchase was sent, when their warning was in Redis, and the workers' CPU an event (s)."""
    over = threading.Event()
    seen: dict[str, float] = {}
    watching = threading.Thread(target=_watch, args=(told["STREAMPROC_REDIS__URL"], seen, over))
    watching.start()
    producer = KafkaProducer(bootstrap_servers=told["STREAMPROC_KAFKA__BROKERS"], acks="all", linger_ms=5)
    say(f"{KNOWN:,} customers who are known")
    _send(producer, [f"known-{n}" for n in range(KNOWN)], rate)
    time.sleep(WARM_UP)
    say(f"{rate * seconds:,} events, {rate:,} a second")
    everybody = [f"new-{n}" if n % ONE_IN == 0 else f"known-{n % KNOWN}" for n in range(rate * seconds)]
    before = sum(map(cpu_seconds, workers))
    sent = {customer: at for customer, at in _send(producer, everybody, rate).items() if customer.startswith("new-")}
    time.sleep(WARM_UP)
    cpu = (sum(map(cpu_seconds, workers)) - before) / len(everybody)
    over.set()
    watching.join()
    producer.close()
    return sent, seen, cpu


def _send(producer: KafkaProducer, customers: Sequence[str], rate: int) -> dict[str, float]:
    """Sends a purchase of each, so many a second; when each customer's last was sent."""
    began, sent = time.time(), {}
    for number, customer in enumerate(customers):
        wait = began + number / rate - time.time()
        if wait > 0:
            time.sleep(wait)
        sent[customer] = now = time.time()
        event = {
            "stream": "purchases",
            "event_id": f"{customer}-{now:.6f}",
            "order_id": f"{customer}-{now:.6f}",
            "customer_id": customer,
            "occurred_at": datetime.fromtimestamp(now, UTC).isoformat(),
            "amount": "40.00",
            "currency": "EUR",
        }
        producer.send("purchases", json.dumps(event).encode(), key=customer.encode())
    producer.flush()
    return sent


def _watch(url: str, seen: dict[str, float], over: threading.Event) -> None:
    with reading_client(url) as client:
        reader, last = RedisFeedReader(client, "streamproc."), 0
        while not over.is_set():
            for line in reader.lines(last, 1_000):
                last = line.seq
                entry = json.loads(line.body)
                if entry["kind"] == "raised":
                    seen.setdefault(entry["customer_id"], time.time())
            time.sleep(LOOK_EVERY)


if __name__ == "__main__":
    main()
