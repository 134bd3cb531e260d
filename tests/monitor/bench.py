"""A monitor on the bench: partitions over memory, driven by records, their answers written back as a runtime does."""

from collections import Counter
from collections.abc import Iterable
from typing import TypeVar

import msgspec
from msgspec.structs import replace

from streamproc.adapters.embedded.clock import settle
from streamproc.adapters.embedded.pipeline import Pipeline
from streamproc.core.control import ClockMode, JournalRecord, ModelSnapshot, PolicyChange, Setup, Tick
from streamproc.core.dealing import Dealing
from streamproc.core.events import CustomerEvent, FirmFact
from streamproc.core.policy import Policy
from streamproc.core.satisfaction import content_of
from streamproc.core.time import DAY, HOUR, ceil_to, first_tick_after
from streamproc.desk.desk import Desk
from streamproc.desk.warning import Entry, Money
from streamproc.monitor import totals
from streamproc.monitor.effects import Effect, Totals
from streamproc.monitor.memory import MemoryStates
from streamproc.monitor.partition import Partition
from streamproc.monitor.state import CustomerState, decode_state
from streamproc.scoring.snapshot import Snapshot, Trained, default_snapshot, sealed

E = TypeVar("E")

TRUSTED = sealed(msgspec.structs.replace(default_snapshot(), trained_on=Trained(customers=1_000)))
"""The parametric prior, said to rest on enough customers."""


class Bench:
    """One journal and the monitor behind it. Every look carries its figures, unless not `observed`."""

    def __init__(
        self,
        *,
        setup: Setup | None = None,
        policy: Policy | None = None,
        partitions: int = 1,
        snapshot: Snapshot | None = TRUSTED,
        observed: bool = True,
    ) -> None:
        self.stale_since = 1
        self.states = [MemoryStates() for _ in range(partitions)]
        parts = [Partition(n, states, observed=observed) for n, states in enumerate(self.states)]
        self.pipeline = Pipeline(parts, Desk(Money("EUR")), None)
        self.journal: list[JournalRecord] = []
        self.effects: list[Effect] = []
        self.entries: list[Entry] = []
        self.now = 0
        self.write(setup or Setup(at=0))
        if policy is not None:
            self.write(PolicyChange(at=0, policy=policy))
        if snapshot is not None:
            self.write(ModelSnapshot(at=0, snapshot=msgspec.Raw(msgspec.json.encode(snapshot))))

    # ---------------------------------------------------------------------------------------- driving

    def write(self, record: JournalRecord) -> list[Effect]:
        """Applies a record and what is answered to it; the effects."""
        made: list[Effect] = []
        for done, step in settle(self.pipeline, record):
            self.journal.append(done)
            made += step.effects
            self.entries += step.entries
        self.effects += made
        return made

    def give(self, *records: JournalRecord) -> list[Effect]:
        """Applies records without moving time."""
        return [effect for record in records for effect in self.write(record)]

    def tick(self, at: int, *, stale: tuple[str, ...] = (), grades: tuple[int, int, int] | None = None) -> list[Effect]:
        """Moves time to `at` at once."""
        self.now = at
        since = self.stale_since if stale else 0
        return self.write(Tick(at=at, stale=stale, stale_since=since, grades=grades))

    def read(self, events: Iterable[CustomerEvent | FirmFact], *, stale: tuple[str, ...] = ()) -> None:
        """Takes events as a runtime does in event mode: time moves as far as the latest of them says."""
        for event in events:
            self.now = self.now or event.at // DAY * DAY
            self.run_to(event.at // HOUR * HOUR, stale=stale)
            self.write(event)

    def run_to(self, at: int, *, stale: tuple[str, ...] = ()) -> list[Effect]:
        """Moves time to `at`, with a tick at every midnight and at every hour with work; the effects."""
        made: list[Effect] = []
        if not self.now:
            self.now = (self.pipeline.next_work() or at) // DAY * DAY
        while (tick := self._next_tick()) <= at:
            made += self.tick(tick, stale=stale, grades=self.pipeline.desk.news())
        return made

    def _next_tick(self) -> int:
        work = self.pipeline.next_work()
        midnight = (self.now // DAY + 1) * DAY
        return midnight if work is None else min(midnight, max(ceil_to(work, HOUR), first_tick_after(self.now, HOUR)))

    def go_live(self) -> None:
        """From now on warnings are for people."""
        self.write(ClockMode(at=0, mode="event", live=True))

    # ---------------------------------------------------------------------------------------- asking

    def all(self, kind: type[E], customer_id: str | None = None) -> list[E]:
        """The effects of a kind so far, of one customer or of all."""
        found = [e for e in self.effects if isinstance(e, kind)]
        return [e for e in found if customer_id is None or getattr(e, "customer_id", None) == customer_id]

    def state(self, customer_id: str = "c") -> CustomerState:
        """A customer's state. Raises KeyError for an id never put."""
        return decode_state(self.pipeline.partition_for(customer_id)._states.get(customer_id) or b"")

    def bodies(self) -> dict[str, bytes]:
        """All encoded states."""
        return {c: body for states in self.states for c, body in states.bodies.items()}

    def assert_totals(self) -> None:
        """The totals are those of a recount from all states, but for what only ever grows."""
        for states, partition in zip(self.states, self.pipeline.partitions, strict=True):
            grown: dict[str, dict[str, int]] = {
                name: {} for name in ("seen", "lost", "losses", "silent_losses", "arms")
            }
            today = replace(partition.meta.totals, dealing=Dealing(), **grown)
            assert today == recounted(states.bodies.values())


def recounted(bodies: Iterable[bytes]) -> Totals:
    """Totals made anew from encoded states."""
    made = totals.new_totals()
    stages: Counter[str] = Counter()
    grades: Counter[str] = Counter()
    segments: Counter[int] = Counter()
    for body in bodies:
        decisions = decode_state(body).decisions
        if decisions.looked_at:
            stages[decisions.stage.code] += 1
        counted = decisions.counted
        if counted is None:
            continue
        made.contribution.add(counted.contribution)
        made.revenue.add(counted.revenue)
        made.equity += counted.lifetime_value
        made.at_risk += counted.at_risk
        made.open_warnings += decisions.told_warning() is not None
        made.first_days += counted.first_day
        made.breadth += counted.breadth
        made.broad += counted.breadth > 0
        made.unhappy += decisions.is_unhappy()
        totals.add_service(made, counted.service, 1)
        if counted.graded:
            sums = content_of(counted.service)
            known = made.content.setdefault(counted.grade, [0] * len(sums))
            made.content[counted.grade] = [a + b for a, b in zip(known, sums, strict=True)]
        grades[counted.grade] += 1
        segments[counted.segment] += 1
    grades.pop("", None)
    made.stages, made.grades = dict(stages), dict(grades)
    made.segments = {totals.SEGMENTS[number - 1].value: n for number, n in segments.items() if number}
    return made
