"""A customer's score is the same whoever else is in the tick: alone, among a few, in columns of many."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamproc.scoring.features import features
from streamproc.scoring.few import score_few
from streamproc.scoring.rows import Rows, rows_of
from streamproc.scoring.score import score
from streamproc.scoring.snapshot import Snapshot, default_snapshot
from tests.scoring.made import TODAY, busy_snapshot, buyers_of, made_rows, row, stacked


def assert_alike(rows: Rows, snapshot: Snapshot, size: int) -> None:
    """Few at a time, `size` in each call, come to the bits that all in columns do."""
    x = features(rows, snapshot)
    scores = score(x, snapshot)
    buyers = buyers_of(rows)
    for start in range(0, len(buyers), size):
        few = score_few(buyers[start : start + size], snapshot)
        assert [column.tolist() for column in few.features] == [column[start : start + size].tolist() for column in x]
        assert few.log_odds_micro == scores.log_odds_micro[start : start + size].tolist()
        assert few.contributions == scores.contributions[start : start + size].tolist()


@settings(max_examples=60)
@given(st.integers(0, 10_000), st.integers(1, 20), st.integers(1, 20))
def test_few_score_as_many_do(seed: int, n: int, size: int) -> None:
    assert_alike(made_rows(n, seed), busy_snapshot(seed), size)


@given(
    st.lists(st.integers(1, 9_000), max_size=60),
    st.integers(0, 2_000),
    st.sampled_from([1.0, 7.0, 30.0, 90.0, 365.0, 1_000.0]),
    st.sampled_from([0, 1, 5_000, 10**13]),
    st.integers(0, 3),
)
def test_strange_customers_score_alike(gaps: list[int], since: int, horizon: float, amount: int, seed: int) -> None:
    days = [TODAY - since]
    for gap in gaps:
        days.insert(0, max(days[0] - gap, 0))
    days = sorted(set(days))
    snapshot = busy_snapshot(seed) if seed else default_snapshot()
    assert_alike(row(days, horizon=horizon, amount=amount, lines=amount % 7), snapshot, 1)


@pytest.mark.parametrize("empty", [0, 1])
def test_one_who_complained_changes_nothing_for_one_who_did_not(empty: int) -> None:
    calm, cross = row([TODAY - 50, TODAY - 10]), row([TODAY - 50, TODAY - 10])
    cross.kind_count[0, 1, 2], cross.kind_last[0, 1] = 3, TODAY - 70
    together = [calm, cross] if empty else [cross, calm]
    assert_alike(stacked(together), busy_snapshot(), 2)


def test_columns_are_the_customers_one_by_one() -> None:
    rows = made_rows(40, seed=9)
    assert [column.tolist() for column in rows_of(buyers_of(rows))] == [column.tolist() for column in rows]
