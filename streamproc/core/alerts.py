"""An alert to those who run the shop: something about the base, a feed or a promise, not about one customer's leaving.

The rule kept here: an alert is a life under one id: raised once, perhaps worse, ended once; each step is a line.
"""

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from streamproc.core.ids import short_id
from streamproc.core.playbook import StepText
from streamproc.core.time import to_text

AlertKind = Literal[
    "feed_silent",
    "feed_odd",
    "complaint_surge",
    "churn_rate",
    "churn_grave",
    "base_shrinking",
    "concentration_rising",
    "satisfaction_sliding",
    "cross_region",
    "price_gap",
    "promise",
    "cases_full",
    "incident",
]
AlertState = Literal["raised", "worse", "ended"]
AlertSeverity = Literal["low", "medium", "high", "critical"]

SEVERITIES: tuple[AlertSeverity, ...] = ("low", "medium", "high", "critical")

SUBJECT_BYTES = 128
"""A subject is a code, or a word of the feed's own, of at most so many bytes."""


CUSTOMERS_NAMED = 50


class Alert(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """One line of an alert's life. `at` is the tick that brought it; times are RFC 3339 in UTC.

    `subject` tells alerts of one kind apart: a stream, a grade, `category:quality`, a complaint. `figures` is the
    evidence in numbers, `names` that in words; `history`: it happened while the past was read, nobody is called.
    `customers` are those it is about, of many the first CUSTOMERS_NAMED, and `steps` what to do about it.
    """

    id: str
    kind: AlertKind
    subject: str
    severity: AlertSeverity
    state: AlertState
    at: str
    started_at: str
    ended_at: str | None = None
    figures: dict[str, float] = {}
    names: dict[str, str] = {}
    history: bool = False
    customers: tuple[str, ...] = ()
    steps: tuple[StepText, ...] = ()


class Finding(Struct, frozen=True, kw_only=True):
    """What is so at a tick (µs `since`, or that tick) and asks for an alert; as long as it is found, it is open."""

    kind: AlertKind
    subject: str
    severity: AlertSeverity
    figures: dict[str, float] = {}
    names: dict[str, str] = {}
    customers: tuple[str, ...] = ()
    steps: tuple[StepText, ...] = ()

    @property
    def key(self) -> str:
        """What the alert is about: there is one open alert of a key at a time."""
        return f"{self.kind}/{self.subject}"


class OpenAlert(Struct, array_like=True):
    """What is remembered of an alert while it is open: its first tick (µs) and what was said last."""

    started: int
    finding: Finding


def standing(lines: Iterable[Alert], *, open_only: bool = False) -> list[Alert]:
    """Each alert's last line, of those still open or of all; the newest alert first."""
    last = {line.id: line for line in lines}
    found = [line for line in last.values() if not (open_only and line.state == "ended")]
    return sorted(found, key=lambda line: (line.started_at, line.id), reverse=True)


def subject_of(text: str) -> str:
    """A feed's own word as a subject: a longer one is cut, never inside a character, and keeps a mark of the whole."""
    body = text.encode()
    if len(body) <= SUBJECT_BYTES:
        return text
    mark = short_id(text)
    return body[: SUBJECT_BYTES - len(mark)].decode(errors="ignore") + mark


def alert_of(opened: OpenAlert, state: AlertState, at: int, *, history: bool) -> Alert:
    """The line that says what became of an alert at the tick `at` (µs)."""
    finding = opened.finding
    return Alert(
        id=short_id(finding.kind, finding.subject, str(opened.started)),
        kind=finding.kind,
        subject=finding.subject,
        severity=finding.severity,
        state=state,
        at=to_text(at),
        started_at=to_text(opened.started),
        ended_at=to_text(at) if state == "ended" else None,
        figures=finding.figures,
        names=finding.names,
        history=history,
        customers=finding.customers,
        steps=finding.steps,
    )
