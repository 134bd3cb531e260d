"""Instants, days and the grid of ticks; ids' hashes."""

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamproc.core.ids import hash32, short_id
from streamproc.core.time import (
    DAY,
    HOUR,
    SECOND,
    ceil_to,
    day_of,
    first_tick_after,
    from_datetime,
    to_datetime,
    to_text,
    today_of,
)

instants = st.integers(0, 4_102_444_800 * SECOND)  # up to the year 2100
grids = st.sampled_from([SECOND, HOUR, DAY])


def test_midnight_belongs_to_the_day_that_begins_and_looks_back_on_the_one_that_ends() -> None:
    assert [day_of(at) for at in (0, DAY - 1, DAY)] == [0, 0, 1]
    assert [today_of(at) for at in (1, DAY, DAY + 1)] == [0, 0, 1]


@given(instants, grids)
def test_the_first_tick_after_an_event_passes_it_and_none_before_does(at: int, grid: int) -> None:
    tick = first_tick_after(at, grid)
    assert tick > at >= tick - grid
    assert tick % grid == 0


@given(instants, grids)
def test_rounding_up_to_the_grid_stays_on_it(at: int, grid: int) -> None:
    up = ceil_to(at, grid)
    assert up % grid == 0
    assert 0 <= up - at < grid


@given(instants)
def test_instants_survive_the_way_through_datetime_to_the_microsecond(at: int) -> None:
    assert from_datetime(to_datetime(at)) == at
    assert from_datetime(datetime.fromisoformat(to_text(at))) == at


@pytest.mark.parametrize(
    ("at", "text"),
    [
        (0, "1970-01-01T00:00:00Z"),
        (20_000 * DAY, "2024-10-04T00:00:00Z"),
        (20_000 * DAY + 1_500_000, "2024-10-04T00:00:01.500000Z"),
    ],
)
def test_instants_read_as_rfc_3339(at: int, text: str) -> None:
    assert to_text(at) == text


def test_other_zones_are_the_same_instant() -> None:
    there = datetime(2024, 10, 4, 5, 45, tzinfo=timezone(timedelta(hours=5, minutes=45)))
    assert from_datetime(there) == from_datetime(datetime(2024, 10, 4, tzinfo=UTC)) == 20_000 * DAY


def test_hashes_of_ids_are_the_same_everywhere() -> None:
    assert hash32("o1") == 0x20E00AE4
    assert short_id("c1", "20") == "d0c68e13abfa842d"


@given(st.lists(st.text(max_size=5), min_size=1, max_size=4), st.lists(st.text(max_size=5), min_size=1, max_size=4))
def test_no_two_lists_of_parts_have_one_short_id(one: list[str], other: list[str]) -> None:
    assert (short_id(*one) == short_id(*other)) == (one == other)
