"""Connections: TLS, users, and what is said when they fail."""

import asyncio
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from redis import Redis

from streamproc.adapters.redis.client import reading_client, writing_client
from streamproc.adapters.redis.layout import keys_under
from streamproc.adapters.redis.reader import RedisFeedReader
from streamproc.adapters.redis.store import RedisFeedStore
from streamproc.desk.feed import FeedAwayError
from streamproc.desk.forgetting import farewell_of
from streamproc.testing.feed_entries import changed, warned
from tests.adapters.redis.kit import PREFIX, RedisFeed, contents
from tests.servers.redis_server import PASSWORD, QUOTED_PASSWORD, USER, RedisServer


@pytest.fixture
def secure(tmp_path: Path) -> Iterator[RedisServer]:
    server = RedisServer(tmp_path / "redis", secure=True)
    server.start()
    yield server
    server.kill()


def test_a_feed_over_tls_as_a_user(secure: RedisServer) -> None:
    assert secure.certificates is not None
    url = secure.url.replace("://", f"://{USER}:{QUOTED_PASSWORD}@")
    with RedisFeed(url, ssl_ca_certs=str(secure.certificates.authority)) as feed:
        feed.write([warned("w1"), changed("w1", "lost")])
        assert [warning.state for warning in feed.warnings()] == ["lost"]
        assert len(feed.lines(0, 9)) == 2


def test_an_unknown_certificate_is_not_trusted(secure: RedisServer) -> None:
    url = secure.url.replace("://", f"://{USER}:{QUOTED_PASSWORD}@")
    with reading_client(url) as client, pytest.raises(FeedAwayError, match="certificate") as caught:
        RedisFeedReader(client, PREFIX).last()
    assert PASSWORD not in str(caught.value)

    async def write() -> None:
        async with writing_client(url) as client:
            await RedisFeedStore(client, PREFIX).place()

    with pytest.raises(FeedAwayError, match="certificate"):
        asyncio.run(write())


def test_a_feed_needs_few_rights(redis_server: RedisServer) -> None:
    """A writer and a reader that may do nothing but this, and touch no other key."""
    reading = ["get", "hget", "hmget", "hgetall", "zrangebylex", "zrevrange", "zscore", "zcard", "xrange", "xrevrange"]
    writing = ["set", "hset", "hdel", "hincrby", "zadd", "zrem", "zrange", "xadd", "del", "rename", "watch"]
    script = ["evalsha", "script|load", "script|exists", "multi", "exec"]
    connection = ["client|setname", "ping"]
    with reading_client(redis_server.url) as client:
        for user, allowed in (("writer", reading + writing), ("reader", reading)):
            rights = [f"+{name}" for name in (*allowed, *script, *connection)]
            client.acl_setuser(
                user, enabled=True, passwords=["+x"], keys=[f"{{{PREFIX}feed}}:*"], commands=rights, reset=True
            )
    with RedisFeed(redis_server.url, username="writer", password="x") as feed:
        feed.write([warned("w3", "d"), warned("w1"), farewell_of("d", "2026-02-01T00:00:00Z")])
        feed.write([changed("w1", "escalated"), changed("w1", "withdrawn"), warned("w2")])
        expected = contents(feed)
    with RedisFeed(redis_server.url, username="reader", password="x") as feed:
        assert contents(feed) == expected
        assert [warning.id for warning in feed.warnings(after="w2")] == ["w1"]
        with pytest.raises(FeedAwayError, match="can't run"):
            feed.write([warned("w3")])


def stop(server: RedisServer, _client: Redis) -> None:
    server.stop()


def demote(_server: RedisServer, client: Redis) -> None:
    client.replicaof("127.0.0.1", 1)


def shut_out(_server: RedisServer, client: Redis) -> None:
    client.acl_setuser("default", enabled=False)


def disturb(_server: RedisServer, client: Redis) -> None:
    client.set(keys_under(PREFIX).position, "not a number")


def mistake(_server: RedisServer, client: Redis) -> None:
    client.delete(keys_under(PREFIX).newest)
    client.set(keys_under(PREFIX).newest, "of another kind")


@pytest.mark.parametrize("trouble", [stop, demote, shut_out, disturb, mistake])
def test_trouble_has_one_name(redis_server: RedisServer, trouble: Callable[[RedisServer, Redis], None]) -> None:
    with RedisFeed(redis_server.url) as feed:
        feed.write([warned("w1")])
        trouble(redis_server, feed.client)
        with pytest.raises(FeedAwayError, match="Redis"):
            feed.write([warned("w2")])


def test_a_record_that_failed_half_way_is_not_passed_over(redis_server: RedisServer) -> None:
    with RedisFeed(redis_server.url) as feed:
        feed.write([warned("w1")])
        before = feed.version()
        mistake(redis_server, feed.client)
        with pytest.raises(FeedAwayError):
            feed.write([warned("w2")])
        assert feed.version() == before


def test_no_secret_shows() -> None:
    with reading_client(f"rediss://{USER}:{QUOTED_PASSWORD}@redis.example/0") as client:
        for shown in (repr(client), str(client), repr(RedisFeedReader(client, PREFIX))):
            assert PASSWORD not in shown
            assert QUOTED_PASSWORD not in shown
