"""Figures over the base: histograms are exact when added to, taken from and merged; thresholds part it as wanted."""

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from streamproc.core.population import Concentration, Histogram, concentration, floor_of, grade_thresholds, slot_of
from streamproc.core.value import grade_of

money = st.integers(-(10**12), 10**12)
amounts = st.lists(money, max_size=60)


def histogram(values: list[int]) -> Histogram:
    made = Histogram()
    for value in values:
        made.add(value)
    return made


@given(money, money)
def test_slots_are_in_the_order_of_amounts(a: int, b: int) -> None:
    low, high = sorted((a, b))
    assert slot_of(low) <= slot_of(high)


@given(money)
def test_the_floor_of_a_slot_is_its_least_amount(value: int) -> None:
    slot = slot_of(value)
    floor = floor_of(slot)
    assert floor <= value
    assert slot_of(floor) == slot
    assert slot_of(floor - 1) < slot


@given(money.filter(lambda v: abs(v) >= 8))
def test_a_slot_is_an_eighth_of_an_octave_wide(value: int) -> None:
    assert abs(value - floor_of(slot_of(value))) <= abs(value) / 8


def test_slots_of_known_amounts() -> None:
    assert [slot_of(v) for v in (0, 1, 2, 3, 4, -1, -2, 1024, 1152)] == [0, 1, 9, 13, 17, -1, -9, 81, 82]
    assert [floor_of(s) for s in (0, 1, 9, 13, 81, 82, -81)] == [0, 1, 2, 3, 1024, 1152, -1151]


@given(amounts, amounts)
def test_taking_values_out_leaves_what_was_there_before(kept: list[int], gone: list[int]) -> None:
    made = histogram(kept + gone)
    for value in gone:
        made.add(value, -1)
    assert made == histogram(kept)
    assert (made.size(), made.grand_total()) == (len(kept), sum(kept))


@given(amounts, amounts)
def test_partitions_merge_to_the_same_base_in_any_order(one: list[int], other: list[int]) -> None:
    there, back = histogram(one), histogram(other)
    there.merge(histogram(other))
    back.merge(histogram(one))
    assert there == back == histogram(one + other)


@given(st.lists(st.integers(-(10**7), 10**7), min_size=200, max_size=400), st.sampled_from([0.2, 0.5, 0.7]))
def test_a_threshold_parts_about_the_share_wanted(values: list[int], share: float) -> None:
    least = histogram(values).least_of_top(share)
    reached = sum(v >= least for v in values)
    widest = max(histogram(values).count.values())
    assert abs(reached - share * len(values)) <= widest


def test_grades_part_the_base_in_20_30_20_30() -> None:
    values = [round(1_000 * 1.01**n) for n in range(1_000)]
    thresholds = grade_thresholds(histogram(values))
    counts = {grade: sum(grade_of(v, thresholds) == grade for v in values) for grade in "ABCD"}
    assert {grade: round(n / 1_000, 1) for grade, n in counts.items()} == {"A": 0.2, "B": 0.3, "C": 0.2, "D": 0.3}


def test_the_worst_of_a_losing_base_are_its_last_grade() -> None:
    values = [-v for v in range(1_000, 2_000)]
    thresholds = grade_thresholds(histogram(values))
    grades = [grade_of(v, thresholds) for v in values]
    assert grades == sorted(grades, key=str)
    assert abs(grades.count(grade_of(-1_999, thresholds)) - 300) <= 70


def test_an_empty_base_has_no_thresholds_and_no_concentration() -> None:
    assert grade_thresholds(Histogram()) is None
    assert concentration(Histogram()) == Concentration(None, None)
    assert (Histogram().least_of_top(0.2), Histogram().total_of_top(0.2)) == (0, 0.0)


def test_concentration_of_revenue_as_the_field_tells_it() -> None:
    found = concentration(histogram([400] * 20 + [25] * 80))  # 80 % from the top 20 %
    assert found.top_20 == 0.8
    assert found.bottom_30 is not None
    assert abs(found.bottom_30 - 30 * 25 / 10_000) < 1e-12


def test_concentration_of_profit_as_the_field_tells_it() -> None:
    found = concentration(histogram([750] * 20 + [0] * 50 + [-167] * 29 + [-157]))  # 150 % and -50 %
    assert found.top_20 == 1.5
    assert found.bottom_30 is not None
    assert abs(found.bottom_30 + 0.5) < 1e-9


def test_a_losing_base_has_no_concentration() -> None:
    assert concentration(histogram([-5, 3])) == Concentration(None, None)


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=80))
def test_the_top_brings_no_less_the_larger_it_is(values: list[int]) -> None:
    made = histogram(values)
    parts = [made.total_of_top(share / 10) for share in range(11)]
    assert all(a <= b + 1e-3 for a, b in pairwise(parts))
    assert abs(parts[-1] - sum(values)) < 1e-3
