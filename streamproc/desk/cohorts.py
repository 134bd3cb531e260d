"""What goes wrong with the base: churn by grade outside its own band, fewer customers, concentration, less content.

The rule kept here: each needs only sums at midnights. A finding has a threshold to begin at and a lower one to end at.
"""

from collections.abc import Callable

from streamproc.core import experience as xp
from streamproc.core.alerts import AlertKind, Finding
from streamproc.core.population import concentration
from streamproc.core.satisfaction import satisfied
from streamproc.desk.days import DAYS_KEPT, Band, Days, band, usual
from streamproc.monitor.effects import Totals

KINDS: tuple[AlertKind, ...] = (
    "churn_rate",
    "churn_grave",
    "base_shrinking",
    "concentration_rising",
    "satisfaction_sliding",
)
GRADES = ("A", "B", "C", "D")
GRAVE = ("A", "B")
"""Large and middling customers: where more of them are lost than usual, the firm itself is in danger (一大警讯)."""

FALSE_A_YEAR = 1.0
CHURN_DAYS = 30
CHURN_PAST = 90
"""Days of past without which a grade has no band of its own."""

LEAST_LOST, LEAST_RATIO = 5, 1.5
ORDINARY = 0.05
QUARTER = 91
SHRINKS, SHRINKS_STILL = 0.05, 0.025
"""Shares of the active base lost on balance within a quarter; a usual year costs a tenth (2.5 % a quarter)."""

CONCENTRATES, CONCENTRATES_STILL = 0.03, 0.015
"""Rise, within a quarter, of the share of revenue that the top 20 % bring."""

SLIDES, SLIDES_STILL = 0.03, 0.015
"""Fall, within a quarter, of the satisfaction of the last year: what was perceived by what was expected."""

LEAST_SURVEYS = 30
LEAST_BASE = 100
MYRIAD = 10_000

IsOpen = Callable[[AlertKind, str], bool]


def levels(base: Totals) -> dict[str, int]:
    """How the base stands: active customers, those by grade, the share of the top 20 % in revenue (1/10,000)."""
    found = {"active": sum(base.stages.get(stage, 0) for stage in ("first_time", "repeat", "loyal"))}
    found |= {f"grade.{grade}": base.grades.get(grade, 0) for grade in GRADES}
    share = concentration(base.revenue).top_20
    content, surveys = satisfied(base.service), base.service[xp.SURVEYS] if base.service else 0
    found["satisfied"] = round(content * MYRIAD) if content is not None and surveys >= LEAST_SURVEYS else 0
    return found | {"top_20": 0 if share is None else round(share * MYRIAD)}


def running(base: Totals) -> dict[str, int]:
    """Counts that only grow: events by stream, losses by grade."""
    lost = {f"lost.{grade}": base.lost.get(grade, 0) for grade in GRADES}
    return lost | {f"seen.{stream}": n for stream, n in base.seen.items()}


def findings(days: Days, is_open: IsOpen) -> list[Finding]:
    """What is out of the ordinary at the end of a day."""
    found = [_churn(days, "churn_rate", (grade,), is_open) for grade in GRADES]
    found += [_churn(days, "churn_grave", GRAVE, is_open), _shrinking(days, is_open), _concentrating(days, is_open)]
    found.append(_sliding(days, is_open))
    return [finding for finding in found if finding is not None]


def _churn(days: Days, kind: AlertKind, grades: tuple[str, ...], is_open: IsOpen) -> Finding | None:
    subject = "+".join(grades)
    length = min(DAYS_KEPT, len(days.counts.get("active", ())))
    if length < CHURN_PAST + CHURN_DAYS:
        return None
    lost, among = _sums(days, "lost", grades, length), _sums(days, "grade", grades, length)
    known = usual(lost[:-CHURN_DAYS], among[:-CHURN_DAYS], days.last - CHURN_DAYS)
    seen = None if known is None else band(known, lost[-CHURN_DAYS:], among[-CHURN_DAYS:], days.last)
    if seen is None or not _beyond(seen, open_already=is_open(kind, subject)):
        return None
    customers = sum(_sums(days, "grade", grades, 1))
    return Finding(
        kind=kind,
        subject=subject,
        severity="critical" if kind == "churn_grave" else "high",
        figures={
            "days": float(CHURN_DAYS),
            "count": float(seen.seen),
            "expected": round(seen.expected, 2),
            "customers": float(customers),
        },
    )


def _beyond(seen: Band, *, open_already: bool) -> bool:
    if open_already:
        return seen.above < ORDINARY
    odds = FALSE_A_YEAR / 365 / (len(GRADES) + 1)
    return seen.above < odds and seen.seen >= max(LEAST_LOST, LEAST_RATIO * seen.expected)


def _sums(days: Days, name: str, grades: tuple[str, ...], length: int) -> list[int]:
    return [sum(parts) for parts in zip(*(days.series(f"{name}.{grade}", length) for grade in grades), strict=True)]


def _then_and_now(days: Days, name: str) -> tuple[int, int] | None:
    kept = days.counts.get(name, [])
    return (kept[-QUARTER - 1], kept[-1]) if len(kept) > QUARTER else None


def _shrinking(days: Days, is_open: IsOpen) -> Finding | None:
    found = _then_and_now(days, "active")
    if found is None or found[0] < LEAST_BASE:
        return None
    then, now = found
    if 1 - now / then < (SHRINKS_STILL if is_open("base_shrinking", "") else SHRINKS):
        return None
    figures = {"days": float(QUARTER), "before": float(then), "now": float(now), "change": round(now / then - 1, 4)}
    return Finding(kind="base_shrinking", subject="", severity="high", figures=figures)


def _sliding(days: Days, is_open: IsOpen) -> Finding | None:
    found = _then_and_now(days, "satisfied")
    if found is None or not all(found):
        return None
    then, now = found[0] / MYRIAD, found[1] / MYRIAD
    if then - now < (SLIDES_STILL if is_open("satisfaction_sliding", "") else SLIDES):
        return None
    figures = {"days": float(QUARTER), "before": round(then, 4), "now": round(now, 4), "change": round(now - then, 4)}
    return Finding(kind="satisfaction_sliding", subject="", severity="high", figures=figures)


def _concentrating(days: Days, is_open: IsOpen) -> Finding | None:
    found, base = _then_and_now(days, "top_20"), _then_and_now(days, "active")
    if found is None or base is None or base[0] < LEAST_BASE or not found[0]:
        return None
    then, now = found[0] / MYRIAD, found[1] / MYRIAD
    if now - then < (CONCENTRATES_STILL if is_open("concentration_rising", "") else CONCENTRATES):
        return None
    figures = {"days": float(QUARTER), "before": round(then, 4), "now": round(now, 4), "change": round(now - then, 4)}
    return Finding(kind="concentration_rising", subject="", severity="medium", figures=figures)
