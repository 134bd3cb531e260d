"""The production monitor and trainer, run once through recorded events in event time, and asked for risks on the way.

The rule kept here: asking changes nothing. A cut reads states after the tick at its instant, under the snapshot that
was in force before that tick; the records and the feed are those of a run without cuts (one that ends where the last
event or the last cut does). So a file that ends at a cut gives the same risks at that cut.
"""

from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

from streamproc.adapters.embedded.clock import REPLAY_GRID, Clock, Progress, settle
from streamproc.adapters.embedded.pipeline import Pipeline, Step, trainer_config
from streamproc.adapters.embedded.runner import FAILURES_A_BATCH, Arrival, TooManyFailuresError
from streamproc.core.control import JournalRecord, PolicyChange, Setup
from streamproc.core.facts import Facts
from streamproc.core.policy import Policy
from streamproc.core.time import DAY, day_of, first_tick_after, to_text, today_of
from streamproc.desk.desk import Desk
from streamproc.desk.warning import Money
from streamproc.intake.refusal import Refusal
from streamproc.monitor.effects import DeadLettered
from streamproc.monitor.figures import buyer_of
from streamproc.monitor.memory import MemoryStates
from streamproc.monitor.partition import Partition
from streamproc.monitor.state import CustomerState, decode_state
from streamproc.scoring.features import features
from streamproc.scoring.rows import rows_of
from streamproc.scoring.score import probability, score
from streamproc.scoring.snapshot import Snapshot
from streamproc.trainer.trainer import Trainer

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

SCORED_AT_ONCE = 4_096


class BacktestError(Exception):
    """The cuts do not fit the events; the message says what to give instead."""


class Cut(msgspec.Struct, kw_only=True):
    """Everybody with a purchase before the instant `at` (µs), in order of their ids; one entry each.

    `risks` are P(no purchase in [at, at + H)), `recency` the days since the last purchase day as a look at `at` counts
    them. Of a labelled run also each one's purchase days, ascending, and in `left`, once it is known, who bought
    nothing within the horizon (1). Of who bought on more days than a state keeps, days between the first and those
    kept are made up: their number is right.
    """

    at: int
    model: str
    speaks: str
    customers: list[str]
    risks: Floats
    recency: Ints
    purchase_days: list[list[int]] = []
    left: Ints | None = None


class Counts(NamedTuple):
    """How the events were taken: new ones, repeats, and those refused or failed by reason."""

    events: int
    repeats: int
    refused: dict[str, int]


class Backtest:
    """One run over memory. `watch` is shown each record that the journal would hold, with what it brought about."""

    def __init__(
        self,
        setup: Setup,
        cuts: Iterable[int],
        *,
        digits: int = 2,
        labelled: bool = False,
        watch: Callable[[JournalRecord, Step], None] | None = None,
    ) -> None:
        """Raises BacktestError where there is no cut, or one lies off the grid of ticks."""
        self._cuts = _checked(cuts)
        self._horizon = setup.horizon_days
        self._watch = watch
        self._states = MemoryStates()
        self._partition = Partition(0, self._states)
        desk, trainer = Desk(Money(setup.currency, digits)), Trainer(trainer_config(setup))
        self._pipeline = Pipeline([self._partition], desk, trainer)
        self.progress = Progress()
        self._clock = Clock(self.progress, self._pipeline, self._write)
        self._visits = sorted({*self._cuts, *(cut + self._horizon * DAY for cut in self._cuts if labelled)})
        self._unlabelled: list[Cut] = []
        self._labelled = labelled
        self._known: set[str] = set()
        self._repeats = 0
        self._refused: Counter[str] = Counter()
        self._failures = 0
        self._write(setup)
        self._write(PolicyChange(at=0, policy=Policy()))

    @property
    def counts(self) -> Counts:
        """How the events were taken so far."""
        return Counts(len(self._known), self._repeats, dict(self._refused))

    @property
    def until(self) -> int:
        """The last cut (µs)."""
        return self._cuts[-1]

    def run(self, arrivals: Iterable[Arrival]) -> Iterator[Cut]:
        """Takes all arrivals and moves time to the last cut; yields each cut as it is passed.

        With `labelled`, a cut whose horizon ends with the data or before gets its `left` while the run goes on. Raises
        BacktestError if a cut does not lie after the first event, TooManyFailuresError if the core keeps failing.
        """
        for arrival in arrivals:
            outcome = arrival.outcome
            if isinstance(outcome, Refusal):
                self._refused[outcome.reason] += 1
            elif outcome.event_id in self._known:
                self._repeats += 1
            else:
                self._known.add(outcome.event_id)
                if not self.progress.read:
                    self._begin(outcome.at)
                self._clock.see(outcome)
                if self._visits and outcome.at >= self._visits[0]:
                    yield from self._visit(outcome.at)
                self._clock.read(outcome)
                self._write(outcome)
        yield from self._end()

    def _begin(self, at: int) -> None:
        if self._cuts[0] <= at:
            raise BacktestError(
                f"the cut {to_text(self._cuts[0])} does not lie after the first event, {to_text(at)}: "
                "nobody had bought anything by then; leave it out"
            )

    def _end(self) -> Iterator[Cut]:
        if not self.progress.read:
            raise BacktestError("there is no event to learn from: every record was refused, or the files are empty")
        over = (day_of(self.progress.read) + 1) * DAY  # the data says what happened up to the end of its last day
        visits, self._visits = self._visits, []
        if first_tick_after(self.progress.read, REPLAY_GRID) not in self._cuts:  # else the cut writes that tick itself
            self._clock.end_of_data()
        for at in visits:
            if at in self._cuts:
                yield self._cut(at)
            if at <= over:
                self._label(at)

    # ------------------------------------------------------------------------------------------- cuts

    def _visit(self, upto: int) -> Iterator[Cut]:
        """The instants up to `upto` at which states are read."""
        while self._visits and self._visits[0] <= upto:
            at = self._visits.pop(0)
            if at in self._cuts:
                yield self._cut(at)
            else:
                self._clock.advance_to(at)
            self._label(at)

    def _cut(self, at: int) -> Cut:
        self._clock.advance_to(at - REPLAY_GRID)
        snapshot = self._partition.meta.snapshot  # one made by the tick at the cut comes too late for it
        self._clock.advance_to(at)
        cut = scored(self._states.bodies, at, snapshot, self._horizon)
        if self._labelled:
            cut.purchase_days = [_purchase_days(self._state(customer_id).facts) for customer_id in cut.customers]
            self._unlabelled.append(cut)
        return cut

    def _label(self, at: int) -> None:
        """Fills in who had left, where a cut's horizon ends at `at`."""
        for cut in [cut for cut in self._unlabelled if cut.at + self._horizon * DAY == at]:
            self._unlabelled.remove(cut)
            cut.left = np.array([not self._bought_since(c, cut.at) for c in cut.customers], dtype=np.int64)

    def _bought_since(self, customer_id: str, at: int) -> bool:
        state = self._state(customer_id)
        while state.forward_to is not None:  # an alias by now
            state = self._state(state.forward_to)
        last = state.facts.last_purchase()
        return last is not None and last >= at

    def _state(self, customer_id: str) -> CustomerState:
        return decode_state(self._states.bodies[customer_id])

    # ---------------------------------------------------------------------------------------- records

    def _write(self, record: JournalRecord) -> None:
        for done, step in settle(self._pipeline, record):
            for effect in step.effects:
                if isinstance(effect, DeadLettered):
                    self._failed(effect)
            if self._watch is not None:
                self._watch(done, step)

    def _failed(self, effect: DeadLettered) -> None:
        self._refused[effect.reason] += 1
        self._failures += effect.reason != "too_old"
        if self._failures > FAILURES_A_BATCH:
            raise TooManyFailuresError(
                f"{self._failures} records failed inside the core, so the risks would not be the model's. "
                f"The last failure:\n{effect.trace}"
            )


def _checked(cuts: Iterable[int]) -> list[int]:
    found = sorted(set(cuts))
    if not found:
        raise BacktestError("there is no cut: give instants after the first event, such as 2011-06-01T00:00:00Z")
    off = [to_text(cut) for cut in found if cut % REPLAY_GRID]
    if off:
        raise BacktestError(f"a cut stands at a full hour UTC; these do not: {', '.join(off[:5])}")
    return found


def scored(bodies: dict[str, bytes], at: int, snapshot: Snapshot, horizon: int) -> Cut:
    """The risks at `at` of every customer who has bought, from their encoded states (only read). `horizon` in days.

    Every event before `at` must have been applied, and none after it.
    """
    cut = Cut(
        at=at, model=snapshot.id, speaks=snapshot.speaks, customers=[], risks=np.zeros(0), recency=np.zeros(0, np.int64)
    )
    batch: list[tuple[str, Facts]] = []
    for customer_id in sorted(bodies):
        state = decode_state(bodies[customer_id])
        if state.facts.n_days and state.forward_to is None:
            batch.append((customer_id, state.facts))
        if len(batch) == SCORED_AT_ONCE:
            _add(cut, batch, snapshot, horizon)
            batch.clear()
    if batch:
        _add(cut, batch, snapshot, horizon)
    return cut


def _add(cut: Cut, buyers: list[tuple[str, Facts]], snapshot: Snapshot, horizon: int) -> None:
    today = today_of(cut.at)
    x = features(rows_of([buyer_of(facts, horizon, today) for _, facts in buyers]), snapshot)
    cut.customers += [customer_id for customer_id, _ in buyers]
    cut.risks = np.append(cut.risks, probability(score(x, snapshot).log_odds_micro))
    cut.recency = np.append(cut.recency, x.recency)


def _purchase_days(facts: Facts) -> list[int]:
    kept = [day for day, orders in zip(facts.recent.day, facts.recent.count, strict=True) if orders]
    forgotten = facts.n_days - len(kept)
    return [*range(facts.first_day, facts.first_day + forgotten), *kept]
