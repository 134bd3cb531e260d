"""The oracle: the pure core run over a journal's partitions in one quiet process."""

from collections import defaultdict
from collections.abc import Sequence
from typing import NamedTuple

import msgspec

from streamproc.core.alerts import Alert
from streamproc.core.control import ClockMode, JournalRecord, Tick
from streamproc.core.time import DAY, day_of
from streamproc.desk.desk import Desk, end_of_tick
from streamproc.desk.warning import Entry, Money
from streamproc.monitor.effects import Effect, PartitionSummary
from streamproc.monitor.memory import MemoryStates
from streamproc.monitor.partition import Partition
from streamproc.monitor.totals import merged
from streamproc.scoring.examples import Example, Sighting
from streamproc.scoring.snapshot import Snapshot
from streamproc.trainer.state import Config
from streamproc.trainer.trainer import Trainer


class Quiet(NamedTuple):
    """What a journal comes to."""

    states: list[dict[str, bytes]]
    effects: list[list[Effect]]
    lines: list[Entry]
    snapshots: list[bytes]
    alerts: list[Alert]


def quiet(journals: Sequence[Sequence[JournalRecord]], currency: str, config: Config) -> Quiet:
    """Each partition by itself; desk and trainer tick by tick, on what all partitions found."""
    states, effects = [], []
    by_tick: dict[int, list[Effect]] = defaultdict(list)
    for number, records in enumerate(journals):
        held = MemoryStates()
        partition, found = Partition(number, held), list[Effect]()
        for record in records:
            made = partition.apply(record)
            found += made
            if isinstance(record, Tick):
                by_tick[record.at] += made
        states.append(held.bodies)
        effects.append(found)
    modes = [r for r in journals[0] if isinstance(r, ClockMode)]
    lines, snapshots, alerts = [], [], list[Alert]()
    desk, trainer = Desk(Money(currency)), Trainer(config)
    for at in sorted(by_tick):
        desk.live = any(mode.live and mode.at < at for mode in modes)
        some = sorted(by_tick[at], key=lambda e: str(getattr(e, "customer_id", "")))
        totals = [e.totals for e in some if isinstance(e, PartitionSummary)]
        answer = end_of_tick(desk, at, some, merged(totals) if totals else None)
        lines += answer.entries
        alerts += answer.alerts
        trainer.absorb(e for e in some if isinstance(e, Example | Sighting))
        if at % DAY == 0 and day_of(at) % config.training_days == 0:
            made_now = trainer.train(at)
            if isinstance(made_now, Snapshot):
                snapshots.append(msgspec.json.encode(made_now))
    return Quiet(states, effects, lines, snapshots, alerts)
