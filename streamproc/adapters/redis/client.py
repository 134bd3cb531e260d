"""Connections to Redis, and what may go wrong with them in one word.

A command that broke off is sent once more: reading changes nothing, and what writes (take.lua) knows what it has
already taken in, so it may arrive twice.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import redis.asyncio
from redis import Redis
from redis.asyncio.retry import Retry as AsyncRetry
from redis.backoff import ConstantBackoff
from redis.exceptions import RedisError
from redis.retry import Retry

from streamproc.desk.feed import FeedAwayError

AGAIN = 1
WAIT = 0.05

_OPTIONS: dict[str, Any] = {
    "socket_timeout": 5.0,
    "socket_connect_timeout": 5.0,
    "socket_keepalive": True,
    "health_check_interval": 15,
    "client_name": "streamproc",
    "protocol": 2,  # what every Redis speaks, and proxies before it
}


def reading_client(url: str, **security: Any) -> Redis:  # noqa: ANN401 - as redis-py has them
    """A client for any thread. `url` as `rediss://user:password@host:6379/0`; `security` as `Redis.from_url` takes it.

    The certificate of `rediss://` is checked, and its name against the host.
    """
    return Redis.from_url(url, retry=Retry(ConstantBackoff(WAIT), AGAIN), **security, **_OPTIONS)


def writing_client(url: str, **security: Any) -> "redis.asyncio.Redis":  # noqa: ANN401 - as above
    """A client for one event loop; arguments as above."""
    again = AsyncRetry(ConstantBackoff(WAIT), AGAIN)
    return redis.asyncio.Redis.from_url(url, retry=again, **security, **_OPTIONS)


@contextmanager
def told() -> Iterator[None]:
    """Whatever is wrong with Redis, its network or its answer, is a FeedAwayError."""
    try:
        yield
    except (RedisError, OSError) as error:
        raise FeedAwayError(f"Redis: {str(error) or type(error).__name__}") from error


def offset_of(position: bytes) -> int:
    """The offset that Redis keeps as the feed's position. Raises FeedAwayError for what was never written by us."""
    if not position.isdigit():
        raise FeedAwayError(f"Redis: the feed's position is no number but {position[:40]!r}")
    return int(position)
