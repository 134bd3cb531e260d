"""The feed's end as streams share it, over a store that grows as the test says."""

import asyncio

from streamproc.adapters.web import stream
from streamproc.adapters.web.ports import Asked, Drawn, Position
from streamproc.adapters.web.stream import PAGE, RING, Feed
from streamproc.core.alerts import Alert
from streamproc.desk.feed import Line
from streamproc.desk.record import Record
from streamproc.desk.report import CustomerReport, Summary, WarningNow, WhyAnswer
from streamproc.desk.warning import Entry
from streamproc.words import Language


class Growing:
    """A store of which only the feed is asked; `asked` notes from which line on."""

    def __init__(self) -> None:
        self.feed: list[Line] = []
        self.asked: list[int] = []

    def grow(self, count: int) -> None:
        begin = len(self.feed) + 1
        self.feed += [Line(seq, b"{}") for seq in range(begin, begin + count)]

    def version(self) -> int:
        return len(self.feed)

    def last(self) -> int:
        return len(self.feed)

    def lines(self, after: int, limit: int) -> list[Line]:
        self.asked.append(after)
        return self.feed[after : after + limit]

    def warnings(self, asked: Asked) -> list[WarningNow]:
        raise NotImplementedError

    def life_of(self, warning_id: str) -> tuple[Entry, ...]:
        raise NotImplementedError

    def alerts(self, *, open_only: bool = True) -> list[Alert]:
        raise NotImplementedError

    def warning(self, warning_id: str) -> WarningNow | None:
        raise NotImplementedError

    def customer(self, customer_id: str) -> CustomerReport | None:
        raise NotImplementedError

    def why(self, customer_id: str, at: int | None) -> WhyAnswer:
        raise NotImplementedError

    def summary(self) -> Summary | None:
        raise NotImplementedError

    def record(self, since: int) -> Record:
        raise NotImplementedError

    def record_page(self, language: Language) -> Drawn:
        raise NotImplementedError

    def report_page(self, language: Language) -> Drawn | None:
        raise NotImplementedError

    def position(self) -> Position:
        raise NotImplementedError


class Counted:
    def __init__(self) -> None:
        self.open = 0

    def request(self, route: str, method: str, status: int, seconds: float) -> None:
        raise NotImplementedError

    def streams(self, count: int) -> None:
        self.open = count

    def exposition(self) -> tuple[bytes, str]:
        raise NotImplementedError


async def follow(feed: Feed, after: int, upto: int) -> list[int]:
    got: list[int] = []
    while after < upto:
        lines = await feed.after(after, 5.0)
        assert lines, f"nothing came after {after}"
        assert len(lines) <= PAGE
        got += [line.seq for line in lines]
        after = lines[-1].seq
    return got


async def end_reaches(feed: Feed, seq: int) -> None:
    async with feed._news:
        await feed._news.wait_for(lambda: feed._end == seq)


def test_fast_slow_and_late_followers_all_get_every_line_once() -> None:
    async def scene() -> None:
        store, gauge = Growing(), Counted()
        feed = Feed(store, gauge)
        watching = asyncio.create_task(feed.watch())
        total = 0
        assert feed.join()
        fast = asyncio.create_task(follow(feed, 0, 3 * RING))
        for _ in range(30):
            store.grow(RING // 10)
            total += RING // 10
            await asyncio.sleep(0)
        store.grow(3 * RING - total)
        assert await fast == list(range(1, 3 * RING + 1))
        # These begin behind what is kept in memory, and within it.
        for begin in (0, RING, 2 * RING + 7, 3 * RING - 1):
            assert await follow(feed, begin, 3 * RING) == list(range(begin + 1, 3 * RING + 1))
        assert len(feed._ring) <= RING
        watching.cancel()

    asyncio.run(scene())


def test_many_followers_at_the_end_cost_the_store_one_look() -> None:
    async def scene() -> None:
        store = Growing()
        store.grow(10)
        feed = Feed(store, Counted())
        watching = asyncio.create_task(feed.watch())
        await end_reaches(feed, 10)
        assert all(feed.join() for _ in range(20))
        followers = [asyncio.create_task(follow(feed, 10, 12)) for _ in range(20)]
        store.grow(2)
        assert await asyncio.gather(*followers) == [[11, 12]] * 20
        assert set(store.asked) <= {10, 12}
        assert len(store.asked) <= 2
        watching.cancel()

    asyncio.run(scene())


def test_without_followers_the_store_s_lines_are_not_read() -> None:
    async def scene() -> None:
        store = Growing()
        feed = Feed(store, Counted())
        watching = asyncio.create_task(feed.watch())
        store.grow(5)
        await end_reaches(feed, 5)
        assert store.asked == []
        watching.cancel()

    asyncio.run(scene())


def test_waiting_ends_in_nothing_after_its_time_and_at_the_end() -> None:
    async def scene() -> None:
        feed = Feed(Growing(), Counted())
        assert await feed.after(0, 0.01) == []
        waiting = asyncio.create_task(feed.after(0, 60.0))
        await asyncio.sleep(0)
        await feed.close()
        assert await waiting == []
        assert not feed.join()

    asyncio.run(scene())


def test_followers_are_counted_and_bounded() -> None:
    gauge = Counted()
    feed = Feed(Growing(), gauge)
    assert all(feed.join() for _ in range(stream.MOST))
    assert not feed.join()
    assert gauge.open == stream.MOST
    feed.leave()
    assert gauge.open == stream.MOST - 1
    assert feed.join()
