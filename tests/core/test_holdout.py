"""Arms are drawn once a quarter by hash; uplift claims nothing that its interval does not hold."""

from math import log
from random import Random

import pytest

from streamproc.core.holdout import FEWEST, Arm, band_of, is_held_out, quarter_of, savings, uplift
from streamproc.core.time import DAY
from streamproc.testing.events import on


def arm(n: int, kept: int, *, stake: int = 1_000, cost: int = 0) -> Arm:
    made = Arm()
    for i in range(n):
        made.count(stake, cost, kept=i < kept)
    return made


def test_a_share_of_customers_is_held_out_anew_each_quarter() -> None:
    ids = [f"c{n}" for n in range(20_000)]
    first, same, other = (
        {c for c in ids if is_held_out(c, at, 0.1)}
        for at in (on(0), on(80), on(100))  # October, December, January
    )
    assert 1_850 < len(first) < 2_150
    assert first == same
    assert 150 < len(first & other) < 250  # drawn independently
    assert first < {c for c in ids if is_held_out(c, on(0), 0.2)}
    assert not any(is_held_out(c, on(0), 0.0) for c in ids)


def test_quarters_are_those_of_the_calendar() -> None:
    january = quarter_of(19_723 * DAY)  # 2024-01-01
    assert quarter_of(19_723 * DAY - 1) == january - 1
    assert [quarter_of(on(day)) - january for day in (0, 88, 89)] == [3, 3, 4]


def test_a_difference_of_shares_has_newcombes_interval() -> None:
    found = uplift(arm(70, 56), arm(80, 48)).kept  # his example: 56/70 against 48/80
    assert found is not None
    assert [round(x, 4) for x in found] == [0.2, 0.0524, 0.3339]


def test_what_offers_cost_is_taken_off_the_value() -> None:
    found = uplift(arm(100, 60, cost=200), arm(100, 40))
    assert found.value is not None
    assert found.value.estimate == pytest.approx(0.6 * 1_000 - 200 - 0.4 * 1_000)
    assert found.value.low < found.value.estimate < found.value.high
    assert (found.claim, found.warned.cost) == ("too_wide", 20_000)
    dear = uplift(arm(200, 160, cost=900), arm(200, 100))  # keeps thirty in a hundred, and costs three times that
    assert dear.kept is not None
    assert dear.kept.low > 0
    assert dear.claim == "loss"


@pytest.mark.parametrize(
    ("warned", "holdout", "claim"),
    [
        (arm(1_000, 600), arm(FEWEST - 1, 0), "too_few"),
        (arm(100, 55), arm(100, 45), "too_wide"),
        (arm(1_000, 550), arm(1_000, 450), "gain"),
        (arm(1_000, 450), arm(1_000, 550), "loss"),
        (arm(0, 0), arm(0, 0), "too_few"),
    ],
)
def test_nothing_is_claimed_while_the_interval_is_wide(warned: Arm, holdout: Arm, claim: str) -> None:
    found = uplift(warned, holdout)
    assert found.claim == claim
    assert (found.kept is None) == (claim == "too_few")


def test_where_warning_does_nothing_it_is_rarely_claimed_to() -> None:
    random = Random(7)
    claims = 0
    for _ in range(400):
        arms = [arm(200, sum(random.random() < 0.3 for _ in range(200))) for _ in range(2)]
        claims += uplift(*arms).claim not in {"too_wide", "too_few"}
    assert claims <= 400 * 0.08


def test_arms_of_partitions_add_up() -> None:
    whole = arm(40, 25, cost=7)
    left, right = Arm(), Arm()
    for i in range(40):
        (left if i % 3 else right).count(1_000, 7, kept=i < 25)
    left.add(right)
    assert left == whole


def both(warned: Arm, holdout: Arm, which: str = "") -> dict[str, Arm]:
    return {f"warned{which}": warned, f"holdout{which}": holdout}


def test_bands_part_at_60_and_80_percent() -> None:
    at = [round(log(p / (1 - p)) * 1e6) for p in (0.599, 0.601, 0.799, 0.801)]
    assert [band_of(one) for one in at] == ["even", "likely", "likely", "near_certain"]


def test_what_a_band_does_not_tell_all_tell_and_where_all_tell_nothing_nothing_is_known() -> None:
    arms = both(arm(1_000, 600, cost=10), arm(1_000, 400))
    assert {(round(saving.kept, 2), saving.cost) for saving in savings(arms).values()} == {(0.2, 10)}
    arms |= both(arm(100, 90), arm(100, 40), "/even") | both(arm(100, 10), arm(100, 9), "/near_certain")
    assert {band: round(saving.kept, 2) for band, saving in savings(arms).items()} == {
        "even": 0.5, "likely": 0.2, "near_certain": 0.2
    }  # fmt: skip
    assert savings(arms)["even"].of(1_000) == 500
    assert savings(both(arm(100, 55), arm(100, 45)) | both(arm(100, 90), arm(100, 40), "/even")) == {}
    assert savings({}) == {}


def test_what_a_warning_saves_is_what_one_that_went_out_does() -> None:
    warned = Arm()
    for n in range(1_000):  # of three, one is told of: it keeps 60 %, and costs 10; the others stay as they are
        told = n % 3 == 0
        warned.count(1_000, 10 * told, kept=n % 10 < (9 if told else 3), told=told)
    [saving] = set(savings(both(warned, arm(1_000, 300))).values())
    assert saving.cost == 10
    assert saving.kept == pytest.approx(0.6, abs=0.01)
    nobody = Arm(1_000, 900, untold=1_000)
    assert savings(both(nobody, arm(1_000, 300))) == {}
