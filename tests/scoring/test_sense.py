"""Scores behave as a retention person expects, whatever the numbers."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from streamproc.scoring.buying import Buying
from streamproc.scoring.features import features
from streamproc.scoring.layout import GROUPS, TERM_NAMES
from streamproc.scoring.rows import KINDS, Rows
from streamproc.scoring.score import probability, score
from streamproc.scoring.snapshot import Snapshot, default_snapshot, sealed
from tests.scoring.made import TODAY, row, stacked

DAY_ZERO = default_snapshot()


def risk(rows: Rows, snapshot: Snapshot = DAY_ZERO) -> list[float]:
    told = probability(score(features(rows, snapshot), snapshot).log_odds_micro)
    return [float(one) for one in told]


def with_weight(term: str, weight: float) -> Snapshot:
    weights = [weight if name == term else 0.0 for name in TERM_NAMES]
    return sealed(replace(DAY_ZERO, weights=tuple(weights)))


@given(st.integers(2, 30), st.integers(1, 30), st.integers(0, 200), st.integers(1, 100))
def test_the_longer_silent_is_at_the_greater_risk(count: int, gap: int, since: int, longer: int) -> None:
    days = [TODAY - since - gap * k for k in range(count, -1, -1)]
    later = [day - longer for day in days]
    soon, late = risk(stacked([row(days), row(later)]))
    assert late >= soon


@given(st.integers(1, 20), st.integers(0, 30))
def test_who_bought_more_often_is_at_less_risk_on_the_day_of_a_purchase(count: int, gap: int) -> None:
    first = TODAY - (count + 1) * (gap + 1)
    few = [first, TODAY]
    many = sorted({first, *range(first, TODAY, gap + 1), TODAY})
    seldom, often = risk(stacked([row(few), row(many)]))
    assert often <= seldom + 1e-9


def test_a_longer_horizon_makes_no_purchase_less_likely() -> None:
    days = [TODAY - 200, TODAY - 120, TODAY - 40]
    quarter, year = risk(row(days, horizon=90.0))[0], risk(row(days, horizon=365.0))[0]
    assert year < quarter


def test_day_zero_is_moderate_about_a_first_purchase() -> None:
    [told] = risk(row([TODAY]))
    assert 0.3 < told < 0.8


def test_a_regular_rhythm_sees_the_overdue_sooner() -> None:
    days = list(range(TODAY - 400, TODAY - 70, 30))  # ten days late, then a month more
    plain = DAY_ZERO
    regular = sealed(replace(with_weight("regular_rhythm", 1.0), rhythm=Buying(r=0.8, alpha=1 / 4, a=0.8, b=3.0, k=4)))
    assert risk(row(days), regular)[0] > risk(row(days), plain)[0]


@pytest.mark.parametrize(
    ("kind", "term", "group"),
    [
        ("return", "returned", "returns"),
        ("complaint", "complained", "complaints"),
        ("contact_in", "contacted_us", "contacts"),
        ("unresolved", "unresolved", "contacts"),
        ("cancellation", "asked_to_cancel", "contacts"),
        ("competitor", "competitor_named", "contacts"),
        ("contact_out", "we_contacted", "contacts"),
        ("discounted", "discounted", "discounts"),
    ],
)
def test_every_kind_of_event_speaks_through_its_own_group(kind: str, term: str, group: str) -> None:
    snapshot = with_weight(term, 0.5)
    calm, eventful = row([TODAY - 60, TODAY - 5]), row([TODAY - 60, TODAY - 5])
    eventful.kind_count[0, KINDS.index(kind), 0] = 2
    eventful.kind_last[0, KINDS.index(kind)] = TODAY - 1
    told = score(features(stacked([calm, eventful]), snapshot), snapshot)
    moved = np.flatnonzero(told.contributions[0] != told.contributions[1])
    assert [GROUPS[j] for j in moved] == [group]
    assert told.log_odds_micro[1] > told.log_odds_micro[0]


def test_events_have_no_sign_of_their_own() -> None:
    eventful = row([TODAY - 60, TODAY - 5])
    eventful.kind_count[0, :, 0] = 3
    eventful.kind_last[0, :] = TODAY
    assert risk(eventful) == risk(row([TODAY - 60, TODAY - 5]))


def test_spending_less_than_usual_shows_as_money() -> None:
    snapshot = with_weight("amount_recent", -0.5)
    usual, less = row([TODAY - 60, TODAY - 30, TODAY - 5]), row([TODAY - 60, TODAY - 30, TODAY - 5])
    less.amount[0, -1] = 1_000
    told = score(features(stacked([usual, less]), snapshot), snapshot).contributions[:, GROUPS.index("money")]
    assert told[1] > told[0]
