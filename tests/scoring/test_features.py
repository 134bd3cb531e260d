import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamproc.scoring.features import Features, features
from streamproc.scoring.layout import FEATURE_NAMES, FEATURES, REACH, UNIT
from streamproc.scoring.rows import KINDS, Rows
from streamproc.scoring.snapshot import default_snapshot
from tests.scoring.made import TODAY, busy_snapshot, cut, made_rows, row, stacked

SNAPSHOT = default_snapshot()


def value(made: Features, name: str, index: int = 0) -> float:
    """The raw feature that was quantised."""
    j = FEATURE_NAMES.index(name)
    squashed = made.x[index, j] / (REACH * UNIT)
    return float(np.arctanh(squashed) * REACH * FEATURES[j].spread + FEATURES[j].centre)


def of(rows: Rows, name: str) -> float:
    return value(features(rows, SNAPSHOT), name)


def test_names_are_unique_and_columns_match() -> None:
    assert len(set(FEATURE_NAMES)) == len(FEATURE_NAMES)
    assert features(made_rows(3), SNAPSHOT).x.shape == (3, len(FEATURE_NAMES))


def test_raw_counts_are_kept_beside_the_features() -> None:
    made = features(row([TODAY - 100, TODAY - 40, TODAY - 10]), SNAPSHOT)
    assert (made.repeats[0], made.recency[0], made.age[0], made.horizon[0]) == (2, 10, 100, 90.0)


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("recency", np.log(11 / 90)),
        ("repeats", np.log(3)),
        ("age", np.log(101 / 90)),
        ("once_only", 0.0),
        ("gap_mean", np.log((90 / 90 + 0.7) / 3)),
        ("gap_longest", np.log(60 / 90)),
        ("fade", np.exp(-(11 / 90) / (1.7 / 3))),
        ("bought_in_long", np.log(1 + np.exp(-10 / 180) + np.exp(-40 / 180) + np.exp(-100 / 180))),
        ("amount", np.log(5_000) - 8.5),
        ("amount_last", 0.0),
        ("amount_recent", 0.0),
        ("lines", np.log(2) - 1.0),
        ("orders_a_day", 0.0),
        ("returned", 0.0),
    ],
)
def test_a_feature_is_what_it_says(name: str, expected: float) -> None:
    rows = row([TODAY - 100, TODAY - 40, TODAY - 10])
    assert of(rows, name) == pytest.approx(expected, abs=2e-3)


def test_outlasted_is_the_share_of_own_gaps_longer_than_the_silence() -> None:
    days = [TODAY - 120, TODAY - 110, TODAY - 70, TODAY - 30]  # gaps 10, 40, 40; silent for 30
    fade = np.exp(-(31 / 90) / ((90 / 90 + 0.7) / 4))
    assert of(row(days), "outlasted") == pytest.approx((2 + fade) / 4, abs=2e-3)


def test_growing_gaps_slow_and_shrinking_gaps_hurry() -> None:
    slower = row([TODAY - 100, TODAY - 95, TODAY - 88, TODAY - 70, TODAY - 10])
    faster = row([TODAY - 100, TODAY - 50, TODAY - 25, TODAY - 15, TODAY - 10])
    assert of(slower, "slowing") > 0 > of(faster, "slowing")


def test_regular_buyers_have_less_spread() -> None:
    regular = row(list(range(TODAY - 200, TODAY, 10)))
    erratic = row([TODAY - 200, TODAY - 199, TODAY - 150, TODAY - 149, TODAY - 60, TODAY - 59, TODAY - 5])
    assert of(regular, "gap_spread") < of(erratic, "gap_spread")
    assert of(regular, "gap_variation") < of(erratic, "gap_variation")


def test_the_last_amount_is_held_against_the_own_mean() -> None:
    rows = row([TODAY - 50, TODAY - 30, TODAY - 10])
    rows.amount[0, -1] = 500
    assert of(rows, "amount_last") < 0
    assert of(rows, "amount_recent") < 0


def test_without_money_the_money_features_say_nothing() -> None:
    rows = row([TODAY - 50, TODAY - 10], amount=0, lines=0)
    assert [of(rows, name) for name in ("amount", "amount_last", "amount_recent", "lines")] == [
        pytest.approx(0.0, abs=1e-3)
    ] * 4


def test_other_events_fade() -> None:
    rows = stacked([row([TODAY - 50, TODAY - 10]) for _ in range(3)])
    complaint = KINDS.index("complaint")
    rows.kind_count[1, complaint, 0] = rows.kind_count[2, complaint, 6] = 1
    rows.kind_last[1, complaint], rows.kind_last[2, complaint] = TODAY - 2, TODAY - 185
    made = features(rows, SNAPSHOT)
    for name in ("complained", "complained_lately"):
        assert value(made, name, 1) > value(made, name, 2) >= value(made, name, 0) - 1e-3


def test_a_gap_of_decades_still_counts() -> None:
    made = features(row([TODAY - 19_000, TODAY - 10]), SNAPSHOT)
    assert np.abs(made.x.astype(int)).max() <= REACH * UNIT


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_features_do_not_depend_on_the_batch(size: int) -> None:
    rows, snapshot = made_rows(1000, seed=3), busy_snapshot()
    whole = features(rows, snapshot)
    for start in range(0, 1000, size):
        part = features(cut(rows, start, start + size), snapshot)
        assert (part.x == whole.x[start : start + size]).all()


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 30))
def test_features_follow_their_row_in_any_order(seed: int, n: int) -> None:
    rows = made_rows(n, seed)
    order = np.random.default_rng(seed).permutation(n)
    assert (features(Rows._make(c[order] for c in rows), SNAPSHOT).x == features(rows, SNAPSHOT).x[order]).all()


@given(st.lists(st.integers(1, 400), max_size=60), st.integers(0, 2_000), st.sampled_from([7.0, 30.0, 90.0, 365.0]))
def test_features_fit_their_sixteen_bits(gaps: list[int], since: int, horizon: float) -> None:
    days = [TODAY - since]
    for gap in gaps:
        days.insert(0, days[0] - gap)
    made = features(row(days, horizon=horizon), SNAPSHOT)
    assert made.x.dtype == np.int16
    assert np.abs(made.x.astype(int)).max() <= REACH * UNIT


@given(st.integers(-int(REACH * UNIT) + 1, int(REACH * UNIT) - 1))
def test_quantising_what_was_quantised_changes_nothing(quantised: int) -> None:
    squashed = np.tanh(np.arctanh(np.array([quantised]) / (REACH * UNIT)))
    assert np.rint(squashed * REACH * UNIT)[0] == quantised
