"""Where a replay's time stands when the data ends in the hour that the wall clock shows."""

import sqlite3
from datetime import UTC, datetime
from pathlib import Path

import pytest

from streamproc.adapters.embedded.journal import read
from streamproc.core.control import ClockMode, Tick
from streamproc.core.time import DAY, HOUR, SECOND, from_datetime
from streamproc.testing.events import bought
from tests.adapters.embedded.folder import contents, running
from tests.monitor.shops import Delivery, delivered

NOW = from_datetime(datetime(2026, 3, 10, 10, 20, 30, tzinfo=UTC))
MINUTE = 60 * SECOND


def purchases(*times: int) -> list[Delivery]:
    return delivered(tuple(bought(at, customer_id=f"c-{n % 5}") for n, at in enumerate(times)))


def ticks(db: sqlite3.Connection) -> list[int]:
    return [one.record.at for one in read(db) if isinstance(one.record, Tick)]


PAST = [NOW - 3 * DAY, NOW - 2 * HOUR, NOW - 15 * MINUTE, NOW - 5 * MINUTE]


def test_all_that_was_read_is_applied_and_time_is_not_ahead_of_the_wall_clock(tmp_path: Path) -> None:
    with running(tmp_path) as (db, runner):
        runner.take(purchases(*PAST))
        runner.end_of_data(NOW)
        assert NOW - 5 * MINUTE < runner.progress.clock <= NOW
        made = ticks(db)
    assert made == sorted(set(made))
    assert made[-1] <= NOW
    assert not contents(tmp_path, ["waiting"])["waiting"]


def test_what_comes_live_a_minute_later_is_on_time(tmp_path: Path) -> None:
    with running(tmp_path) as (_, runner):
        runner.take(purchases(*PAST))
        runner.end_of_data(NOW)
    with running(tmp_path) as (db, runner):  # another process, later
        runner.set_mode(ClockMode(at=NOW + MINUTE, mode="wall"))
        runner.advance_to(NOW + MINUTE)
        runner.take(purchases(*PAST, NOW + 2 * MINUTE)[-1:])
        runner.advance_to(NOW + 3 * MINUTE)
        assert any(NOW + 2 * MINUTE < at <= NOW + 3 * MINUTE for at in ticks(db))  # not at the next full hour
    assert not contents(tmp_path, ["waiting"])["waiting"]


def test_what_is_said_to_come_from_the_next_minutes_waits_for_them(tmp_path: Path) -> None:
    with running(tmp_path) as (_, runner):
        runner.take(purchases(*PAST, NOW + 3 * MINUTE))
        runner.end_of_data(NOW)
        assert runner.progress.clock <= NOW
    assert len(contents(tmp_path, ["waiting"])["waiting"]) == 1


@pytest.mark.parametrize("now", [None, NOW + DAY])
def test_what_is_all_past_ends_at_a_full_hour_as_ever(tmp_path: Path, now: int | None) -> None:
    with running(tmp_path) as (_, runner):
        runner.take(purchases(*PAST))
        runner.end_of_data(now)
        assert runner.progress.clock == NOW // HOUR * HOUR + HOUR


def test_ended_twice_changes_nothing(tmp_path: Path) -> None:
    with running(tmp_path) as (_, runner):
        runner.take(purchases(*PAST))
        runner.end_of_data(NOW)
        before = contents(tmp_path)
        runner.end_of_data(NOW)
    assert contents(tmp_path) == before
