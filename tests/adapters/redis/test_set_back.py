"""Whatever happens to a Redis between two writes, it holds the log from its first record on, without a gap."""

from contextlib import suppress

from hypothesis import given, settings
from hypothesis import strategies as st
from redis import Redis

from streamproc.adapters.redis.client import reading_client
from streamproc.adapters.redis.layout import keys_under
from streamproc.adapters.redis.store import RedisFeedStore
from streamproc.desk.feed import FeedMovedError, Numbered
from tests.adapters.embedded.sqlite_feed import SqliteFeed
from tests.adapters.kafka.feed_kit import some_warnings
from tests.adapters.redis.kit import PREFIX, RedisFeed, contents, numbered
from tests.servers.redis_server import RedisServer

ENTRIES = some_warnings(20)
LOG = numbered(ENTRIES)
BACKUP = 1


def copy(source: Redis, target: Redis, number: int) -> None:
    """Makes the other database hold what this one does."""
    target.flushdb()
    for key in keys_under(PREFIX):
        source.copy(key, key, destination_db=str(number))


def behind(place: int | None) -> int:
    return 0 if place is None else place + 1


async def write_where_it_stands(store: RedisFeedStore, count: int) -> None:
    place = await store.place()
    start = behind(None if place is None else place.offset)
    await store.write(start - 1 if start else None, LOG[start : start + count])


async def write_where_it_stood(store: RedisFeedStore, records: list[Numbered]) -> None:
    """A batch that was sent, or sent again, by somebody who does not know better."""
    before = records[0].offset - 1
    with suppress(FeedMovedError):
        await store.write(before if before >= 0 else None, records)


places = st.integers(0, len(LOG) - 1)
steps = st.one_of(
    st.tuples(st.just("write"), st.integers(1, 9)),
    st.tuples(st.just("write late"), places),
    st.sampled_from([("back up", 0), ("restore", 0), ("empty", 0)]),
)


@settings(max_examples=60)
@given(todo=st.lists(steps, min_size=3, max_size=25))
def test_there_is_never_a_gap(one_redis: RedisServer, todo: list[tuple[str, int]]) -> None:
    spare_url = one_redis.url.replace("/0", f"/{BACKUP}")
    with RedisFeed(one_redis.url) as feed, reading_client(spare_url) as spare, SqliteFeed() as reference:
        feed.client.flushall()
        for what, number in todo:
            if what == "write":
                feed.run(lambda store: write_where_it_stands(store, number))  # noqa: B023 - it runs at once
            elif what == "write late":
                feed.run(lambda store: write_where_it_stood(store, LOG[number : number + 7]))  # noqa: B023
            elif what == "back up":
                copy(feed.client, spare, BACKUP)
            elif what == "restore":
                copy(spare, feed.client, 0)
            else:
                feed.client.flushdb()
        lines = feed.lines(0, len(LOG) + 1)
        assert [line.seq for line in lines] == list(range(1, len(lines) + 1))
        assert feed.version() + 1 == len(lines)
        reference.write(ENTRIES[: len(lines)])
        assert contents(feed) == contents(reference)
