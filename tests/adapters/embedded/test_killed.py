"""kill -9 at any moment, then start again: journal, states and feed are those of a run that nothing befell."""

import random
import signal
import threading
import time
from pathlib import Path

import pytest

from streamproc.adapters.embedded.runner import batches
from streamproc.simulate import Dirt, Shop
from tests.adapters.embedded.children import in_a_process_of_its_own, kill_me
from tests.adapters.embedded.folder import contents, fill, running
from tests.monitor.shops import Delivery, deliveries

SHOP = Shop(customers=90, days=220, seed=17, dirt=Dirt(duplicates=0.02, disorder=0.05, poison=0.01))
KILLS = 20
BATCH = 64


@pytest.fixture(scope="module")
def arrivals() -> list[Delivery]:
    return deliveries(SHOP)


def taken(
    folder: Path, arrivals: list[Delivery], *, statements: int | None = None, seconds: float | None = None
) -> None:
    """Takes all arrivals, unless killed at a statement of SQL counted from the start, or after a while."""
    with running(folder) as (db, runner):
        if statements is not None:
            left = iter(range(statements))
            db.set_trace_callback(lambda _: None if next(left, None) is not None else kill_me())
        if seconds is not None:
            threading.Timer(seconds, kill_me).start()
        for some in batches(arrivals, BATCH):
            runner.take(some)
        runner.end_of_data()


def statements_of_a_run(folder: Path, arrivals: list[Delivery]) -> int:
    count = 0

    def counted(_: str) -> None:
        nonlocal count
        count += 1

    with running(folder) as (db, runner):
        db.set_trace_callback(counted)
        for some in batches(arrivals, BATCH):
            runner.take(some)
        runner.end_of_data()
    return count


def test_twenty_kills_at_random_moments_leave_what_a_clean_run_leaves(tmp_path: Path, arrivals: list[Delivery]) -> None:
    began = time.monotonic()
    total = statements_of_a_run(tmp_path / "clean", arrivals)
    lasted = time.monotonic() - began
    rng = random.Random(29)
    killed, seen = 0, 0
    while killed < KILLS:
        at_statement = killed % 2 == 0
        point = rng.randrange(1, total // 6) if at_statement else rng.uniform(0, lasted / 8)
        print(f"kill {killed + 1}:", f"at statement {point}" if at_statement else f"after {point:.3f} s")

        def work(point: float = point, at_statement: bool = at_statement) -> None:
            if at_statement:
                taken(tmp_path / "killed", arrivals, statements=int(point))
            else:
                taken(tmp_path / "killed", arrivals, seconds=point)

        ended_by = in_a_process_of_its_own(work)
        assert ended_by in {0, signal.SIGKILL}
        killed += 1
        journal = len(contents(tmp_path / "killed", ["journal"])["journal"])
        assert journal >= seen, "what was committed stays"
        seen = journal
    fill(tmp_path / "killed", arrivals, batch=BATCH)
    clean, mended = contents(tmp_path / "clean"), contents(tmp_path / "killed")
    assert {table for table in clean if clean[table] != mended[table]} == set()
    assert len(clean["feed"]) > 5
    assert len(clean["models"]) > 20
    assert len(clean["dead_letters"]) >= 2


def test_a_kill_at_each_statement_of_a_commit_keeps_the_batch_whole(tmp_path: Path, arrivals: list[Delivery]) -> None:
    before, batch = arrivals[:150], arrivals[150:180]
    fill(tmp_path / "after", before, end=False)
    with running(tmp_path / "after") as (db, runner):
        heard: list[str] = []
        db.set_trace_callback(heard.append)
        runner.take(batch)
    begin = max(n for n, sql in enumerate(heard) if sql.startswith("BEGIN"))
    whole = contents(tmp_path / "after")
    points = sorted({begin, begin + 1, len(heard) - 1, *range(begin, len(heard), max(1, (len(heard) - begin) // 5))})
    for point in points:
        folder = tmp_path / f"killed-{point}"
        fill(folder, before, end=False)
        unchanged = contents(folder)

        def work(folder: Path = folder, point: int = point) -> None:
            with running(folder) as (db, runner):
                left = iter(range(point))
                db.set_trace_callback(lambda _: None if next(left, None) is not None else kill_me())
                runner.take(batch)

        assert in_a_process_of_its_own(work) == signal.SIGKILL
        assert contents(folder) == unchanged
        with running(folder) as (_, runner):
            runner.take(batch)
        assert contents(folder) == whole
