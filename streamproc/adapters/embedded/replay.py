"""The journal read again: the whole of it or a part, under the policy it had or another.

Nothing is written: states are kept in memory, and what desk, trainer and aliases answered comes from the journal.
"""

import sqlite3
from collections.abc import Generator, Iterable, Iterator, Sequence
from typing import NamedTuple

from streamproc.adapters.embedded.journal import Numbered, check_core, read
from streamproc.adapters.embedded.pipeline import Pipeline, Step
from streamproc.adapters.embedded.schema import StoreError
from streamproc.core.control import ClockMode, Disposition, JournalRecord, PolicyChange, Setup, Tick
from streamproc.core.policy import Policy
from streamproc.desk.desk import Desk
from streamproc.desk.warning import Entry, Money
from streamproc.monitor.effects import Effect
from streamproc.monitor.memory import MemoryStates
from streamproc.monitor.partition import Partition


class Replayed(NamedTuple):
    """One record of the journal and what it brought about."""

    numbered: Numbered
    effects: list[Effect]
    entries: list[Entry]


class Replay:
    """A pipeline over memory, fed from a journal.

    `policy` takes the place of every policy in it; `observed` looks carry their figures.
    """

    def __init__(
        self, money: Money, *, partitions: int = 1, policy: Policy | None = None, observed: bool = False
    ) -> None:
        self.states = [MemoryStates() for _ in range(partitions)]
        parts = [Partition(n, states, observed=observed) for n, states in enumerate(self.states)]
        self.pipeline = Pipeline(parts, Desk(money), None, answers=policy is not None)
        self._policy = policy
        if policy is not None:
            for part in parts:
                part.meta.policy = policy

    def run(self, records: Iterable[Numbered]) -> Iterator[Replayed]:
        """Applies the records in turn. Raises StoreError where newer rules than ours would apply them."""
        for numbered in records:
            if self._counts(numbered.record):
                step = self._apply(numbered.record)
                yield Replayed(numbered, step.effects, step.entries)

    def run_parts(self, journals: Sequence[Iterator[Numbered]]) -> Iterator[Replayed]:
        """Applies a journal that lies in partitions, one iterator each: every partition up to a tick, then the tick.

        It ends at the last tick that all of them have. Raises StoreError as above, and where the ticks differ.
        """
        while True:
            found = []
            for partition, records in zip(self.pipeline.partitions, journals, strict=True):
                found.append((yield from self._up_to_tick(partition, records)))
            ticks = [numbered for numbered in found if numbered is not None]
            if len(ticks) < len(found):
                return
            if any(numbered.record != ticks[0].record for numbered in ticks):
                told = ", ".join(str(numbered.record.at) for numbered in ticks)
                raise StoreError(f"the journal's partitions go on with different ticks ({told}): is one of them cut?")
            step = self._apply(ticks[0].record)
            yield Replayed(ticks[0], step.effects, step.entries)

    def _up_to_tick(
        self, partition: Partition, records: Iterator[Numbered]
    ) -> Generator[Replayed, None, Numbered | None]:
        """Applies one partition's records before its next tick; gives that, None where there is none."""
        for numbered in records:
            record = numbered.record
            if isinstance(record, Tick):
                return numbered
            if isinstance(record, ClockMode):  # of every partition alike, and at the same place among the ticks
                self.pipeline.desk.live = record.live
            if self._counts(record):
                yield Replayed(numbered, partition.apply(record), [])
        return None

    def _apply(self, record: JournalRecord) -> Step:
        """Another policy's warnings are told of as its own desk says; all other answers are in the journal."""
        step = self.pipeline.apply(record)
        for answer in step.records:
            if isinstance(answer, Disposition):
                self.pipeline.apply(answer)
        return step

    def _counts(self, record: JournalRecord) -> bool:
        """Whether the record is to be applied: another policy's warnings have no dispositions in this journal."""
        check_core(record)
        return self._policy is None or not isinstance(record, PolicyChange | Disposition)


def setup_of(db: sqlite3.Connection) -> Setup | None:
    """The journal's set-up, None for an empty journal."""
    first = next(iter(read(db, 0, 1)), None)
    return first.record if first is not None and isinstance(first.record, Setup) else None
