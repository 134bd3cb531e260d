"""What a customer is worth: lifetime value, what is at stake, grade, pyramid and segment (客户终身价值, 顾客金字塔).

Figures are per period of 30 days and in minor units; all functions are pure and scalar.
"""

from enum import StrEnum
from math import inf

from msgspec import Struct

from streamproc.core.buckets import BUCKET_DAYS, YEAR_BUCKETS, covered_days, last_year
from streamproc.core.facts import Facts
from streamproc.core.lifecycle import Stage

PERIOD_DAYS = 30
SHORTEST_TENURE_DAYS = 90


class ValueRules(Struct, frozen=True, forbid_unknown_fields=True):
    """`discount` is i per period; `assumed_cost_share` the cost of revenue whose cost nobody stated."""

    discount: float = 0.01
    assumed_cost_share: float = 0.7
    platinum_discount_share: float = 0.2
    premium_strategic: float = 0.5

    def __post_init__(self) -> None:
        """Raises ValueError for a number that values nothing."""
        if not 0.0 < self.discount < inf:
            raise ValueError("value: discount must be above 0, and have an end")
        if not min(self.assumed_cost_share, self.platinum_discount_share, self.premium_strategic) >= 0.0:
            raise ValueError("value: shares may not be negative")
        if not max(self.assumed_cost_share, self.platinum_discount_share, self.premium_strategic) <= 1.0:
            raise ValueError("value: shares are 1 at the most")


DEFAULT_RULES = ValueRules()


class Grade(StrEnum):
    """Value grade by contribution of the last 365 days."""

    A = "A"
    B = "B"
    C = "C"
    D = "D"


class Tier(StrEnum):
    """The customer pyramid: 铂, 金, 铁, 铅."""

    PLATINUM = "platinum"
    GOLD = "gold"
    IRON = "iron"
    LEAD = "lead"


class Segment(StrEnum):
    """大型优质, 平均型, 小型优质, 小型一般, 出血型."""

    LARGE_PREMIUM = "large_premium"
    AVERAGE = "average"
    SMALL_PREMIUM = "small_premium"
    SMALL_ORDINARY = "small_ordinary"
    BLEEDING = "bleeding"


class Worth(Struct, frozen=True):
    """Money of the last year: `revenue` (net of returns), `contribution`, and `margin` M − C per period; minor units.

    `assumed` says that the cost of some revenue is the assumed share; `measured` that the feed knows money at all.
    """

    revenue: int
    contribution: int
    margin: float
    assumed: bool
    measured: bool


def lifetime_value(margin: float, retention: float, discount: float) -> float:
    """CLV = (M − C) × (1 + i) / (1 − r + i), per period.

    Known answer: 17.5 at r = 0.98, i = 0.01 → multiplier 33.67, CLV 589.225 with the rounded multiplier.
    """
    return margin * multiplier(retention, discount)


def multiplier(retention: float, discount: float) -> float:
    """(1 + i) / (1 − r + i): periods' worth of margin in a lifetime."""
    return (1 + discount) / (1 - retention + discount)


def retention_a_period(churn: float, horizon_days: float) -> float:
    """R = (1 − P)^(30/H), with P the probability of no purchase within H days."""
    return float((1.0 - churn) ** (PERIOD_DAYS / horizon_days))


def acquisition_cost(cost_a_mailing: float, response_rate: float) -> float:
    """What one new customer costs: 0.5 a mailing at 1 % response is 50 (raises ZeroDivisionError at no response)."""
    return cost_a_mailing / response_rate


def worth(facts: Facts, today: int, rules: ValueRules = DEFAULT_RULES) -> Worth:
    """The customer's money over the last 365 days, by buckets; per period over a shorter tenure of at least 90 days.

    Serving a customer has cost what it costs since the first purchase, and not what it will cost in 90 days.
    """
    buckets, current = facts.buckets, today // BUCKET_DAYS
    i, j = buckets.since(current - YEAR_BUCKETS), buckets.since(current + 1)
    revenue, returned = sum(buckets.revenue[i:j]), sum(buckets.returned[i:j])
    cost, costed = sum(buckets.cost[i:j]), sum(buckets.costed[i:j])
    tenure = today - facts.first_day + 1 if facts.first_day >= 0 else SHORTEST_TENURE_DAYS
    covered = covered_days(today, YEAR_BUCKETS)
    days = min(covered, max(tenure, SHORTEST_TENURE_DAYS))
    net = revenue - returned
    unstated = revenue - costed
    # What came back is taken to have cost its share: the goods return to the shelf.
    share = cost / costed if costed > 0 else rules.assumed_cost_share
    contribution = net - cost - unstated * rules.assumed_cost_share + returned * share
    fixed = float(facts.says("fixed_service_cost") or 0.0)
    return Worth(
        revenue=net,
        contribution=round(contribution - fixed * min(covered, tenure) / PERIOD_DAYS),
        margin=contribution * PERIOD_DAYS / days - fixed,
        assumed=unstated > 0,
        measured=revenue != 0 or returned != 0,
    )


def discount_share(facts: Facts, today: int) -> float | None:
    """Share of the last year's revenue with a known list price that was bought below it; None where none is known."""
    sums = last_year(facts.buckets, today)
    return sums.discounted / sums.listed if sums.listed > 0 else None


def grade_of(contribution: int, thresholds: tuple[int, int, int] | None) -> Grade | None:
    """The grade by the base's thresholds (lowest contribution of A, B and C); None while there are none."""
    if thresholds is None:
        return None
    a, b, c = thresholds
    return Grade.A if contribution >= a else Grade.B if contribution >= b else Grade.C if contribution >= c else Grade.D


def tier_of(
    contribution: int, grade: Grade | None, stage: Stage, discounted: float | None, rules: ValueRules = DEFAULT_RULES
) -> Tier | None:
    """Where in the pyramid; an unmeasured discount share keeps nobody from platinum's rule, it is just not met."""
    if contribution < 0:
        return Tier.LEAD
    if grade is None:
        return None
    cheap = discounted is None or discounted > rules.platinum_discount_share
    if grade is Grade.A and stage is Stage.LOYAL and not cheap:
        return Tier.PLATINUM
    return Tier.GOLD if grade in {Grade.A, Grade.B} else Tier.IRON


def segment_of(
    contribution: int, grade: Grade | None, strategic: float | None, *, growing: bool, rules: ValueRules = DEFAULT_RULES
) -> Segment | None:
    """Impact × strategic meaning, which fit or growing spend shows; None while there are no grades."""
    if contribution < 0:
        return Segment.BLEEDING
    if grade is None:
        return None
    premium = growing or (strategic is not None and strategic >= rules.premium_strategic)
    if grade in {Grade.A, Grade.B}:
        return Segment.LARGE_PREMIUM if premium else Segment.AVERAGE
    return Segment.SMALL_PREMIUM if premium else Segment.SMALL_ORDINARY
