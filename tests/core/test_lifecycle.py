"""Where a customer stands: stages, phases, loss by silence and by termination, win-back, permanent loss."""

import pytest

from streamproc.core import facts as f
from streamproc.core.events import CustomerEvent
from streamproc.core.lifecycle import Phase, Stage, StageRules, lost_at, next_change, phase_of, spend_trend, stage_at
from streamproc.core.time import SECOND
from streamproc.testing.events import START_DAY, bought, on, touched

H = 90


def after(*history: CustomerEvent) -> f.Facts:
    facts = f.new_facts()
    for event in history:
        f.take(facts, event)
    return facts


def orders(*days: float) -> list[CustomerEvent]:
    return [bought(on(day)) for day in days]


def test_somebody_known_without_a_purchase_is_a_potential_customer() -> None:
    assert stage_at(after(touched(on(0), purpose="support")), on(1), H) is Stage.POTENTIAL


@pytest.mark.parametrize(
    ("purposes", "gap", "stage"),
    [
        (("inquiry", "sales"), 89, Stage.TARGET),
        (("sales", "sales"), 10, Stage.TARGET),
        (("inquiry", "sales"), 91, Stage.POTENTIAL),
        (("inquiry", "support"), 10, Stage.POTENTIAL),
        (("inquiry",), 1, Stage.POTENTIAL),
    ],
)
def test_two_inquiries_or_sales_contacts_within_90_days_make_a_target(
    purposes: tuple[str, ...], gap: int, stage: Stage
) -> None:
    contacts = [touched(on(n * gap), purpose=purpose) for n, purpose in enumerate(purposes)]
    assert stage_at(after(*contacts), on(gap), H) is stage


def test_who_asks_no_more_is_no_target_from_90_days_after_the_last_but_one() -> None:
    facts = after(*(touched(on(day), purpose="inquiry") for day in (0, 10, 20)))
    assert stage_at(facts, on(20), H) is Stage.TARGET
    until = next_change(facts, on(20), H)
    assert until == on(100) + SECOND
    assert stage_at(facts, until - 1, H) is Stage.TARGET
    assert stage_at(facts, until, H) is Stage.POTENTIAL
    assert next_change(facts, until, H) is None


def test_one_order_is_a_first_time_two_make_a_repeat() -> None:
    assert stage_at(after(*orders(0)), on(1), H) is Stage.FIRST_TIME
    assert stage_at(after(*orders(0, 0.1)), on(1), H) is Stage.REPEAT


@pytest.mark.parametrize(
    ("days", "stage"),
    [
        ((0, 50, 100, 150, 180), Stage.LOYAL),
        ((0, 50, 100, 150, 179), Stage.REPEAT),  # under 180 days
        ((0, 60, 120, 180), Stage.REPEAT),  # four orders
        ((0, 1, 2, 3, 400, 440), Stage.REPEAT),  # two in the last 365 days
        ((0, 1, 2, 300, 400, 440), Stage.LOYAL),
    ],
)
def test_five_orders_over_180_days_with_three_in_the_last_year_are_loyal(days: tuple[int, ...], stage: Stage) -> None:
    assert stage_at(after(*orders(*days)), on(days[-1] + 1), H) is stage


def test_cancelled_orders_make_nobody_loyal() -> None:
    facts = after(*orders(0, 50, 100, 150), bought(on(170)), bought(on(200), order_id="x", cancelled=True))
    assert stage_at(facts, on(201), H) is Stage.REPEAT


def test_a_purchase_in_the_second_of_a_termination_undoes_it() -> None:
    ended = touched(on(1) + 500_000, result="terminated")
    assert stage_at(after(bought(on(0)), ended), on(2), H) is Stage.LOST
    assert stage_at(after(bought(on(0)), ended, bought(on(1) + 900_000)), on(2), H) is Stage.REPEAT


def test_silence_for_the_horizon_loses_and_not_an_instant_earlier() -> None:
    facts = after(*orders(0.5))
    assert lost_at(facts, H) == on(90.5)
    assert stage_at(facts, on(90.5) - 1, H) is Stage.FIRST_TIME
    assert stage_at(facts, on(90.5), H) is Stage.LOST


def test_nobody_is_lost_who_never_bought() -> None:
    facts = after(touched(on(0), result="terminated"))
    assert (lost_at(facts, H), stage_at(facts, on(999), H), next_change(facts, on(0), H)) == (
        None,
        Stage.POTENTIAL,
        None,
    )


def test_termination_loses_at_once() -> None:
    facts = after(*orders(0), touched(on(3), result="terminated"))
    assert lost_at(facts, H) == on(3)
    assert stage_at(facts, on(3), H) is Stage.LOST
    assert next_change(facts, on(3), H) == on(3 + 365)


def test_a_purchase_after_a_termination_undoes_it() -> None:
    facts = after(*orders(0), touched(on(3), result="terminated"), bought(on(5)))
    assert lost_at(facts, H) == on(95)
    assert stage_at(facts, on(6), H) is Stage.REPEAT


def test_a_termination_long_after_the_silence_loses_nobody_later() -> None:
    facts = after(*orders(0), touched(on(200), result="terminated"))
    assert lost_at(facts, H) == on(90)


def test_who_buys_again_is_won_back_to_repeat_or_loyal() -> None:
    assert stage_at(after(*orders(0, 200)), on(201), H) is Stage.REPEAT
    assert stage_at(after(*orders(0, 10, 20, 30, 200)), on(201), H) is Stage.LOYAL


@pytest.mark.parametrize(("horizon", "days"), [(90, 365), (200, 400)])
def test_lost_for_long_is_lost_for_ever(horizon: int, days: int) -> None:
    facts = after(*orders(0))
    gone = on(horizon + days)
    assert stage_at(facts, gone - 1, horizon) is Stage.LOST
    assert stage_at(facts, gone, horizon) is Stage.PERMANENTLY_LOST


def test_the_next_change_by_silence_is_the_loss_then_the_permanent_one_then_none() -> None:
    facts = after(*orders(0))
    assert next_change(facts, on(0), H) == on(90)
    assert next_change(facts, on(90), H) == on(455)
    assert next_change(facts, on(455), H) is None


def test_the_rules_can_be_changed() -> None:
    rules = StageRules(repeat_orders=3, permanently_lost_days=10)
    assert stage_at(after(*orders(0, 1)), on(2), 4, rules) is Stage.FIRST_TIME
    assert stage_at(after(*orders(0)), on(14), 4, rules) is Stage.PERMANENTLY_LOST
    other = StageRules(cultivated_orders=5, grows=2.0, shrinks=0.5)
    assert phase_of(Stage.LOYAL, 4, 1.5, warned=False, rules=other) is Phase.CULTIVATION
    assert phase_of(Stage.LOYAL, 5, 1.5, warned=False, rules=other) is Phase.RETURN
    assert phase_of(Stage.LOYAL, 5, 0.6, warned=False, rules=other) is Phase.RETURN


def test_stages_are_named_in_lower_case() -> None:
    assert [stage.code for stage in Stage] == [
        "potential", "target", "first_time", "repeat", "loyal", "lost", "permanently_lost",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("stage", "count", "trend", "warned", "phase"),
    [
        (Stage.LOST, 9, 2.0, False, Phase.TERMINATION),
        (Stage.PERMANENTLY_LOST, 9, None, True, Phase.TERMINATION),
        (Stage.REPEAT, 2, 2.0, False, Phase.CULTIVATION),
        (Stage.FIRST_TIME, 1, None, True, Phase.RETENTION),
        (Stage.LOYAL, 3, 1.11, False, Phase.GROWTH),
        (Stage.LOYAL, 3, None, False, Phase.GROWTH),
        (Stage.LOYAL, 3, 1.1, False, Phase.RETURN),
        (Stage.LOYAL, 3, 0.9, False, Phase.RETURN),
        (Stage.LOYAL, 3, 0.89, False, Phase.RETENTION),
        (Stage.LOYAL, 3, 1.5, True, Phase.RETENTION),
    ],
)
def test_the_phase_of_a_relationship(stage: Stage, count: int, trend: float | None, warned: bool, phase: Phase) -> None:
    assert phase_of(stage, count, trend, warned=warned) is phase


def test_the_trend_compares_spend_a_day_of_two_half_years() -> None:
    day = START_DAY // 30 * 30 + 359  # the last day of a bucket: six whole buckets now, six before
    facts = f.new_facts()
    for n in range(12):
        f.take(facts, bought((day - 359 + n * 30) * 86_400_000_000, 100 if n < 6 else 130))
    assert spend_trend(facts, day) == pytest.approx(1.3)
    assert spend_trend(facts, day - 200) is None


def test_a_steady_buyer_never_grows() -> None:
    facts, trends = f.new_facts(), list[float | None]()
    for day in range(800):
        if day % 5 == 0:
            f.take(facts, bought(on(day)))
        trends.append(spend_trend(facts, START_DAY + day))
    measured = [trend for trend in trends if trend is not None]
    assert trends[-len(measured) :] == measured
    assert 330 <= len(trends) - len(measured) < 365
    assert measured == pytest.approx([1.0] * len(measured), abs=0.05)
