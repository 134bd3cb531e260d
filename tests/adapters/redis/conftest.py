from collections.abc import Iterator

import pytest

from tests.adapters.redis.kit import RedisFeed
from tests.servers.redis_server import RedisServer


@pytest.fixture(scope="module")
def one_redis(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RedisServer]:
    """A Redis that a module's tests share; it is not to be stopped."""
    server = RedisServer(tmp_path_factory.mktemp("redis"))
    server.start()
    yield server
    server.kill()


@pytest.fixture
def feed(one_redis: RedisServer) -> Iterator[RedisFeed]:
    """An empty feed."""
    with RedisFeed(one_redis.url) as opened:
        opened.client.flushall()
        yield opened
