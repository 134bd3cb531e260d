"""The feed writer against a real Kafka and a real Redis: what it loses, doubles, or mixes is seen line by line."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from kafka.admin import KafkaAdminClient
from kafka.structs import TopicPartition

from streamproc.adapters.kafka.feedwriter import FeedPositionError
from streamproc.testing.feed_entries import warned
from tests.adapters.kafka.feed_kit import Running, Topic, caught_up, obey, same_as_reference, some_warnings
from tests.adapters.redis.kit import RedisFeed
from tests.servers.broker import Broker, Kafka
from tests.servers.process import wait_until
from tests.servers.redis_server import PASSWORD, QUOTED_PASSWORD, USER, RedisServer


@pytest.fixture
def topic(kafka: Broker, topic_prefix: str) -> Iterator[Topic]:
    with Topic(kafka, f"{topic_prefix}warnings") as made:
        yield made


# ------------------------------------------------------------------------------------------------- its work


def test_what_is_committed_is_copied_in_order_and_nothing_else(
    kafka: Broker, topic: Topic, redis_server: RedisServer
) -> None:
    topic.write(some_warnings(300))
    topic.send([b"never was"] * 5, commit=False)
    with Running(kafka, topic.name, redis_server.url) as writer:
        caught_up(redis_server.url, topic)
        topic.write(some_warnings(50, 300), size=3)
        caught_up(redis_server.url, topic)
        wait_until(lambda: writer.status.lag == 0, "no lag")
        assert (writer.status.redis_up, writer.status.trouble) == (True, "")
        assert writer.status.written == len(topic.entries)


def test_it_goes_on_where_another_stopped(kafka: Broker, topic: Topic, redis_server: RedisServer) -> None:
    for start in range(0, 200, 50):
        topic.write(more := some_warnings(50, start))
        with Running(kafka, topic.name, redis_server.url) as writer:
            caught_up(redis_server.url, topic)
            wait_until(lambda: writer.status.lag == 0, "no lag")
            assert writer.status.written == len(more)


def test_two_at_once_do_no_harm(kafka: Broker, topic: Topic, redis_server: RedisServer) -> None:
    with Running(kafka, topic.name, redis_server.url), Running(kafka, topic.name, redis_server.url):
        for start in range(0, 300, 100):
            topic.write(some_warnings(100, start), size=7)
        caught_up(redis_server.url, topic)


def test_what_holds_no_line_is_counted_and_passed(kafka: Broker, topic: Topic, redis_server: RedisServer) -> None:
    topic.write(some_warnings(5))
    topic.send([b"", None, b"{}", b"\xff", b"[" * 100_000])
    topic.write(some_warnings(5, 5))
    with Running(kafka, topic.name, redis_server.url) as writer:
        caught_up(redis_server.url, topic)
        wait_until(lambda: writer.status.unreadable == 5, "all are counted")


# ------------------------------------------------------------------------------------------- Redis in trouble


def test_redis_away_for_some_seconds(kafka: Broker, topic: Topic, redis_server: RedisServer) -> None:
    topic.write(some_warnings(200))
    with Running(kafka, topic.name, redis_server.url) as writer:
        caught_up(redis_server.url, topic)
        redis_server.stop()
        topic.write(some_warnings(200, 200))
        wait_until(lambda: not writer.status.redis_up and (writer.status.lag or 0) >= 400, "it is missed")
        assert writer.status.trouble
        assert writer.running
        redis_server.start()
        caught_up(redis_server.url, topic)
        wait_until(lambda: writer.status.redis_up and writer.status.lag == 0, "all is well again")


def test_redis_absent_at_the_start(kafka: Broker, topic: Topic, redis_server: RedisServer) -> None:
    redis_server.stop()
    topic.write(some_warnings(20))
    with Running(kafka, topic.name, redis_server.url) as writer:
        wait_until(lambda: bool(writer.status.trouble), "it is missed")
        redis_server.start()
        caught_up(redis_server.url, topic)


@pytest.mark.parametrize("fsync", ["everysec", "always"])
def test_redis_killed_while_it_is_written_to(
    kafka: Broker, topic: Topic, redis_server: RedisServer, fsync: str
) -> None:
    with Running(kafka, topic.name, redis_server.url) as writer:
        for start in range(0, 4_500, 1_500):
            redis_server.kill()
            topic.write(some_warnings(1_500, start), size=1_000)  # no small backlog
            redis_server.start()
            known = written_to(redis_server, 500, fsync)
            redis_server.kill()
            redis_server.start()
            with RedisFeed(redis_server.url) as feed:
                assert fsync == "everysec" or feed.last() >= known  # what was told was written down
        caught_up(redis_server.url, topic)
        assert writer.running


def written_to(server: RedisServer, count: int, fsync: str) -> int:
    """The number of the last line, after so many more were written."""
    with RedisFeed(server.url) as feed:
        feed.client.config_set("appendfsync", fsync)
        before = feed.last()
        wait_until(lambda: feed.last() >= before + count, "it is written to")
        return feed.last()


def test_a_redis_restored_from_an_old_copy_is_caught_up(
    kafka: Broker, topic: Topic, redis_server: RedisServer, tmp_path: Path
) -> None:
    data, copy = tmp_path / "redis" / "appendonlydir", tmp_path / "copy"
    topic.write(some_warnings(100))
    with Running(kafka, topic.name, redis_server.url) as writer:
        caught_up(redis_server.url, topic)
        redis_server.stop()
        shutil.copytree(data, copy)
        redis_server.start()
        topic.write(some_warnings(100, 100))
        caught_up(redis_server.url, topic)
        redis_server.stop()
        shutil.rmtree(data)
        shutil.copytree(copy, data)
        redis_server.start()
        caught_up(redis_server.url, topic)  # by itself: nothing new has come
        topic.write(some_warnings(100, 200))
        caught_up(redis_server.url, topic)
        assert writer.running


def test_a_redis_that_keeps_snapshots_alone_is_caught_up(kafka: Broker, topic: Topic, tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "redis", append_only=False)
    server.start()
    try:
        topic.write(some_warnings(100))
        with Running(kafka, topic.name, server.url), RedisFeed(server.url) as feed:
            caught_up(server.url, topic)
            feed.client.save()
            topic.write(some_warnings(100, 100))
            caught_up(server.url, topic)
            server.kill()
            server.start()
            caught_up(server.url, topic)
    finally:
        server.kill()


def test_an_emptied_redis_is_filled_again(kafka: Broker, topic: Topic, redis_server: RedisServer) -> None:
    topic.write(some_warnings(300))
    with Running(kafka, topic.name, redis_server.url), RedisFeed(redis_server.url) as feed:
        caught_up(redis_server.url, topic)
        feed.client.flushall()
        topic.write(some_warnings(10, 300))
        caught_up(redis_server.url, topic)
        feed.client.flushall()
        caught_up(redis_server.url, topic)


def test_a_full_redis_is_waited_for(kafka: Broker, topic: Topic, redis_server: RedisServer) -> None:
    with Running(kafka, topic.name, redis_server.url) as writer, RedisFeed(redis_server.url) as feed:
        topic.write(some_warnings(10))
        caught_up(redis_server.url, topic)
        feed.client.config_set("maxmemory", feed.client.info("memory")["used_memory"] + 200_000)
        topic.write(some_warnings(2_000, 10), size=500)
        wait_until(lambda: "memory" in writer.status.trouble, "it is full")
        assert feed.last() < 2_000
        feed.client.config_set("maxmemory", 0)
        caught_up(redis_server.url, topic)


def test_a_redis_that_lets_nobody_in_is_waited_for(kafka: Broker, topic: Topic, redis_server: RedisServer) -> None:
    topic.write(some_warnings(10))
    url = redis_server.url.replace("://", f"://{USER}:{QUOTED_PASSWORD}@")
    with Running(kafka, topic.name, url) as writer, RedisFeed(redis_server.url) as feed:
        wait_until(lambda: bool(writer.status.trouble), "it is kept out")
        assert PASSWORD not in writer.status.trouble
        assert QUOTED_PASSWORD not in writer.status.trouble
        feed.client.acl_setuser(USER, enabled=True, passwords=[f"+{PASSWORD}"], keys=["*"], commands=["+@all"])
        caught_up(redis_server.url, topic)


# ------------------------------------------------------------------------------------------- Kafka in trouble


def test_a_killed_kafka_is_waited_for(kafka_own: Kafka, redis_server: RedisServer) -> None:
    with Topic(kafka_own, "warnings") as topic:
        topic.write(some_warnings(50))
    with Running(kafka_own, topic.name, redis_server.url) as writer:
        caught_up(redis_server.url, topic)
        kafka_own.kill()
        kafka_own.start()
        with Topic(kafka_own, "warnings", create=False) as again:
            again.entries = topic.entries
            again.write(some_warnings(50, 50))
        caught_up(redis_server.url, again)
        assert writer.running


def delete_before(node: Broker, topic: Topic, offset: int) -> None:
    admin = KafkaAdminClient(bootstrap_servers=node.bootstrap)
    admin.delete_records({TopicPartition(topic.name, 0): offset})
    admin.close()


def test_a_position_that_the_log_has_left_behind_is_an_error(
    kafka: Broker, topic: Topic, redis_server: RedisServer
) -> None:
    topic.write(some_warnings(10))
    with Running(kafka, topic.name, redis_server.url):
        caught_up(redis_server.url, topic)
    topic.write(later := some_warnings(30, 10), size=1)
    begin = 60
    delete_before(kafka, topic, begin)
    with RedisFeed(redis_server.url) as feed:
        with Running(kafka, topic.name, redis_server.url) as writer:
            error = writer.error()
            assert isinstance(error, FeedPositionError)
        assert feed.client.dbsize()
        obey(feed, error)
        assert not feed.client.dbsize()
        with Running(kafka, topic.name, redis_server.url) as writer:
            error = writer.error()  # the beginning is missing: that is said, too
            assert isinstance(error, FeedPositionError)
        obey(feed, error)
        with Running(kafka, topic.name, redis_server.url):
            wait_until(lambda: feed.warning(later[-1].warning_id) is not None, "the rest is there")
            assert feed.lines(0, 1)[0].seq > begin


@pytest.mark.parametrize("count", [2, 100])
def test_a_topic_made_anew_is_an_error_shorter_or_longer(
    kafka: Broker, topic: Topic, redis_server: RedisServer, count: int
) -> None:
    topic.write(some_warnings(10))
    with Running(kafka, topic.name, redis_server.url):
        caught_up(redis_server.url, topic)
    topic.delete()
    with Topic(kafka, topic.name) as another, RedisFeed(redis_server.url) as feed:
        another.write([warned(f"another-{n}") for n in range(count)])
        with Running(kafka, topic.name, redis_server.url) as writer:
            error = writer.error()
            assert isinstance(error, FeedPositionError)
            assert "not the topic" in str(error)
        same_as_reference(feed, topic)
        obey(feed, error)
        with Running(kafka, topic.name, redis_server.url):
            caught_up(redis_server.url, another)
