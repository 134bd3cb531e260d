"""The monitor alone: one partition over memory, ticked as a replay does, at the default policy with a fitted model."""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from copy import deepcopy
from importlib import import_module
from types import ModuleType
from typing import Any, NamedTuple

import msgspec

from streamproc.core.control import Disposition, JournalRecord, ModelSnapshot, Tick
from streamproc.core.population import grade_thresholds
from streamproc.core.time import DAY, HOUR, ceil_to, first_tick_after
from streamproc.monitor.effects import Effect, ToJournal, WouldWarn
from streamproc.monitor.memory import MemoryStates
from streamproc.monitor.partition import Partition
from streamproc.scoring.snapshot import Snapshot
from tests.bench.harness import MICRO, Figure, an_event, cpu_seconds, say
from tests.bench.shop import SETUP, Material

A_LOOK = "µs/look"
LAST_PART = 0.9
"""After this share of the events it is measured where the time goes."""

PARTS = {
    "decode state": [("monitor.partition", "decode_state")],
    "facts": [("core.facts", "take")],
    "score": [("monitor.partition", "score_those_possible")],
    "learn": [("monitor.partition", "learn_from")],
    "decide": [("monitor.partition", "look_at")],
    "totals": [("monitor.totals", "recount"), ("monitor.partition", "_counted")],
    "schedule": [
        ("monitor.partition", "next_example_or_label"),
        ("monitor.partition", "next_look"),
        ("monitor.partition", "first_due"),
    ],
    "encode state": [("monitor.partition", "encode_state")],
}
"""The functions in which a tick spends its time. None calls another."""


class Drive:
    """A partition, and the one thing it needs from outside: ticks, and its answers given back."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.states = MemoryStates()
        self.partition = Partition(0, self.states)
        self.counts: Counter[str] = Counter()
        self._clock = 0
        self._apply(SETUP)
        self._apply(ModelSnapshot(at=0, snapshot=msgspec.Raw(msgspec.json.encode(snapshot))))

    def take(self, records: Sequence[JournalRecord]) -> None:
        """Takes records in order of time."""
        self._clock = self._clock or records[0].at // DAY * DAY
        for record in records:
            hour = record.at // HOUR * HOUR
            if hour > self._clock:
                self._advance(hour)
            self._apply(record)

    def _advance(self, to: int) -> None:
        while (at := self._next_tick()) <= to:
            self._clock = at
            grades = None if at % DAY else grade_thresholds(self.partition.meta.totals.contribution)
            self.counts["ticks"] += 1
            self._apply(Tick(at=at, grades=grades))

    def _next_tick(self) -> int:
        midnight = (self._clock // DAY + 1) * DAY
        work = self.partition.next_work()
        if work is None or work >= midnight:
            return midnight
        return max(ceil_to(work, HOUR), first_tick_after(self._clock, HOUR))

    def _apply(self, record: JournalRecord) -> None:
        for effect in self.partition.apply(record):
            self.counts[type(effect).__name__] += 1
            answer = _answer(effect)
            if answer is not None:
                self._apply(answer)


def _answer(effect: Effect) -> JournalRecord | None:
    if isinstance(effect, ToJournal):
        return effect.record
    if isinstance(effect, WouldWarn):
        return Disposition(at=effect.at, customer_id=effect.customer_id, warning_id=effect.id, outcome="raised")
    return None


def monitor(material: Material) -> Iterator[Figure]:
    """The cost of an event and of a look, and where in a look it lies towards the end of the run."""
    records, drive = material.records, Drive(material.snapshot)
    turn = int(len(records) * LAST_PART)
    say(f"monitor: {len(records):,} events")
    seconds = cpu_seconds(lambda: drive.take(records[:turn]))
    copied = deepcopy(drive)
    seconds += cpu_seconds(lambda: drive.take(records[turn:]))
    looks = drive.counts["Looked"]
    yield an_event("an event", seconds, len(records), goal=25)
    yield Figure(what="a look", value=seconds * MICRO / looks, unit=A_LOOK)
    yield Figure(what="looks an event", value=looks / len(records), unit="")
    yield Figure(what="looks a tick", value=looks / drive.counts["ticks"], unit="")
    yield from _breakdown(copied, records[turn:])


def _breakdown(drive: Drive, records: Sequence[JournalRecord]) -> Iterator[Figure]:
    say("monitor: where the time goes")
    looks = drive.counts["Looked"]
    wall = 0.0

    def take() -> None:
        nonlocal wall
        began = time.perf_counter()
        drive.take(records)
        wall = time.perf_counter() - began

    with _watched() as spent:
        seconds = cpu_seconds(take)
    looks = max(1, drive.counts["Looked"] - looks)
    yield Figure(what="visits a look", value=spent.calls["encode state"] / looks, unit="")
    parts = {part: took / wall * seconds for part, took in spent.seconds.items()}
    parts["all else"] = seconds - sum(parts.values())
    for part, took in parts.items():
        yield Figure(what=f"  {part}", value=took * MICRO / looks, unit=A_LOOK)


class _Spent(NamedTuple):
    """By part: seconds by the wall clock, which costs least to read, and calls."""

    seconds: dict[str, float]
    calls: Counter[str]


@contextmanager
def _watched() -> Iterator[_Spent]:
    """Measures the PARTS."""
    spent = _Spent(dict.fromkeys(PARTS, 0.0), Counter())
    with ExitStack() as stack:
        for part, names in PARTS.items():
            for module, function in names:
                stack.enter_context(_timed(import_module(f"streamproc.{module}"), function, part, spent))
        yield spent


@contextmanager
def _timed(module: ModuleType, name: str, part: str, spent: _Spent) -> Iterator[None]:
    function = getattr(module, name)

    def timed(*given: Any) -> Any:
        began = time.perf_counter()
        try:
            return function(*given)
        finally:
            spent.seconds[part] += time.perf_counter() - began
            spent.calls[part] += 1

    setattr(module, name, timed)
    try:
        yield
    finally:
        setattr(module, name, function)
