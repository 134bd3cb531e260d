"""How loyal a customer is, and of which kind (忠诚度的五项标准, 七种忠诚).

Five criteria, each between 0 and 1 and with what it rests on; what nobody told is unmeasured (None), never guessed. The
kind of loyalty is read off a table of rules: the first row whose conditions are all measured and all hold.
"""

from statistics import median
from typing import Literal

from msgspec import Struct

from streamproc.core.buckets import BUCKET_DAYS, COMPETITOR, YEAR_BUCKETS, last_year
from streamproc.core.complaints import ComplaintFile
from streamproc.core.facts import Facts
from streamproc.core.orders import SECONDS_A_DAY, Order
from streamproc.core.satisfaction import satisfaction
from streamproc.core.time import DAY, SECOND

CriterionName = Literal["repeat_purchases", "time_to_choose", "price_sensitivity", "competitors", "tolerance"]
Kind = Literal["monopoly", "inertia", "latent", "convenience", "price", "incentive", "super_value"]
Measure = Literal[
    "purchase_days",
    "discounted",
    "rewarded",
    "bound_days",
    "satisfaction",
    "referrals",
    "competitor_mentions",
    "quick_choice",
    "places",
]


class LoyaltyRules(Struct, frozen=True):
    """Who takes `choice_half_s` to choose (firms: `choice_half_firm_s`) scores a half; `choices` must be known.

    A quality complaint is borne where a purchase follows within `borne_days`.
    """

    choice_half_s: int = 3_600
    choice_half_firm_s: int = 86_400
    choices: int = 2
    borne_days: int = 90


DEFAULT_RULES = LoyaltyRules()

LISTED_AT_LEAST = 0.5
"""Of a year's revenue the share whose list price must be known to judge by it."""


class Proof(Struct, frozen=True):
    """An event that a criterion rests on; `at` in µs."""

    stream: Literal["purchases", "complaints", "contacts"]
    event_id: str
    at: int


class Criterion(Struct, frozen=True, kw_only=True):
    """One criterion: its `score` (1: loyal; None: unmeasured) from `figure`, which `of` things tell.

    repeat_purchases: share of the `of` purchase days that were not the first. time_to_choose: seconds (median of `of`
    orders). price_sensitivity: share bought below the list price, of a year's revenue (`of` orders) whose list price is
    known. competitors: mentions in a year. tolerance: how many of `of` quality complaints were followed by a purchase.
    """

    name: CriterionName
    score: float | None = None
    figure: float | None = None
    of: int = 0
    proofs: tuple[Proof, ...] = ()


def criteria(facts: Facts, today: int, rules: LoyaltyRules = DEFAULT_RULES) -> tuple[Criterion, ...]:
    """The five criteria on the day `today`."""
    orders = [order for order in facts.recent.known() if not order.cancelled]
    return (
        _repeats(facts),
        _choosing(facts, orders, rules),
        _price(facts, today),
        _competitors(facts, today),
        _tolerance(facts, orders, today, rules),
    )


def _repeats(facts: Facts) -> Criterion:
    n = facts.n_days
    if not n:
        return Criterion(name="repeat_purchases")
    share = (n - 1) / n
    return Criterion(name="repeat_purchases", score=share, figure=share, of=n, proofs=_latest(facts, "purchases"))


def _choosing(facts: Facts, orders: list[Order], rules: LoyaltyRules) -> Criterion:
    seconds = [o.way.deliberation_s for o in orders if o.way is not None and o.way.deliberation_s >= 0]
    if len(seconds) < rules.choices:
        return Criterion(name="time_to_choose", of=len(seconds))
    middle = median(seconds)
    half = rules.choice_half_s if facts.says("kind") in {None, "consumer"} else rules.choice_half_firm_s
    return Criterion(name="time_to_choose", score=half / (half + middle), figure=middle, of=len(seconds))


def _price(facts: Facts, today: int) -> Criterion:
    """Of what has no list price it is not known whether it was bought below one: judged where most of it has one."""
    sums = last_year(facts.buckets, today)
    if sums.listed <= 0 or sums.listed < LISTED_AT_LEAST * sums.revenue:
        return Criterion(name="price_sensitivity")
    share = min(1.0, sums.discounted / sums.listed)
    return Criterion(
        name="price_sensitivity", score=1 - share, figure=share, of=sums.orders, proofs=_latest(facts, "purchases")
    )


def _competitors(facts: Facts, today: int) -> Criterion:
    """None was mentioned: 1, where it was asked within the year; mentioned and bought from us since: a half; else 0."""
    since = today // BUCKET_DAYS - YEAR_BUCKETS
    mentions = sum(counts[COMPETITOR] for number, counts in facts.buckets.kinds.items() if number >= since)
    if not mentions:
        asked = facts.said.get("competitor")
        told = asked is not None and asked.at // DAY // BUCKET_DAYS >= since
        return Criterion(name="competitors", score=1.0 if told else None, figure=0.0 if told else None)
    named = [t for t in facts.contacts if t.competitor]
    last_named = facts.kind_last[COMPETITOR]
    return Criterion(
        name="competitors",
        score=0.5 if facts.last_day() > last_named else 0.0,
        figure=float(mentions),
        of=mentions,
        proofs=tuple(Proof("contacts", t.event_id, t.at * SECOND) for t in named),
    )


def _tolerance(facts: Facts, orders: list[Order], today: int, rules: LoyaltyRules) -> Criterion:
    """Not judged: a complaint younger than `borne_days` with no purchase since, and one before all that is kept."""
    judged: list[ComplaintFile] = []
    borne = 0
    for file in facts.complaints:
        opened, until = file.opened_at(), file.opened_at() + rules.borne_days * SECONDS_A_DAY
        if file.category != "quality" or not orders or facts.recent.too_old(opened // SECONDS_A_DAY):
            continue
        bought = any(opened < order.at <= until for order in orders)
        if bought or today * SECONDS_A_DAY >= until:
            judged.append(file)
            borne += bought
    if not judged:
        return Criterion(name="tolerance")
    return Criterion(
        name="tolerance",
        score=borne / len(judged),
        figure=float(borne),
        of=len(judged),
        proofs=tuple(Proof("complaints", f.event_id, f.opened_at() * SECOND) for f in judged),
    )


def _latest(facts: Facts, stream: Literal["purchases"]) -> tuple[Proof, ...]:
    latest = facts.evidence.get(stream)
    return () if latest is None else (Proof(stream, str(latest.value), latest.at),)


# --------------------------------------------------------------------------------- the kind of loyalty


class Condition(Struct, frozen=True):
    """A measure that must reach `least` and stay below `under`, as far as they are given."""

    measure: Measure
    least: float | None = None
    under: float | None = None

    def holds(self, value: float) -> bool:
        """Whether a measured value meets it."""
        return (self.least is None or value >= self.least) and (self.under is None or value < self.under)


class Rule(Struct, frozen=True):
    """One row: the kind of loyalty, where all conditions are measured and hold."""

    kind: Kind
    conditions: tuple[Condition, ...]


def _rule(kind: Kind, *conditions: Condition) -> Rule:
    return Rule(kind, conditions)


KINDS_OF_LOYALTY: tuple[Rule, ...] = (
    _rule("price", Condition("purchase_days", least=3), Condition("discounted", least=0.8)),
    _rule("incentive", Condition("purchase_days", least=3), Condition("rewarded", least=0.5)),
    _rule(
        "monopoly",
        Condition("purchase_days", least=3),
        Condition("bound_days", least=1),
        Condition("satisfaction", under=1.0),
    ),
    _rule("super_value", Condition("purchase_days", least=5), Condition("referrals", least=1)),
    _rule(
        "super_value",
        Condition("purchase_days", least=5),
        Condition("satisfaction", least=1.0),
        Condition("discounted", under=0.2),
    ),
    _rule("latent", Condition("purchase_days", under=3), Condition("satisfaction", least=1.0)),
    _rule(
        "inertia",
        Condition("purchase_days", least=5),
        Condition("satisfaction", under=1.0),
        Condition("competitor_mentions", under=1),
    ),
    _rule(
        "convenience",
        Condition("purchase_days", least=5),
        Condition("quick_choice", least=0.8),
        Condition("places", least=1, under=2),
    ),
)
"""The first row that holds names the kind; what pays for staying (price, reward, contract) comes before what feels."""


class Held(Struct, frozen=True):
    """A condition that held, with the value measured."""

    condition: Condition
    value: float


class KindFound(Struct, frozen=True):
    """The kind of loyalty (None: not enough to say), by which conditions, and what could not be measured."""

    kind: Kind | None
    held: tuple[Held, ...]
    unmeasured: tuple[Measure, ...]


def kind_of_loyalty(facts: Facts, at: int, today: int) -> KindFound:
    """Which kind of loyalty the customer's facts show at `at` (µs), whose last day is `today`."""
    measured = _measures(facts, at, today)
    unmeasured = tuple(name for name, value in measured.items() if value is None)
    for rule in KINDS_OF_LOYALTY:
        held = []
        for condition in rule.conditions:
            value = measured[condition.measure]
            if value is None or not condition.holds(value):
                break
            held.append(Held(condition, value))
        else:
            return KindFound(rule.kind, tuple(held), unmeasured)
    return KindFound(None, (), unmeasured)


def _measures(facts: Facts, at: int, today: int) -> dict[Measure, float | None]:
    orders = [order for order in facts.recent.known() if not order.cancelled]
    ways = [order.way for order in orders if order.way is not None]
    price, competitors = _price(facts, today), _competitors(facts, today)
    choosing = _choosing(facts, orders, DEFAULT_RULES)
    bound = facts.says("contract_until")
    content = satisfaction(facts, today).cumulative
    places = {(way.region, way.dealer) for way in ways if way.region or way.dealer}
    return {
        "purchase_days": float(facts.n_days),
        "discounted": price.figure,
        "rewarded": sum(w.rewarded for w in ways) / len(orders) if any(w.rewarded for w in ways) else None,
        "bound_days": None if bound is None else (float(bound) - at) / DAY,
        "satisfaction": content,
        "referrals": float(sum(t.referral for t in facts.contacts)) if facts.contacts else None,
        "competitor_mentions": competitors.figure,
        "quick_choice": choosing.score,
        "places": float(len(places)) if places else None,
    }
