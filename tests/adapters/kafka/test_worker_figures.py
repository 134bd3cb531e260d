"""What several workers tell of one cluster: together what one would tell, and nothing of what has moved away."""

import gc
from collections import Counter
from collections.abc import Callable, Sequence
from functools import cache

import msgspec
import pytest
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.parser import text_string_to_metric_families

from streamproc.adapters.kafka import letters
from streamproc.adapters.kafka.desk import DeskProcessor, Rules
from streamproc.adapters.kafka.intake import IntakeProcessor
from streamproc.adapters.kafka.liveness import Liveness
from streamproc.adapters.kafka.monitor import MonitorProcessor
from streamproc.adapters.kafka.trainer import TrainerProcessor
from streamproc.adapters.kafka.transactions import Processor, Record
from streamproc.adapters.metrics import collect
from streamproc.adapters.metrics.catalogue import CATALOGUE
from streamproc.cli.worker_figures import Here, WorkerFigures
from streamproc.core.control import ModelSnapshot, Setup
from streamproc.core.lifecycle import Stage
from streamproc.core.policy import Policy
from streamproc.core.time import HOUR
from streamproc.core.turns import whole
from streamproc.core.value import Segment
from streamproc.desk.warning import Money
from streamproc.intake.intake import Intake
from streamproc.intake.rates import Rates
from streamproc.monitor.counts import Counts
from streamproc.scoring.snapshot import default_snapshot
from streamproc.simulate import Shop, simulate
from streamproc.trainer.state import config_of
from streamproc.wire import journal
from tests.adapters.kafka.simulated import NAMES, Cluster

MONEY = Money("EUR")
PARTITIONS = 3
Told = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@cache
def cluster() -> Cluster:
    """A shop's past, worked off."""
    lines: dict[tuple[str, int], list[bytes]] = {
        (name, 0): [] for name in ("purchases", "complaints", "contacts", "facts")
    }
    for event in simulate(Shop(customers=60, days=300, seed=5)):
        lines[event.stream, 0].append(event.line)
    policy = Policy(minimum_customers_fitted=20)
    made = Cluster(lines, partitions=PARTITIONS, setup=Setup(at=0, horizon_days=45), policy=policy)
    made.run()
    return made


class Worker:
    """One that owns these partitions of the journal, and the desk or not."""

    def __init__(self, numbers: Sequence[int], *, desk: bool = False) -> None:
        self.now = 0.0
        self.here = Here(MONEY)
        self.monitor, self.desk = Liveness("monitor"), Liveness("desk")
        self.figures = WorkerFigures([self.monitor, self.desk], self.here, self.clock)
        self._registry = CollectorRegistry()
        self._registry.register(self.figures)
        for app in (self.monitor, self.desk):
            app.assigned = app.recovered = True
        self.owns(numbers)
        if desk:
            [self.here.desk] = [h.processor for h in cluster().hosts if isinstance(h.processor, DeskProcessor)]
            self.desk.observe({(NAMES.desk_inbox, 0): (1, 0)})

    def clock(self) -> float:
        """Each look at it takes a tenth of a second."""
        self.now += 0.1
        return self.now

    def owns(self, numbers: Sequence[int]) -> None:
        for number in numbers:
            self.here.monitors[number] = cluster().monitor(number)
        self.monitor.observe({(NAMES.journal, number): (1, 0) for number in numbers})

    def told(self) -> Told:
        return told_by(self._registry)


def told_by(registry: CollectorRegistry) -> Told:
    found = text_string_to_metric_families(generate_latest(registry).decode())
    samples = [sample for family in found for sample in family.samples]
    return {(s.name, tuple(sorted(s.labels.items()))): s.value for s in samples}


def named(told: Told, name: str) -> dict[tuple[str, ...], float]:
    return {tuple(value for _, value in labels): n for (metric, labels), n in told.items() if metric == name}


def test_two_workers_together_tell_what_one_of_all_would() -> None:
    whole, parts = Worker([0, 1, 2], desk=True).told(), [Worker([0, 2]).told(), Worker([1], desk=True).told()]
    together = Counter[tuple[str, tuple[tuple[str, str], ...]]]()
    for part in parts:
        together.update(part)
    once = {"streamproc_build_info", "streamproc_policy_info", "streamproc_model_info"}
    once |= {"streamproc_model_created_timestamp_seconds"}
    assert {key: n for key, n in together.items() if key[0] not in once} == pytest.approx(
        {key: n for key, n in whole.items() if key[0] not in once}
    )
    assert named(whole, "streamproc_segmented_customers")
    assert sum(named(whole, "streamproc_lost_customers_total").values()) > 10
    for name in once:
        assert named(parts[0], name) == named(parts[1], name) == named(whole, name)


def test_what_nobody_is_counted_under_is_told_with_0() -> None:
    here, app = Here(MONEY), Liveness("monitor")
    app.assigned = app.recovered = True
    app.observe({(NAMES.journal, 1): (0, 0)})
    here.monitors[1] = monitor = MonitorProcessor(1, NAMES, PARTITIONS)
    registry = CollectorRegistry()
    registry.register(WorkerFigures([app], here))
    told = told_by(registry)
    assert set(named(told, "streamproc_lost_customers_total")) == {(grade, "1") for grade in "ABCD"}
    assert set(named(told, "streamproc_graded_customers")) == {(grade,) for grade in "ABCD"}
    assert set(named(told, "streamproc_segmented_customers")) == {(segment.value,) for segment in Segment}
    assert len(named(told, "streamproc_customers")) == len(Stage)
    assert not any(named(told, "streamproc_lost_customers_total").values())
    assert monitor.kept().customers == 0


def test_what_there_is_once_is_told_where_the_desk_is() -> None:
    without, owner = Worker([0]).told(), Worker([0], desk=True).told()
    alone = {name for name, _ in owner} - {name for name, _ in without}
    assert alone == {"streamproc_open_alerts", "streamproc_open_complaints", "streamproc_open_ticks"}


def test_another_partition_in_place_of_one_is_seen_at_once() -> None:
    worker = Worker([0])
    before = worker.told()
    worker.owns([1])
    after = worker.told()
    for name in ("streamproc_state_bytes", "streamproc_kept_customers"):
        assert named(after, name) == named(Worker([1]).told(), name) != named(before, name)


def test_what_is_given_up_is_told_no_more_and_let_go() -> None:
    here = Here(MONEY)
    here.monitors[0] = monitor = MonitorProcessor(0, NAMES, 1)
    here.desk = desk = DeskProcessor(NAMES, 1, MONEY, Rules("event", frozenset(), HOUR, Policy()))
    here.trainer = trainer = TrainerProcessor(NAMES, 1, config_of(Setup(at=0)))
    assert (here.desk, here.trainer, here.monitors.get(0)) == (desk, trainer, monitor)
    del monitor, desk, trainer
    gc.collect()
    assert (here.desk, here.trainer, here.monitors.get(0)) == (None, None, None)


def made(counts: Counts) -> dict[str, Processor]:
    rules = Rules("event", frozenset(), HOUR, Policy())
    return {
        "intake": IntakeProcessor(("purchases", 0), NAMES, 1, Intake(Rates("EUR")), lambda: 0, counts),
        "monitor": MonitorProcessor(0, NAMES, 1, counts),
        "trainer": TrainerProcessor(NAMES, 1, config_of(Setup(at=0)), counts),
        "desk": DeskProcessor(NAMES, 1, MONEY, rules, counts),
    }


def record(value: bytes) -> Record:
    return Record(0, None, value, (), 0)


@pytest.mark.parametrize("name", ["intake", "monitor", "trainer", "desk"])
def test_what_ends_the_process_is_counted_among_the_dead_letters(name: str) -> None:
    counts = Counts()
    writes = made(counts)[name].poison(record(b"x"))
    assert [output.topic for output in writes.outputs] == [NAMES.dead_letters]
    assert counts == {("refused", letters.KILLED): 1}


def unfit() -> bytes:
    snapshot = msgspec.structs.replace(default_snapshot(), weights=())
    return journal.encode(ModelSnapshot(at=1, snapshot=msgspec.Raw(msgspec.json.encode(snapshot))))


READ: dict[str, Callable[[], bytes]] = {letters.UNREADABLE: lambda: b"{", letters.NOT_FINITE: unfit}


@pytest.mark.parametrize("reason", list(READ))
def test_what_the_monitor_cannot_use_is_counted_among_the_dead_letters(reason: str) -> None:
    counts = Counts()
    writes = whole(made(counts)["monitor"].process([record(READ[reason]())]))
    assert [output.topic for output in writes.outputs if output.topic == NAMES.dead_letters]
    assert counts == {("refused", reason): 1}


def test_every_label_of_a_counter_is_told_from_the_start() -> None:
    told = Worker([]).told()
    assert all(n == 0 for (name, _), n in told.items() if name.endswith("_total"))
    reasons = {reason for (reason,) in named(told, "streamproc_refused_total")}
    assert {letters.KILLED, letters.UNREADABLE, letters.NOT_FINITE, "not_json", "apply_failed", "forgotten"} <= reasons
    assert {collect.KILLED, collect.UNREADABLE, collect.NOT_FINITE} == {
        letters.KILLED, letters.UNREADABLE, letters.NOT_FINITE
    }  # fmt: skip
    assert set(named(told, "streamproc_late_events_total")) == {("late",), ("too_late",)}
    counters = {name for name, about in CATALOGUE.items() if about.kind == "counter" and "worker" in about.tellers}
    elsewhere = {"streamproc_refused_snapshots_total", "streamproc_lost_customers_total", "streamproc_rebalances_total"}
    elsewhere |= {"streamproc_feed_lines_total", "streamproc_feed_unreadable_total"}
    assert counters - {name for name, _ in told} <= elsewhere


def test_what_a_past_counts_was_told_with_0_before() -> None:
    before = {key for key in Worker([]).told() if key[0].endswith("_total")}
    worker = Worker([])
    counted = Counts()
    again = Cluster({("purchases", 0): [e.line for e in simulate(Shop(customers=20, days=200, seed=9))]})
    for host in again.hosts:
        host.processor._counts = counted  # type: ignore[attr-defined]
    again.run()
    worker.here.counts.update(counted)
    after = {key for key in worker.told() if key[0].endswith("_total")}
    assert sum(counted.values()) > 200
    assert after == before
