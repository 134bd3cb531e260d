"""A warning and its reasons, ready for a template: every text already in the reader's language."""

from collections import Counter
from collections.abc import Sequence
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from streamproc.adapters.web.charts import bar
from streamproc.adapters.web.paths import customer_page
from streamproc.adapters.web.texts import labels_in
from streamproc.core.alerts import SEVERITIES, Alert
from streamproc.desk.report import LossCount, WarningNow
from streamproc.desk.warning import CauseText, EvidenceText, ReasonText, Standing, Value
from streamproc.monitor.blame import UNKNOWN
from streamproc.words import (
    Said,
    Words,
    alert_said,
    cause_said,
    clues_said,
    discontent_lines,
    first_steps,
    loyalty_said,
    main_reasons,
    reason_said,
    stance_said,
    standing_said,
    step_said,
)
from streamproc.words.terms import TERMS

TIMES = "\N{MULTIPLICATION SIGN}"
CLOSED = frozenset(("recovered", "lost", "withdrawn"))


class Because(NamedTuple):
    """A reason of a warning: what is so, what that does to the risk, and the events behind it as (stream, id, date)."""

    fact: str
    effect: str
    evidence: list[tuple[str, str, str]]


class Push(NamedTuple):
    """What pushes a risk up or down: its term, what is so, what that does, log-odds as written, and its bar."""

    term: str
    fact: str
    effect: str
    log_odds: str
    start: float
    length: float
    raises: bool
    evidence: list[tuple[str, str, str]]


class Blamed(NamedTuple):
    """A likely cause in words, and the evidence for it."""

    said: str
    evidence: str


class Card(NamedTuple):
    """A warning as the page shows it."""

    id: str
    customer_id: str
    href: str
    probability: str
    likely: str
    loss: str
    stake: str
    severity: str
    severity_code: str
    state: str
    state_code: str
    is_open: bool
    raised: str
    raised_at: str
    reasons: list[Because]
    owner: str | None
    history: bool
    verdict: bool | None
    causes: list[Blamed]
    signs: list[str]
    loyalty: str | None
    stance: str | None
    steps: list[str]
    incident: str | None


class Alarm(NamedTuple):
    """An open alert as the page shows it; `customers` are those it is about, each with its page."""

    severity: str
    severity_code: str
    said: str
    since: str
    since_at: str
    customers: list[tuple[str, str]]
    steps: list[str]


def alarms_of(alerts: Sequence[Alert], words: Words) -> list[Alarm]:
    """Incidents, then the others; the gravest first, among these the newest."""
    labels = labels_in(words.language)
    gravest = sorted(alerts, key=lambda alert: (alert.kind != "incident", -SEVERITIES.index(alert.severity)))
    return [
        Alarm(
            severity=words.term("severity", alert.severity),
            severity_code=alert.severity,
            said=alert_said(words, alert),
            since=labels["alert_since"].format(when=words.moment(alert.started_at)),
            since_at=alert.started_at,
            customers=[(name, customer_page(name)) for name in alert.customers],
            steps=[step_said(words, step) for step in first_steps(alert.steps, len(alert.steps))],
        )
        for alert in gravest
    ]


def incidents_in(alerts: Sequence[Alert]) -> frozenset[str]:
    """The subjects of the open incidents."""
    return frozenset(alert.subject for alert in alerts if alert.kind == "incident")


class Lost(NamedTuple):
    """Who was lost, by likely cause: the grades there are, and by cause how many of each, and of all."""

    grades: list[str]
    rows: list[tuple[str, list[str], str]]


def lost_of(losses: Sequence[LossCount], words: Words) -> Lost:
    """The most frequent cause first, what is not known last."""
    causes, grades = Counter[str](), {loss.grade for loss in losses}
    cells = Counter[tuple[str, str]]()
    for loss in losses:
        causes[loss.cause] += loss.customers
        cells[loss.cause, loss.grade] += loss.customers
    columns = [grade for grade in TERMS["grade"] if grade in grades]
    columns += sorted(grades - set(columns))
    unknown = words.say("unknown")
    rows = [
        (
            words.say("cause not known") if cause == UNKNOWN else words.term("cause", cause),
            [words.number(cells[cause, grade]) for grade in columns],
            words.number(n),
        )
        for cause, n in sorted(causes.items(), key=lambda item: (item[0] == UNKNOWN, -item[1], item[0]))
    ]
    return Lost([unknown if grade == UNKNOWN else words.term("grade", grade) for grade in columns], rows)


def view_of(warning: WarningNow, words: Words, incidents: AbstractSet[str] = frozenset()) -> Card:
    """The card of a warning as it stands; it says so where it belongs to one of the open `incidents`."""
    labels, value = labels_in(words.language), warning.value
    loss = words.money(warning.current.expected_loss, value.currency) if value.measured else labels["no_money"]
    stake = labels["of_stake"].format(stake=words.money(value.stake, value.currency)) if value.measured else ""
    risk = warning.current.probability
    signs = [] if warning.discontent is None else discontent_lines(words, warning.discontent)
    if risk is None:
        loss = words.money(value.lifetime_value, value.currency) if value.measured else labels["no_money"]
    return Card(
        id=warning.id,
        customer_id=warning.customer_id,
        href=customer_page(warning.customer_id),
        probability=labels["unhappy"] if risk is None else words.probability(risk),
        likely=(labels["likely"] if risk is not None else labels["speak_by"]).format(when=words.date(warning.by_when)),
        loss=loss,
        stake=stake if risk is not None else "",
        severity=words.term("severity", warning.current.severity),
        severity_code=warning.current.severity,
        state=standing_said(words, warning.state, warning.care),
        state_code=warning.state,
        is_open=warning.state not in CLOSED,
        raised=labels["raised_at"].format(when=words.moment(warning.raised_at)),
        raised_at=warning.raised_at,
        reasons=[_because(reason, warning, words) for reason in main_reasons(warning.reasons)],
        owner=warning.owner,
        history=warning.history,
        verdict=warning.verdict,
        causes=blamed(warning.causes, words),
        signs=[line.text for line in signs],
        loyalty=None if warning.loyalty is None else loyalty_said(words, warning.loyalty),
        stance=None if warning.stance is None else stance_said(words, warning.stance),
        steps=[step_said(words, step) for step in first_steps(warning.steps, len(warning.steps))],
        incident=warning.incident if warning.incident in incidents else None,
    )


def blamed(causes: Sequence[CauseText], words: Words) -> list[Blamed]:
    """The likely causes, strongest first."""
    return [Blamed(cause_said(words, cause), clues_said(words, cause)) for cause in causes]


def _because(reason: ReasonText, warning: WarningNow, words: Words) -> Because:
    said = reason_said(words, reason, warning.standing, warning.value)
    return Because(said.fact, _effect(said), _evidence(reason.evidence, words))


def pushes_of(reasons: Sequence[ReasonText], standing: Standing, value: Value, words: Words) -> list[Push]:
    """All reasons, the heaviest first, with bars on one scale."""
    heaviest = max((abs(r.log_odds) for r in reasons), default=0.0)
    found = []
    for reason in sorted(reasons, key=lambda r: -abs(r.log_odds)):
        said = reason_said(words, reason, standing, value)
        start, length = bar(reason.log_odds, heaviest)
        found.append(
            Push(
                term=said.term,
                fact=said.fact,
                effect=_effect(said),
                log_odds=f"{reason.log_odds:+z.2f}".replace("-", "\N{MINUS SIGN}"),
                start=start,
                length=length,
                raises=reason.log_odds > 0,
                evidence=_evidence(reason.evidence, words),
            )
        )
    return found


def _effect(said: Said) -> str:
    """What a reason does and how that has changed; a factor stays on the line of its sign."""
    return f"{said.effect}; {said.change}".replace(f"{TIMES} ", f"{TIMES}\N{NO-BREAK SPACE}")


def _evidence(events: Sequence[EvidenceText], words: Words) -> list[tuple[str, str, str]]:
    return [(words.term("stream", e.stream), e.event_id, words.date(e.occurred_at)) for e in events]
