import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from scipy.special import expit

from streamproc.scoring.layout import TERM_NAMES
from streamproc.trainer.pair import BELIEF, SHARES, Batch, Pair

FIRST = TERM_NAMES[0]


def batch(seed: int, n: int = 300, *, misled: float = 0.0, level: float = 0.0) -> Batch:
    """Customers of whom the first term tells one log-odds a unit; the prior knows it, and is misled besides."""
    random = np.random.default_rng(seed)
    terms = random.normal(size=(n, len(TERM_NAMES)))
    truth = terms[:, 0] + level
    labels = (random.random(n) < expit(truth)).astype(float)
    return Batch(terms[:, 0] + misled * random.normal(size=n), terms, labels, np.ones(n))


def taught(batches: list[Batch]) -> Pair:
    pair, learned = Pair(), 0
    for some in batches:
        pair.learn(some, learned)
        learned += len(some.labels)
    return pair


def test_the_belief_is_one_and_mostly_in_the_prior() -> None:
    assert sum(BELIEF) == pytest.approx(1.0)
    assert Pair().share == pytest.approx(0.275)


def test_where_the_prior_is_right_it_keeps_the_word() -> None:
    assert taught([batch(seed) for seed in range(10)]).share < 0.2


def test_where_the_prior_misleads_the_free_learner_takes_over() -> None:
    assert taught([batch(seed, misled=3.0) for seed in range(10)]).share > 0.7


def test_a_season_convicts_nobody() -> None:
    calm = taught([batch(seed) for seed in range(6)])
    stormy = taught([batch(seed, level=3.0 if seed % 2 else -3.0) for seed in range(6)])
    assert stormy.share == pytest.approx(calm.share, abs=0.15)


def test_nobody_is_judged_before_there_was_enough_to_learn_from() -> None:
    pair = Pair()
    pair.learn(batch(0, n=150, misled=3.0), 0)
    pair.learn(batch(1, n=49, misled=3.0), 150)
    assert pair.belief == BELIEF
    pair.learn(batch(2, n=50, misled=3.0), 200)
    assert pair.belief != BELIEF


def test_before_any_label_the_prior_alone_speaks() -> None:
    told = Pair().corrections(0)
    assert not told.weights.any()
    assert told.w1 == 0.0


def test_the_free_learner_comes_in_with_the_examples() -> None:
    pair = taught([batch(0)])
    few, many = pair.corrections(100), pair.corrections(1_000)
    assert abs(few.w1 - pair.correcting.weight("prior")) < abs(many.w1 - pair.correcting.weight("prior"))
    assert (pair.corrections(10_000).weights == many.weights).all()


@settings(max_examples=15)
@given(st.integers(0, 500), st.floats(0.0, 3.0))
def test_corrections_are_the_weighted_mean_of_both(seed: int, misled: float) -> None:
    pair = taught([batch(seed, misled=misled), batch(seed + 1, misled=misled)])
    told, some = pair.corrections(5_000), batch(seed + 2, misled=misled)
    middle = some.prior - some.prior.mean()
    own = pair.correcting.log_odds_columns((*TERM_NAMES, "prior"), np.column_stack([some.terms, middle]), some.prior)
    free = pair.free.log_odds_columns(TERM_NAMES, some.terms, np.zeros(len(some.labels)))
    mixed = (1 - pair.share) * own + pair.share * free
    linear = middle * (1 + told.w1) + some.terms @ told.weights
    assert np.ptp(mixed - linear) < 1e-9


@settings(max_examples=15)
@given(st.integers(0, 500), st.integers(1, 20))
def test_the_belief_stays_a_belief(seed: int, n: int) -> None:
    pair = taught([batch(seed), batch(seed + 1, n=n, misled=9.0), batch(seed + 2, n=n)])
    assert len(pair.belief) == len(SHARES)
    assert sum(pair.belief) == pytest.approx(1.0)
    assert 0.0 <= pair.share <= SHARES[-1]


def test_it_goes_on_from_its_belief() -> None:
    pair = taught([batch(seed, misled=3.0) for seed in range(4)])
    assert Pair(pair.belief).share == pair.share
    assert pair.correcting.weight(FIRST) != 0.0
