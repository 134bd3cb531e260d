"""A data folder's past on a cluster in memory: what comes after it is what the folder itself would have come to."""

import random
import shutil
from collections.abc import Iterator, Sequence
from contextlib import closing
from functools import cache
from pathlib import Path
from typing import NamedTuple

import msgspec
import pytest

from streamproc.adapters.embedded.journal import read
from streamproc.adapters.embedded.runner import Runner, batches
from streamproc.adapters.embedded.schema import connect
from streamproc.adapters.kafka.desk import DeskProcessor, Rules
from streamproc.adapters.kafka.importing import DIGEST, ImportingError, Reached, Step, addressed, steps
from streamproc.adapters.kafka.messages import (
    IMPORTED,
    DeskMessage,
    PastForDesk,
    SourceRead,
    TickDone,
    WorkLeft,
    encode,
    for_desk,
)
from streamproc.adapters.kafka.monitor import MonitorProcessor
from streamproc.adapters.kafka.trainer import TRAININGS, TrainerProcessor
from streamproc.adapters.kafka.transactions import Output, Record, Writes
from streamproc.core.control import ClockMode, Disposition, Handover, JournalRecord, ModelSnapshot, PolicyChange, Tick
from streamproc.core.events import Purchase
from streamproc.core.facts import Facts
from streamproc.core.ids import partition_of
from streamproc.core.policy import Policy
from streamproc.core.time import DAY, HOUR, SECOND, to_text
from streamproc.core.turns import whole
from streamproc.desk.warning import Money
from streamproc.intake.intake import Intake
from streamproc.intake.intake import Settings as IntakeSettings
from streamproc.intake.rates import Rates
from streamproc.intake.refusal import Position
from streamproc.monitor.state import decode_state
from streamproc.scoring.examples import Example
from streamproc.simulate import Shop, SimEvent, simulate
from streamproc.trainer.state import config_of
from streamproc.wire import journal
from tests.adapters.embedded.folder import contents
from tests.adapters.kafka.quiet import quiet
from tests.adapters.kafka.simulated import NAMES, Cluster
from tests.adapters.kafka.test_processors import EAGER, SETUP, feeds, outcomes
from tests.monitor.shops import Delivery

PARTITIONS = 3
TRAINING = config_of(SETUP).training_days * DAY


class Times(NamedTuple):
    """When (µs) the folder's run ends, and when the next model after that is made."""

    cut: int
    trains: int


class Alias(NamedTuple):
    """An id that turns out at `said` (µs) to be another's, in another partition of the journal."""

    id: str
    of: str
    said: int


@cache
def shop() -> tuple[SimEvent, ...]:
    """A shop with the aliases."""
    return tuple(sorted([*clean(), *map(_told, aliases())], key=lambda event: event.at))


@cache
def clean() -> tuple[SimEvent, ...]:
    return tuple(simulate(Shop(customers=250, days=130, seed=8)))


@cache
def aliases() -> tuple[Alias, ...]:
    """Some in the past, some at its very end, and some later."""
    cut = times().cut
    people = sorted({_customer(e) for e in clean() if e.stream == "purchases" and cut - 20 * DAY < e.at})
    pairs = [(a, b) for a, b in zip(people[::2], people[1::2], strict=False) if _place(a) != _place(b)]
    when = [cut - 9 * DAY, cut - 4 * DAY, cut - 120 * SECOND, cut - 60 * SECOND, cut + 5 * HOUR, cut + DAY]
    return tuple(Alias(alias, of, at) for (alias, of), at in zip(pairs[: len(when)], when, strict=True))


@cache
def times() -> Times:
    first = next(iter(simulate(Shop(customers=1, days=1, seed=8)))).at
    trained = (first + 100 * DAY) // TRAINING * TRAINING
    return Times(trained + 12 * HOUR + 2400 * SECOND, trained + TRAINING)


def _customer(event: SimEvent) -> str:
    return str(msgspec.json.decode(event.line)["customer_id"])


def _place(customer_id: str) -> int:
    return partition_of(customer_id, PARTITIONS)


def _told(alias: Alias) -> SimEvent:
    fact = {"event_id": f"alias-{alias.id}", "customer_id": alias.id, "alias_of": alias.of}
    return SimEvent("facts", alias.said, msgspec.json.encode({**fact, "occurred_at": to_text(alias.said)}))


def handed_over_after(at: int) -> set[str]:
    """Who takes part in a handover after `at` (µs): on a cluster that takes its way through the journal meanwhile."""
    return {name for alias in aliases() if alias.said >= at for name in (alias.id, alias.of)}


def arrivals(events: Sequence[SimEvent]) -> Iterator[Delivery]:
    intake = Intake(Rates("EUR"), settings=IntakeSettings(in_order=True))
    for row, event in enumerate(events, 1):
        position = Position(event.stream, row)
        outcome = intake.take(event.line, position, 1 << 62)
        assert outcome is not None
        yield Delivery(outcome, event.line, position)


def live(folder: Path, events: Sequence[SimEvent], *, end: bool, late: Sequence[SimEvent] = (), at: int = 0) -> None:
    """Takes events in as a run does; from `at` (µs) on warnings are for people. `late` ones come behind the end."""
    with closing(connect(folder)) as db:
        runner = Runner(db, SETUP)
        runner.set_policy(EAGER)
        runner.set_mode(ClockMode(at=runner.progress.clock, mode="event"))
        for some in batches(arrivals([e for e in events if not at or e.at < at]), 300):
            runner.take(some)
        if at:
            runner.set_mode(ClockMode(at=runner.progress.clock, mode="event", live=True))
            runner.take(list(arrivals([e for e in events if e.at >= at])))
        if end:
            runner.end_of_data()
        if late:
            runner.take(list(arrivals(late)))


def imported(folder: Path, reached: Reached = Reached(0, ""), most: int = 100) -> list[Step]:  # noqa: B008
    with closing(connect(folder, readonly=True)) as db:
        return list(steps(addressed(read(db), PARTITIONS), NAMES, PARTITIONS, reached, most=most))


def past_of(folder: Path) -> list[Output]:
    return [output for step in imported(folder) for output in step.outputs]


def feed_of(folder: Path) -> list[bytes]:
    return [row[-1] for row in contents(folder, ["feed"])["feed"]]


def states_of(folder: Path) -> dict[str, bytes]:
    return {row[0]: row[-1] for row in contents(folder, ["states"])["states"]}


def states_in(cluster: Cluster) -> dict[str, bytes]:
    held: dict[str, bytes] = {}
    for number in range(PARTITIONS):
        held.update(cluster.monitor(number)._states.bodies)
    return held


def warnings_in(cluster: Cluster) -> list[bytes]:
    return cluster.log.values((NAMES.warnings, 0))


def journal_of(folder: Path) -> list[JournalRecord]:
    with closing(connect(folder, readonly=True)) as db:
        return [numbered.record for numbered in read(db)]


@pytest.mark.parametrize(("end", "dies"), [(True, 0.1), (False, 0.0)])
def test_the_cluster_goes_on_as_the_folder_would_have(tmp_path: Path, *, end: bool, dies: float) -> None:
    """Until the next model: when that comes into force is decided by the pace of a cluster."""
    cut, trains = times()
    late = [e for e in clean() if e.stream == "purchases" and e.at < cut - HOUR][-2:]
    before = [e for e in shop() if e.at < cut and e not in late]
    after = [e for e in shop() if cut <= e.at < trains - HOUR]
    live(tmp_path / "past", before, end=end, late=late, at=cut - 8 * DAY)
    shutil.copytree(tmp_path / "past", tmp_path / "whole")
    live(tmp_path / "whole", after, end=True)
    lines_before = len(feed_of(tmp_path / "past"))
    cluster = Cluster(
        feeds(after), partitions=PARTITIONS, seed=4, setup=SETUP, policy=EAGER, past=past_of(tmp_path / "past")
    )
    cluster.run(most=80, dies=dies)
    lines = feed_of(tmp_path / "whole")
    assert warnings_in(cluster) == lines
    assert len(lines) > lines_before + 5
    assert {msgspec.json.decode(line)["history"] for line in lines[:lines_before]} == {True, False}
    assert {msgspec.json.decode(line)["history"] for line in lines[lines_before:]} == {True}
    held, expected = states_in(cluster), states_of(tmp_path / "whole")
    slow = handed_over_after(cut - HOUR)
    assert {c: body for c, body in held.items() if c not in slow} == {
        c: body for c, body in expected.items() if c not in slow
    }
    assert {c: _known(held[c]) for c in slow} == {c: _known(expected[c]) for c in slow}
    whole = journal_of(tmp_path / "whole")
    records = [record for n in range(PARTITIONS) for record in cluster.journal(n)]
    assert _bodies(records, ModelSnapshot)[::PARTITIONS] == _bodies(whole, ModelSnapshot)
    assert sorted(_bodies(records, Disposition)) == sorted(_bodies(whole, Disposition))
    told, expected_ticks = _ticks(cluster.journal(0)), _ticks(whole)
    assert [t for t in told if t[0] < cut + 5 * HOUR] == [t for t in expected_ticks if t[0] < cut + 5 * HOUR]
    assert _bodies(records, PolicyChange)[::PARTITIONS] == _bodies(whole, PolicyChange)
    assert len(_bodies(records, Handover)) == len(_bodies(whole, Handover)) > len(aliases())


def _ticks(records: Sequence[JournalRecord]) -> list[tuple[int, tuple[int, int, int] | None]]:
    return [(record.at, record.grades) for record in records if isinstance(record, Tick)]


def _known(state: bytes) -> tuple[Facts, str | None]:
    """What is known of a customer, whenever it was looked at."""
    read_back = decode_state(state)
    return read_back.facts, read_back.forward_to


def _bodies(records: Sequence[JournalRecord], kind: type) -> list[bytes]:
    return [journal.encode(record) for record in sorted(records, key=lambda r: r.at) if isinstance(record, kind)]


def test_past_and_future_are_what_a_quiet_run_makes_of_the_journal(tmp_path: Path) -> None:
    cut = times().cut
    live(tmp_path / "past", [e for e in shop() if e.at < cut], end=True)
    made_before = len(_bodies(journal_of(tmp_path / "past"), ModelSnapshot))
    after = [e for e in shop() if cut <= e.at]
    past = past_of(tmp_path / "past")
    cluster = Cluster(feeds(after), partitions=PARTITIONS, seed=9, setup=SETUP, policy=EAGER, past=past)
    cluster.run(most=120, dies=0.05)
    expected = quiet([cluster.journal(n) for n in range(PARTITIONS)], SETUP.currency, cluster.config)
    assert warnings_in(cluster) == [msgspec.json.encode(line) for line in expected.lines]
    alerts = cluster.log.values((NAMES.alerts, 0))
    assert alerts == [msgspec.json.encode(line) for line in expected.alerts]
    assert alerts
    made = [bytes(r.snapshot) for r in cluster.journal(1) if isinstance(r, ModelSnapshot)]
    assert made == expected.snapshots[: len(made)]
    assert len(made) > made_before + 5
    assert len(expected.snapshots) - len(made) <= 1
    live(tmp_path / "past", after, end=True)
    whole = quiet([journal_of(tmp_path / "past")], SETUP.currency, cluster.config)
    happened = {(e.customer_id, e.at, e.label) for e in whole.effects[0] if isinstance(e, Example)}
    assert {o for o in outcomes(cluster) ^ happened if o[0] not in handed_over_after(cut)} == set()


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("folder")
    live(path, [e for e in shop() if e.at < times().cut - 40 * DAY], end=True)
    return path


def test_each_partition_has_its_customers_and_what_is_for_all_in_the_folder_s_order(folder: Path) -> None:
    records, outputs = journal_of(folder), past_of(folder)
    for number in range(PARTITIONS):
        bodies = [o.value for o in outputs if (o.topic, o.partition) == (NAMES.journal, number)]
        own = [r for r in records if _place(getattr(r, "customer_id", "")) == number or not hasattr(r, "customer_id")]
        assert bodies[:-1] == [journal.encode(record) for record in own]
        assert isinstance(journal.decode(bodies[-1] or b""), ClockMode)
    for output in outputs:
        assert output.topic != NAMES.journal or output.key is None or _place(output.key.decode()) == output.partition


def test_an_import_broken_off_after_any_transaction_goes_on_to_the_same(folder: Path) -> None:
    whole = imported(folder)
    assert len(whole) > 10
    assert max(len(step.outputs) for step in whole) <= 100 + PARTITIONS + 2
    for cut in random.Random(3).sample(range(1, len(whole)), 5):
        last = next(o for o in reversed(whole[cut - 1].outputs) if o.topic == NAMES.journal)
        reached = reached_with(last)
        assert imported(folder, reached) == whole[cut:]


def test_an_import_goes_on_with_its_own_folder_only(folder: Path) -> None:
    with pytest.raises(ImportingError, match="another past"):
        imported(folder, Reached(40, "another"))
    with pytest.raises(ImportingError, match="another past"):
        imported(folder, Reached(1 << 40, "more than there is"))


def test_an_import_goes_on_with_the_same_records_only(folder: Path) -> None:
    """Though as many are left out before the place that was reached: the one there is the same."""
    records = journal_of(folder)
    orders = [n for n, record in enumerate(records) if isinstance(record, Purchase)]
    one, another = (enumerate([*records[:n], *records[n + 1 :]], 1) for n in (orders[3], orders[9]))
    done = list(steps(addressed(one, PARTITIONS), NAMES, PARTITIONS, Reached(0, ""), most=100))[9]
    reached = reached_with([o for o in done.outputs if o.topic == NAMES.journal][-1])
    assert reached.seq > orders[9]
    with pytest.raises(ImportingError, match="another past"):
        next(steps(addressed(another, PARTITIONS), NAMES, PARTITIONS, reached))


def reached_with(last: Output) -> Reached:
    headers = dict(last.headers)
    return Reached(int(headers[IMPORTED]), headers[DIGEST].decode())


def test_time_stands_until_every_partition_is_through_with_the_past() -> None:
    """And nobody is due but those whom the past's last tick has left."""
    desk = DeskProcessor(NAMES, 2, Money("EUR"), Rules("event", frozenset({"a"}), HOUR, Policy()))
    past = PastForDesk(clock=5 * DAY, live=[], due=[5 * DAY + 2 * HOUR], policy=Policy(), announced=(3, 2, 1))
    read_on = SourceRead(source="a", read=5 * DAY + 3 * HOUR, due=[5 * DAY + 3 * HOUR], caught_up=False, purchases=True)
    desk.wake(1e9, caught_up=True)

    def ticks(*messages: DeskMessage) -> list[int]:
        records = [Record(0, None, encode(message), (), 0) for message in messages]
        outputs = [o for o in whole(desk.process(records)).outputs if o.topic == NAMES.journal and o.partition == 0]
        read_back = [journal.decode(output.value or b"") for output in outputs]
        assert all(isinstance(record, Tick) for record in read_back)
        return [record.at for record in read_back if isinstance(record, Tick)]

    def done(partition: int, at: int) -> TickDone:
        return TickDone(partition=partition, at=at)

    assert ticks(past, WorkLeft(partition=0), done(0, 4 * DAY), WorkLeft(partition=0), done(0, 5 * DAY)) == []
    assert ticks(read_on, done(1, 4 * DAY), WorkLeft(partition=1)) == []
    assert ticks(done(1, 5 * DAY)) == [5 * DAY + 2 * HOUR, 5 * DAY + 3 * HOUR]
    left = SourceRead(source="a", read=5 * DAY + 9 * HOUR, due=[], caught_up=False, purchases=True)
    assert ticks(WorkLeft(partition=1), left) == [5 * DAY + 4 * HOUR]


def test_purchases_that_end_with_the_past_are_missed(folder: Path) -> None:
    """Though no feed of the cluster's ever brought one, as they are in the folder itself."""
    bought = max(r.at for r in journal_of(folder) if isinstance(r, Purchase))
    began = next(r.at for r in reversed(journal_of(folder)) if isinstance(r, Tick))
    others = [e for e in clean() if e.stream != "purchases" and began < e.at < began + 6 * DAY]
    here = feeds(others) | {("purchases", 0): []}
    cluster = Cluster(here, partitions=PARTITIONS, setup=SETUP, policy=EAGER, mode="wall", past=past_of(folder))
    cluster.now = (began + 6 * DAY) / SECOND
    cluster.run()
    ticks = [r for r in cluster.journal(0) if isinstance(r, Tick) and r.at > began]
    assert ticks[-1].at > began + 5 * DAY, "time waits for no past"
    missed = [tick for tick in ticks if tick.at - bought > 72 * HOUR]
    assert len(missed) > 5
    assert all((tick.stale, tick.stale_since) == (("purchases",), bought) for tick in missed)
    assert not any(tick.stale for tick in ticks if tick.at - bought <= 72 * HOUR)
    told = {source for tick in ticks for source in tick.progress}
    assert told <= {f"{topic}/{number}" for topic, number in here}


def test_a_monitor_says_again_that_somebody_is_due_once_a_tick_has_passed() -> None:
    """Or somebody of the past's last hour would wait for whatever comes next."""
    monitor = MonitorProcessor(0, NAMES, 1)
    orders = [Purchase(event_id=f"p{n}", customer_id="c", at=n * HOUR, order_id=f"o{n}", amount=100) for n in (1, 2)]

    def said(*some: JournalRecord) -> list[DeskMessage]:
        outputs = whole(monitor.process([Record(0, None, journal.encode(record), (), 0) for record in some])).outputs
        told = [for_desk(output.value or b"") for output in outputs if output.topic == NAMES.desk_inbox]
        return [message for message in told if isinstance(message, WorkLeft)]

    assert said(SETUP, Tick(at=DAY), orders[0]) == [WorkLeft(partition=0)]
    assert said(Tick(at=2 * DAY), orders[1]) == [WorkLeft(partition=0)]


def test_a_trainer_to_whom_a_whole_past_is_told_at_once_trains_a_few_times_a_step(folder: Path) -> None:
    """Or the other apps of its process would stand still, and be taken for dead."""
    told: list[bytes] = []
    for number in range(PARTITIONS):
        own = [o for o in past_of(folder) if (o.topic, o.partition) == (NAMES.journal, number)]
        records = [Record(n, output.key, output.value, tuple(output.headers), 0) for n, output in enumerate(own)]
        written = whole(MonitorProcessor(number, NAMES, PARTITIONS).process(records))
        told += [output.value or b"" for output in written.outputs if output.topic == NAMES.examples]
    trainer = TrainerProcessor(NAMES, PARTITIONS, config_of(SETUP))
    writes: Writes | None = whole(trainer.process([Record(n, None, body, (), 0) for n, body in enumerate(told)]))
    made: list[bytes | None] = []
    while writes is not None:
        assert len(writes.outputs) <= TRAININGS * PARTITIONS
        made += [output.value for output in writes.outputs if not output.partition]
        writes = trainer.wake(0.0, caught_up=True)
    assert made == _bodies(journal_of(folder), ModelSnapshot)
    assert len(made) > 2 * TRAININGS
