"""The simulated shop that the benchmarks run on: its feed, its journal records, a model fitted on its first part."""

from functools import cached_property
from pathlib import Path

import msgspec

from streamproc.adapters.embedded.clock import Clock, Progress, settle
from streamproc.adapters.embedded.pipeline import Pipeline, trainer_config
from streamproc.core.control import JournalRecord, ModelSnapshot, Setup
from streamproc.core.events import CustomerEvent, FirmFact
from streamproc.core.time import DAY
from streamproc.desk.desk import Desk
from streamproc.desk.warning import Money
from streamproc.intake.intake import Intake
from streamproc.intake.rates import Rates
from streamproc.intake.refusal import Position
from streamproc.monitor.memory import MemoryStates
from streamproc.monitor.partition import Partition
from streamproc.scoring.snapshot import Snapshot, default_snapshot
from streamproc.simulate import Shop, SimEvent, simulate
from streamproc.trainer.trainer import Trainer
from streamproc.wire import journal
from tests.bench.harness import say
from tests.monitor.shops import Delivery

DAYS = 730
EVENTS_A_CUSTOMER = 14
"""About as many as a customer of the simulator has in these days."""

FITTED_DAYS = 150
"""Days of the first part: long enough for labels at the default horizon to be known."""

SETUP = Setup(at=0)
MONEY = Money(SETUP.currency)


class Material:
    """What the benchmarks of one run share, made when first asked for. `folder` is theirs to fill."""

    def __init__(self, events: int, folder: Path, real: Path | None = None, horizon: int = 90) -> None:
        self.size = events
        self.folder = folder
        self.real = real
        self.horizon = horizon
        self.shop = Shop(customers=max(1, events // EVENTS_A_CUSTOMER), days=DAYS)

    @cached_property
    def feed(self) -> list[SimEvent]:
        """The shop's feed in order of time."""
        say(f"simulating {self.shop.customers:,} customers over {DAYS} days")
        return list(simulate(self.shop))

    @cached_property
    def items(self) -> list[Delivery]:
        """What a source delivers of the feed."""
        intake = Intake(Rates(self.shop.currency))
        made = []
        for row, event in enumerate(self.feed, 1):
            position = Position(f"{event.stream}.jsonl", row)
            outcome = intake.take(event.line, position, self.shop.ends)
            assert isinstance(outcome, CustomerEvent | FirmFact), outcome  # the shop is clean
            made.append(Delivery(outcome, event.line, position))
        return made

    @cached_property
    def records(self) -> list[JournalRecord]:
        """The feed as journal records."""
        return [item.outcome for item in self.items if isinstance(item.outcome, CustomerEvent)]

    @cached_property
    def lines(self) -> list[bytes]:
        """The journal records as JSON."""
        return [journal.encode(record) for record in self.records]

    @cached_property
    def snapshot(self) -> Snapshot:
        """The model after the first part, as the production trainer makes it."""
        say(f"fitting a model on the first {FITTED_DAYS} days")
        return fitted(self.records, self.shop.opens + FITTED_DAYS * DAY)


def fitted(records: list[JournalRecord], until: int) -> Snapshot:
    """The last snapshot let out by `until` (µs) in a run over memory; the default one where there was none."""
    made = [default_snapshot()]
    pipeline = Pipeline([Partition(0, MemoryStates())], Desk(MONEY), Trainer(trainer_config(SETUP)))

    def write(record: JournalRecord) -> None:
        for done, _ in settle(pipeline, record):
            if isinstance(done, ModelSnapshot):
                made.append(msgspec.json.decode(done.snapshot, type=Snapshot))

    clock = Clock(Progress(), pipeline, write)
    for record in records:
        if record.at >= until:
            break
        if isinstance(record, CustomerEvent):
            clock.read(record)
        write(record)
    return made[-1]
