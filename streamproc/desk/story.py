"""The firm over time: what its journal, read again, tells month by month.

The rule kept here: what `status` says of today is the same figure here, from the same totals; what it does not know
(tiers, segments, flows, complaints of a month) is counted from the effects of the replay.
"""

from collections import Counter
from collections.abc import Iterable
from typing import Final, NamedTuple

from msgspec import Struct, field

from streamproc.core.control import JournalRecord, Tick
from streamproc.core.events import CustomerFact, FirmFact
from streamproc.core.firm import Firm, note
from streamproc.core.lifecycle import Stage
from streamproc.core.population import Histogram
from streamproc.core.satisfaction import Service, satisfied, satisfied_by, service
from streamproc.core.time import DAY, to_text
from streamproc.desk.glance import growth_of, rounded
from streamproc.desk.record import month_of
from streamproc.desk.report import Growth
from streamproc.desk.warning import Money
from streamproc.monitor.blame import UNKNOWN
from streamproc.monitor.effects import ComplaintStep, Effect, Looked, PartitionSummary, Totals, Transition
from streamproc.monitor.totals import merged

MOVED_DAYS: Final = 180
"""The movement between tiers and segments is that of the last so many days."""

CURVE_STEPS: Final = 20
NEW, GONE = "new", "lost"
"""Where somebody comes from who was no customer before, and goes to who is none any more."""


class Flow(Struct, frozen=True):
    """How many went from one stage, tier or segment to another; `won_back` after they had been lost."""

    before: str
    after: str
    customers: int
    won_back: bool = False


class Point(Struct, frozen=True, kw_only=True):
    """A month as it stood at its end (`at`), and what happened in it; money in decimal units of the currency.

    `lost` counts by grade those lost in the month, and `churn` is their share of the customers that the grade had when
    it began (of all of them under `all`). `complaints` are those heard in it by category. `lifetime_value` is the mean
    of a customer; None: not measured.
    """

    month: str
    at: str
    stages: dict[str, int]
    grades: dict[str, int]
    tiers: dict[str, int]
    segments: dict[str, int]
    lost: dict[str, int]
    churn: dict[str, float]
    growth: Growth
    satisfaction: float | None
    satisfaction_by_grade: dict[str, float]
    service: Service
    unhappy: int
    equity: str
    at_risk: str
    lifetime_value: str | None
    acquisition_cost: float | None
    complaints: dict[str, int]


class Story(Struct, frozen=True, kw_only=True):
    """The firm over time, the months in order; the last is the one that is running.

    A curve holds, from 0 to 100 % of the customers in steps of 5, the best first, the share of the total they bring;
    it is empty where the total is not positive. `losses` counts by cause and grade those lost in the months known.
    """

    currency: str
    points: tuple[Point, ...]
    flows: tuple[Flow, ...]
    tiers_moved: tuple[Flow, ...]
    segments_moved: tuple[Flow, ...]
    revenue_curve: tuple[float, ...]
    contribution_curve: tuple[float, ...]
    losses: dict[str, dict[str, int]]


Place = tuple[str, str]
"""A customer's tier and segment."""


class Midnight(NamedTuple):
    """The whole base at the end of a day (`at` in µs)."""

    at: int
    totals: Totals


class Telling(Struct):
    """The journal read so far; `until` (µs) is where it ends, known beforehand."""

    money: Money
    until: int
    points: list[Point] = []
    flows: Counter[tuple[str, str, bool]] = field(default_factory=Counter)
    places: dict[str, Place] = {}
    places_before: dict[str, Place] | None = None
    aliases: set[str] = set()
    complaints: Counter[str] = field(default_factory=Counter)
    firm: Firm = field(default_factory=Firm)
    began: Totals | None = None
    latest: Midnight | None = None

    def take(self, record: JournalRecord, effects: Iterable[Effect]) -> None:
        """Notes one record and what it brought about (in place); of a tick that of all partitions at once."""
        parts: dict[int, list[Totals]] = {}
        if isinstance(record, Tick):
            self._reach(record.at)
        elif isinstance(record, FirmFact):
            note(self.firm, record)
        elif isinstance(record, CustomerFact) and record.alias_of is not None:
            self.aliases.add(record.customer_id)
            self.places.pop(record.customer_id, None)
        for effect in effects:
            match effect:
                case Transition():
                    self._move(effect)
                case Looked() if effect.figures is not None and effect.customer_id not in self.aliases:
                    told = effect.figures
                    self.places[effect.customer_id] = (told.tier or UNKNOWN, told.segment or UNKNOWN)
                case ComplaintStep() if effect.first:
                    self.complaints[effect.category or UNKNOWN] += 1
                case PartitionSummary():
                    parts.setdefault(effect.at, []).append(effect.totals)
                case _:
                    pass
        for at, totals in parts.items():
            self._pass_midnight(at, merged(totals))

    def _move(self, moved: Transition) -> None:
        self.flows[moved.before.code, moved.after.code, moved.won_back] += 1
        if moved.after in {Stage.LOST, Stage.PERMANENTLY_LOST}:
            self.places.pop(moved.customer_id, None)

    def _reach(self, at: int) -> None:
        """Ends the month of the last midnight, if a tick is in a later one."""
        last = self.latest
        if last is not None and month_of(last.at) != month_of(at) and last.totals is not self.began:
            self.points.append(self._point(last.at, last.totals))
            self.began, self.complaints = last.totals, Counter()

    def _pass_midnight(self, at: int, totals: Totals) -> None:
        self.latest = Midnight(at, totals)
        if self.places_before is None and at >= self.until - MOVED_DAYS * DAY:
            self.places_before = dict(self.places)

    def _point(self, at: int, totals: Totals) -> Point:
        n = totals.contribution.size()
        lost, churn = _churn(self.began, totals)
        places = self.places.values()
        return Point(
            month=month_of(at),
            at=to_text(at),
            stages=dict(totals.stages),
            grades=dict(totals.grades),
            tiers=dict(Counter(tier for tier, _ in places)),
            segments=dict(Counter(segment for _, segment in places)),
            lost=lost,
            churn=churn,
            growth=growth_of(totals, at, self.money),
            satisfaction=rounded(satisfied(totals.service)),
            satisfaction_by_grade=satisfied_by(totals.content),
            service=service(totals.service),
            unhappy=totals.unhappy,
            equity=self.money.text(totals.equity),
            at_risk=self.money.text(totals.at_risk),
            lifetime_value=self.money.text(round(totals.equity / n)) if n else None,
            acquisition_cost=self.firm.acquisition_cost(),
            complaints=dict(self.complaints),
        )

    def story(self, totals: Totals) -> Story:
        """The story up to the end, where the totals are those of today."""
        return Story(
            currency=self.money.currency,
            points=(*self.points, self._point(self.until, totals)),
            flows=tuple(Flow(before, after, n, back) for (before, after, back), n in sorted(self.flows.items())),
            tiers_moved=_moved(self.places_before, self.places, 0),
            segments_moved=_moved(self.places_before, self.places, 1),
            revenue_curve=_curve(totals.revenue),
            contribution_curve=_curve(totals.contribution),
            losses=_by_cause(totals),
        )


def _churn(began: Totals | None, now: Totals) -> tuple[dict[str, int], dict[str, float]]:
    """Lost since by grade, and their shares of those who were there; a grade that was empty has no share."""
    before = {} if began is None else began.lost
    lost = {grade: n - before.get(grade, 0) for grade, n in sorted(now.lost.items()) if n > before.get(grade, 0)}
    there = {} if began is None else began.grades
    churn = {grade: lost.get(grade, 0) / n for grade, n in sorted(there.items()) if n}
    if churn:
        churn["all"] = sum(lost.values()) / sum(there.values())
    return lost, churn


def _moved(before: dict[str, Place] | None, now: dict[str, Place], which: int) -> tuple[Flow, ...]:
    """From where to where between two times; empty where nothing is known of the first."""
    if not before:
        return ()
    moves = Counter(
        (before[one][which] if one in before else NEW, now[one][which] if one in now else GONE)
        for one in before.keys() | now.keys()
    )
    return tuple(Flow(old, new, n) for (old, new), n in sorted(moves.items()))


def _curve(histogram: Histogram) -> tuple[float, ...]:
    total = histogram.grand_total()
    if total <= 0:
        return ()
    return tuple(round(histogram.total_of_top(n / CURVE_STEPS) / total, 6) for n in range(CURVE_STEPS + 1))


def _by_cause(totals: Totals) -> dict[str, dict[str, int]]:
    found: dict[str, dict[str, int]] = {}
    for counts in totals.losses.values():
        for key, n in counts.items():
            cause, grade, _ = key.split("/")
            grades = found.setdefault(cause, {})
            grades[grade] = grades.get(grade, 0) + n
    return found
