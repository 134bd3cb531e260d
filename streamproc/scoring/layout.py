"""Which features there are, how each is scaled, and which of a person's reasons it speaks to."""

from typing import NamedTuple

GROUPS = (
    "level",
    "silence",
    "frequency",
    "newness",
    "trend",
    "rhythm",
    "money",
    "basket",
    "returns",
    "complaints",
    "contacts",
    "discounts",
)
"""Contributions are summed by these: each answers one "because ..." of a warning.

level: what holds for everybody now; silence: how long since the last purchase, for a buyer like this;
frequency: how often they buy; newness: how long they have been a customer; trend: gaps getting longer or
shorter; rhythm: how regular they are, and whether they are overdue by it; money: what they spend; basket:
orders and lines; returns, complaints, contacts (with us, with competitors), discounts: those events.
"""

UNIT = 8192
"""Quantised features count 1/8192 of a standard deviation."""

REACH = 2.5
"""Features are squashed to ± this many standard deviations."""


class Feature(NamedTuple):
    """One column: its name, the centre and spread it is scaled by, and the group it belongs to."""

    name: str
    centre: float
    spread: float
    group: str


FEATURES = (
    Feature("recency", -1.2, 1.2, "silence"),
    Feature("repeats", 1.0, 0.9, "frequency"),
    Feature("age", 0.6, 0.9, "newness"),
    Feature("gap_mean", -0.7, 0.8, "frequency"),
    Feature("gap_last", -0.8, 0.9, "trend"),
    Feature("gap_recent", -0.8, 0.8, "trend"),
    Feature("gap_longest", -0.2, 0.9, "frequency"),
    Feature("over_mean", 0.6, 0.5, "silence"),
    Feature("over_last", 0.6, 0.6, "silence"),
    Feature("over_recent", 0.6, 0.5, "silence"),
    Feature("over_longest", 0.4, 0.4, "silence"),
    Feature("fade", 0.5, 0.3, "silence"),
    Feature("overdue", -0.4, 1.2, "rhythm"),
    Feature("gap_spread", 0.8, 0.35, "rhythm"),
    Feature("gap_variation", 0.8, 0.3, "rhythm"),
    Feature("renewal", 0.0, 1.5, "rhythm"),
    Feature("outlasted", 0.4, 0.25, "rhythm"),
    Feature("slowing", 0.0, 0.5, "trend"),
    Feature("bought_lately", 0.3, 0.4, "frequency"),
    Feature("bought_this_horizon", 0.8, 0.5, "frequency"),
    Feature("bought_in_long", 1.2, 0.7, "frequency"),
    Feature("once_only", 0.3, 0.5, "newness"),
    Feature("amount", 0.0, 0.8, "money"),
    Feature("amount_last", 0.0, 0.5, "money"),
    Feature("amount_recent", 0.0, 0.4, "money"),
    Feature("lines", 0.0, 0.8, "basket"),
    Feature("orders_a_day", 0.1, 0.2, "basket"),
    Feature("returned", 0.3, 0.5, "returns"),
    Feature("returned_lately", 0.1, 0.3, "returns"),
    Feature("complained", 0.3, 0.5, "complaints"),
    Feature("complained_lately", 0.1, 0.3, "complaints"),
    Feature("contacted_us", 0.3, 0.5, "contacts"),
    Feature("unresolved", 0.3, 0.5, "contacts"),
    Feature("unresolved_lately", 0.1, 0.3, "contacts"),
    Feature("asked_to_cancel", 0.3, 0.5, "contacts"),
    Feature("asked_to_cancel_lately", 0.1, 0.3, "contacts"),
    Feature("competitor_named", 0.3, 0.5, "contacts"),
    Feature("we_contacted", 0.3, 0.5, "contacts"),
    Feature("discounted", 0.3, 0.5, "discounts"),
)
FEATURE_NAMES = tuple(feature.name for feature in FEATURES)
"""The columns of `Features.x`, in order."""

CROSSES = (
    ("recency", "repeats", "silence"),
    ("recency", "age", "silence"),
    ("repeats", "age", "frequency"),
    ("over_mean", "repeats", "silence"),
    ("recency", "gap_mean", "silence"),
    ("overdue", "gap_spread", "rhythm"),
    ("overdue", "repeats", "rhythm"),
    ("bought_this_horizon", "repeats", "frequency"),
    ("bought_this_horizon", "age", "frequency"),
    ("fade", "repeats", "silence"),
    ("slowing", "overdue", "trend"),
)
"""Products of two quantised features, computed when needed and never stored."""

TERMS = (
    *((feature.name, feature.group) for feature in FEATURES),
    *((f"{left}*{right}", group) for left, right, group in CROSSES),
    ("alive", "silence"),
    ("regular_rhythm", "rhythm"),
)
"""Name and group of every linear term a weight belongs to, in the order of `Snapshot.weights`."""

TERM_NAMES = tuple(name for name, _ in TERMS)
