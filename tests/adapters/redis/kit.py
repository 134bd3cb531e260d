"""What the tests of the feed in Redis share."""

import asyncio
from collections.abc import Callable, Coroutine, Sequence
from typing import Any, Self, TypeVar

import msgspec
from redis.exceptions import RedisError

from streamproc.adapters.redis.client import reading_client, writing_client
from streamproc.adapters.redis.layout import USUAL, Bounds
from streamproc.adapters.redis.reader import RedisFeedReader
from streamproc.adapters.redis.store import RedisFeedStore
from streamproc.desk.feed import FeedReader, Numbered
from streamproc.desk.warning import Entry

T = TypeVar("T")
PREFIX = "streamproc."


def numbered(entries: Sequence[Entry], start: int = 0, step: int = 1) -> list[Numbered]:
    """Lines as records of a log; `step` leaves gaps, as transactions do."""
    return [Numbered(start + step * n, msgspec.json.encode(entry), entry) for n, entry in enumerate(entries)]


class RedisFeed(RedisFeedReader):
    """The feed of one Redis, to write to and to read from."""

    def __init__(self, url: str, bounds: Bounds = USUAL, **security: str) -> None:
        self.client = reading_client(url, **security)
        super().__init__(self.client, PREFIX)
        self._url, self._bounds, self._security = url, bounds, security

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.client.close()

    def is_up(self) -> bool:
        """Whether it answers."""
        try:
            return bool(self.client.ping())
        except RedisError:
            return False

    def run(self, question: Callable[[RedisFeedStore], Coroutine[Any, Any, T]]) -> T:
        """What the store answers, in an event loop of its own."""

        async def ask() -> T:
            async with writing_client(self._url, **self._security) as client:
                return await question(RedisFeedStore(client, PREFIX, self._bounds))

        return asyncio.run(ask())

    def write(self, entries: Sequence[Entry]) -> None:
        """Takes lines in, each behind a gap."""

        async def write(store: RedisFeedStore) -> None:
            place = await store.place()
            before = None if place is None else place.offset
            await store.write(before, numbered(entries, 0 if before is None else before + 3, 3))

        self.run(write)


def contents(feed: FeedReader) -> dict[str, object]:
    """All that a feed says, but for the numbers of its lines, which are each home's own."""
    warnings = feed.warnings()
    return {
        "lines": [line.body for line in feed.lines(0, 1 << 40)],
        "warnings": warnings,
        "at stake": [warning.id for warning in feed.warnings(order="most_at_stake")],
        "open": [warning.id for warning in feed.warnings(open_only=True)],
        "open at stake": [warning.id for warning in feed.warnings(open_only=True, order="most_at_stake")],
        "lives": [feed.life_of(warning.id) for warning in warnings],
        "customers": [
            [warning.id for warning in feed.warnings(customers=[name])]
            for name in sorted({warning.customer_id for warning in warnings})
        ],
        "counts": feed.counts(),
    }
