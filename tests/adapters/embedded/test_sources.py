"""The sources that the writer remembers: bounded, and never blind to a broken purchases feed."""

from pathlib import Path
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from streamproc.adapters.embedded import clock as room
from streamproc.adapters.embedded.clock import MOST_SOURCES, Clock, Progress
from streamproc.adapters.embedded.journal import read
from streamproc.core.control import Tick
from streamproc.core.events import CustomerEvent
from streamproc.core.time import DAY, HOUR
from streamproc.testing.events import bought, touched
from tests.adapters.embedded.folder import running
from tests.monitor.shops import delivered

START = 20_000 * DAY


def seen(*events: tuple[str, int, bool], progress: Progress | None = None) -> Progress:
    """The progress after records of (source, day, whether a purchase)."""
    progress = progress or Progress()
    unused: Any = None
    clock = Clock(progress, unused, unused)
    for source, day, purchase in events:
        record: CustomerEvent = (bought if purchase else touched)(START + day * DAY, source=source)
        clock.see(record)
    return progress


def test_a_file_a_day_leaves_the_latest() -> None:
    progress = seen(*((f"orders-{day:04}.csv", day, True) for day in range(MOST_SOURCES * 3)))
    days = MOST_SOURCES * 3
    assert MOST_SOURCES * 3 // 4 <= len(progress.sources) <= MOST_SOURCES
    assert sorted(progress.sources) == [f"orders-{day:04}.csv" for day in range(days - len(progress.sources), days)]
    assert progress.purchases_from == set(progress.sources)


def test_the_source_of_purchases_is_kept_behind_any_number_of_others() -> None:
    files = ((f"contacts-{day:04}.csv", 10 + day, False) for day in range(MOST_SOURCES * 2))
    progress = seen(("shop", 1, True), ("old shop", 0, True), *files)
    assert "shop" in progress.sources
    assert "old shop" not in progress.sources
    assert progress.purchases_from == {"shop"}
    assert len(progress.sources) <= MOST_SOURCES


def test_an_old_file_read_late_is_not_forgotten_at_each_of_its_records() -> None:
    progress = seen(*((f"new-{n}", 100 + n, True) for n in range(MOST_SOURCES)))
    seen(("old", 1, True), progress=progress)
    left = set(progress.sources)
    assert len(left) == MOST_SOURCES * 3 // 4
    seen(("old", 2, True), ("old", 3, True), progress=progress)
    assert set(progress.sources) == left | {"old"}


@settings(max_examples=60)
@given(st.lists(st.tuples(st.integers(0, 12).map(str), st.integers(0, 30), st.booleans()), max_size=60))
def test_how_far_purchases_are_read_is_as_if_nothing_were_forgotten(events: list[tuple[str, int, bool]]) -> None:
    before = room.MOST_SOURCES
    room.MOST_SOURCES = 4
    try:
        bounded = seen(*events)
    finally:
        room.MOST_SOURCES = before
    bringers = {source for source, _, purchase in events if purchase}
    furthest_purchase = max((START + day * DAY for source, day, purchase in events if purchase), default=0)
    whole = seen(*events)
    assert len(bounded.sources) <= 4
    assert set(bounded.told) <= set(bounded.sources)
    assert bounded.purchases_from <= bringers
    assert bool(bounded.purchases_from) == bool(bringers)
    reached = max((bounded.sources[source] for source in bounded.purchases_from), default=0)
    assert furthest_purchase <= reached <= max(whole.sources.values(), default=0)


def test_a_folder_that_remembered_more_is_trimmed_with_the_next_new_source(tmp_path: Path) -> None:
    progress = Progress(sources={str(n): START + n for n in range(1_000)}, told={str(n): 1 for n in range(1_000)})
    seen(("0", 1, True), progress=progress)
    assert len(progress.sources) == 1_000  # one that is known makes none more
    seen(("new", 2, True), progress=progress)
    assert len(progress.sources) == len(progress.told) + 1 == MOST_SOURCES * 3 // 4
    with running(tmp_path) as (db, runner):
        for day in range(MOST_SOURCES + 20):
            runner.take(delivered((bought(START + day * DAY, source=f"orders-{day}.csv"),)))
        runner.end_of_data()
        assert len(runner.progress.sources) <= MOST_SOURCES
        told = [one.record for one in read(db) if isinstance(one.record, Tick) and one.record.progress]
        assert max(len(tick.progress) for tick in told) <= 2
        assert not any(tick.stale for tick in told)
    with running(tmp_path) as (_, runner):
        assert 0 < len(runner.progress.sources) <= MOST_SOURCES
        assert runner.progress.clock % HOUR == 0
