"""What the desk does at the end of a tick, once every partition's summary of that tick is in.

Of the would-warns as many go out as a day allows, and those that belong to one incident with it. What the base's
figures mean for grades is decided here, for all partitions alike.
"""

from collections.abc import Sequence
from operator import attrgetter
from typing import Literal, NamedTuple

from msgspec import Struct, field

from streamproc.core.alerts import Alert
from streamproc.core.control import Disposition, PlaybookChange, PolicyChange
from streamproc.core.events import FirmFact
from streamproc.core.firm import note
from streamproc.core.holdout import savings
from streamproc.core.playbook import Playbook
from streamproc.core.population import GRADE_SHARES, GradeShares, grade_thresholds
from streamproc.desk.alerts import INCIDENT, Watch, heed, settle, watch_tick
from streamproc.desk.capacity import Capacity, Sorted, is_silent, now_out, release, sort_out, weigh_anew
from streamproc.desk.incidents import Incidents, gather, incident_findings, went_on, went_out
from streamproc.desk.warning import Entry, Money, entry_of, raised, service_warning_of, warning_of
from streamproc.monitor.effects import (
    Effect,
    EpisodeChanged,
    FirmTold,
    ServiceWarn,
    StepTaken,
    Totals,
    Verdict,
    WouldWarn,
)

DUES_KEPT = 1_000
"""Times by which somebody should have a warning, the earliest; those beyond are noticed by the midnight after them."""


class Desk(Struct):
    """The desk's state: thresholds announced last, those that the next tick is to carry, what warnings ask for.

    `dues` are the times (µs, in order) by which somebody should have one of the warnings that went out.
    """

    money: Money
    live: bool = False
    announced: tuple[int, int, int] | None = None
    grades: tuple[int, int, int] | None = None
    watch: Watch = field(default_factory=Watch)
    capacity: Capacity = field(default_factory=Capacity)
    playbook: Playbook | None = None
    incidents: Incidents = field(default_factory=Incidents)
    dues: list[int] = []
    grade_shares: GradeShares = GRADE_SHARES

    def next_due(self) -> int | None:
        """When (µs) a tick is needed though nothing happens: a promise falls due, or somebody should have a warning."""
        promise = self.watch.cases.next_due
        return min((at for at in (promise, *self.dues[:1]) if at is not None), default=None)

    def news(self) -> tuple[int, int, int] | None:
        """Thresholds that no tick has carried yet, None if there are none; they count as announced from now on."""
        if self.grades == self.announced:
            return None
        self.announced = self.grades
        return self.grades


class Answer(NamedTuple):
    """What the desk adds to the feed, what it writes to the journal, and the alerts' lines."""

    entries: list[Entry]
    records: list[Disposition]
    alerts: list[Alert]


def end_of_tick(desk: Desk, at: int, effects: Sequence[Effect], base: Totals | None) -> Answer:
    """Answers one tick's effects, sorted by customer; `base` are all partitions' totals where they are due."""
    entries: list[Entry] = []
    records: list[Disposition] = []
    history = not desk.live
    changed = False
    for effect in effects:
        if isinstance(effect, EpisodeChanged):
            changed |= went_on(desk.incidents, effect)
        if isinstance(effect, EpisodeChanged | Verdict | StepTaken):
            if effect.id and not is_silent(desk.capacity, effect):
                entries.append(entry_of(effect, desk.money, history=history))
        elif isinstance(effect, ServiceWarn):
            told = service_warning_of(effect, desk.money, history=history, playbook=desk.playbook)
            entries.append(raised(told))
        elif isinstance(effect, FirmTold):
            _heed(desk, effect.record)
            heed(desk.watch, effect.record)
    out, held = _sorted(desk, at, [effect for effect in effects if isinstance(effect, WouldWarn)])
    for would in out:
        warning = warning_of(would, desk.money, history=history, playbook=desk.playbook)
        entries.append(raised(warning))
        records.append(_answer(would, at, "raised"))
    records += [_answer(would, at, "capacity") for would in held]
    changed |= went_out(desk.incidents, out)
    desk.dues = sorted({due for due in (*desk.dues, *(would.due_at for would in out)) if due > at})[:DUES_KEPT]
    entries.sort(key=attrgetter("customer_id"))
    records.sort(key=attrgetter("customer_id"))
    if base is not None:
        desk.grades = grade_thresholds(base.contribution, desk.grade_shares) or desk.grades
        desk.capacity.savings = savings(base.arms)
    alerts = watch_tick(desk.watch, at, effects, base, history=history)
    if changed:
        found = incident_findings(desk.incidents, desk.money.currency, desk.money.text)
        alerts += settle(desk.watch.open, INCIDENT, found, at, history=history)
    return Answer(entries, records, alerts)


def _sorted(desk: Desk, at: int, woulds: list[WouldWarn]) -> Sorted:
    """Which would-warns go out, as they do, and which wait from now on: parts of incidents go out all the same."""
    for would in woulds:
        if would.anew:
            weigh_anew(desk.capacity, would)
    fresh = [would for would in woulds if not would.anew]
    joined, begun = gather(desk.incidents, at, [*desk.capacity.ready(at), *fresh], desk.playbook)
    names = {would.id for would in joined}
    release(desk.capacity, names)
    out, held = sort_out(desk.capacity, at, [would for would in fresh if would.id not in names], taken=begun)
    return Sorted([now_out(would, at) for would in (*joined, *out)], held)


def _heed(desk: Desk, record: FirmFact | PolicyChange | PlaybookChange) -> None:
    """Goes by it from now on (in place)."""
    if isinstance(record, PolicyChange):
        desk.capacity.a_day = record.policy.capacity_a_day
        desk.grade_shares = record.policy.grade_shares
    elif isinstance(record, PlaybookChange):
        desk.playbook = record.playbook
    elif record.kind == "mute":
        note(desk.capacity.mutes, record)


def _answer(would: WouldWarn, at: int, outcome: Literal["raised", "capacity"]) -> Disposition:
    return Disposition(at=at, customer_id=would.customer_id, warning_id=would.id, outcome=outcome)
