"""What runs beside a worker's apps may not die alone, and a stop is quiet and in time, whenever it is asked for."""

import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.adapters.kafka.toy_cluster import Toys, eventually
from tests.servers.broker import Broker

BESIDE = 75
FEED = """
import asyncio
from streamproc.cli.worker import FeedService

class Writer:
    async def run(self):
        raise RuntimeError("what nobody foresaw")

class Redis:
    async def look(self):
        pass

async def main():
    await FeedService(Writer(), Redis()).start()
    await asyncio.sleep(60)

asyncio.run(main())
"""
RATES = """
import asyncio
from streamproc.adapters.kafka.following import _follow

class Consumer:
    async def getmany(self, timeout_ms):
        raise RuntimeError("what nobody foresaw")

async def main():
    following = asyncio.create_task(_follow(Consumer(), None, "the currency rates"))
    await asyncio.sleep(60)

asyncio.run(main())
"""


@pytest.fixture
def toys(kafka: Broker, topic_prefix: str, tmp_path: Path) -> Iterator[Toys]:
    kafka.create({f"{topic_prefix}{name}": 2 for name in ("journal", "changelog")})
    kafka.create({f"{topic_prefix}{name}": 1 for name in ("alerts", "dead")})
    made = Toys(
        kafka.bootstrap, topic_prefix, tmp_path, [{"name": "toy", "topics": ["journal"], "changelog": "changelog"}]
    )
    yield made
    made.close()


@pytest.mark.parametrize("program", [FEED, RATES])
def test_what_dies_beside_the_apps_ends_the_worker(program: str) -> None:
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False, timeout=60)
    assert ran.returncode == BESIDE
    assert "what nobody foresaw" in ran.stderr
    assert "Traceback" in ran.stderr


@pytest.mark.parametrize("when", ["Host]: Starting", "ConsumerThread]: Starting", "Successfully joined", "toy owns"])
def test_a_stop_is_quiet_and_in_time(toys: Toys, when: str) -> None:
    worker = toys.start()
    eventually(lambda: toys.said(when) > 0 or toys.said("toy owns") > 0, "it has come so far")
    began = time.monotonic()
    assert toys.end(worker) == 0
    assert time.monotonic() - began < 10
    assert not toys.said("Traceback")
    assert not toys.said("exception was never retrieved")
