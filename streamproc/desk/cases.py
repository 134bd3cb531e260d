"""The desk's cases: every complaint that is open has one owner from the moment it is heard, and two promises to keep.

The rule kept here: whoever heard it owns it (有怨就认), else the category's owner, else the duty desk: none is without.
A case is what the monitor said of the complaint last, whatever the order of its steps; its promises are looked at on
the ticks there are, and one is asked for when a promise falls due.
"""

from collections.abc import Iterable

from msgspec import Struct, field

from streamproc.core.alerts import AlertSeverity, Finding, subject_of
from streamproc.core.complaints import OPEN
from streamproc.core.events import FirmFact
from streamproc.core.hours import read_day, read_hours
from streamproc.core.promises import PROMISES, Promise, Promises
from streamproc.core.time import to_text
from streamproc.desk.calendar import Calendar
from streamproc.monitor.effects import ComplaintStep

CASES_KEPT = 1000
"""Open cases watched at once. Beyond them the one that has been open longest is let go, and an alert says so."""

GONE_KEPT = 256
"""Staff who left, the latest."""

CRITICAL_SEVERITY = 5


class Case(Struct, array_like=True):
    """One open complaint; times in µs. `since`: it was opened, or opened again. `warn` and `due` are by promise.

    A promise that is kept is not in them any more.
    """

    complaint_id: str
    customer_id: str
    owner: str
    since: int
    status: str
    severity: int = 0
    category: str | None = None
    grade: str | None = None
    heard_by: str | None = None
    reopened: int = 0
    repeats: str | None = None
    warn: dict[Promise, int] = {}
    due: dict[Promise, int] = {}


class CaseBook(Struct):
    """The open cases by complaint, and what they are judged by. `next_due`: when (µs) something falls due next."""

    open: dict[str, Case] = {}
    promises: Promises = Promises()
    calendar: Calendar = field(default_factory=Calendar)
    gone: list[str] = []
    let_go: int = 0
    next_due: int | None = None


class CaseNow(Struct, frozen=True, kw_only=True):
    """One open complaint for people: whose it is, and when its promises fall due (RFC 3339; a kept one is left out)."""

    complaint_id: str
    customer_id: str
    owner: str
    status: str
    since: str
    severity: int | None
    category: str | None
    grade: str | None
    reopened: int
    repeats: str | None
    due: dict[Promise, str]


def cases_now(book: CaseBook) -> list[CaseNow]:
    """The open complaints, what falls due next first."""
    ordered = sorted(book.open.values(), key=lambda case: (min(case.due.values()), case.complaint_id))
    return [
        CaseNow(
            complaint_id=case.complaint_id,
            customer_id=case.customer_id,
            owner=case.owner,
            status=case.status,
            since=to_text(case.since),
            severity=case.severity or None,
            category=case.category,
            grade=case.grade,
            reopened=case.reopened,
            repeats=case.repeats,
            due={promise: to_text(due) for promise, due in case.due.items()},
        )
        for case in ordered
    ]


def heed_promises(book: CaseBook, promises: Promises) -> None:
    """Other promises are in force from now on (in place)."""
    if promises != book.promises:
        book.promises = promises
        _judge_again(book)


def heed_fact(book: CaseBook, fact: FirmFact) -> None:
    """Takes in what the firm says of its days, hours and staff (in place); what cannot be read changes nothing."""
    calendar = book.calendar
    if fact.kind in {"holiday", "working_hours"}:
        try:
            _tell(calendar, fact)
        except ValueError:  # from before intake refused such a fact
            return
    elif fact.kind == "staff_left" and fact.subject:
        book.gone = [*(name for name in book.gone if name != fact.subject), fact.subject][-GONE_KEPT:]
    else:
        return
    _judge_again(book)


def _tell(calendar: Calendar, fact: FirmFact) -> None:
    """Raises ValueError for a fact that says no day and no hours."""
    if fact.kind == "holiday":
        calendar.tell_day(read_day(fact.subject, fact.detail).isoformat(), works=fact.value == 0.0)
    else:
        calendar.tell_hours(read_hours(fact.detail), fact.at)


def take_steps(book: CaseBook, steps: Iterable[ComplaintStep]) -> bool:
    """Brings the cases to where the complaints stand (in place); whether any changed."""
    changed = False
    for step in steps:
        changed = True
        if step.status in OPEN:
            book.open[step.complaint_id] = _case(book, step)
        else:
            book.open.pop(step.complaint_id, None)
    while len(book.open) > CASES_KEPT:
        longest = min(book.open.values(), key=lambda case: (case.since, case.complaint_id))
        del book.open[longest.complaint_id]
        book.let_go += 1
    return changed


def _case(book: CaseBook, step: ComplaintStep) -> Case:
    known = book.open.get(step.complaint_id)
    since = step.opened_at
    if step.reopened:
        again = known is None or known.reopened < step.reopened
        since = step.at if known is None or again else known.since
    case = Case(
        complaint_id=step.complaint_id,
        customer_id=step.customer_id,
        owner="",
        since=since,
        status=step.status,
        severity=step.severity,
        category=step.category,
        grade=step.grade,
        heard_by=step.owner,
        reopened=step.reopened,
        repeats=step.repeats,
    )
    _judge(book, case)
    return case


def _judge(book: CaseBook, case: Case) -> None:
    """Whose the case is, and when its promises fall due (in place)."""
    promises = book.promises
    heirs = (case.heard_by, promises.owners.get(case.category or ""), promises.duty)
    case.owner = next(name for name in heirs if name and (name == promises.duty or name not in book.gone))
    case.warn, case.due = {}, {}
    for promise in PROMISES:
        if promise == "acknowledge" and case.status == "acknowledged":
            continue
        hours = promises.hours(promise, case.severity, case.grade)
        case.warn[promise] = book.calendar.after(case.since, hours * promises.warn_at, promises)
        case.due[promise] = book.calendar.after(case.since, hours, promises)


def _judge_again(book: CaseBook) -> None:
    for case in book.open.values():
        _judge(book, case)
        book.next_due = 0  # the tick that told of it looks at them all


def promise_findings(book: CaseBook, at: int) -> list[Finding]:
    """The promises in danger or broken at a tick (µs); notes when the next one falls due (in place)."""
    found: list[Finding] = []
    later: list[int] = []
    for case in book.open.values():
        for promise, due in case.due.items():
            warn = case.warn[promise]
            later += [instant for instant in (warn, due) if instant > at]
            if warn <= at:
                found.append(_finding(case, promise, broken=due <= at))
    book.next_due = min(later, default=None)
    if book.let_go and len(book.open) == CASES_KEPT:
        figures = {"count": float(CASES_KEPT), "let_go": float(book.let_go)}
        found.append(Finding(kind="cases_full", subject="", severity="high", figures=figures))
    else:
        book.let_go = 0
    return found


def _finding(case: Case, promise: Promise, *, broken: bool) -> Finding:
    grave: AlertSeverity = "critical" if case.severity >= CRITICAL_SEVERITY or case.grade == "A" else "high"
    names = {
        "promise": promise,
        "due": to_text(case.due[promise]),
        "complaint": case.complaint_id,
        "customer": case.customer_id,
        "owner": case.owner,
    }
    if case.repeats:
        names["repeats"] = case.repeats
    return Finding(
        kind="promise",
        subject=subject_of(f"{promise}/{case.complaint_id}"),
        severity=grave if broken else "medium",
        figures={"severity": float(case.severity), "reopened": float(case.reopened)},
        names=names,
    )
