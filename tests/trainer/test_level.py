import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy.special import expit

from streamproc.trainer.level import level_shift, matching_shift


def seasons(levels: list[float], n: int = 400, seed: int = 0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels of rows whose prior misses by its season's level."""
    random = np.random.default_rng(seed)
    log_odds = random.normal(0.0, 1.0, n * len(levels))
    window = np.repeat(np.arange(len(levels)), n)
    labels = random.random(len(log_odds)) < expit(log_odds + np.array(levels)[window])
    return log_odds, labels.astype(float), window


def test_a_lasting_miss_is_made_good() -> None:
    assert level_shift(*seasons([-0.8] * 8)) == pytest.approx(-0.8, abs=0.2)


def test_seasons_that_come_and_go_are_no_level() -> None:
    assert level_shift(*seasons([0.6, -0.5, 0.5, -0.6])) == 0.0


def test_one_season_alone_is_not_trusted() -> None:
    assert level_shift(*seasons([0.5])) == 0.0


def test_a_prior_that_is_right_stays() -> None:
    assert abs(level_shift(*seasons([0.0] * 6))) < 0.05


def test_nothing_is_learned_from_a_handful() -> None:
    assert level_shift(np.zeros(5), np.ones(5), np.zeros(5, dtype=np.int64)) == 0.0


@given(st.integers(0, 1_000), st.lists(st.floats(-2, 2), min_size=1, max_size=8))
def test_the_shift_is_never_larger_than_the_largest_miss(seed: int, levels: list[float]) -> None:
    assert abs(level_shift(*seasons(levels, n=50, seed=seed))) < max(map(abs, levels)) + 1.5


@given(st.lists(st.floats(-6, 6), min_size=1, max_size=50), st.floats(0.03, 0.97))
def test_matching_gives_the_mean_that_was_asked_for(log_odds: list[float], goal: float) -> None:
    shift = matching_shift(np.array(log_odds), goal)
    assert expit(np.array(log_odds) + shift).mean() == pytest.approx(goal, abs=1e-6)
