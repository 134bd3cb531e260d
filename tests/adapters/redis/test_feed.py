"""The feed in Redis keeps the contract of every feed, and its own promise: each record once, whatever is sent again."""

import asyncio
from collections.abc import Callable

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamproc.adapters.redis.client import writing_client
from streamproc.adapters.redis.layout import Bounds, keys_under
from streamproc.adapters.redis.store import RedisFeedStore
from streamproc.desk.feed import FeedMovedError, Numbered, Place, line_in, stake_of
from streamproc.desk.warning import Entry, EntryKind
from streamproc.testing.feed_contract import CHECKS, HOSTILE, Home
from streamproc.testing.feed_entries import changed, judged, warned
from tests.adapters.embedded.sqlite_feed import SqliteFeed
from tests.adapters.redis.kit import PREFIX, RedisFeed, contents, numbered
from tests.servers.redis_server import RedisServer

KEYS = keys_under(PREFIX)

SOME = [
    warned("w1"),
    changed("w1", "escalated", probability=0.8),
    warned("w2", "d"),
    changed("w1", "lost"),
    judged("w1"),
    changed("w2", "withdrawn"),
]


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_feed_in_redis(check: Callable[[Home], None], feed: RedisFeed) -> None:
    check(feed)


# ------------------------------------------------------------------------------------------- each record once


def test_what_was_taken_in_is_passed_over(feed: RedisFeed) -> None:
    records = numbered(SOME)
    assert feed.run(lambda store: store.write(None, records)) == len(records)
    before = contents(feed)
    assert feed.run(lambda store: store.write(None, records)) == 0
    assert feed.run(lambda store: store.write(2, records[3:])) == 0
    assert contents(feed) == before


def test_a_batch_that_was_taken_in_by_half_is_finished(feed: RedisFeed) -> None:
    records = numbered(SOME)
    feed.run(lambda store: store.write(None, records[:3]))
    assert feed.run(lambda store: store.write(None, records)) == 3
    with SqliteFeed() as reference:
        reference.write(SOME)
        assert contents(feed) == contents(reference)


def test_a_line_of_the_same_id_at_another_place_is_passed_over(feed: RedisFeed) -> None:
    feed.run(lambda store: store.write(None, numbered(SOME)))
    before = contents(feed)
    assert feed.run(lambda store: store.write(5, numbered(SOME, 6))) == 0
    assert contents(feed) == before
    assert feed.run(RedisFeedStore.place) == Place(11, None)


def test_nothing_is_taken_in_over_a_gap(feed: RedisFeed) -> None:
    records = numbered(SOME)
    with pytest.raises(FeedMovedError):
        feed.run(lambda store: store.write(1, records[2:]))
    assert feed.run(RedisFeedStore.place) is None
    feed.run(lambda store: store.write(None, records[:2]))
    with pytest.raises(FeedMovedError):
        feed.run(lambda store: store.write(2, records[3:]))
    assert [line.seq for line in feed.lines(0, 10)] == [1, 2]


def test_an_emptied_redis_takes_nothing_in_from_the_middle(feed: RedisFeed) -> None:
    feed.run(lambda store: store.write(None, numbered(SOME[:2])))
    feed.client.flushall()
    with pytest.raises(FeedMovedError):
        feed.run(lambda store: store.write(1, numbered(SOME)[2:]))
    assert feed.client.dbsize() == 0


def test_the_position_moves_with_the_line(feed: RedisFeed) -> None:
    records = numbered(SOME, 7, 5)
    feed.run(lambda store: store.write(None, records))
    assert feed.run(RedisFeedStore.place) == Place(32, records[-1].body)
    assert feed.last() == 33
    assert feed.version() == 32


def test_large_offsets_keep_their_digits(feed: RedisFeed) -> None:
    start = 2**52 + 1
    feed.run(lambda store: store.write(None, numbered(SOME, start)))
    assert feed.run(RedisFeedStore.place) == Place(start + 5, numbered(SOME)[-1].body)
    assert [line.seq - start for line in feed.lines(start + 3, 10)] == [4, 5, 6]


def test_what_cannot_be_read_moves_the_position_alone(feed: RedisFeed) -> None:
    garbage = [Numbered(n, body, line_in(body)) for n, body in enumerate((b"", b"{", b"\xff", b'{"kind":"raised"}'))]
    assert [record.entry for record in garbage] == [None] * 4
    feed.run(lambda store: store.write(None, garbage))
    assert (feed.run(RedisFeedStore.place), feed.last()) == (Place(3, None), 0)
    feed.run(lambda store: store.write(3, numbered(SOME, 4)))
    assert len(feed.lines(0, 99)) == len(SOME)


def test_a_lost_script_is_loaded_again(one_redis: RedisServer, feed: RedisFeed) -> None:
    async def write() -> None:
        async with writing_client(one_redis.url) as client:
            store = RedisFeedStore(client, PREFIX)
            for before, record in zip([None, *range(5)], numbered(SOME), strict=True):
                await client.script_flush()
                await store.write(before, [record])

    asyncio.run(write())
    assert len(feed.lines(0, 99)) == len(SOME)


def test_two_writers_write_each_record_once(one_redis: RedisServer, feed: RedisFeed) -> None:
    entries = [warned(f"w{n}") for n in range(400)]
    records = numbered(entries)

    async def write(size: int) -> None:
        async with writing_client(one_redis.url) as client:
            store = RedisFeedStore(client, PREFIX)
            for start in range(0, len(records), size):
                await store.write(start - 1 if start else None, records[start : start + size])

    async def both() -> None:
        await asyncio.gather(write(7), write(11))

    asyncio.run(both())
    with SqliteFeed() as reference:
        reference.write(entries)
        assert contents(feed) == contents(reference)


# ---------------------------------------------------------------------------------- as SQLite has it, always

names = st.sampled_from(["a", "b", "{b}", "ü"])
times = st.sampled_from([f"2024-03-0{n}T00:00:00Z" for n in range(1, 5)])
losses = st.sampled_from(["0.00", "5.00", "12.50", "100.00"])
severities = st.sampled_from(["low", "medium", "high", "critical"])
kinds: st.SearchStrategy[EntryKind] = st.sampled_from(["escalated", "recovered", "lost", "withdrawn"])
chances = st.floats(0, 1)


@st.composite
def histories(draw: st.DrawFn) -> list[Entry]:
    found: list[Entry] = []
    for n in range(draw(st.integers(0, 12))):
        found.append(
            warned(
                f"w{n}",
                draw(names),
                draw(times),
                loss=draw(losses),
                severity=draw(severities),
                probability=draw(chances),
            )
        )
        for later in range(draw(st.integers(0, 4))):
            of, at = (
                draw(st.sampled_from([*(f"w{k}" for k in range(n + 1)), "unknown"])),
                f"2024-05-{n + 1:02}T00:00:{later:02}Z",
            )
            if draw(st.booleans()):
                told = draw(st.tuples(st.none() | severities, st.none() | chances, st.none() | losses))
                found.append(changed(of, draw(kinds), at, severity=told[0], probability=told[1], loss=told[2]))
            else:
                found.append(judged(of, at, right=draw(st.booleans())))
    return found


@settings(max_examples=60)
@given(entries=histories(), sizes=st.lists(st.integers(1, 5), min_size=1), again=st.integers(0, 10))
def test_both_homes_say_the_same(one_redis: RedisServer, entries: list[Entry], sizes: list[int], again: int) -> None:
    records = numbered(entries, step=2)

    async def write(store: RedisFeedStore) -> None:
        start = 0
        while start < len(records):
            size = sizes[start % len(sizes)]
            for _ in range(2 if again % (start + 1) == 0 else 1):
                await store.write(records[start - 1].offset if start else None, records[start : start + size])
            start += size

    with RedisFeed(one_redis.url) as feed, SqliteFeed() as reference:
        feed.client.flushall()
        feed.run(write)
        reference.write(entries)
        assert contents(feed) == contents(reference)


# ------------------------------------------------------------------------------------------------- bounds


def test_the_oldest_lines_go(one_redis: RedisServer, feed: RedisFeed) -> None:
    with RedisFeed(one_redis.url, Bounds(lines=10)) as bounded:
        entries = [warned(f"w{n:03}") for n in range(25)]
        bounded.run(lambda store: store.write(None, numbered(entries)))
        assert [line.seq for line in bounded.lines(0, 99)] == list(range(16, 26))
        assert len(feed.warnings()) == 25


def test_the_longest_settled_warnings_go_and_nothing_of_them_stays(one_redis: RedisServer) -> None:
    with RedisFeed(one_redis.url, Bounds(settled=3)) as feed:
        feed.client.flushall()
        ids = [f"w{n}" for n in range(8)]
        feed.write([warned(name) for name in ids])
        feed.write([changed(name, "lost") for name in ids[:6]])
        assert len(feed.warnings()) == 8  # a verdict is still to come
        feed.write([judged(name) for name in ("w5", "w0", "w1", "w2")])
        feed.write([changed("w7", "withdrawn")])
        assert [w.id for w in feed.warnings()] == ["w7", "w6", "w4", "w3", "w2", "w1"]
        assert feed.warnings(customers=["c"]) == feed.warnings()
        assert (feed.warning("w0"), feed.life_of("w0")) == (None, ())
        sizes = {name: feed.client.hlen(getattr(KEYS, name)) for name in ("bodies", "standings", "lives")}
        sets = ("newest", "stakes", "customers", "settled", "open_newest", "open_stakes")
        sizes |= {name: feed.client.zcard(getattr(KEYS, name)) for name in sets}
        all_of = dict.fromkeys(("bodies", "standings", "newest", "stakes", "customers"), 6)
        assert sizes == all_of | {"lives": 5, "settled": 3, "open_newest": 1, "open_stakes": 1}
        assert feed.counts().states == {"lost": 6, "raised": 1, "withdrawn": 1}
        feed.write([judged("w0", "2024-07-01T00:00:00Z")])  # comes too late for what is gone
        assert feed.warning("w0") is None


def test_the_writer_counts_as_the_readers_do(feed: RedisFeed) -> None:
    feed.write([warned("w1"), warned("w2"), changed("w2", "lost"), judged("w2")])
    assert feed.run(lambda store: store.counts()) == feed.counts()
    assert feed.counts().open_by_severity == {"high": 1}


def test_more_than_a_page_is_read_whole(feed: RedisFeed) -> None:
    entries = [warned(f"w{n:04}", loss=f"{n % 50}.00") for n in range(1_100)]
    feed.run(lambda store: store.write(None, numbered(entries)))
    with SqliteFeed() as reference:
        reference.write(entries)
        assert contents(feed) == contents(reference)
        assert feed.warnings(limit=700, after="w1000") == reference.warnings(limit=700, after="w1000")


# ------------------------------------------------------------------------------------------------ hostile


@pytest.mark.parametrize("text", ["nan", "inf", "-1e999", "", "12,5", "ten"])
def test_what_is_no_number_is_sorted_as_nothing(text: str) -> None:
    assert stake_of(text) == 0


@pytest.mark.parametrize("name", ["a\0b", "\0"])
def test_a_nul_is_no_id(name: str) -> None:
    for body in (warned(name), warned("w", name), warned("w", at=name)):
        assert line_in(msgspec.json.encode(body)) is None


def test_ids_reach_no_other_key(feed: RedisFeed) -> None:
    feed.write([warned(name, name) for name in HOSTILE])
    known = {name.encode() for name in KEYS}
    assert set(feed.client.keys("*")) <= known


def test_feeds_of_two_prefixes_are_two(one_redis: RedisServer, feed: RedisFeed) -> None:
    feed.write(SOME)

    async def other() -> Place | None:
        async with writing_client(one_redis.url) as client:
            return await RedisFeedStore(client, "other.").place()

    assert asyncio.run(other()) is None
