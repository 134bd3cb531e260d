"""How the firm's feeds stand: who holds time back and by how much, who is silent; each change is said once."""

from streamproc.adapters.kafka.clock import ClockState, Source
from streamproc.adapters.kafka.feeds import Crier, Standing, Watched, standing
from streamproc.core.time import DAY, HOUR, SECOND

NOW = 1_750_000_000.0
WALL = int(NOW) * SECOND
WATCHED = Watched("wall", frozenset({"buys/0", "calls/0"}), ("buys", "calls"), 3 * DAY)


def seen(clock: int = WALL, watched: Watched = WATCHED, **sources: Source) -> Standing:
    state = ClockState(clock=clock, sources={name.replace("_", "/"): source for name, source in sources.items()})
    return standing(state, watched, NOW)


def test_a_source_that_is_behind_holds_time_by_what_it_lacks() -> None:
    found = seen(
        clock=WALL - 2 * DAY, buys_0=Source(WALL - 2 * DAY, purchases=True), calls_0=Source(WALL, caught_up=True)
    )
    assert found.holds == {"buys/0": 2 * DAY, "calls/0": 0}
    assert found.behind == 2 * DAY
    assert not found.stale, "it lags, and is not silent"


def test_by_events_it_is_held_against_the_source_that_is_read_furthest() -> None:
    watched = WATCHED._replace(mode="event")
    found = seen(clock=3 * DAY, watched=watched, buys_0=Source(3 * DAY), calls_0=Source(9 * DAY, caught_up=True))
    assert (found.holds["buys/0"], found.behind) == (6 * DAY, 0)


def test_a_source_that_nobody_reads_holds_time_where_it_stands() -> None:
    gone = Source(WALL - DAY, caught_up=True, told=NOW - DAY / SECOND)
    assert seen(buys_0=gone, calls_0=Source(WALL, caught_up=True)).holds == {"buys/0": DAY, "calls/0": 0}
    assert seen(clock=WALL - DAY, buys_0=Source(WALL, caught_up=True)).holds["calls/0"] == DAY


def test_a_feed_is_silent_where_none_of_its_partitions_has_news() -> None:
    old, new = Source(WALL - 4 * DAY, caught_up=True), Source(WALL - DAY, caught_up=True)
    assert seen(buys_0=new, buys_1=old, calls_0=old).stale == {"calls": WALL - 4 * DAY}
    assert not seen(buys_0=new, calls_0=Source(caught_up=True)).stale, "one that never brought anything is not missed"
    behind = Source(WALL - 9 * DAY, told=NOW)
    assert not seen(buys_0=new, calls_0=old, calls_1=behind).stale, "it is not read to its end"


def test_what_the_ticks_say_of_purchases_is_told() -> None:
    assert seen(buys_0=Source(WALL - 4 * DAY, caught_up=True, purchases=True)).deaf_since == WALL - 4 * DAY
    assert not seen(buys_0=Source(WALL - 2 * DAY, caught_up=True, purchases=True)).deaf_since


def test_each_change_is_said_once() -> None:
    crier = Crier()
    well = Source(WALL, caught_up=True)
    buying = Source(WALL, caught_up=True, purchases=True)
    gone = Source(WALL - 4 * DAY, caught_up=True, purchases=True)

    def says(calls: Source = well, buys: Source = buying) -> list[str]:
        now = seen(buys_0=buys, calls_0=calls)
        said = list(crier.news(now))
        assert not list(crier.news(now))
        return said

    assert not says()
    assert not says(calls=Source(WALL - HOUR // 2)), "half an hour is no lag to be told of"
    [lag] = says(calls=Source(WALL - 50 * HOUR))
    assert "time waits for calls/0, 50.0 h behind" in lag
    [lag_over] = says()
    assert "no source holds time back" in lag_over
    [silent] = says(calls=Source(WALL - 4 * DAY, caught_up=True))
    assert "calls has brought nothing since 2025-06-11" in silent
    [back] = says()
    assert "calls brings events again" in back
    dead = says(buys=gone)
    assert len(dead) == 2
    assert "silence is not taken for silence" in dead[1]
    assert "silence counts" in says()[1]
