"""One journal partition's monitor: `apply(record)` in journal order, effects out.

No clock, no random, no I/O: time, models, policy and dispositions come as records, customer states through `States`.
So the same records give the same states and effects, in whatever batches they come.
"""

from collections.abc import Iterable
from heapq import heapify, heappop, heappush
from typing import Protocol

import msgspec

from streamproc.core import facts as core_facts
from streamproc.core.causes import Cause
from streamproc.core.control import (
    ClockMode,
    Disposition,
    Forget,
    Handover,
    JournalRecord,
    ModelSnapshot,
    PlaybookChange,
    PolicyChange,
    Setup,
    Tick,
)
from streamproc.core.dealing import count_sales, homes_of
from streamproc.core.events import Complaint, Contact, CustomerEvent, CustomerFact, DeskStep, FirmFact, Purchase
from streamproc.core.firm import Firm, note
from streamproc.core.ids import mark_of
from streamproc.core.lifecycle import spend_trend
from streamproc.core.policy import Policy
from streamproc.core.satisfaction import service_sums
from streamproc.core.time import DAY, HOUR, day_of, today_of
from streamproc.core.turns import Turns, whole
from streamproc.monitor import decide, labels, totals
from streamproc.monitor.blame import count_loss, likely_causes, uncount_loss
from streamproc.monitor.complaining import heard, kept_of, knows, step_of
from streamproc.monitor.concern import end_concern
from streamproc.monitor.decide import Context
from streamproc.monitor.effects import (
    ComplaintStep,
    DeadLettered,
    Effect,
    FirmTold,
    Forgotten,
    LateEvent,
    OfForgotten,
    PartitionSummary,
    Repeated,
    ToJournal,
    Totals,
)
from streamproc.monitor.figures import standing_of
from streamproc.monitor.look import (
    Look,
    Scene,
    Scored,
    Visit,
    failed,
    learn_from,
    look_at,
    score_those_possible,
    traced,
)
from streamproc.monitor.schedule import (
    LONGEST_STEP_DAYS,
    first_due,
    first_midnight_after,
    next_example_or_label,
    next_look,
)
from streamproc.monitor.state import (
    Counted,
    CustomerState,
    StateTooNewError,
    decode_facts,
    decode_state,
    encode_facts,
    encode_state,
    is_alias,
    new_state,
)
from streamproc.monitor.steps import muted_at, take_step
from streamproc.scoring.examples import customer_hash, example_step
from streamproc.scoring.snapshot import Snapshot, default_snapshot, is_finite, read_snapshot

A_TURN = 1_000
"""Customers who are visited in one turn of a tick."""

FORGOTTEN_KEPT = 10_000
"""How many who were forgotten are known by their marks; of those before them an old export brings them back."""

FOR_THE_DESK = frozenset({"holiday", "working_hours", "outage", "staff_left", "mute"})
"""The facts of the firm's that the desk goes by."""


class States(Protocol):
    """Where encoded states are kept, with the time (µs) each customer is due."""

    def get(self, customer_id: str) -> bytes | None:
        """The customer's state, None for one never put."""
        ...

    def put(self, customer_id: str, body: bytes, due: int | None) -> None:
        """Keeps a state; `due` None: nothing will happen by itself."""
        ...

    def drop(self, customer_id: str) -> None:
        """Keeps nothing of the customer."""
        ...

    def due(self, at: int) -> list[str]:
        """The customers due at or before `at`."""
        ...

    def next_due(self) -> int | None:
        """The earliest due time."""
        ...


class Meta(msgspec.Struct, kw_only=True):
    """What a partition remembers beside its customers.

    `firm`: the firm's own facts.
    `untold`: what the desk is told at the next tick, for it happened between two. `forgotten`: when (µs) somebody was,
    by mark, the latest FORGOTTEN_KEPT.
    """

    clock: int = 0
    setup: Setup
    mode: ClockMode
    policy: Policy
    snapshot: Snapshot
    grades: tuple[int, int, int] | None = None
    totals: Totals
    blind: list[labels.Blind] = []
    firm: Firm = msgspec.field(default_factory=Firm)
    untold: list[ComplaintStep | FirmTold] = []
    forgotten: dict[str, int] = {}


def new_meta() -> Meta:
    """A partition that has read nothing."""
    return Meta(
        setup=Setup(at=0),
        mode=ClockMode(at=0, mode="event"),
        policy=Policy(),
        snapshot=default_snapshot(),
        totals=totals.new_totals(),
    )


class Partition:
    """The monitor of one partition over its states."""

    def __init__(self, number: int, states: States, meta: Meta | None = None, *, observed: bool = False) -> None:
        """`observed`: every look carries its figures; else only warnings do. The decisions are the same."""
        self.number = number
        self._observed = observed
        self.meta = meta or new_meta()
        self._states = states
        self._homes = homes_of(self.meta.firm)
        self._waiting: dict[str, list[CustomerEvent]] = {}
        self._waiting_touched: set[str] = set()
        self._waiting_times: list[tuple[int, str]] = []  # a heap of every waiting event's time and customer

    def resume_waiting(self, events: Iterable[CustomerEvent]) -> None:
        """Puts back events that waited when the partition was last stopped."""
        for event in events:
            self._wait(event)
            self._waiting_touched.discard(event.customer_id)

    # ------------------------------------------------------------------------------------------ records

    def apply(self, record: JournalRecord) -> list[Effect]:
        """Takes the next record of the journal; what follows from it, in a fixed order."""
        match record:
            case Purchase() | Complaint() | Contact() | CustomerFact() | DeskStep():
                return self._take(record)
            case Tick():
                return whole(self.tick(record))
            case ModelSnapshot():
                self._put_in_force(record)
            case PolicyChange() | PlaybookChange() | FirmFact():
                self._heed(record)
            case ClockMode() | Setup():
                self._begin(record)
            case Disposition() | Handover():
                return self._take_answer(record)
            case Forget():
                return self._forget(record)
        return []

    def _take_answer(self, record: Disposition | Handover) -> list[Effect]:
        """What another processor, or another customer's partition, says of a customer."""
        if self.is_forgotten(record):
            return []  # it was on its way when they were forgotten
        if isinstance(record, Handover):
            return self._take_over(record)
        self._note_disposition(record)
        return []

    def _begin(self, record: ClockMode | Setup) -> None:
        """Takes in how the journal, or a stretch of it, begins."""
        if isinstance(record, Setup):
            self.meta.setup = record
        else:
            self.meta.mode = record

    def _heed(self, record: FirmFact | PolicyChange | PlaybookChange) -> None:
        """Takes in what holds for everybody; what reaches every partition, the first one tells the desk."""
        if isinstance(record, PolicyChange):
            self.meta.policy = record.policy
        elif isinstance(record, FirmFact):
            self._note_firm(record)
        if not self.number and (not isinstance(record, FirmFact) or record.kind in FOR_THE_DESK):
            self.meta.untold.append(FirmTold(record.at, record))

    def _put_in_force(self, record: ModelSnapshot) -> None:
        snapshot = read_snapshot(record.snapshot)
        if is_finite(snapshot):  # else the last good one stays
            self.meta.snapshot = snapshot

    def _note_firm(self, fact: FirmFact) -> None:
        """Rates are intake's: they are not kept."""
        note(self.meta.firm, fact)
        if fact.kind == "dealer_region":
            self._homes = homes_of(self.meta.firm)

    def next_work(self) -> int | None:
        """The earliest instant (µs) that something waits for: an event for the tick after it, a customer for theirs."""
        due = self._states.next_due()
        waiting = self._waiting_times[0][0] + 1 if self._waiting_times else None
        return min((t for t in (due, waiting) if t is not None), default=None)

    def waiting_changes(self) -> dict[str, list[CustomerEvent]]:
        """The events that wait, of each customer for whom that changed since the last call (none: they left)."""
        changes = {c: self._waiting.get(c, []) for c in sorted(self._waiting_touched)}
        self._waiting_touched.clear()
        return changes

    def state_of(self, customer_id: str) -> CustomerState | None:
        """A copy of a customer's state, None for an unknown id."""
        body = self._states.get(customer_id)
        return None if body is None else decode_state(body)

    def causes_of(self, customer_id: str) -> tuple[Cause, ...]:
        """The likely causes of a customer's leaving as of the clock, strongest first."""
        state = self._state(customer_id)
        return likely_causes(state.facts, self.meta.firm, self.meta.clock, self._horizon(state))

    # ------------------------------------------------------------------------------------------- events

    def is_forgotten(self, record: CustomerEvent | Disposition | Handover) -> bool:
        """Whether the record is from before its customer was forgotten."""
        forgotten = self.meta.forgotten
        return bool(forgotten) and record.at < forgotten.get(mark_of(record.customer_id), 0)

    def _forget(self, record: Forget) -> list[Effect]:
        forgotten, customer_id = self.meta.forgotten, record.customer_id
        forgotten[record.who] = record.at
        for who in list(forgotten)[:-FORGOTTEN_KEPT]:
            del forgotten[who]
        if customer_id is None:
            return []
        self._leave(customer_id)
        self._states.drop(customer_id)
        self.meta.untold = [e for e in self.meta.untold if _customer_of(e) != customer_id]
        return [Forgotten(customer_id=customer_id, at=record.at)]

    def _take(self, event: CustomerEvent) -> list[Effect]:
        if self.is_forgotten(event):
            return [OfForgotten(event.at)]
        body = self._states.get(event.customer_id)
        if body is not None and is_alias(body):  # goes on at once: to wait here would make it late there
            return self._apply_event(decode_state(body), event)
        if event.at >= self.meta.clock or isinstance(event, DeskStep):  # people act on what they saw: never too late
            self._wait(event)
            return []
        return self._take_late(new_state() if body is None else decode_state(body), event)

    def _wait(self, event: CustomerEvent) -> None:
        self._waiting.setdefault(event.customer_id, []).append(event)
        self._waiting_touched.add(event.customer_id)
        heappush(self._waiting_times, (event.at, event.customer_id))

    def _take_late(self, state: CustomerState, event: CustomerEvent) -> list[Effect]:
        """An event whose tick has passed corrects the facts at once; the customer is due at the next tick."""
        too_late = event.at < self.meta.clock - self.meta.setup.lateness
        effects: list[Effect] = [LateEvent(event.customer_id, event.at, too_late)]
        last, days = state.facts.last_purchase(), labels.live_days(state.facts)
        try:
            made = self._apply_event(state, event, late=True, in_time=not too_late)
        except Exception as error:  # noqa: BLE001 - a bug in the core is this record's dead letter, not our end
            return [*effects, _apply_failed(event, error)]
        self.meta.untold += [e for e in made if isinstance(e, ComplaintStep)]
        effects += [e for e in made if not isinstance(e, ComplaintStep)]
        if state.forward_to is not None:
            return effects + self._retire(event.customer_id, state)
        if too_late:
            labels.ignore_too_late(state.decisions, days, labels.live_days(state.facts))
        self._put_for_next_tick(event.customer_id, state, last)
        return effects

    def _apply_event(
        self, state: CustomerState, event: CustomerEvent, *, late: bool = False, in_time: bool = True
    ) -> list[Effect]:
        if state.forward_to is not None:
            return [ToJournal(_forwarded(event, state.forward_to))]
        if isinstance(event, CustomerFact) and event.alias_of is not None:
            return self._become_alias(state, event, event.alias_of)
        if isinstance(event, DeskStep):
            told = event.complaint_id is None or knows(state.facts, event.complaint_id)
            step = take_step(state.decisions, event, self.meta.clock) if told else None
            return [_no_such_warning(event) if step is None else step]
        known = isinstance(event, Complaint) and knows(state.facts, event.complaint_id)
        before = kept_of(state.facts, event.complaint_id) if isinstance(event, Complaint) else None
        news = core_facts.take(state.facts, event)
        if news == "too_old":
            return [DeadLettered(reason="too_old", customer_id=event.customer_id, at=event.at, event=event)]
        made: list[Effect] = [Repeated(event.customer_id)] if news == "repeat" else []
        if isinstance(event, Complaint):
            counted = state.decisions.counted
            made.append(heard(state.facts, event, before))
            made.append(step_of(state.facts, event, counted.grade if counted else None, first=not known))
        elif in_time and isinstance(event, Purchase) and not (event.returned or event.cancelled):
            labels.count_in_time(state.decisions, day_of(event.at))
        if late and news == "taken":
            self._count_late(event, in_time=in_time)
        return made

    def _count_late(self, event: CustomerEvent, *, in_time: bool) -> None:
        """Sales count in the month they were made in; an old file that is read says nothing of what a day brings."""
        count_sales(self.meta.totals.dealing, self._homes, (event,))
        if in_time:
            totals.count_seen(self.meta.totals, (event,))

    # ------------------------------------------------------------------------------------------ aliases

    def _become_alias(self, state: CustomerState, event: CustomerFact, of: str) -> list[Effect]:
        """The id hands its facts over and forwards what still comes; its open warning is withdrawn."""
        customer_id = event.customer_id
        if of == customer_id:
            return [DeadLettered(reason="alias_of_itself", customer_id=customer_id, at=event.at, event=event)]
        core_facts.take(state.facts, event)  # it may say more than that it is an alias
        at = self.meta.clock
        effects: list[Effect] = list(decide.withdraw(customer_id, state.decisions, at, "alias"))
        effects += end_concern(customer_id, state.decisions, at, "withdrawn", "alias")
        facts, muted = encode_facts(state.facts), state.decisions.muted_until
        over = Handover(at=at, customer_id=of, alias=customer_id, facts=facts, muted_until=muted)
        effects.append(ToJournal(over))
        fresh = new_state()
        state.facts, state.decisions, state.forward_to = fresh.facts, fresh.decisions, of
        return effects

    def _take_over(self, record: Handover) -> list[Effect]:
        customer_id = record.customer_id
        state = self._state(customer_id)
        effects: list[Effect] = []
        if customer_id == record.alias:  # the facts have come round: these ids are aliases of each other
            effects.append(DeadLettered(reason="alias_of_itself", customer_id=customer_id, at=record.at))
            state.forward_to = None
        elif state.forward_to is not None:
            return [ToJournal(msgspec.structs.replace(record, customer_id=state.forward_to))]
        last = state.facts.last_purchase()
        try:
            core_facts.merge(state.facts, decode_facts(record.facts))
        except StateTooNewError:  # not a bug of ours: to go on would lose the facts
            raise
        except Exception as error:  # noqa: BLE001 - as in _take_late
            return [DeadLettered(reason="apply_failed", customer_id=customer_id, at=record.at, trace=traced(error))]
        state.decisions.muted_until = max(state.decisions.muted_until, record.muted_until)
        self._put_for_next_tick(customer_id, state, last)
        return effects

    # -------------------------------------------------------------------------------------------- ticks

    def tick(self, tick: Tick) -> Turns[list[Effect]]:
        """`apply` for a tick: a turn for every thousand customers. Nothing else is taken in before the last."""
        if tick.grades is not None:
            self.meta.grades = tick.grades
        self.meta.clock = tick.at
        if tick.stale_since:
            labels.note_blind(self.meta.blind, tick.stale_since, tick.at)
        ripe = self._ripe(tick.at)
        effects: list[Effect] = []
        customers = sorted({*ripe, *self._states.due(tick.at)})
        for begin in range(0, len(customers), A_TURN):
            if begin:
                yield
            effects += self._visit_all(customers[begin : begin + A_TURN], tick, ripe)
        if self.meta.untold:
            effects, self.meta.untold = sorted([*effects, *self.meta.untold], key=_customer_of), []
        if tick.at % DAY == 0:
            effects.append(PartitionSummary(self.number, tick.at, totals.merged([self.meta.totals])))
        return effects

    def _visit_all(self, customers: list[str], tick: Tick, ripe: dict[str, list[CustomerEvent]]) -> list[Effect]:
        effects: list[Effect] = []
        visits: list[Visit] = []
        for customer_id in customers:
            found, visit = self._visit(customer_id, ripe.get(customer_id))
            effects += found
            if visit.state.forward_to is not None:
                effects += self._retire(customer_id, visit.state)
            elif not _is_nobody(visit.state):
                visits.append(visit)
        looked = self._make(visits, tick, ripe) if visits else []
        return sorted(effects + looked, key=_customer_of) if effects else looked

    def _visit(self, customer_id: str, events: list[CustomerEvent] | None) -> tuple[list[Effect], Visit]:
        effects, state, bought = self._apply_ripe(customer_id, events or [])
        next_look = state.decisions.next_look
        looks = events is not None or 0 < next_look <= self.meta.clock
        bought = bought or state.decisions.calm_log_odds is None  # came late, or by a handover
        horizon, hashed, clock = self._horizon(state), customer_hash(customer_id), self.meta.clock
        step = example_step(horizon, self.meta.setup.lateness)
        own_day = clock % DAY == 0 and clock // DAY % step == hashed % step
        return effects, Visit(customer_id, state, horizon, hashed, bought, looks, own_day)

    def _ripe(self, at: int) -> dict[str, list[CustomerEvent]]:
        """The waiting events that the tick passes, by customer, in (time, id) order; they wait no more."""
        times = self._waiting_times
        customers: dict[str, None] = {}  # in order of their first event: what is counted first may have no room left
        while times and times[0][0] < at:
            customers[heappop(times)[1]] = None
        ripe: dict[str, list[CustomerEvent]] = {}
        for customer_id in customers:
            events = self._waiting.pop(customer_id)
            later = [e for e in events if e.at >= at]
            if later:
                self._waiting[customer_id] = later
            ripe[customer_id] = sorted((e for e in events if e.at < at), key=lambda e: (e.at, e.event_id))
            totals.count_seen(self.meta.totals, ripe[customer_id])
            count_sales(self.meta.totals.dealing, self._homes, ripe[customer_id])
            self._waiting_touched.add(customer_id)
        return ripe

    def _apply_ripe(self, customer_id: str, events: list[CustomerEvent]) -> tuple[list[Effect], CustomerState, bool]:
        """The customer's state with the events applied; one that fails is left out and becomes a dead letter."""
        if not events:
            return [], self._state(customer_id), False
        effects: list[Effect] = []
        failures: set[int] = set()
        while True:
            state, made = self._state(customer_id), list(effects)
            last = state.facts.last_purchase()
            for i, event in enumerate(events):
                if i in failures:
                    continue
                try:
                    made += self._apply_event(state, event)
                except Exception as error:  # noqa: BLE001 - as in _take_late; start again without this one
                    failures.add(i)
                    effects.append(_apply_failed(event, error))
                    break
            else:
                return made, state, _bought(last, state.facts)

    def _make(self, visits: list[Visit], tick: Tick, ripe: dict[str, list[CustomerEvent]]) -> list[Effect]:
        """Scores all visited buyers in one call, then learns from and looks at each."""
        at, meta = tick.at, self.meta
        trusted = meta.snapshot.trained_on.customers >= meta.policy.minimum_customers_fitted
        scene = Scene(
            Context(
                at=at,
                policy=meta.policy,
                grades=meta.grades,
                purchases_stale="purchases" in tick.stale,
                model_trusted=trusted,
                live=meta.mode.live,
                mutes=muted_at(meta.firm, at),
            ),
            meta.snapshot,
            meta.setup.lateness,
            self._observed,
            meta.firm,
            meta.blind,
        )
        buyers = [v for v in visits if (v.looks or v.own_day) and v.in_trade(at)]
        scored, errors = score_those_possible(buyers, at, scene.snapshot)
        effects: list[Effect] = []
        for visit in visits:
            error = errors.get(visit.customer_id)
            if error is None:
                try:
                    effects += self._look(visit, scored, scene)
                    continue
                except Exception as raised:  # noqa: BLE001 - one customer's look fails, all others' go on
                    error = raised
            effects.append(failed(visit.customer_id, at, error))
            self._put_unlooked(visit.customer_id, ripe.get(visit.customer_id, []))
        return effects

    def _look(self, visit: Visit, scored: Scored | None, scene: Scene) -> list[Effect]:
        effects = learn_from(visit, scored, scene)
        if visit.looks:
            decisions = visit.state.decisions
            before = decisions.stage if decisions.looked_at else None
            look = look_at(visit, scored, scene)
            effects += look.effects
            if look.held:
                self._put(visit, first_midnight_after(scene.context.at))
                return effects
            totals.count_verdicts(self.meta.totals, look.effects)
            totals.recount(self.meta.totals, before, decisions, _counted(look, visit.state, scene.context))
            uncount_loss(self.meta.totals, look.no_loss)
            if look.loss is not None:
                count_loss(self.meta.totals, look.loss)
        self._put(visit)
        return effects

    def _put_unlooked(self, customer_id: str, events: list[CustomerEvent]) -> None:
        """Keeps the state as the events left it, without what a look that failed did to it; it is due in 30 days."""
        _, state, bought = self._apply_ripe(customer_id, events)
        if bought:
            state.decisions.calm_log_odds = None
        if state.decisions.next_look <= self.meta.clock:
            state.decisions.next_look = (day_of(self.meta.clock) + LONGEST_STEP_DAYS) * DAY
        self._states.put(customer_id, encode_state(state), state.decisions.next_look)

    def _retire(self, customer_id: str, state: CustomerState) -> list[Effect]:
        """The id is an alias from now on: it leaves the totals, keeps nothing, is never due, and nothing waits."""
        uncount_loss(self.meta.totals, self._state(customer_id).decisions.loss)  # lost or not, as the other id
        waiting = self._leave(customer_id)
        self._states.put(customer_id, encode_state(state), None)
        waiting.sort(key=lambda e: (e.at, e.event_id))
        return [ToJournal(_forwarded(event, str(state.forward_to))) for event in waiting]

    def _leave(self, customer_id: str) -> list[CustomerEvent]:
        """The id leaves the totals, and nothing waits for it any more: what did."""
        before = self._state(customer_id)
        if before.decisions.looked_at:
            totals.forget(self.meta.totals, before.decisions.stage, before.decisions)
        waiting = self._waiting.pop(customer_id, [])
        if waiting:
            self._waiting_touched.add(customer_id)
            self._waiting_times = [(at, customer) for at, customer in self._waiting_times if customer != customer_id]
            heapify(self._waiting_times)
        return waiting

    def _put(self, visit: Visit, again: int | None = None) -> None:
        """Keeps the state, due for a look when the schedule says, or `again` (µs)."""
        at, state, lateness = self.meta.clock, visit.state, self.meta.setup.lateness
        if again is not None:
            state.decisions.next_look = again
        elif visit.looks:
            state.decisions.next_look = next_look(state, at, visit.horizon_days, self.meta.policy.stages)
        phase = visit.hashed % example_step(visit.horizon_days, lateness)
        due = first_due(state, next_example_or_label(state, at, visit.horizon_days, lateness, phase))
        self._states.put(visit.customer_id, encode_state(state), due)

    def _put_for_next_tick(self, customer_id: str, state: CustomerState, last: int | None) -> None:
        """Keeps a state whose facts changed between ticks; the next tick looks at it. `last`: the purchase before."""
        if _bought(last, state.facts):
            state.decisions.calm_log_odds = None
        state.decisions.next_look = self.meta.clock
        self._states.put(customer_id, encode_state(state), self.meta.clock)

    # ------------------------------------------------------------------------------------------ helpers

    def _state(self, customer_id: str) -> CustomerState:
        body = self._states.get(customer_id)
        return new_state() if body is None else decode_state(body)

    def _horizon(self, state: CustomerState) -> int:
        setup = self.meta.setup
        if not setup.horizons:
            return setup.horizon_days
        return setup.horizons.get(str(state.facts.says("kind")), setup.horizon_days)

    def _note_disposition(self, record: Disposition) -> None:
        state = self._state(record.customer_id)
        for episode in state.decisions.episodes:
            if episode.id == record.warning_id and record.outcome == "raised":
                episode.raised = True
                totals.count_told(self.meta.totals, state.decisions)
                episode.told_at = record.at if record.at > episode.raised_at else 0
                if episode.told_at and self.meta.mode.live:  # it has waited: people hear of it now
                    hours = self.meta.policy.due_hours.get(episode.severity.code, 0)
                    episode.due_at = record.at + hours * HOUR if hours else 0
        if 0 < state.decisions.next_look <= self.meta.clock:  # something came between: the next tick looks all the same
            self._states.put(record.customer_id, encode_state(state), self.meta.clock)
            return
        horizon, hashed = self._horizon(state), customer_hash(record.customer_id)
        self._put(Visit(record.customer_id, state, horizon, hashed, bought=False, looks=True, own_day=False))


def _counted(look: Look, state: CustomerState, context: Context) -> Counted | None:
    """What the totals hold of a customer: nothing without a purchase, or once lost."""
    if look.worth is None:
        return None
    decisions, facts, day = state.decisions, state.facts, today_of(context.at)
    grade, segment = standing_of(facts, look.worth, spend_trend(facts, day), context)
    return Counted(
        look.worth.contribution, look.worth.revenue, look.lifetime_value, look.at_risk,
        decisions.told_warning() is not None, grade or "",
        facts.first_day, facts.recent.breadth, service_sums(facts, day) or [], decisions.is_unhappy(),
        segment=0 if segment is None else totals.SEGMENTS.index(segment) + 1,
    )  # fmt: skip


def _bought(last: int | None, facts: core_facts.Facts) -> bool:
    """Whether the last purchase is a later one than before."""
    now = facts.last_purchase()
    return now is not None and (last is None or now > last)


def _forwarded(event: CustomerEvent, to: str) -> CustomerEvent:
    """An alias's event as one of the id it stands for."""
    if isinstance(event, CustomerFact) and event.alias_of == to:
        return msgspec.structs.replace(event, customer_id=to, alias_of=None)  # said before
    return msgspec.structs.replace(event, customer_id=to)


def _customer_of(effect: Effect) -> str:
    return str(getattr(effect, "customer_id", ""))


def _is_nobody(state: CustomerState) -> bool:
    """Whether nothing is known of the id: a step at the desk that names it by mistake makes no customer of it."""
    return not (state.facts.known_at or state.decisions.looked_at or state.decisions.muted_until)


def _no_such_warning(step: DeskStep) -> DeadLettered:
    return DeadLettered(reason="no_such_warning", customer_id=step.customer_id, at=step.at, event=step)


def _apply_failed(event: CustomerEvent, error: Exception) -> DeadLettered:
    trace = traced(error)
    return DeadLettered(reason="apply_failed", customer_id=event.customer_id, at=event.at, event=event, trace=trace)
