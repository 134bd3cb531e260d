"""A warning as people and other systems read it: stable JSON, times in RFC 3339, money in units of the currency."""

from decimal import Decimal
from typing import Literal

from msgspec import Struct

from streamproc.core.control import Setup
from streamproc.core.time import to_text
from streamproc.intake.money import digits_of
from streamproc.monitor.effects import EpisodeChanged, Figures, Reason, Verdict, WouldWarn

State = Literal["raised", "escalated", "recovered", "lost", "withdrawn"]
EntryKind = Literal["raised", "escalated", "recovered", "lost", "withdrawn", "verdict"]


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
    """A warning as it was raised."""

    id: str
    customer_id: str
    raised_at: str
    by_when: str
    severity: str
    risk: Risk
    value: Value
    standing: Standing
    reasons: tuple[ReasonText, ...]
    owner: str | None = None
    customer_kind: str | None = None
    history: bool = False


class Entry(Struct, frozen=True, kw_only=True):
    """One line of the feed: a warning was raised, went on, ended, or got its verdict.

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


def warning_of(would: WouldWarn, money: Money, *, history: bool) -> Warning:
    """The warning that a would-warn becomes."""
    figures = would.figures
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


def raised(warning: Warning) -> Entry:
    """The feed's line for a new warning; it carries the whole warning."""
    return Entry(
        warning_id=warning.id,
        customer_id=warning.customer_id,
        at=warning.raised_at,
        kind="raised",
        history=warning.history,
        probability=warning.risk.probability,
        severity=warning.severity,
        expected_loss=warning.value.expected_loss,
        warning=warning,
    )


def entry_of(effect: EpisodeChanged | Verdict, money: Money, *, history: bool) -> Entry:
    """The feed's line for what became of a warning."""
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
    )
