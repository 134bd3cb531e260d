"""A feed writer at work, and topics for it to copy."""

import asyncio
import shlex
import threading
from collections.abc import Iterable, Sequence
from concurrent.futures import Future
from typing import Any, Self

import msgspec
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient

from streamproc.adapters.kafka.feedwriter import FeedStatus, FeedWriter
from streamproc.adapters.kafka.transactions import Connection
from streamproc.adapters.redis.client import writing_client
from streamproc.adapters.redis.store import RedisFeedStore
from streamproc.desk.warning import Entry
from streamproc.testing.feed_entries import changed, judged, warned
from tests.adapters.embedded.sqlite_feed import SqliteFeed
from tests.adapters.redis.kit import PREFIX, RedisFeed, contents
from tests.servers.broker import Broker
from tests.servers.process import wait_until


class Running:
    """A feed writer in a thread of its own, until the block is left."""

    def __init__(self, node: Broker, topic: str, url: str) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever)
        self._made: Future[FeedStatus] = Future()
        self._arguments = (node.bootstrap, topic, url)

    def __enter__(self) -> Self:
        self._thread.start()
        self._ended = asyncio.run_coroutine_threadsafe(self._run(), self._loop)
        self.status = self._made.result(30)
        return self

    def __exit__(self, *_: object) -> None:
        self._ended.cancel()
        asyncio.run_coroutine_threadsafe(self._rest(), self._loop).result(30)
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    async def _run(self) -> None:
        brokers, topic, url = self._arguments
        async with writing_client(url) as client:
            writer = FeedWriter(Connection(brokers), topic, RedisFeedStore(client, PREFIX))
            self._made.set_result(writer.status)
            await writer.run()

    async def _rest(self) -> None:
        """Returns when all tasks but this one have ended."""
        others = asyncio.all_tasks() - {asyncio.current_task()}
        await asyncio.gather(*others, return_exceptions=True)

    @property
    def running(self) -> bool:
        return not self._ended.done()

    def error(self) -> BaseException | None:
        """What ended it."""
        return self._ended.exception(60)


class Topic:
    """A topic as the desk writes it: in transactions, some of which come to nothing."""

    def __init__(self, node: Broker, name: str, *, create: bool = True) -> None:
        self.name = name
        self.entries: list[Entry] = []
        self._node = node
        if create:
            node.create({name: 1})
        self._producer = KafkaProducer(bootstrap_servers=node.bootstrap, transactional_id=f"{name}-desk", acks="all")
        self._producer.init_transactions()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._producer.close()

    def write(self, entries: Sequence[Entry], size: int = 100) -> None:
        for start in range(0, len(entries), size):
            self.send(msgspec.json.encode(entry) for entry in entries[start : start + size])
        self.entries += entries

    def send(self, bodies: Iterable[bytes | None], *, commit: bool = True) -> None:
        self._producer.begin_transaction()
        for body in bodies:
            self._producer.send(self.name, body, key=b"customer", partition=0)
        if commit:
            self._producer.commit_transaction()
        else:
            self._producer.flush()
            self._producer.abort_transaction()

    def delete(self) -> None:
        admin = KafkaAdminClient(bootstrap_servers=self._node.bootstrap)
        admin.delete_topics([self.name])
        wait_until(lambda: self.name not in admin.list_topics(), "the topic is gone")
        admin.close()


def some_warnings(count: int, start: int = 0) -> list[Entry]:
    """Warnings, and what becomes of two of three."""
    found: list[Entry] = []
    for n in range(start, start + count):
        found.append(warned(f"w{n:05}", f"c{n % 97}", loss=f"{n % 53}.00"))
        if n % 3:
            found.append(changed(f"w{n:05}", "escalated", probability=0.9, customer_id=f"c{n % 97}"))
        if n % 3 == 2:
            found.append(changed(f"w{n:05}", "lost", "2024-05-01T00:00:00Z", customer_id=f"c{n % 97}"))
            found.append(judged(f"w{n:05}", customer_id=f"c{n % 97}"))
    return found


def caught_up(url: str, topic: Topic) -> None:
    """Returns once the feed has the topic's last line, and says then what a reference says of the same lines."""
    with RedisFeed(url) as feed:
        last = msgspec.json.encode(topic.entries[-1])

        def is_there() -> bool:
            return feed.is_up() and [line.body for line in feed.lines(feed.last() - 1, 1)] == [last]

        wait_until(is_there, "the feed has caught up", 60)
        same_as_reference(feed, topic)


def same_as_reference(feed: RedisFeed, topic: Topic) -> None:
    with SqliteFeed() as reference:
        reference.write(topic.entries)
        found, expected = contents(feed), contents(reference)
        for what, value in expected.items():
            assert found[what] == value, what


def obey(feed: RedisFeed, error: BaseException | None) -> None:
    """Runs the command that an error ends with."""
    assert error is not None
    _, _, command = str(error).rpartition(": redis-cli ")
    client: Any = feed.client
    client.execute_command(*shlex.split(command))
