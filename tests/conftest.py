"""What all tests share: reproducible examples, a local time that is never UTC, a browser, servers."""

import os
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from tests.browser import Browser
from tests.servers.broker import Broker, Kafka
from tests.servers.redis_server import RedisServer
from tests.servers.shared import end_shared_kafka, shared_kafka

# No deadline: two busy cores make a slow example, not a wrong one. In CI the examples follow from the test
# alone, so a red run is red again; elsewhere they are new every time, and a failure prints how to repeat it.
settings.register_profile("dev", deadline=None, print_blob=True)
settings.register_profile("ci", parent=settings.get_profile("dev"), derandomize=True)
PROFILE = "ci" if os.environ.get("CI") == "true" else "dev"
settings.load_profile(PROFILE)

# Whoever reads the local time by mistake is nearly six hours off, here and in every process started.
os.environ["TZ"] = "Asia/Kathmandu"
time.tzset()


def pytest_report_header() -> str:
    examples = "the same every time" if PROFILE == "ci" else "new every time (CI=true repeats)"
    return f"examples: {examples}; local time: {os.environ['TZ']}"


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """A page of a headless Chromium of its own."""
    with Browser(tmp_path_factory.mktemp("browser")) as page:
        yield page


def pytest_sessionfinish() -> None:
    end_shared_kafka()


@pytest.fixture(scope="session")
def kafka() -> Broker:
    """A Kafka that all tests of the run share: it stays up, and each test's topics carry a `topic_prefix`."""
    return shared_kafka()


@pytest.fixture
def topic_prefix() -> str:
    """A beginning of topic, group and transaction names that no other test has."""
    return f"t{uuid.uuid4().hex[:10]}."


@pytest.fixture
def kafka_own(tmp_path: Path) -> Iterator[Kafka]:
    """A Kafka of one test's own, to stop, kill and start again."""
    node = Kafka(tmp_path / "kafka")
    node.start()
    yield node
    node.kill()


@pytest.fixture
def redis_server(tmp_path: Path) -> Iterator[RedisServer]:
    """A Redis of one test's own that writes everything down within a second."""
    server = RedisServer(tmp_path / "redis")
    server.start()
    yield server
    server.kill()
