"""What the desk watches for those who run the shop: it raises an alert once, says when it gets worse, ends it once.

The rule kept here: what is looked for is looked for anew each time; what is found and not open is raised, what is open
and not found any more is ended. So an alert cannot be doubled, and one that was over cannot stay.
"""

from collections.abc import Iterable

from msgspec import Struct, field

from streamproc.core.alerts import SEVERITIES, Alert, AlertKind, Finding, OpenAlert, alert_of
from streamproc.core.control import PlaybookChange, PolicyChange
from streamproc.core.events import FirmFact
from streamproc.core.time import DAY, today_of
from streamproc.desk import cohorts, dealers, surges
from streamproc.desk.cases import CaseBook, heed_fact, heed_promises, promise_findings, take_steps
from streamproc.desk.days import Days
from streamproc.monitor.effects import ComplaintStep, Effect, Totals

DAILY: frozenset[AlertKind] = frozenset({*surges.KINDS, *cohorts.KINDS, *dealers.KINDS})
"""What is looked for at midnights."""

PROMISED: frozenset[AlertKind] = frozenset({"promise", "cases_full"})
"""What is looked for whenever a complaint went on, or a promise falls due."""

INCIDENT: frozenset[AlertKind] = frozenset({"incident"})
"""What is looked for whenever somebody joined or left one."""

GROWN = 2.0
"""An incident is worse, too, once it has so many times as many as when that was said last."""


class Watch(Struct):
    """What the desk remembers for its alerts.

    `before` are the base's running counts at the last midnight (None: there was none), `today` are complaints by what
    they are counted under, since then.
    """

    open: dict[str, OpenAlert] = {}
    days: Days = field(default_factory=Days)
    before: dict[str, int] | None = None
    today: dict[str, int] = {}
    cases: CaseBook = field(default_factory=CaseBook)

    def is_open(self, kind: AlertKind, subject: str) -> bool:
        """Whether there is an open alert of this kind about that."""
        return f"{kind}/{subject}" in self.open


def watch_tick(watch: Watch, at: int, effects: Iterable[Effect], base: Totals | None, *, history: bool) -> list[Alert]:
    """Takes a tick's complaints in, and at a midnight the day's figures; the lines that follow, by subject."""
    lines: list[Alert] = []
    steps = [effect for effect in effects if isinstance(effect, ComplaintStep)]
    for step in steps:
        surges.count(watch.today, watch.days, step)
    due = watch.cases.next_due
    if take_steps(watch.cases, steps) or (due is not None and due <= at):
        lines += settle(watch.open, PROMISED, promise_findings(watch.cases, at), at, history=history)
    if base is not None and not at % DAY:
        lines += settle(watch.open, DAILY, _end_of_day(watch, at, base), at, history=history)
    return lines


def heed(watch: Watch, record: FirmFact | PolicyChange | PlaybookChange) -> None:
    """Goes by it from now on (in place)."""
    if isinstance(record, PolicyChange):
        heed_promises(watch.cases, record.policy.promises)
    elif isinstance(record, FirmFact):
        heed_fact(watch.cases, record)


def _end_of_day(watch: Watch, at: int, base: Totals) -> list[Finding]:
    running = cohorts.running(base)
    before, watch.before = watch.before, running
    today, watch.today = watch.today, {}
    if before is None:  # of the first day it is not known how much of it was seen
        return []
    day = today_of(at)
    new = {name: count - before.get(name, 0) for name, count in running.items()}
    watch.days.add(day, cohorts.levels(base) | new | today)
    return [
        *surges.findings(watch.days, watch.is_open),
        *cohorts.findings(watch.days, watch.is_open),
        *dealers.findings(base.dealing),
    ]


def settle(
    opened: dict[str, OpenAlert], kinds: frozenset[AlertKind], findings: Iterable[Finding], at: int, *, history: bool
) -> list[Alert]:
    """Opens, worsens and ends the alerts of these kinds (in place); the lines that say so."""
    found = {finding.key: finding for finding in findings}
    lines = []
    for key in sorted({*found, *opened}):
        finding, known = found.get(key), opened.get(key)
        if known is None and finding is not None:
            opened[key] = OpenAlert(at, finding)
            lines.append(alert_of(opened[key], "raised", at, history=history))
        elif known is not None and finding is None and known.finding.kind in kinds:
            del opened[key]
            lines.append(alert_of(known, "ended", at, history=history))
        elif known is not None and finding is not None and _is_worse(finding, known.finding):
            opened[key] = OpenAlert(known.started, finding)
            lines.append(alert_of(opened[key], "worse", at, history=history))
    return lines


def _is_worse(now: Finding, before: Finding) -> bool:
    if SEVERITIES.index(now.severity) > SEVERITIES.index(before.severity):
        return True
    return now.kind in INCIDENT and now.figures["count"] >= GROWN * before.figures["count"]
