import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from streamproc.scoring.buying import Buying, outlook
from streamproc.scoring.features import features
from streamproc.scoring.layout import CROSSES, FEATURE_NAMES, GROUPS, TERM_NAMES, TERMS, UNIT
from streamproc.scoring.score import MICRO, design, probability, score
from streamproc.scoring.snapshot import default_snapshot
from tests.scoring.made import TODAY, busy_snapshot, cut, made_rows, row, stacked


def test_every_term_belongs_to_a_group_and_every_group_but_the_level_has_terms() -> None:
    assert {group for _, group in TERMS} == set(GROUPS) - {"level"}
    assert len(set(TERM_NAMES)) == len(TERM_NAMES)
    assert all(left in FEATURE_NAMES and right in FEATURE_NAMES for left, right, _ in CROSSES)


@settings(max_examples=40)
@given(st.integers(0, 10_000), st.integers(1, 40))
def test_contributions_sum_to_the_log_odds(seed: int, n: int) -> None:
    snapshot = busy_snapshot(seed)
    told = score(features(made_rows(n, seed), snapshot), snapshot)
    assert told.contributions.shape == (n, len(GROUPS))
    assert (told.contributions.sum(axis=1) == told.log_odds_micro).all()


@pytest.mark.parametrize("size", [1, 7, 1000])
def test_scores_do_not_depend_on_the_batch(size: int) -> None:
    rows, snapshot = made_rows(1000, seed=5), busy_snapshot(1)
    whole = score(features(rows, snapshot), snapshot)
    for start in range(0, 1000, size):
        part = score(features(cut(rows, start, start + size), snapshot), snapshot)
        assert (part.contributions == whole.contributions[start : start + size]).all()


def test_without_corrections_the_score_is_the_prior() -> None:
    rows, snapshot = features(made_rows(50), default_snapshot()), default_snapshot()
    told = score(rows, snapshot)
    columns = (rows.repeats.astype(float), rows.recency / rows.horizon, rows.age / rows.horizon)
    expected = outlook(snapshot.prior, *columns).quiet
    assert np.abs(told.log_odds_micro / MICRO - expected).max() < 2e-6
    used = [GROUPS[j] for j in range(len(GROUPS)) if told.contributions[:, j].any()]
    assert set(used) <= {"level", "silence", "frequency"}


def test_the_score_is_the_formula() -> None:
    snapshot = busy_snapshot(7)
    rows = features(made_rows(30, seed=2), snapshot)
    parts = design(rows, snapshot)
    prior = (parts.silence + parts.frequency) / MICRO
    mean = snapshot.mean_silence + snapshot.mean_frequency
    terms = parts.terms / UNIT - np.array(snapshot.means)
    expected = prior + snapshot.w1 * (prior - mean) + terms @ np.array(snapshot.weights) + snapshot.w0 + snapshot.delta
    assert np.abs(score(rows, snapshot).log_odds_micro / MICRO - expected).max() < 1e-3


def test_silence_is_what_tells_two_like_customers_apart() -> None:
    snapshot = replace(default_snapshot(), mean_silence=0.2)
    some = [row([TODAY - 200, TODAY - 150, TODAY - 100]), row([TODAY - 100, TODAY - 50, TODAY], today=TODAY)]
    told = score(features(stacked(some), snapshot), snapshot)
    silence = GROUPS.index("silence")
    assert told.contributions[0, silence] > told.contributions[1, silence] == -200_000


def test_raising_the_level_raises_everybody_alike() -> None:
    snapshot = busy_snapshot()
    rows = features(made_rows(20), snapshot)
    before, after = score(rows, snapshot), score(rows, replace(snapshot, delta=snapshot.delta + 0.5))
    assert (after.log_odds_micro - before.log_odds_micro == 500_000).all()
    assert (after.contributions[:, 1:] == before.contributions[:, 1:]).all()


def test_a_weight_moves_only_its_group() -> None:
    snapshot = busy_snapshot()
    weights = list(snapshot.weights)
    weights[TERM_NAMES.index("amount")] += 1.0
    rows = features(made_rows(20), snapshot)
    before, after = score(rows, snapshot), score(rows, replace(snapshot, weights=tuple(weights)))
    moved = (after.contributions != before.contributions).any(axis=0)
    assert [GROUPS[j] for j in np.flatnonzero(moved)] == ["money"]


def test_terms_of_features_are_the_features_and_crosses_their_products() -> None:
    rows = features(made_rows(10), default_snapshot())
    terms = design(rows, default_snapshot()).terms
    assert (terms[:, : len(FEATURE_NAMES)] == rows.x).all()
    left, right, _ = CROSSES[0]
    a, b = (rows.x[:, FEATURE_NAMES.index(name)].astype(int) for name in (left, right))
    assert (terms[:, len(FEATURE_NAMES)] == a * b // UNIT).all()


def test_a_rhythm_like_the_prior_adds_nothing() -> None:
    rows = features(made_rows(10), default_snapshot())
    column = TERM_NAMES.index("regular_rhythm")
    assert not design(rows, default_snapshot()).terms[:, column].any()
    regular = replace(default_snapshot(), rhythm=Buying(k=3))
    assert design(rows, regular).terms[:, column].any()


@given(st.integers(-40_000_000, 40_000_000))
def test_probability_inverts_log_odds(micro: int) -> None:
    risk = probability(np.array([micro]))[0]
    assert 0 < risk < 1
    assert np.log(risk / (1 - risk)) == pytest.approx(np.clip(micro / MICRO, -30, 30), abs=1e-2)


def test_probability_rises_with_log_odds() -> None:
    assert (np.diff(probability(np.arange(-5 * MICRO, 5 * MICRO, 1000))) > 0).all()
