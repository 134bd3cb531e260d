"""What a customer is worth, with the field's own figures as known answers."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamproc.core import facts as f
from streamproc.core.events import CustomerEvent
from streamproc.core.lifecycle import Stage, is_growing
from streamproc.core.value import (
    Grade,
    Segment,
    Tier,
    ValueRules,
    acquisition_cost,
    discount_share,
    grade_of,
    lifetime_value,
    multiplier,
    retention_a_period,
    segment_of,
    tier_of,
    worth,
)
from streamproc.testing.events import START_DAY, bought, known, on, sent_back

THRESHOLDS = (10_000, 5_000, 1_000)


def after(*history: CustomerEvent) -> f.Facts:
    facts = f.new_facts()
    for event in history:
        f.take(facts, event)
    return facts


def test_the_multiplier_of_a_lifetime_is_that_of_the_field() -> None:
    assert multiplier(0.98, 0.01) == pytest.approx(33.67, abs=0.005)


def test_the_lifetime_value_is_that_of_the_field() -> None:
    margin = 30 - 10 - 30 / 12  # revenue, variable cost and marketing a month
    assert margin == 17.5
    assert margin * round(multiplier(0.98, 0.01), 2) == pytest.approx(589.225)
    assert lifetime_value(margin, 0.98, 0.01) == pytest.approx(17.5 * 1.01 / 0.03)


@pytest.mark.parametrize(("cost", "response", "expected"), [(0.5, 0.01, 50.0), (0.5 + 0.2, 0.04, 17.5)])
def test_the_acquisition_cost_is_that_of_the_field(cost: float, response: float, expected: float) -> None:
    assert acquisition_cost(cost, response) == pytest.approx(expected)


def test_nobody_responding_has_no_acquisition_cost() -> None:
    with pytest.raises(ZeroDivisionError):
        acquisition_cost(0.5, 0.0)


def test_retention_a_period_compounds_to_that_of_the_horizon() -> None:
    assert retention_a_period(0.271, 90) == pytest.approx(0.9)
    assert retention_a_period(0.3, 30) == pytest.approx(0.7)
    assert (retention_a_period(1.0, 90), retention_a_period(0.0, 90)) == (0.0, 1.0)


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_rising_risk_never_raises_the_lifetime_value(p: float, q: float) -> None:
    low, high = sorted((p, q))
    worth_of = [lifetime_value(17.5, retention_a_period(risk, 90), 0.01) for risk in (low, high)]
    assert worth_of[0] >= worth_of[1] > 0


def test_costs_nobody_stated_are_assumed_and_said_to_be() -> None:
    found = worth(after(bought(on(0), 90_000)), START_DAY)
    assert (found.revenue, found.contribution, found.assumed, found.measured) == (90_000, 27_000, True, True)
    assert found.margin == pytest.approx(27_000 * 30 / 90)  # the shortest tenure that is reckoned with is 90 days


def test_stated_costs_are_taken_as_stated() -> None:
    found = worth(after(bought(on(0), 90_000, cost=30_000)), START_DAY)
    assert (found.contribution, found.assumed) == (60_000, False)


def test_costs_stated_for_some_orders_are_assumed_for_the_others() -> None:
    found = worth(after(bought(on(0), 10_000, cost=1_000), bought(on(1), 10_000)), START_DAY + 1)
    assert (found.contribution, found.assumed) == (20_000 - 1_000 - 7_000, True)


def test_a_return_takes_back_its_revenue_and_its_share_of_cost() -> None:
    found = worth(after(bought(on(0), 10_000, cost=4_000), sent_back(on(1), -5_000)), START_DAY + 1)
    assert (found.revenue, found.contribution) == (5_000, 5_000 - 2_000)


def test_a_new_customer_has_cost_no_service_yet() -> None:
    """Neither is one who came long ago spared anything."""
    events = [bought(on(0), 10_000, fixed_service_cost=2_500), bought(on(1), 10_000)]
    new, later = (worth(after(*events), START_DAY + day) for day in (2, 80))
    assert (new.contribution, later.contribution) == (6_000 - 250, 6_000 - 6_750)
    assert new.margin == later.margin == pytest.approx(2_000 - 2_500)


def test_fixed_service_cost_is_a_cost_a_period() -> None:
    found = worth(after(bought(on(0), 9_000, cost=0, fixed_service_cost=1_000)), START_DAY + 89)
    assert found.margin == pytest.approx(3_000 - 1_000)
    assert found.contribution == 9_000 - 3 * 1_000


def test_a_year_ago_is_forgotten() -> None:
    facts = after(bought(on(0), 10_000), bought(on(500), 2_000))
    assert worth(facts, START_DAY + 500).revenue == 2_000


def test_a_feed_without_money_is_not_measured() -> None:
    found = worth(after(bought(on(0), None)), START_DAY)
    assert (found.measured, found.assumed, found.revenue) == (False, False, 0)


def test_a_customer_who_never_bought_is_worth_nothing_yet() -> None:
    found = worth(after(known(on(0), owner="Li")), START_DAY)
    assert (found.revenue, found.contribution, found.margin, found.measured) == (0, 0, 0.0, False)


def test_the_discount_share_is_by_revenue_with_a_known_list_price() -> None:
    facts = after(
        bought(on(0), 3_000, list_amount=3_000), bought(on(1), 1_000, list_amount=1_500), bought(on(2), 9_999)
    )
    assert discount_share(facts, START_DAY + 2) == 0.25
    assert discount_share(after(bought(on(0))), START_DAY) is None


@pytest.mark.parametrize(
    ("contribution", "grade"),
    [(10_000, "A"), (9_999, "B"), (5_000, "B"), (4_999, "C"), (1_000, "C"), (999, "D"), (-5, "D")],
)
def test_grades_are_by_the_base_s_thresholds(contribution: int, grade: str) -> None:
    assert grade_of(contribution, THRESHOLDS) == grade


def test_without_thresholds_there_is_no_grade_and_what_follows_from_it() -> None:
    assert grade_of(10_000, None) is None
    assert tier_of(10_000, None, Stage.LOYAL, 0.0) is None
    assert segment_of(10_000, None, 0.9, growing=True) is None


@pytest.mark.parametrize(
    ("contribution", "grade", "stage", "discounted", "tier"),
    [
        (-1, Grade.A, Stage.LOYAL, 0.0, Tier.LEAD),
        (-1, None, Stage.FIRST_TIME, None, Tier.LEAD),
        (9, Grade.A, Stage.LOYAL, 0.2, Tier.PLATINUM),
        (9, Grade.A, Stage.LOYAL, 0.21, Tier.GOLD),
        (9, Grade.A, Stage.LOYAL, None, Tier.GOLD),
        (9, Grade.A, Stage.REPEAT, 0.0, Tier.GOLD),
        (9, Grade.B, Stage.LOYAL, 0.0, Tier.GOLD),
        (9, Grade.C, Stage.LOYAL, 0.0, Tier.IRON),
        (0, Grade.D, Stage.FIRST_TIME, None, Tier.IRON),
    ],
)
def test_the_pyramid(
    contribution: int, grade: Grade | None, stage: Stage, discounted: float | None, tier: Tier
) -> None:
    assert tier_of(contribution, grade, stage, discounted) == tier


@pytest.mark.parametrize(
    ("contribution", "grade", "strategic", "trend", "segment"),
    [
        (-1, Grade.A, 1.0, 2.0, Segment.BLEEDING),
        (-1, None, None, None, Segment.BLEEDING),
        (9, Grade.A, 0.5, None, Segment.LARGE_PREMIUM),
        (9, Grade.B, None, 1.11, Segment.LARGE_PREMIUM),
        (9, Grade.B, 0.49, 1.1, Segment.AVERAGE),
        (9, Grade.A, None, None, Segment.AVERAGE),
        (9, Grade.C, 0.8, 0.5, Segment.SMALL_PREMIUM),
        (9, Grade.D, None, 1.2, Segment.SMALL_PREMIUM),
        (9, Grade.D, None, 1.0, Segment.SMALL_ORDINARY),
        (0, Grade.C, None, None, Segment.SMALL_ORDINARY),
    ],
)
def test_the_five_segments(
    contribution: int, grade: Grade | None, strategic: float | None, trend: float | None, segment: Segment
) -> None:
    assert segment_of(contribution, grade, strategic, growing=is_growing(trend)) == segment


def test_the_rules_can_be_changed() -> None:
    rules = ValueRules(assumed_cost_share=0.5, platinum_discount_share=0.0, premium_strategic=0.9)
    assert worth(after(bought(on(0), 9_000)), START_DAY, rules).contribution == 4_500
    assert tier_of(9, Grade.A, Stage.LOYAL, 0.1, rules) is Tier.GOLD
    assert segment_of(9, Grade.A, 0.8, growing=False, rules=rules) is Segment.AVERAGE
