"""The work list: which warnings wait for somebody, in which order, and whose they are."""

from collections.abc import Iterable
from datetime import datetime

from msgspec import Struct

from streamproc.core.time import HOUR, from_datetime
from streamproc.desk.feed import OPEN_STATES
from streamproc.desk.report import WarningNow


class Work(Struct, frozen=True, kw_only=True):
    """One warning on the list.

    `owner` has claimed it, else looks after the customer, else is the role that the playbook's first step names (None:
    no playbook). `hours_left` are those until somebody should have it, once claimed or where nobody need those until
    its by-when; below zero it is late.
    """

    warning: WarningNow
    owner: str | None
    claimed: bool
    asleep: bool
    hours_left: float


def work_list(
    warnings: Iterable[WarningNow], now: int, *, whose: str | None = None, asleep: bool = False
) -> list[Work]:
    """What is to be done at `now` (µs): open, without an outcome; the largest expected loss first, then the least time.

    `whose`: of this owner alone. What sleeps is left out unless `asleep`.
    """
    listed = [_work(w, now) for w in warnings if w.state in OPEN_STATES and not (w.care and w.care.outcome)]
    wanted = [work for work in listed if (asleep or not work.asleep) and whose in {None, work.owner}]
    return sorted(
        wanted, key=lambda work: (-float(work.warning.current.expected_loss), work.hours_left, work.warning.id)
    )


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
