"""What people and pages ask for, as stable JSON: a warning as it stands, a customer's report, why there was no warning.

Times are RFC 3339, money is decimal text in units of the currency, log-odds are plain numbers.
"""

from collections.abc import Iterable, Sequence
from typing import Literal

from msgspec import Struct

from streamproc.core.causes import Cause
from streamproc.core.complaints import ComplaintFile
from streamproc.core.events import RECOVERY_STEPS, ComplaintStatus, RecoveryStep
from streamproc.core.facts import Facts, Touch
from streamproc.core.lifecycle import Stage
from streamproc.core.policy import Policy
from streamproc.core.satisfaction import Service
from streamproc.core.time import DAY, FOREVER, SECOND, to_text, today_of
from streamproc.core.unhappy import discontent
from streamproc.desk.bond import Bond, bond_of
from streamproc.desk.care import CareText
from streamproc.desk.discontent import DiscontentText, discontent_text
from streamproc.desk.warning import (
    CauseText,
    Entry,
    Money,
    ReasonText,
    Risk,
    Standing,
    State,
    Value,
    Warning,  # noqa: A004 - it is the domain's word
    cause_of,
    reason_of,
    risk_of,
    standing_of,
    value_of,
)
from streamproc.monitor.decide import bars_of_contact, quiet_days
from streamproc.monitor.effects import ComplaintStep, Effect, Looked, StepTaken, Transition
from streamproc.monitor.look import reasons_of
from streamproc.monitor.state import CustomerState

RECOVERIES_SHOWN = 8
"""Complaints of a customer whose recovery is shown, those heard of last."""


class Current(Struct, frozen=True, kw_only=True):
    """A warning's figures after its last line in the feed."""

    severity: str
    probability: float | None
    expected_loss: str


class WarningNow(Warning, frozen=True, kw_only=True):
    """A warning as it was raised, and as it stands. `verdict`: whether it was right, None until its by-when.

    `care`: what the desk did about it, None: nothing yet.
    """

    state: State
    updated_at: str
    current: Current
    verdict: bool | None = None
    care: CareText | None = None


class LookPoint(Struct, frozen=True, kw_only=True):
    """One look; `probability` None where there is no risk to score."""

    at: str
    outcome: str
    probability: float | None


class Move(Struct, frozen=True, kw_only=True):
    """A transition in the lifecycle."""

    at: str
    before: str
    after: str
    won_back: bool


class PurchaseDay(Struct, frozen=True, kw_only=True):
    """What was bought on one day (`YYYY-MM-DD`)."""

    day: str
    orders: int
    amount: str


class OpenComplaint(Struct, frozen=True, kw_only=True):
    """A complaint that somebody still owes an answer.

    `answered_after_s` counts seconds to the first acknowledgement or resolution (None: none yet), `contradictions` the
    steps that may not follow the one before them.
    """

    event_id: str
    opened_at: str
    status: str
    category: str | None
    severity: int | None
    valid: bool | None
    answered_after_s: int | None
    contradictions: int


class Recovered(Struct, frozen=True, kw_only=True):
    """One of the seven steps of service recovery: when it was done and by whom; None: not yet."""

    step: RecoveryStep
    at: str | None = None
    by: str | None = None


class Recovery(Struct, frozen=True, kw_only=True):
    """The seven steps of service recovery, as a checklist on one complaint."""

    complaint_id: str
    status: ComplaintStatus
    steps: tuple[Recovered, ...]


class ContactText(Struct, frozen=True, kw_only=True):
    """One touch between customer and firm."""

    at: str
    direction: Literal["in", "out"]
    purpose: str | None
    result: str | None


class CustomerReport(Struct, frozen=True, kw_only=True):
    """All that is known of one customer at `as_of`, the clock.

    `risk`, `value`, `standing` and `reasons` are of the last look at which there was a risk to score (`scored_at`; None
    and empty if there was none); `stage` and `outcome` are of the last look of all. An alias has `forwarded_to`. `bond`
    is what ties the customer to the firm: satisfaction, service, loyalty.
    """

    customer_id: str
    aliases: tuple[str, ...]
    forwarded_to: str | None
    as_of: str
    known_since: str | None
    customer_kind: str | None
    owner: str | None
    do_not_contact: bool
    stage: str
    outcome: str | None
    looked_at: str | None
    next_due: str | None
    scored_at: str | None
    standing: Standing | None
    risk: Risk | None
    value: Value | None
    bond: Bond
    reasons: tuple[ReasonText, ...]
    causes: tuple[CauseText, ...]
    looks: tuple[LookPoint, ...]
    transitions: tuple[Move, ...]
    recent_purchases: tuple[PurchaseDay, ...]
    warnings: tuple[WarningNow, ...]
    open_complaints: tuple[OpenComplaint, ...]
    recoveries: tuple[Recovery, ...]
    last_contacts: tuple[ContactText, ...]


class Rule(Struct, frozen=True, kw_only=True):
    """The numbers that a look was judged by: the customer's own, and the policy's beside them.

    A warning needs `least_silent_days` without a purchase. `armed`: since the last warning the customer bought, or the
    risk has been below `clear_at`. `cooldown_until` None: never warned of. `expected_loss` None: not measured; it and
    `minimum_expected_loss` are decimal numbers of `currency`.
    """

    policy: str
    probability: float | None
    raise_at: float
    clear_at: float
    escalate_at: float
    silent_days: int | None
    least_silent_days: float | None
    purchase_days: int
    minimum_purchase_days: int
    cooldown_until: str | None
    armed: bool
    last_retention_contact: str | None
    recent_contact_days: int
    do_not_contact: bool
    customers_fitted: int
    minimum_customers_fitted: int
    expected_loss: str | None
    minimum_expected_loss: str
    currency: str
    snoozed_until: str | None = None
    muted_until: str | None = None


ServiceOutcome = Literal[
    "raised",
    "open",
    "not_unhappy",
    "not_in_trade",
    "cooldown",
    "do_not_contact",
    "held_out",
    "contacted",
    "muted",
    "asleep",
]


class ServiceWhy(Struct, frozen=True, kw_only=True):
    """Why there was, or was no, service warning at a look; `warning_id` is the latest one's, `life` its lines.

    A service warning needs signs of discontent that are enough (`discontent`), trade, leave to contact the customer,
    and that the last one ended before `cooldown_until`.
    """

    outcome: ServiceOutcome
    discontent: DiscontentText
    warning_id: str | None = None
    cooldown_until: str | None = None
    life: tuple[Entry, ...] = ()


Found = Literal["looked", "not_looked", "alias", "unknown"]


class WhyAnswer(Struct, frozen=True, kw_only=True):
    """The last look at a customer at or before `asked_at`, and why it came out as it did.

    `found` not_looked: known, but not looked at by then (`next_look` says when that came, None: not yet); alias:
    goes on as `forwarded_to`; unknown: the journal has no record of this id. `disposition` is the desk's answer to a
    would-warn; `life` are the feed's lines of the warning that the look raised or found open, to this day. `service` is
    the answer for the other kind of warning, that the customer is unhappy and silent.
    """

    customer_id: str
    asked_at: str
    found: Found
    forwarded_to: str | None = None
    next_look: str | None = None
    looked_at: str | None = None
    outcome: str | None = None
    stage: str | None = None
    rule: Rule | None = None
    standing: Standing | None = None
    risk: Risk | None = None
    value: Value | None = None
    reasons: tuple[ReasonText, ...] = ()
    causes: tuple[CauseText, ...] = ()
    warning_id: str | None = None
    disposition: str | None = None
    life: tuple[Entry, ...] = ()
    service: ServiceWhy | None = None


class Shares(Struct, frozen=True, kw_only=True):
    """Shares of a total by the top 20 % and the bottom 30 % of customers, None where the total is not positive."""

    top_20: float | None
    bottom_30: float | None


class Thresholds(Struct, frozen=True, kw_only=True):
    """The least contribution a year of grades A, B and C."""

    a: str
    b: str
    c: str


class Growth(Struct, frozen=True, kw_only=True):
    """The base's three dimensions: how many customers (N), how long on average (t), how deep (D).

    Depth is what a customer brought in the last year, and of how many categories of late; None: nobody, or not told.
    """

    customers: int
    mean_tenure_days: float | None
    revenue_a_customer: str | None
    categories_a_customer: float | None


class LossCount(Struct, frozen=True, kw_only=True):
    """How many were lost in a month (`YYYY-MM`), by the likeliest cause and by grade and segment then; or `unknown`."""

    month: str
    cause: str
    grade: str
    segment: str
    customers: int


class RunningModel(Struct, frozen=True, kw_only=True):
    """The snapshot in force; `pinned`: it stays until it is unpinned."""

    id: str
    at: str
    speaks: str
    examples: int
    customers: int
    pinned: bool


class Summary(Struct, frozen=True, kw_only=True):
    """The whole base at a glance, each customer as of their last look. Counts are by code.

    `clock` None: nothing was read yet. `acquisition_cost` is what a new customer cost by the last campaign whose cost a
    mailing and response rate the firm stated (None: not stated). `verdicts` counts the warnings judged right and
    wrong so far. `records` are the journal's; on Kafka, its offsets, marks of transactions among them.
    `satisfaction` is what was perceived over what was expected in all answers of a year (None: unmeasured; by grade
    where one answered), `unhappy` the number of service warnings that are open (`warnings` counts them, too,
    `open_warnings` does not); `losses` reach back two years.
    """

    clock: str | None
    mode: str
    live: bool
    currency: str
    horizon_days: int
    partitions: int
    records: int
    customers: int
    stages: dict[str, int]
    grades: dict[str, int]
    customer_equity: str
    value_at_risk: str
    open_warnings: int
    warnings: dict[str, int]
    verdicts: dict[str, int]
    acquisition_cost: str | None
    revenue_shares: Shares
    contribution_shares: Shares
    growth: Growth
    satisfaction: float | None
    satisfaction_by_grade: dict[str, float]
    service: Service
    unhappy: int
    losses: tuple[LossCount, ...]
    thresholds: Thresholds | None
    model: RunningModel
    policy: Policy
    dead_letters: int
    counts: dict[str, dict[str, int]]


class Trail(Struct):
    """What the effects of a customer's records told: looks and transitions in order.

    `scored` is the last look with figures, `before` the contributions of the scored look before it. `complaints` are as
    they stood last; of each step of recovery the first time is kept.
    """

    looks: list[Looked] = []
    transitions: list[Transition] = []
    scored: Looked | None = None
    before: tuple[int, ...] = ()
    complaints: dict[str, ComplaintStep] = {}
    recovered: dict[tuple[str, RecoveryStep], StepTaken] = {}

    def take(self, effects: Iterable[Effect]) -> None:
        """Notes what the effects say (in place)."""
        for effect in effects:
            if isinstance(effect, Transition):
                self.transitions.append(effect)
            elif isinstance(effect, ComplaintStep):
                self.complaints[effect.complaint_id] = effect
            elif isinstance(effect, StepTaken) and effect.complaint_id is not None and effect.recovery is not None:
                self.recovered.setdefault((effect.complaint_id, effect.recovery), effect)
            elif isinstance(effect, Looked):
                self.looks.append(effect)
                if effect.figures is not None:
                    self.before = self.scored.groups if self.scored is not None else ()
                    self.scored = effect


class Whose(Struct, frozen=True, kw_only=True):
    """What a report needs beside the trail and the state; `clock` and `next_due` in µs."""

    customer_id: str
    aliases: Sequence[str]
    clock: int
    next_due: int | None
    causes: Sequence[Cause] = ()


def customer_report(
    whose: Whose, trail: Trail, state: CustomerState, warnings: Sequence[WarningNow], money: Money
) -> CustomerReport:
    """The report of a customer from their records, run again up to the clock."""
    facts, scored = state.facts, trail.scored
    figures = None if scored is None else scored.figures
    last = trail.looks[-1] if trail.looks else None
    return CustomerReport(
        customer_id=whose.customer_id,
        aliases=tuple(whose.aliases),
        forwarded_to=state.forward_to,
        as_of=to_text(whose.clock),
        known_since=to_text(facts.known_at) if facts.known_at else None,
        customer_kind=_said(facts, "kind"),
        owner=_said(facts, "owner"),
        do_not_contact=facts.says("do_not_contact") is True,
        stage=state.decisions.stage.code,
        outcome=None if last is None else last.outcome,
        looked_at=None if last is None else to_text(last.at),
        next_due=None if whose.next_due is None else to_text(whose.next_due),
        scored_at=None if scored is None else to_text(scored.at),
        standing=None if figures is None else standing_of(figures),
        risk=None if figures is None else risk_of(figures),
        value=None if figures is None else value_of(figures, money),
        bond=bond_of(facts, whose.clock),
        reasons=_reasons(trail, facts),
        causes=tuple(map(cause_of, whose.causes)),
        looks=tuple(_point(look) for look in trail.looks),
        transitions=tuple(_move(t) for t in trail.transitions),
        recent_purchases=_purchases(facts, money),
        warnings=tuple(warnings),
        recoveries=tuple(_recovery(trail, step) for step in list(trail.complaints.values())[-RECOVERIES_SHOWN:]),
        open_complaints=tuple(_complaint(file) for file in facts.complaints if file.is_open()),
        last_contacts=tuple(_contact(touch) for touch in reversed(facts.contacts)),
    )


def why_looked(
    customer_id: str, asked_at: str, trail: Trail, state: CustomerState, rule: Rule, money: Money
) -> WhyAnswer:
    """The answer where there was a look: the trail's last one, with the state as it left it."""
    look = trail.looks[-1]
    figures = look.figures
    return WhyAnswer(
        customer_id=customer_id,
        asked_at=asked_at,
        found="looked",
        looked_at=to_text(look.at),
        outcome=look.outcome,
        stage=look.stage.code,
        rule=rule,
        standing=None if figures is None else standing_of(figures),
        risk=None if figures is None else risk_of(figures),
        value=None if figures is None else value_of(figures, money),
        reasons=() if figures is None else _reasons(trail, state.facts),
    )


def service_why(look: Looked, state: CustomerState, policy: Policy) -> ServiceWhy:
    """Why there was, or was no, service warning at a look, from the state as it left it; without the lines."""
    concern, found = state.decisions.concern, discontent(state.facts, today_of(look.at))
    until = concern.ended_at + policy.cooldown_days * DAY if concern is not None and concern.ended_at else 0
    return ServiceWhy(
        outcome=_service_outcome(look, state, policy, until, enough=found.enough),
        discontent=discontent_text(found.signs, enough=found.enough),
        warning_id=None if concern is None else concern.id,
        cooldown_until=to_text(until) if until else None,
    )


def _service_outcome(look: Looked, state: CustomerState, policy: Policy, until: int, *, enough: bool) -> ServiceOutcome:
    concern = state.decisions.concern
    if concern is not None and not concern.ended_at:
        return "raised" if concern.raised_at == look.at else "open"
    if look.stage not in {Stage.FIRST_TIME, Stage.REPEAT, Stage.LOYAL}:
        return "not_in_trade"
    if not enough:
        return "not_unhappy"
    if look.at < until:
        return "cooldown"
    return _silenced(look.at, state, policy)


def _silenced(at: int, state: CustomerState, policy: Policy) -> ServiceOutcome:
    """Why nobody is told of a customer who is unhappy and silent; what else there is, the firm has muted for all."""
    rules: tuple[tuple[bool, ServiceOutcome], ...] = (
        (state.facts.says("do_not_contact") is True, "do_not_contact"),
        (state.decisions.is_silent_arm(), "held_out"),
        (at < state.decisions.quiet_until(), "asleep"),
        (any(speaks for speaks, _ in bars_of_contact(state.facts, policy, at)), "contacted"),
    )
    return next((outcome for speaks, outcome in rules if speaks), "muted")


def rule_of(look: Looked, state: CustomerState, policy: Policy, customers_fitted: int, money: Money) -> Rule:
    """The numbers that the look was judged by, from the state as it left it."""
    facts, decisions, figures = state.facts, state.decisions, look.figures
    retention = [t.at for t in facts.contacts if t.outward and t.purpose == "retention" and t.at * SECOND < look.at]
    return Rule(
        policy=policy.name,
        probability=None if figures is None else figures.probability,
        raise_at=policy.raise_at,
        clear_at=policy.clear_at,
        escalate_at=policy.escalate_at,
        silent_days=None if figures is None else figures.recency_days,
        least_silent_days=None if figures is None else round(quiet_days(figures, policy), 2),
        purchase_days=facts.n_days,
        minimum_purchase_days=policy.minimum_purchase_days,
        cooldown_until=to_text(decisions.cooldown_until) if decisions.cooldown_until else None,
        armed=decisions.armed,
        last_retention_contact=to_text(max(retention) * SECOND) if retention else None,
        recent_contact_days=policy.recent_contact_days,
        do_not_contact=facts.says("do_not_contact") is True,
        customers_fitted=customers_fitted,
        minimum_customers_fitted=policy.minimum_customers_fitted,
        expected_loss=None if figures is None or not figures.money_measured else money.text(figures.expected_loss),
        minimum_expected_loss=money.text(policy.minimum_expected_loss),
        currency=money.currency,
        snoozed_until=_until(decisions.snoozed_until),
        muted_until=_until(decisions.muted_until),
    )


def _until(at: int) -> str | None:
    return to_text(at) if 0 < at < FOREVER else None


def _said(facts: Facts, name: str) -> str | None:
    value = facts.says(name)
    return None if value is None else str(value)


def _reasons(trail: Trail, facts: Facts) -> tuple[ReasonText, ...]:
    if trail.scored is None:
        return ()
    return tuple(reason_of(r) for r in reasons_of(facts, trail.before, trail.scored.groups))


def _point(look: Looked) -> LookPoint:
    probability = None if look.figures is None else look.figures.probability
    return LookPoint(at=to_text(look.at), outcome=look.outcome, probability=probability)


def _move(transition: Transition) -> Move:
    return Move(
        at=to_text(transition.at),
        before=transition.before.code,
        after=transition.after.code,
        won_back=transition.won_back,
    )


def _purchases(facts: Facts, money: Money) -> tuple[PurchaseDay, ...]:
    days = zip(facts.recent.day, facts.recent.count, facts.recent.amount, strict=True)
    return tuple(
        PurchaseDay(day=to_text(day * DAY)[:10], orders=count, amount=money.text(amount))
        for day, count, amount in days
        if count
    )


def _complaint(file: ComplaintFile) -> OpenComplaint:
    return OpenComplaint(
        event_id=file.event_id,
        opened_at=to_text(file.opened_at() * SECOND),
        status=file.status(),
        category=file.category,
        severity=file.severity or None,
        valid=file.valid,
        answered_after_s=file.answered_after(),
        contradictions=file.contradictions(),
    )


def _recovery(trail: Trail, complaint: ComplaintStep) -> Recovery:
    done = {step: trail.recovered.get((complaint.complaint_id, step)) for step in RECOVERY_STEPS}
    return Recovery(
        complaint_id=complaint.complaint_id,
        status=complaint.status,
        steps=tuple(
            Recovered(step=step) if taken is None else Recovered(step=step, at=to_text(taken.at), by=taken.by)
            for step, taken in done.items()
        ),
    )


def _contact(touch: Touch) -> ContactText:
    return ContactText(
        at=to_text(touch.at * SECOND),
        direction="out" if touch.outward else "in",
        purpose=touch.purpose,
        result=touch.result,
    )
