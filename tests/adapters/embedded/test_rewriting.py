"""A journal made anew: the same where nothing is left out; without an import, what it would have been without it."""

import shutil
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any

import msgspec
import pytest

from streamproc.adapters.embedded.again import Old
from streamproc.adapters.embedded.counts import ever
from streamproc.adapters.embedded.feed import retelling
from streamproc.adapters.embedded.rewriting import FOLDER, Rewritten, put_in_place, rewrite
from streamproc.adapters.embedded.runner import Runner, batches
from streamproc.adapters.embedded.schema import FILE, StoreError, connect
from streamproc.adapters.sources import open_sources, sorted_items
from streamproc.adapters.sources.files import Item
from streamproc.core.control import ClockMode, Setup
from streamproc.core.events import CustomerFact, DeskStep, Purchase
from streamproc.core.policy import Policy
from streamproc.core.time import DAY, HOUR, SECOND
from streamproc.intake.rates import Rates
from streamproc.intake.refusal import Position
from streamproc.simulate import Dirt, Shop, write
from tests.adapters.embedded.folder import TABLES, contents

ALL = (*TABLES, "meta", "counts", "alerts", "care")
SHOP = Shop(customers=60, days=300, seed=8, dirt=Dirt(poison=0.01))
NOW = 2_000_000_000 * SECOND

Drive = Callable[[Runner], None]


@pytest.fixture(scope="module")
def items(tmp_path_factory: pytest.TempPathFactory) -> list[Item]:
    """A shop's past in order of time."""
    folder = tmp_path_factory.mktemp("shop")
    write(SHOP, folder)
    sources = open_sources([folder / f"{name}.jsonl" for name in ("purchases", "complaints", "contacts")], Rates("EUR"))
    return list(sorted_items(sources, NOW))


def written(folder: Path, drive: Drive, partitions: int = 1) -> Path:
    with closing(connect(folder)) as db:
        drive(Runner(db, Setup(at=0, horizon_days=30), partitions=partitions))
    return folder


def take(runner: Runner, items: Sequence[Item]) -> None:
    for batch in batches(items, 300):
        runner.take(batch)


def learned(folder: Path, partitions: int) -> bytes:
    with closing(connect(folder)) as db:
        trainer = Runner(db, Setup(at=0, horizon_days=30), partitions=partitions).pipeline.trainer
        assert trainer is not None
        return trainer.dump()


def begun_where(folder: Path) -> list[tuple[int, str]]:
    return [(seq, source) for seq, source, _ in contents(folder, ("imports",))["imports"]]


def given(*records: Any) -> list[Item]:
    return [Item(record, b"", Position(record.source, 1)) for record in records]


def again(folder: Path, leave_out: Callable[[Old], bool] = lambda _: False) -> Rewritten:
    with closing(connect(folder)) as old:
        return rewrite(old, folder, leave_out, lambda _: False, stale_after=72 * HOUR, done=lambda _: None)


def of(source: str) -> Callable[[Old], bool]:
    return lambda old: getattr(old.record, "source", None) == source


def bad(at: int, customer: str, number: int = 1) -> Purchase:
    return Purchase(
        event_id=f"bad-{customer}-{number}-{at}", customer_id=customer, at=at, source="bad.csv", order_id=f"b{number}",
        amount=999_00,
    )  # fmt: skip


def last_of(items: Sequence[Item]) -> int:
    return max(getattr(item.outcome, "at", 0) for item in items)


# ------------------------------------------------------------------------------------- nothing is left out


def replayed_past(items: list[Item]) -> Drive:
    def drive(runner: Runner) -> None:
        take(runner, items)
        runner.end_of_data()

    return drive


def in_three_imports(items: list[Item]) -> Drive:
    """The second ends within the hour of the wall clock, the third is broken off."""

    def drive(runner: Runner) -> None:
        third = len(items) // 3
        take(runner, items[:third])
        runner.end_of_data()
        runner.set_policy(Policy(raise_at=0.6, capacity_a_day=2))
        take(runner, items[third : 2 * third])
        runner.end_of_data(last_of(items[: 2 * third]) + 40 * SECOND)
        take(runner, items[2 * third :])

    return drive


def then_live(items: list[Item], wrong: int = 0, days: int = 60) -> Drive:
    """The past, then the wall clock with events that come and people who act; ids turn out to be another's.

    On the fourth day so many customers are said to have bought who had not.
    """

    def drive(runner: Runner) -> None:
        past = items[: len(items) * 3 // 4]
        take(runner, past)
        now = last_of(past) + 3 * DAY
        runner.set_mode(ClockMode(at=now, mode="wall"))
        runner.advance_to(now)
        runner.set_mode(ClockMode(at=now, mode="wall", live=True))
        for number in range(days):
            now += DAY + 7 * SECOND
            runner.take(
                given(
                    Purchase(
                        event_id=f"l{number}", customer_id=f"c{number % 20:07}", at=now - HOUR, source="http",
                        order_id=f"l{number}", amount=1_000 + number,
                    ),
                    CustomerFact(
                        event_id=f"a{number}", customer_id=f"c{number % 40:07}", at=now, source="http",
                        alias_of=f"c{number % 40 + 1:07}" if number % 9 == 3 else None,
                    ),
                    DeskStep(
                        event_id=f"s{number}", customer_id=f"c{number % 20:07}", at=now, source="desk", action="mute",
                        by="ann", until=now + DAY,
                    ),
                )
            )  # fmt: skip
            runner.advance_to(now)
            if number == 4 and wrong:
                runner.take(given(*(bad(now - HOUR, f"c{n:07}", n) for n in range(wrong))))
        runner.commit()

    return drive


@pytest.mark.parametrize(("drive", "partitions"), [(replayed_past, 1), (in_three_imports, 1), (then_live, 3)])
def test_with_nothing_left_out_all_is_the_same(
    items: list[Item], tmp_path: Path, drive: Callable[[list[Item]], Drive], partitions: int
) -> None:
    folder = written(tmp_path / "data", drive(items), partitions)
    made = again(folder)
    assert (made.left_out, made.lines, made.clock) == (0, (), made.clock_before)
    before, after = contents(folder, ALL), contents(folder / FOLDER, ALL)
    for rows in (before, after):  # how far the wall clock was seen to go behind the last tick is in no journal
        rows["meta"] = [row for row in rows["meta"] if row[0] not in {"retold", "progress", "trainer"}]
    for table in ALL:
        assert after[table] == before[table], table
    assert begun_where(folder / FOLDER) == begun_where(folder)
    assert learned(folder / FOLDER, partitions) == learned(folder, partitions)


# ----------------------------------------------------------------------------------------- an import is left out


def test_what_comes_behind_the_data_is_as_if_it_had_never_been(items: list[Item], tmp_path: Path) -> None:
    never = written(tmp_path / "never", replayed_past(items))
    end = last_of(items)
    wrong = given(*(bad(end + number * DAY // 3, f"c{number % 30:07}", number) for number in range(1, 100)))

    def both(runner: Runner) -> None:
        replayed_past(items)(runner)
        take(runner, wrong)
        runner.end_of_data()

    folder = written(tmp_path / "data", both)
    made = again(folder, of("bad.csv"))
    assert made.left_out == 99
    assert made.clock < made.clock_before - 30 * DAY
    assert begun_where(folder / FOLDER) == begun_where(never)
    same = ("journal", "states", "waiting", "counts", "models")
    assert contents(folder / FOLDER, same) == contents(never, same)
    with closing(connect(folder / FOLDER)) as db, closing(connect(never)) as other:
        assert list(retelling(db)) == list(retelling(other))
    only_grown(folder, folder / FOLDER)


def only_grown(was: Path, now: Path) -> None:
    """Whoever watches the counts sees none of them fall, though the journal's own are fewer."""
    with closing(connect(was)) as old, closing(connect(now)) as new:
        before, after = ever(old), ever(new)
        (fewer,) = new.execute("SELECT sum(n) FROM counts").fetchone()
    assert {key: after[key] for key, n in before.items() if after[key] < n} == {}
    assert fewer < sum(before.values()) <= sum(after.values())


def stands(folder: Path) -> dict[str, tuple[Any, ...]]:
    with closing(connect(folder, readonly=True)) as db:
        return {row[0]: row[1:] for row in db.execute("SELECT id, customer, state, verdict FROM warnings")}


def test_the_feed_is_told_the_difference_and_nothing_told_is_changed(items: list[Item], tmp_path: Path) -> None:
    half = len(items) // 2
    middle = last_of(items[:half])
    wrong = given(*(bad(middle - number * HOUR, f"c{number:07}", number) for number in range(20)))

    def both(runner: Runner) -> None:
        take(runner, items[:half])
        take(runner, wrong)
        take(runner, items[half:])
        runner.end_of_data()

    folder = written(tmp_path / "data", both)
    before = contents(folder, ("feed",))["feed"]
    were = stands(folder)
    made = again(folder, of("bad.csv"))
    kept = put_in_place(folder, "before.db")
    (folder / "kept").mkdir()
    shutil.copy(kept, folder / "kept" / FILE)
    only_grown(folder / "kept", folder)
    after = contents(folder, ("feed",))["feed"]
    assert after[: len(before)] == before
    assert [msgspec.json.encode(line) for line in made.lines] == [row[-1] for row in after[len(before) :]]
    assert {line.why for line in made.lines if line.kind != "raised" or line.warning is None} == {"retracted"}
    with closing(connect(folder)) as db:
        told = [msgspec.json.decode(body) for body in retelling(db)]
    raised = {line["warning_id"] for line in told if line["kind"] == "raised"}
    are = stands(folder)
    gone = were.keys() - raised
    assert gone
    assert {are[name][1] for name in gone} == {"withdrawn"}
    last = {line["warning_id"]: line["kind"] for line in told if line["kind"] not in {"verdict", "withdrawn"}}
    assert {name: are[name][1] for name in raised & last.keys() if are[name][1] != "withdrawn"} == {
        name: kind for name, kind in last.items() if are[name][1] != "withdrawn"
    }
    untouched = {name for name, row in were.items() if int(row[0][1:]) >= 20}
    assert untouched <= are.keys()
    assert sum(were[name] == are[name] for name in untouched) > 0.9 * len(untouched)


def test_live_people_hear_of_what_is_open_again_and_time_stays(items: list[Item], tmp_path: Path) -> None:
    folder = written(tmp_path / "data", then_live(items, wrong=60, days=8))
    never = written(tmp_path / "never", then_live(items, days=8))
    made = again(folder, of("bad.csv"))
    assert (made.left_out, made.clock) == (60, made.clock_before)
    again_open = [line for line in made.lines if line.kind in {"raised", "escalated"} and line.warning is None]
    assert again_open
    assert {line.history for line in again_open} == {False}
    put_in_place(folder, "before.db")
    open_now = {name for name, row in stands(folder).items() if row[1] in {"raised", "escalated"}}
    assert {line.warning_id for line in again_open} <= open_now
    assert open_now == {name for name, row in stands(never).items() if row[1] in {"raised", "escalated"}}


def test_broken_off_it_leaves_nothing_behind(items: list[Item], tmp_path: Path) -> None:
    folder = written(tmp_path / "data", replayed_past(items[:500]))
    with closing(connect(folder)) as old, pytest.raises(KeyboardInterrupt):
        rewrite(old, folder, lambda _: False, lambda _: False, stale_after=HOUR, done=interrupt)
    assert not (folder / FOLDER).exists()


def interrupt(_number: int) -> None:
    raise KeyboardInterrupt


def test_the_old_file_stays_and_the_new_one_goes_on(items: list[Item], tmp_path: Path) -> None:
    folder = written(tmp_path / "data", replayed_past(items))
    before = contents(folder)
    again(folder, lambda old: getattr(old.record, "customer_id", "") == "c0000001")
    kept = put_in_place(folder, "before.db")
    assert sorted(path.name for path in folder.iterdir()) == ["before.db", FILE]
    (tmp_path / "old").mkdir()
    kept.rename(tmp_path / "old" / FILE)
    assert contents(tmp_path / "old") == before
    written(folder, replayed_past(items))  # those left out come again
    with closing(connect(folder)) as db:
        assert db.execute("SELECT count(*) FROM journal WHERE customer = 'c0000001'").fetchone()[0] > 0


def test_while_somebody_reads_nothing_is_changed(items: list[Item], tmp_path: Path) -> None:
    folder = written(tmp_path / "data", replayed_past(items[:500]))
    again(folder)
    before = contents(folder)
    with closing(connect(folder, readonly=True)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM journal").fetchone()
        with pytest.raises(StoreError, match="nothing was changed"):
            put_in_place(folder, "before.db")
    assert contents(folder) == before
    put_in_place(folder, "before.db")
    assert contents(folder) == before
