"""Monitor partitions, desk and trainer as one function of the journal's records.

Live, what desk, trainer and aliases answer goes back to the journal; in a replay it is read from there.
"""

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, NamedTuple

import msgspec

from streamproc.adapters.embedded.models import PINNED_REASON
from streamproc.core.alerts import Alert
from streamproc.core.control import ClockMode, Forget, JournalRecord, ModelSnapshot, Setup, Tick
from streamproc.core.ids import partition_of
from streamproc.core.time import DAY, day_of
from streamproc.desk.desk import Desk, end_of_tick
from streamproc.desk.forgetting import let_go
from streamproc.desk.warning import Entry
from streamproc.monitor.effects import Effect, PartitionSummary, ToJournal
from streamproc.monitor.partition import Partition
from streamproc.monitor.totals import merged
from streamproc.scoring.examples import Example, Sighting
from streamproc.scoring.snapshot import Snapshot

if TYPE_CHECKING:  # importing river takes seconds, and whoever only reads a journal needs no trainer
    from streamproc.trainer.state import Config
    from streamproc.trainer.trainer import Refused, Trainer


def trainer_config(setup: Setup) -> "Config":
    """What the trainer must know of a journal's set-up."""
    from streamproc.trainer.state import config_of  # noqa: PLC0415 - as above

    return config_of(setup)


class Step(NamedTuple):
    """What one record brought about: effects, lines of the feed, records for the journal, refused snapshots, alerts."""

    effects: list[Effect]
    entries: list[Entry]
    records: list[JournalRecord]
    refused: "Refused | None" = None
    alerts: Sequence[Alert] = ()


class Pipeline:
    """The processors behind the journal. `answers` False: a replay, in which nothing is written back.

    While `pinned`, the trainer goes on learning, and what it makes is refused.
    """

    def __init__(
        self, partitions: list[Partition], desk: Desk, trainer: "Trainer | None", *, answers: bool = True
    ) -> None:
        self.partitions = partitions
        self.desk = desk
        self.trainer = trainer
        self.pinned = False
        self._answers = answers

    def partition_for(self, customer_id: str) -> Partition:
        """The partition that holds the customer."""
        if len(self.partitions) == 1:
            return self.partitions[0]
        return self.partitions[partition_of(customer_id, len(self.partitions))]

    def next_work(self) -> int | None:
        """The earliest instant (µs) that any partition, or the desk, waits for."""
        times = (*(p.next_work() for p in self.partitions), self.desk.next_due())
        return min((t for t in times if t is not None), default=None)

    def apply(self, record: JournalRecord) -> Step:
        """Takes the next record of the journal."""
        if isinstance(record, Tick):
            return self._tick(record)
        customer_id = getattr(record, "customer_id", None)
        if customer_id is not None:
            effects = self.partition_for(customer_id).apply(record)
            if isinstance(record, Forget):
                clock = self.partitions[0].meta.clock
                return Step(effects, [], [], None, let_go(self.desk, frozenset((customer_id,)), clock))
            return Step(effects, [], self._back(effects))
        for partition in self.partitions:
            partition.apply(record)
        if isinstance(record, ClockMode):
            self.desk.live = record.live
        return Step([], [], [])

    def _tick(self, tick: Tick) -> Step:
        effects = [effect for partition in self.partitions for effect in partition.apply(tick)]
        if len(self.partitions) > 1:
            effects.sort(key=lambda e: getattr(e, "customer_id", ""))
        summaries = [e for e in effects if isinstance(e, PartitionSummary)]
        base = merged([s.totals for s in summaries]) if summaries else None
        entries, dispositions, alerts = end_of_tick(self.desk, tick.at, effects, base)
        made, refused = self._train(tick.at, effects)
        records: list[JournalRecord] = [*self._back(effects), *dispositions, *made] if self._answers else []
        return Step(effects, entries, records, refused, alerts)

    def _back(self, effects: Iterable[Effect]) -> list[JournalRecord]:
        return [e.record for e in effects if isinstance(e, ToJournal)] if self._answers else []

    def _train(self, at: int, effects: list[Effect]) -> "tuple[list[ModelSnapshot], Refused | None]":
        if self.trainer is None:
            return [], None
        self.trainer.absorb(e for e in effects if isinstance(e, Example | Sighting))
        if at % DAY or day_of(at) % self.trainer.config.training_days:
            return [], None
        result = self.trainer.train(at)
        if isinstance(result, Snapshot):
            if self.pinned:
                return [], self._hold_back(result)
            return [ModelSnapshot(at=at, snapshot=msgspec.Raw(msgspec.json.encode(result)))], None
        return [], result

    @staticmethod
    def _hold_back(made: Snapshot) -> "Refused":
        from streamproc.trainer.trainer import Refused  # noqa: PLC0415 - as above

        return Refused(made.at, PINNED_REASON, made)


def next_training(at: int, training_days: int) -> int:
    """The first training midnight after `at` (µs)."""
    return (day_of(at) // training_days + 1) * training_days * DAY
