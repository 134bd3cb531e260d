"""Whatever dies on the way: alerts and states are those of a quiet, pure run, event for event.

STREAMPROC_TORTURE=n repeats each fault n times as often; STREAMPROC_SEED=… repeats a run.
"""

import os
import random
import secrets
import signal
import time
from collections.abc import Callable, Iterator
from pathlib import Path
from threading import Thread

import pytest

from tests.adapters.kafka.toy_cluster import PATIENCE, SESSION, Toys, eventually, settle
from tests.servers.broker import Broker, Kafka

TIMES = int(os.environ.get("STREAMPROC_TORTURE", "1"))
RATE = 4000


@pytest.fixture
def chance(request: pytest.FixtureRequest) -> random.Random:
    seed = os.environ.get("STREAMPROC_SEED") or secrets.token_hex(4)
    print(f"\n{request.node.name}: STREAMPROC_SEED={seed}")
    return random.Random(seed)


def make_toys(broker: Broker | Kafka, prefix: str, folder: Path) -> Toys:
    broker.create({f"{prefix}journal": 4, f"{prefix}alerts": 1, f"{prefix}dead": 1})
    broker.create({f"{prefix}changelog": 4}, cleanup_policy="compact")
    return Toys(broker.bootstrap, prefix, folder, [{"name": "toy", "topics": ["journal"], "changelog": "changelog"}])


@pytest.fixture
def toys(kafka: Broker, topic_prefix: str, tmp_path: Path) -> Iterator[Toys]:
    workers = make_toys(kafka, topic_prefix, tmp_path)
    yield workers
    workers.close()


def kill_one(toys: Toys, chance: random.Random) -> None:
    chance.choice(toys.running).kill()


def kill_both(toys: Toys, chance: random.Random) -> None:
    for process in chance.sample(toys.running, 2):
        process.kill()
        time.sleep(chance.random())


def stop_and_restart(toys: Toys, chance: random.Random) -> None:
    assert toys.end(chance.choice(toys.running)) == 0
    toys.start()


def join_and_leave(toys: Toys, chance: random.Random) -> None:
    third = toys.start()
    time.sleep(3 + 2 * chance.random())
    assert toys.end(third) == 0


def freeze(toys: Toys, chance: random.Random) -> None:
    frozen = chance.choice(toys.running)
    eventually(lambda: toys.owns(frozen), "it owns partitions")
    frozen.send_signal(signal.SIGSTOP)
    time.sleep(SESSION + 2 + 2 * chance.random())
    frozen.send_signal(signal.SIGCONT)
    assert frozen.wait(PATIENCE) > 0, "a process that was paused for too long must end, and not as if all were well"


@pytest.mark.parametrize(
    ("fault", "times"), [(kill_one, 2), (kill_both, 1), (stop_and_restart, 1), (join_and_leave, 1), (freeze, 1)]
)
def test_nothing_is_lost_doubled_or_invented(
    toys: Toys, chance: random.Random, fault: Callable[[Toys, random.Random], None], times: int
) -> None:
    for _ in range(2):
        toys.start()
    eventually(lambda: toys.said("toy owns") >= 2, "two workers own partitions")
    times *= TIMES
    seconds = 8 * times
    events = ((b"c%d" % chance.randrange(500), b"%d" % chance.randrange(1000)) for _ in range(RATE * seconds))
    producing = Thread(target=toys.produce, args=("journal", events, RATE))
    producing.start()
    for _ in range(times):
        time.sleep(1 + 2 * chance.random())
        fault(toys, chance)
        toys.tend()
        time.sleep(1)
    producing.join()
    settle(toys, "journal", "changelog")


def test_a_broker_that_goes_away_costs_time_and_nothing_else(
    kafka_own: Kafka, tmp_path: Path, chance: random.Random
) -> None:
    # Who has nothing in hand waits for it; who starts without it ends, for a supervisor to start it again.
    toys = make_toys(kafka_own, "own.", tmp_path)
    try:
        toys.start()
        for _ in range(TIMES):
            toys.produce("journal", ((b"c%d" % chance.randrange(500), b"1") for _ in range(20_000)))
            eventually(lambda: bool(toys.said("toy owns")), "a worker owns partitions")
            time.sleep(chance.random())
            kafka_own.kill()
            assert toys.start().wait(PATIENCE) > 0
            kafka_own.start()
            toys.produce("journal", ((b"c%d" % chance.randrange(500), b"1") for _ in range(20_000)))
            settle(toys, "journal", "changelog", 120)
    finally:
        toys.close()
