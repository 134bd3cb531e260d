"""A warning as people and other systems read it: stable JSON, times in RFC 3339, money in units of the currency."""

from decimal import Decimal
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from streamproc.core.causes import Cause, Clue
from streamproc.core.control import Setup
from streamproc.core.playbook import UNKNOWN, Playbook, StepText, Texts, step_text, steps_for
from streamproc.core.time import to_text
from streamproc.desk.care import CareText, DeskText, StepKind, asked, care_of, kind_of
from streamproc.desk.discontent import DiscontentText, discontent_text
from streamproc.desk.incidents import shared
from streamproc.intake.money import digits_of
from streamproc.monitor.effects import EpisodeChanged, Figures, Reason, ServiceWarn, StepTaken, Verdict, WouldWarn

State = Literal["raised", "escalated", "recovered", "lost", "withdrawn"]
EntryKind = Literal[State, "verdict", StepKind]


WarningKind = Literal["churn", "service"]


class Money(Struct, frozen=True):
    """Writes minor units of the reporting currency as a decimal number of units."""

    currency: str
    digits: int = 2

    def text(self, minor: int) -> str:
        """`12345` → `123.45`."""
        return str(Decimal(minor).scaleb(-self.digits))


def money_of(setup: Setup) -> Money:
    """How the set-up's currency is written."""
    return Money(setup.currency, digits_of(setup.currency))


class EvidenceText(Struct, frozen=True):
    """An event a reason points to."""

    stream: str
    event_id: str
    occurred_at: str


class ReasonText(Struct, frozen=True):
    """What a group contributes to the log-odds of leaving, and the change since the last look (None: the first)."""

    reason: str
    log_odds: float
    change: float | None
    evidence: tuple[EvidenceText, ...] = ()


class ClueText(Struct, frozen=True, kw_only=True):
    """A piece of evidence for a cause: what it is, and the event (None where its id was not kept).

    `weight` 0-1; `size` is a figure that belongs to it: a price rise as a share, points short of what was expected,
    seconds waited, hours of an outage.
    """

    sign: str
    stream: str
    event_id: str | None
    occurred_at: str
    weight: float
    size: float | None = None


class CauseText(Struct, frozen=True, kw_only=True):
    """A likely cause with its strength (0-1) and evidence, heaviest first; `manner` tells how a service was poor."""

    cause: str
    strength: float
    evidence: tuple[ClueText, ...]
    manner: str | None = None


class Risk(Struct, frozen=True, kw_only=True):
    """How likely (no purchase within `horizon_days`), by which model; `log_odds` is the sum of the reasons'."""

    probability: float
    log_odds: float
    horizon_days: int
    model: str
    speaks: str


class Value(Struct, frozen=True, kw_only=True):
    """What is at stake, decimal numbers of `currency`. `assumed`: costs are assumed, not stated.

    `measured` False: the feed knows no money, so all amounts are zero.
    """

    currency: str
    expected_loss: str
    stake: str
    lifetime_value: str
    revenue_a_year: str
    contribution_a_year: str
    assumed: bool
    measured: bool


class Standing(Struct, frozen=True, kw_only=True):
    """Where the customer stands; None: cannot be told yet."""

    stage: str
    phase: str
    grade: str | None
    tier: str | None
    segment: str | None
    orders: int
    purchase_days: int
    last_purchase: str
    recency_days: int
    usual_gap_days: float | None
    spend_trend: float | None
    last_gap_days: int | None = None
    articles_a_day: float | None = None
    discount_share: float | None = None


class Warning(Struct, frozen=True, kw_only=True):  # noqa: A001 - it is the domain's word
    """A warning as it was raised. `causes`: the likely ones, strongest first (empty: unknown); `steps`: what to do.

    `stance` is how the playbook treats customers of this segment (None: no playbook is in force).
    `warning_kind` churn: of leaving, with a `risk`. service: the customer is unhappy and silent, as `discontent` tells;
    it has no `risk`, so its expected loss is 0, and `by_when` is when somebody should have spoken to them. `loyalty` is
    the kind of loyalty (None: not enough to say). `incident` is the subject of the incident that all share whose
    likeliest cause is the same fact of the firm's; it is one once there are many (None: no such fact).
    """

    id: str
    customer_id: str
    raised_at: str
    by_when: str
    severity: str
    risk: Risk | None
    value: Value
    standing: Standing
    reasons: tuple[ReasonText, ...]
    owner: str | None = None
    customer_kind: str | None = None
    history: bool = False
    due_at: str | None = None
    causes: tuple[CauseText, ...] = ()
    steps: tuple[StepText, ...] = ()
    warning_kind: WarningKind = "churn"
    discontent: DiscontentText | None = None
    loyalty: str | None = None
    incident: str | None = None
    stance: Texts | None = None


class Entry(Struct, frozen=True, kw_only=True):
    """One line of the feed: a warning was raised, went on, ended, got its verdict, or the desk did something about it.

    `desk` is what was done, or refused, and `care` how the warning stands with the desk from then on.
    `why` says what ended or escalated it; `right` is the verdict: no purchase came by the by-when.
    """

    warning_id: str
    customer_id: str
    at: str
    kind: EntryKind
    history: bool
    why: str | None = None
    probability: float | None = None
    severity: str | None = None
    expected_loss: str | None = None
    right: bool | None = None
    warning: Warning | None = None
    desk: DeskText | None = None
    care: CareText | None = None
    warning_kind: WarningKind = "churn"


def kind_of_warning(warning_id: str) -> WarningKind:
    """Which kind of warning an id is of: those of customers who are unhappy and silent begin with `s-`."""
    return "service" if warning_id.startswith("s-") else "churn"


def warning_of(would: WouldWarn, money: Money, *, history: bool, playbook: Playbook | None = None) -> Warning:
    """The warning that a would-warn becomes; without a playbook it asks for no steps."""
    figures, source = would.figures, shared(would.causes)
    return Warning(
        id=would.id,
        customer_id=would.customer_id,
        raised_at=to_text(would.at),
        by_when=to_text(would.by_when),
        severity=would.severity.code,
        risk=risk_of(figures),
        value=value_of(figures, money),
        standing=standing_of(figures),
        reasons=tuple(reason_of(r) for r in would.reasons),
        owner=would.owner,
        customer_kind=would.customer_kind,
        history=history,
        due_at=to_text(would.due_at) if would.due_at else None,
        causes=tuple(map(cause_of, would.causes)),
        steps=() if playbook is None else _steps(would, playbook),
        loyalty=would.loyalty,
        incident=None if source is None else source.subject,
        stance=None if playbook is None else _stance(would, playbook),
    )


def service_warning_of(told: ServiceWarn, money: Money, *, history: bool, playbook: Playbook | None = None) -> Warning:
    """The warning that a customer is unhappy and silent."""
    figures = told.figures
    return Warning(
        id=told.id,
        customer_id=told.customer_id,
        raised_at=to_text(told.at),
        by_when=to_text(told.by_when),
        severity=told.severity.code,
        risk=None,
        value=replace(value_of(figures, money), expected_loss=money.text(0)),
        standing=standing_of(figures),
        reasons=(),
        owner=told.owner,
        customer_kind=told.customer_kind,
        history=history,
        causes=tuple(map(cause_of, told.causes)),
        steps=() if playbook is None else _steps(told, playbook),
        warning_kind="service",
        discontent=discontent_text(told.signs, enough=True),
        loyalty=told.loyalty,
        stance=None if playbook is None else _stance(told, playbook),
    )


def risk_of(figures: Figures) -> Risk:
    """The figures' risk for people."""
    return Risk(
        probability=figures.probability,
        log_odds=figures.log_odds / 1e6,
        horizon_days=figures.horizon_days,
        model=figures.model,
        speaks=figures.speaks,
    )


def value_of(figures: Figures, money: Money) -> Value:
    """The figures' money for people."""
    return Value(
        currency=money.currency,
        expected_loss=money.text(figures.expected_loss),
        stake=money.text(figures.stake),
        lifetime_value=money.text(figures.lifetime_value),
        revenue_a_year=money.text(figures.revenue),
        contribution_a_year=money.text(figures.contribution),
        assumed=figures.cost_assumed,
        measured=figures.money_measured,
    )


def standing_of(figures: Figures) -> Standing:
    """The figures' standing for people."""
    return Standing(
        stage=figures.stage.code,
        phase=figures.phase,
        grade=figures.grade,
        tier=figures.tier,
        segment=figures.segment,
        orders=figures.orders,
        purchase_days=figures.n_days,
        last_purchase=to_text(figures.last_purchase),
        recency_days=figures.recency_days,
        usual_gap_days=figures.usual_gap_days,
        spend_trend=figures.trend,
        last_gap_days=figures.last_gap_days,
        articles_a_day=figures.articles_a_day,
        discount_share=figures.discount_share,
    )


def reason_of(reason: Reason) -> ReasonText:
    """A reason for people."""
    return ReasonText(
        reason.group,
        reason.contribution / 1e6,
        None if reason.change is None else reason.change / 1e6,
        tuple(EvidenceText(e.stream, e.event_id, to_text(e.at)) for e in reason.evidence),
    )


def cause_of(cause: Cause) -> CauseText:
    """A likely cause for people."""
    return CauseText(
        cause=cause.cause, strength=cause.strength, evidence=tuple(map(_clue, cause.clues)), manner=cause.manner
    )


def _clue(clue: Clue) -> ClueText:
    return ClueText(
        sign=clue.sign,
        stream=clue.stream,
        event_id=clue.event_id or None,
        occurred_at=to_text(clue.at),
        weight=clue.weight,
        size=clue.size,
    )


def _stance(would: WouldWarn | ServiceWarn, playbook: Playbook) -> Texts:
    return playbook.segments[would.figures.segment or UNKNOWN].stance


def _steps(would: WouldWarn | ServiceWarn, playbook: Playbook) -> tuple[StepText, ...]:
    figures = would.figures
    return tuple(map(step_text, steps_for(playbook, figures.segment, would.causes, would.at, figures.tier)))


def raised(warning: Warning) -> Entry:
    """The feed's line for a new warning; it carries the whole warning."""
    return Entry(
        warning_id=warning.id,
        customer_id=warning.customer_id,
        at=warning.raised_at,
        kind="raised",
        history=warning.history,
        probability=None if warning.risk is None else warning.risk.probability,
        severity=warning.severity,
        expected_loss=warning.value.expected_loss,
        warning=warning,
        warning_kind=warning.warning_kind,
    )


def entry_of(effect: EpisodeChanged | Verdict | StepTaken, money: Money, *, history: bool) -> Entry:
    """The feed's line for what became of a warning."""
    if isinstance(effect, StepTaken):
        return Entry(
            warning_id=effect.id, customer_id=effect.customer_id, at=to_text(effect.at), kind=kind_of(effect),
            history=history, desk=asked(effect), care=care_of(effect, money.text),
            warning_kind=kind_of_warning(effect.id),
        )  # fmt: skip
    if isinstance(effect, Verdict):
        return Entry(
            warning_id=effect.id, customer_id=effect.customer_id, at=to_text(effect.at), kind="verdict",
            history=history, right=effect.right,
        )  # fmt: skip
    return Entry(
        warning_id=effect.id,
        customer_id=effect.customer_id,
        at=to_text(effect.at),
        kind=effect.change,
        history=history,
        why=effect.why,
        probability=effect.probability,
        severity=None if effect.severity is None else effect.severity.code,
        expected_loss=None if effect.expected_loss is None else money.text(effect.expected_loss),
        warning_kind=kind_of_warning(effect.id),
    )
