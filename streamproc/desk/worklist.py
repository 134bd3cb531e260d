"""The work list: which warnings wait for somebody, in which order, and whose they are."""

from collections.abc import Iterable
from datetime import datetime
from decimal import Decimal

from msgspec import Struct
from msgspec.structs import replace

from streamproc.core.alerts import Alert
from streamproc.core.time import HOUR, from_datetime
from streamproc.desk.feed import OPEN_STATES
from streamproc.desk.report import WarningNow


class Fold(Struct, frozen=True, kw_only=True):
    """The open incident that several warnings stand on the list as, how many, and what is to be lost with them all."""

    subject: str
    cause: str
    warnings: int
    expected_loss: str


class Work(Struct, frozen=True, kw_only=True):
    """One warning on the list.

    `owner` has claimed it, else looks after the customer, else is the role that the playbook's first step names (None:
    no playbook). `hours_left` are those until somebody should have it, once claimed or where nobody need those until
    its by-when; below zero it is late. With an `incident` the warning is the one with most to lose of those that
    nobody has claimed, and `hours_left` the least of theirs.
    """

    warning: WarningNow
    owner: str | None
    claimed: bool
    asleep: bool
    hours_left: float
    incident: Fold | None = None

    @property
    def expected_loss(self) -> Decimal:
        """What is to be lost, in units of the currency."""
        return Decimal(self.warning.current.expected_loss if self.incident is None else self.incident.expected_loss)


def work_list(
    warnings: Iterable[WarningNow],
    now: int,
    *,
    whose: str | None = None,
    asleep: bool = False,
    incidents: Iterable[Alert] = (),
) -> list[Work]:
    """What is to be done at `now` (µs): open, without an outcome; the largest expected loss first, then the least time.

    `whose`: of this owner alone. What sleeps is left out unless `asleep`. Of those that belong to one of the open
    `incidents` (other alerts are passed over) the ones that nobody has claimed are one.
    """
    listed = [_work(w, now) for w in warnings if w.state in OPEN_STATES and not (w.care and w.care.outcome)]
    wanted = [work for work in listed if (asleep or not work.asleep) and whose in {None, work.owner}]
    return sorted(folded(wanted, incidents), key=lambda work: (-work.expected_loss, work.hours_left, work.warning.id))


def folded(works: Iterable[Work], incidents: Iterable[Alert]) -> list[Work]:
    """The list with one row for the unclaimed of each open incident."""
    causes = {alert.subject: alert.names["cause"] for alert in incidents if alert.kind == "incident"}
    rows: list[Work] = []
    parts: dict[str, list[Work]] = {}
    for work in works:
        subject = work.warning.incident
        if subject in causes and not work.claimed:
            parts.setdefault(subject, []).append(work)
        else:
            rows.append(work)
    return rows + [_fold(subject, causes[subject], found) for subject, found in parts.items()]


def _fold(subject: str, cause: str, works: list[Work]) -> Work:
    largest = min(works, key=lambda work: (-work.expected_loss, work.warning.id))
    total = sum((work.expected_loss for work in works), Decimal())
    fold = Fold(subject=subject, cause=cause, warnings=len(works), expected_loss=str(total))
    return replace(largest, hours_left=min(work.hours_left for work in works), incident=fold)


def _work(warning: WarningNow, now: int) -> Work:
    care = warning.care
    claimed_by = None if care is None else care.claimed_by
    until = None if care is None else care.snoozed_until
    role = warning.steps[0].role if warning.steps else None
    due = warning.by_when if claimed_by or warning.due_at is None else warning.due_at
    return Work(
        warning=warning,
        owner=claimed_by or warning.owner or role,
        claimed=claimed_by is not None,
        asleep=until is not None and now < _instant(until),
        hours_left=round((_instant(due) - now) / HOUR, 1),
    )


def _instant(text: str) -> int:
    return from_datetime(datetime.fromisoformat(text))
