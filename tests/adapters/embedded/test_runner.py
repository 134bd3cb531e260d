"""The embedded runtime: the same export twice, a longer one after a shorter, restarts, full and locked folders."""

import os
import sqlite3
import tempfile
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest

from streamproc.adapters.embedded import feed
from streamproc.adapters.embedded.journal import read
from streamproc.adapters.embedded.replay import Replay, setup_of
from streamproc.adapters.embedded.runner import FAILURES_A_BATCH, TooManyFailuresError, batches
from streamproc.adapters.embedded.schema import FILE, SCHEMA_VERSION, StoreError, connect
from streamproc.core import facts as core_facts
from streamproc.core.control import ClockMode, Tick
from streamproc.core.policy import Policy
from streamproc.core.time import DAY, HOUR
from streamproc.desk.warning import Money
from streamproc.monitor import partition as under_test
from streamproc.simulate import Dirt, Shop
from streamproc.testing.events import bought, known, on, touched
from tests.adapters.embedded.children import in_a_process_of_its_own
from tests.adapters.embedded.folder import SETUP, TABLES, contents, fill, running
from tests.monitor.shops import Delivery, delivered, deliveries

SHOP = Shop(customers=80, days=200, seed=23, dirt=Dirt(duplicates=0.02, disorder=0.1, poison=0.02))


@pytest.fixture(scope="module")
def arrivals() -> list[Delivery]:
    return deliveries(SHOP)


@pytest.fixture(scope="module")
def filled(tmp_path_factory: pytest.TempPathFactory, arrivals: list[Delivery]) -> Path:
    folder = tmp_path_factory.mktemp("filled")
    fill(folder, arrivals)
    return folder


def test_the_same_export_imported_again_changes_nothing(tmp_path: Path, arrivals: list[Delivery]) -> None:
    fill(tmp_path, arrivals)
    before = contents(tmp_path)
    fill(tmp_path, arrivals, batch=33)
    assert contents(tmp_path) == before


def test_what_is_refused_is_counted_once_however_often_its_file_is_read(
    tmp_path: Path, arrivals: list[Delivery]
) -> None:
    for _ in range(2):
        fill(tmp_path, arrivals)
        tables = contents(tmp_path, ["counts", "dead_letters"])
        refused = {label: n for name, label, n in tables["counts"] if name == "refused"}
        assert refused == Counter(letter[2] for letter in tables["dead_letters"])
        assert sum(refused.values()) > 5


def test_a_longer_export_after_a_shorter_one_leaves_what_was_there(tmp_path: Path, arrivals: list[Delivery]) -> None:
    fill(tmp_path, arrivals[: len(arrivals) // 2])
    before = contents(tmp_path, ["journal", "feed", "dead_letters", "models"])
    fill(tmp_path, arrivals)
    after = contents(tmp_path, ["journal", "feed", "dead_letters", "models"])
    for table, rows in before.items():
        assert after[table][: len(rows)] == rows
    assert len(after["journal"]) > len(before["journal"]) + 200


@pytest.mark.parametrize("batch", [1, 7, 5_000])
def test_batches_of_any_size_lead_to_the_same_folder(
    tmp_path: Path, arrivals: list[Delivery], filled: Path, batch: int
) -> None:
    fill(tmp_path, arrivals, batch=batch)
    assert contents(tmp_path) == contents(filled)


@pytest.mark.parametrize("partitions", [1, 8])
def test_a_replay_from_any_number_of_partitions_gives_feed_and_states_byte_for_byte(
    filled: Path, partitions: int
) -> None:
    with closing(connect(filled, readonly=True)) as db:
        replay = Replay(Money("EUR"), partitions=partitions)
        entries = [entry for step in replay.run(read(db)) for entry in step.entries]
        assert entries == [entry for _, entry in feed.lines(db)]
        states = {c: body for part in replay.states for c, body in part.bodies.items()}
        assert states == dict(db.execute("SELECT customer, body FROM states"))
        assert setup_of(db) == SETUP


def test_eight_partitions_in_one_folder_lead_to_the_same_states_and_feed(
    tmp_path: Path, arrivals: list[Delivery], filled: Path
) -> None:
    with running(tmp_path, partitions=8) as (_, runner):
        for some in batches(arrivals, 400):
            runner.take(some)
        runner.end_of_data()
    whole, parts = contents(filled), contents(tmp_path)
    assert parts["feed"] == whole["feed"]
    assert parts["journal"] == whole["journal"]
    assert {(c, due, body) for c, _, due, body in parts["states"]} == {
        (c, due, body) for c, _, due, body in whole["states"]
    }


def test_what_waits_survives_a_restart_in_the_middle_of_a_tick_interval(tmp_path: Path) -> None:
    events = (bought(on(0, 3)), bought(on(0, 5.2)), touched(on(0, 5.4)))
    with running(tmp_path) as (_, runner):
        runner.take(delivered(events[:2]))
    assert len(contents(tmp_path)["waiting"]) == 1
    with running(tmp_path) as (_, runner):
        [part] = runner.pipeline.partitions
        assert part.meta.clock == on(0, 4)
        assert part.next_work() == on(0, 5.2) + 1
        runner.take(delivered(events[2:]))
        runner.end_of_data()
        state = part.state_of("c")
        assert state is not None
        assert (state.facts.n_orders, len(state.facts.contacts)) == (2, 1)
    assert contents(tmp_path)["waiting"] == []


def test_a_restart_after_every_batch_leads_to_the_same_folder(
    tmp_path: Path, arrivals: list[Delivery], filled: Path
) -> None:
    for start in range(0, len(arrivals), 150):
        fill(tmp_path, arrivals[start : start + 150], end=False)
    fill(tmp_path, arrivals[-1:])
    assert contents(tmp_path) == contents(filled)


def test_a_restart_between_trainings_of_a_large_base_leads_to_the_same_model(tmp_path: Path) -> None:
    many = tuple(bought(on(0, n / 200), customer_id=f"c{n}") for n in range(2_400))
    first, then = (*many, bought(on(4, 1))), (bought(on(5, 1)),)  # 500 examples in one batch, then a training
    fill(tmp_path / "clean", delivered((*first, *then)), batch=5_000)
    fill(tmp_path / "restarted", delivered(first), batch=5_000, end=False)
    fill(tmp_path / "restarted", delivered(then))
    models = contents(tmp_path / "clean")["models"]
    assert len(models) == 1
    assert contents(tmp_path / "restarted")["models"] == models


def test_an_event_of_an_alias_that_comes_after_the_handover_goes_on_to_the_new_id(tmp_path: Path) -> None:
    fact = known(on(1), customer_id="old", alias_of="new")
    events = (
        bought(on(0), customer_id="old"),
        fact,
        bought(on(2), customer_id="old"),
        bought(on(3), customer_id="old"),
    )
    fill(tmp_path, delivered(events))
    before = contents(tmp_path)
    with running(tmp_path) as (_, runner):
        state = runner.pipeline.partitions[0].state_of("new")
        assert state is not None
        assert state.facts.n_orders == 3
    fill(tmp_path, delivered(events))
    assert contents(tmp_path) == before


# -------------------------------------------------------------------------------------- what goes wrong


def test_a_full_disk_stops_with_an_error_and_loses_nothing_that_was_committed(
    tmp_path: Path, arrivals: list[Delivery], filled: Path
) -> None:
    with running(tmp_path) as (db, runner):
        runner.take(arrivals[:250])
        pages = db.execute("PRAGMA page_count").fetchone()[0]
        db.execute(f"PRAGMA max_page_count = {pages + 10}")
        with pytest.raises(sqlite3.OperationalError, match="full"):
            runner.take(arrivals[250:])
    kept = {event_id for _, _, event_id, _ in contents(tmp_path)["journal"]}
    accepted = {d.outcome.event_id for d in arrivals[:250] if hasattr(d.outcome, "event_id")}
    assert accepted <= kept
    fill(tmp_path, arrivals)  # the disk has room again
    assert contents(tmp_path) == contents(filled)


def test_a_folder_that_may_not_be_written_is_refused_with_its_name(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(StoreError, match=r"cannot open .*file"):
        connect(tmp_path / "file")
    with pytest.raises(StoreError, match="no data in"):
        connect(tmp_path / "nothing", readonly=True)


def test_a_read_only_folder_is_refused() -> None:
    folder = Path(tempfile.mkdtemp())
    try:
        folder.chmod(0o555)
        assert in_a_process_of_its_own(lambda: opened_by_somebody_else(folder)) == 0
        assert list(folder.iterdir()) == []
    finally:
        folder.rmdir()


def opened_by_somebody_else(folder: Path) -> None:
    if os.geteuid() == 0:
        os.setuid(65_534)  # root may write everywhere
    with pytest.raises(StoreError, match="cannot open"):
        connect(folder / "data")
    with pytest.raises(StoreError, match="cannot open"):
        connect(folder)


def test_a_file_that_is_no_database_is_refused(tmp_path: Path) -> None:
    (tmp_path / FILE).write_bytes(b"not a database at all" * 100)
    with pytest.raises(StoreError, match="cannot open"):
        connect(tmp_path)


def test_a_folder_of_a_newer_program_is_refused(tmp_path: Path) -> None:
    with closing(connect(tmp_path)) as db:
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    with pytest.raises(StoreError, match="newer streamproc"):
        connect(tmp_path)


def test_a_journal_record_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    fill(tmp_path, delivered((bought(on(0)),)))
    with closing(connect(tmp_path)) as db:
        db.execute("UPDATE journal SET body = x'00' WHERE seq = 2")
        with pytest.raises(StoreError, match="record 2 cannot be read"):
            list(read(db))


def test_failures_of_the_core_are_dead_letters_and_too_many_keep_nothing_of_the_batch(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> core_facts.Taken:
        raise ZeroDivisionError("as the test wants")

    fill(tmp_path, delivered((bought(on(0)),)))
    monkeypatch.setattr(core_facts, "take", broken)
    few = tuple(bought(on(1, n / 60), customer_id=f"c{n}") for n in range(5))
    fill(tmp_path, delivered(few))
    letters = contents(tmp_path)["dead_letters"]
    assert [row[2] for row in letters] == ["apply_failed"] * 5
    assert all("ZeroDivisionError" in row[4] for row in letters)
    before = contents(tmp_path)
    many = tuple(bought(on(2, n / 60), customer_id=f"d{n}") for n in range(FAILURES_A_BATCH + 1))
    with pytest.raises(TooManyFailuresError, match="nothing of the batch was kept"), running(tmp_path) as (_, runner):
        runner.take(delivered((*many, bought(on(3)))))
    assert contents(tmp_path) == before


def test_looks_that_fail_at_one_tick_are_a_dead_letter_each(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: object) -> object:
        raise ZeroDivisionError("as the test wants")

    monkeypatch.setattr(under_test, "look_at", broken)
    fill(tmp_path, delivered((bought(on(0), customer_id="a"), bought(on(0), customer_id="b"))))
    assert len(contents(tmp_path)["dead_letters"]) == 2


# ---------------------------------------------------------------------------------------- time and modes


def test_in_event_mode_time_ends_where_the_data_ends(tmp_path: Path) -> None:
    fill(tmp_path, delivered((bought(on(0, 5)), bought(on(40, 7.5)))))
    with closing(connect(tmp_path, readonly=True)) as db:
        ticks = [n.record.at for n in read(db) if isinstance(n.record, Tick)]
    assert ticks[0] == on(0, 6)
    assert ticks[-1] == on(40, 8)
    assert {at % HOUR for at in ticks} == {0}
    assert len([at for at in ticks if at % DAY == 0]) == 40
    assert ticks == sorted(set(ticks))


def test_in_wall_mode_time_moves_by_the_clock_alone(tmp_path: Path) -> None:
    with running(tmp_path) as (_, runner):
        runner.take(delivered((bought(on(0, 5)),)))
        runner.set_mode(ClockMode(at=on(0, 6), mode="wall", live=True))
        runner.take(delivered((bought(on(9)),)))
        [part] = runner.pipeline.partitions
        assert part.meta.clock < on(1)
        runner.advance_to(on(0, 7))
        state = part.state_of("c")
        assert state is not None
        assert state.facts.n_orders == 1
        runner.advance_to(on(9) + 1_000_000)
        state = part.state_of("c")
        assert state is not None
        assert state.facts.n_orders == 2
        assert runner.pipeline.desk.live
    with running(tmp_path) as (_, runner):
        assert (runner.progress.mode, runner.progress.live, runner.pipeline.desk.live) == ("wall", True, True)


def test_a_policy_is_written_where_it_differs(tmp_path: Path) -> None:
    with running(tmp_path) as (_, runner):
        begun = runner.journal.last
        runner.set_policy(Policy())
        assert runner.journal.last == begun
        runner.set_policy(Policy(raise_at=0.6))
        runner.set_policy(Policy(raise_at=0.6))
        assert runner.journal.last == begun + 1
    with running(tmp_path) as (_, runner):
        assert runner.pipeline.partitions[0].meta.policy.raise_at == 0.6


def test_a_journal_keeps_each_event_once(tmp_path: Path) -> None:
    event = bought(on(0))
    with running(tmp_path) as (_, runner):
        assert runner.take(delivered((event, event))).statuses == ["new", "repeat"]
        assert runner.take(delivered((event,))).statuses == ["repeat"]
    assert set(TABLES) == set(contents(tmp_path))
