"""When ticks are due on a cluster: the least of what is behind, the wall where nothing is, no tick without work."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamproc.adapters.kafka.clock import (
    GONE,
    QUIET,
    ClockState,
    Mode,
    Source,
    Work,
    due_by,
    grid,
    next_tick,
    see,
    stale_since,
    target,
    ticked,
    work_in,
)
from streamproc.core.time import DAY, HOUR, SECOND, first_tick_after

NOW = 1_750_000_000.0
WALL = int(NOW) * SECOND
ALL = frozenset({"a", "b"})
INSTANTS = st.lists(st.integers(0, 4_000_000_000), max_size=50)


def state(**sources: Source) -> ClockState:
    return ClockState(sources=dict(sources))


def test_time_waits_until_every_source_was_heard_of() -> None:
    assert target(state(a=Source(caught_up=True)), ALL, "wall", NOW) is None


@pytest.mark.parametrize("mode", ["wall", "event"])
def test_time_waits_for_a_source_that_was_heard_of_before_it_was_read(mode: Mode) -> None:
    assert target(state(a=Source(read=5 * DAY), b=Source()), ALL, mode, NOW) is None


@pytest.mark.parametrize("mode", ["wall", "event"])
def test_the_source_that_is_furthest_behind_holds_time(mode: Mode) -> None:
    held = state(a=Source(read=5 * DAY), b=Source(read=3 * DAY))
    assert target(held, ALL, mode, NOW) == 3 * DAY


def test_a_source_read_to_its_end_holds_nothing_by_the_wall() -> None:
    assert target(state(a=Source(read=5 * DAY), b=Source(read=DAY, caught_up=True)), ALL, "wall", NOW) == 5 * DAY
    idle = state(a=Source(read=5 * DAY, caught_up=True), b=Source(caught_up=True))
    assert target(idle, ALL, "wall", NOW) == WALL


def test_by_events_time_ends_behind_the_last_one_once_it_is_quiet() -> None:
    ends = state(a=Source(5 * DAY + 1, caught_up=True, heard=NOW), b=Source(9 * DAY, caught_up=True, heard=NOW - 9))
    assert target(ends, ALL, "event", NOW) == 5 * DAY + 1
    assert target(ends, ALL, "event", NOW + QUIET + 1) == 9 * DAY + HOUR


def test_the_grid_is_coarse_far_behind_the_wall() -> None:
    assert grid(WALL - 3 * DAY, "wall", NOW) == HOUR
    assert grid(WALL - DAY, "wall", NOW) == 60 * SECOND
    assert grid(WALL - HOUR, "wall", NOW) == 60 * SECOND
    assert grid(WALL - SECOND, "wall", NOW) == SECOND
    assert grid(WALL, "event", NOW) == HOUR


def test_there_is_no_tick_without_work_but_at_midnight() -> None:
    held, work = ClockState(clock=10 * DAY), Work()
    assert next_tick(held, work, 11 * DAY - 1, SECOND) is None
    assert next_tick(held, work, 11 * DAY, SECOND) == 11 * DAY
    work.add([10 * DAY + 5 * SECOND])
    assert next_tick(held, work, 11 * DAY, SECOND) == 10 * DAY + 5 * SECOND
    ticked(held, work, 10 * DAY + 5 * SECOND)
    assert next_tick(held, work, 11 * DAY - 1, SECOND) is None


def test_who_is_due_at_the_next_tick_brings_it() -> None:
    held = ClockState(clock=10 * DAY + HOUR, left=True)
    assert next_tick(held, Work(), 11 * DAY, SECOND) == 10 * DAY + HOUR + SECOND
    ticked(held, Work(), 10 * DAY + HOUR + SECOND)
    assert not held.left


def test_the_first_tick_lies_on_the_day_of_the_first_event() -> None:
    held, work = ClockState(), Work(due_by([10 * DAY + 90 * SECOND]))
    assert next_tick(held, work, 20 * DAY, HOUR) == 10 * DAY + HOUR
    assert held.clock == 10 * DAY


@given(st.lists(st.integers(0, 10**15), min_size=1, max_size=60), st.sampled_from([SECOND, HOUR]))
def test_ticks_pass_every_event_and_none_is_idle(times: list[int], step: int) -> None:
    held, work = ClockState(), Work(due_by(times))
    upto = max(times) + 2 * HOUR
    seen, left = list[int](), set(times)
    while work.first is not None:
        at = next_tick(held, work, upto, step)
        assert at is not None
        if at % DAY:
            assert any(event < at for event in left)
        left = {event for event in left if event >= at}
        seen.append(at)
        ticked(held, work, at)
        if len(seen) > 20 * len(times):  # the midnights in between: years of them
            return
    assert not left
    assert seen == sorted(set(seen))


@given(INSTANTS)
def test_work_comes_back_as_it_was(seconds: list[int]) -> None:
    work = Work({second * SECOND for second in seconds})
    assert work_in(work.encoded()).encoded() == work.encoded()
    assert work_in(work.encoded()).first == (min(seconds) * SECOND if seconds else None)


def test_news_without_events_do_not_make_a_source_recent() -> None:
    held = ClockState()
    see(held, "a", Source(read=DAY, heard=5.0), brought=True)
    see(held, "a", Source(read=DAY, caught_up=True, heard=99.0), brought=False)
    assert held.sources["a"] == Source(read=DAY, caught_up=True, heard=5.0, told=99.0)


def test_a_source_of_which_nothing_is_said_any_more_holds_time_where_it_was_read() -> None:
    silent, well = Source(read=WALL - DAY, caught_up=True, told=NOW), Source(caught_up=True, told=NOW + 2 * GONE)
    told = state(a=silent, b=well)
    assert target(told, ALL, "wall", NOW + GONE) == WALL + int(GONE) * SECOND
    assert target(told, ALL, "wall", NOW + GONE + 1) == WALL - DAY
    assert target(told, ALL, "event", NOW + GONE + 1) == first_tick_after(WALL - DAY, HOUR)
    assert target(state(a=Source(read=DAY, caught_up=True), b=well), ALL, "wall", NOW) == WALL, "older states"


@pytest.mark.parametrize("mode", ["wall", "event"])
@pytest.mark.parametrize("caught_up", [True, False])
def test_a_topic_that_is_not_in_the_settings_any_more_holds_time_no_longer(mode: Mode, *, caught_up: bool) -> None:
    """Nobody will ever read it on, and time would wait for it for ever."""
    removed = Source(read=DAY, caught_up=caught_up, told=NOW)
    told = state(a=Source(WALL - 9 * DAY, told=NOW + 2 * GONE), b=Source(WALL, caught_up=True), removed=removed)
    if not caught_up:
        assert target(told, ALL, mode, NOW + GONE) == DAY, "somebody may well read it still"
    assert target(told, ALL, mode, NOW + GONE + 1) == WALL - 9 * DAY


def test_purchases_are_stale_where_none_of_their_sources_went_on() -> None:
    held = state(a=Source(read=DAY, purchases=True), b=Source(read=9 * DAY))
    assert stale_since(held, 5 * DAY, 3 * DAY) == DAY
    assert stale_since(held, 3 * DAY, 3 * DAY) == 0
    assert stale_since(state(b=Source(read=DAY)), 9 * DAY, DAY) == 0
