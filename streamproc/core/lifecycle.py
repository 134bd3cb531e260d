"""Where a customer stands (客户流转) and in which phase the relationship is.

potential → target → first-time → repeat → loyal; any buyer → lost by silence or termination; lost → repeat or loyal
(won back) or → permanently lost. The stage is a function of the facts and of time alone.
"""

from enum import IntEnum, StrEnum
from math import inf

from msgspec import Struct

from streamproc.core.buckets import BUCKET_DAYS, HALF_YEAR_BUCKETS, covered_days
from streamproc.core.facts import Facts
from streamproc.core.time import DAY, SECOND, today_of

MOST_DAYS = 36_500
"""A hundred years: an instant so far off can still be told."""


class Stage(IntEnum):
    """A customer's stage; the order is that of the lifecycle."""

    POTENTIAL = 0
    TARGET = 1
    FIRST_TIME = 2
    REPEAT = 3
    LOYAL = 4
    LOST = 5
    PERMANENTLY_LOST = 6

    @property
    def code(self) -> str:
        """The stage's name on the wire: lower case with underscores."""
        return self.name.lower()


class Phase(StrEnum):
    """The relationship phase: 培育, 成长, 回报, 挽留, 终止."""

    CULTIVATION = "cultivation"
    GROWTH = "growth"
    RETURN = "return"
    RETENTION = "retention"
    TERMINATION = "termination"


class StageRules(Struct, frozen=True, forbid_unknown_fields=True):
    """Numbers of days and orders that part the stages, and what parts the phases.

    Spend grows where that of a half-year is more than `grows` times that of the one before, and shrinks under `shrinks`
    times; under `cultivated_orders` orders a relationship is being cultivated.
    """

    target_contacts: int = 2
    target_window_days: int = 90
    repeat_orders: int = 2
    loyal_orders: int = 5
    loyal_span_days: int = 180
    loyal_recent_orders: int = 3
    loyal_recent_days: int = 365
    permanently_lost_days: int = 365
    grows: float = 1.1
    shrinks: float = 0.9
    cultivated_orders: int = 3

    def __post_init__(self) -> None:
        """Raises ValueError for a number that parts nothing."""
        counts = (self.target_contacts, self.target_window_days, self.repeat_orders, self.loyal_recent_days)
        if min(*counts, self.loyal_orders, self.loyal_recent_orders, self.permanently_lost_days) < 1:
            raise ValueError("stages: orders, contacts and days are at least 1")
        if not 1 < self.repeat_orders <= self.loyal_orders:
            raise ValueError("stages: 1 < repeat_orders <= loyal_orders must hold")
        if min(self.loyal_span_days, self.cultivated_orders) < 0:
            raise ValueError("stages: loyal_span_days and cultivated_orders may not be negative")
        longest = max(self.target_window_days, self.loyal_recent_days, self.loyal_span_days, self.permanently_lost_days)
        if longest > MOST_DAYS:
            raise ValueError(f"stages: {MOST_DAYS} days at the most")
        if not 0.0 <= self.shrinks <= 1.0 <= self.grows < inf:
            raise ValueError("stages: 0 <= shrinks <= 1 <= grows must hold")


DEFAULT_RULES = StageRules()


def lost_at(facts: Facts, horizon_days: int) -> int | None:
    """The instant (µs) at which the customer is or will be lost; None for one who never bought.

    By silence `horizon_days` after the last purchase, by termination at once; a purchase after a termination undoes it.
    """
    last = facts.last_purchase()
    if last is None:
        return None
    silent = last + horizon_days * DAY
    return min(silent, facts.terminated_at) if facts.terminated_at > last else silent


def stage_at(facts: Facts, at: int, horizon_days: int, rules: StageRules = DEFAULT_RULES) -> Stage:
    """The stage at the instant `at` (µs)."""
    lost = lost_at(facts, horizon_days)
    if lost is None:
        return Stage.TARGET if _is_target(facts, at, rules) else Stage.POTENTIAL
    if at >= lost:
        gone = max(rules.permanently_lost_days, 2 * horizon_days) * DAY
        return Stage.PERMANENTLY_LOST if at >= lost + gone else Stage.LOST
    orders = facts.n_orders
    if orders >= rules.loyal_orders and _is_loyal(facts, today_of(at), rules):
        return Stage.LOYAL
    return Stage.REPEAT if orders >= rules.repeat_orders else Stage.FIRST_TIME


def _is_target(facts: Facts, at: int, rules: StageRules) -> bool:
    until = _target_until(facts, rules)
    return until is not None and at < until


def _target_until(facts: Facts, rules: StageRules) -> int | None:
    """The instant (µs) from which a prospect has asked too seldom; None for one who always did."""
    asked = [t.at for t in facts.contacts if t.purpose in {"inquiry", "sales"}]
    if len(asked) < rules.target_contacts:
        return None
    return asked[-rules.target_contacts] * SECOND + rules.target_window_days * DAY + SECOND


def _is_loyal(facts: Facts, today: int, rules: StageRules) -> bool:
    recent = facts.recent
    if facts.last_day() - facts.first_day < rules.loyal_span_days:
        return False
    since = today - rules.loyal_recent_days
    return sum(n for d, n in zip(recent.day, recent.count, strict=True) if d > since) >= rules.loyal_recent_orders


def next_change(facts: Facts, at: int, horizon_days: int, rules: StageRules = DEFAULT_RULES) -> int | None:
    """The next instant (µs, after `at`) at which silence alone moves the stage: lost, permanently lost, no target."""
    lost = lost_at(facts, horizon_days)
    if lost is None:
        until = _target_until(facts, rules)
        return until if until is not None and until > at else None
    gone = lost + max(rules.permanently_lost_days, 2 * horizon_days) * DAY
    return lost if lost > at else gone if gone > at else None


def spend_trend(facts: Facts, today: int) -> float | None:
    """Spend a day of the last 180 days over that of the 180 before (by buckets).

    None without any before, and for who came within them: they bought for less than the 180 days.
    """
    buckets = facts.buckets
    current = today // BUCKET_DAYS
    if facts.first_day > (current - 2 * HALF_YEAR_BUCKETS - 1) * BUCKET_DAYS:
        return None
    i, j = buckets.since(current - 2 * HALF_YEAR_BUCKETS - 1), buckets.since(current - HALF_YEAR_BUCKETS)
    earlier = sum(buckets.revenue[i:j]) / ((HALF_YEAR_BUCKETS + 1) * BUCKET_DAYS)
    if earlier <= 0:
        return None
    return sum(buckets.revenue[j:]) / covered_days(today, HALF_YEAR_BUCKETS) / earlier


def is_growing(trend: float | None, rules: StageRules = DEFAULT_RULES) -> bool:
    """Whether spend grows; what cannot be measured does not."""
    return trend is not None and trend > rules.grows


def phase_of(
    stage: Stage, orders: int, trend: float | None, *, warned: bool, rules: StageRules = DEFAULT_RULES
) -> Phase:
    """The relationship phase; without a measured trend a buyer of three orders and more is in growth."""
    if stage in {Stage.LOST, Stage.PERMANENTLY_LOST}:
        return Phase.TERMINATION
    if warned:
        return Phase.RETENTION
    if orders < rules.cultivated_orders:
        return Phase.CULTIVATION
    if trend is None or trend > rules.grows:
        return Phase.GROWTH
    return Phase.RETENTION if trend < rules.shrinks else Phase.RETURN
