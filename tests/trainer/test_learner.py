from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from river import checks, compose, datasets, metrics, preprocessing
from scipy.special import expit

from streamproc.trainer.learner import INTERCEPT, CorrectingLogistic, DivergedError

MADE = CorrectingLogistic()
METRICS: Any = metrics  # river leaves these untyped


def name_of(check: object) -> str:
    return str(getattr(check, "__name__", None) or check.func.__name__)  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    "check",
    [check for check in checks.yield_checks(MADE) if name_of(check) not in MADE._unit_test_skips()],
    ids=name_of,
)
def test_river_accepts_the_learner(check: object) -> None:
    check(MADE.clone())  # type: ignore[operator]


def test_it_works_in_a_pipeline_of_river() -> None:
    model = compose.Pipeline(preprocessing.StandardScaler(), CorrectingLogistic(intercept_sd=1.0))
    area: Any = METRICS.ROCAUC()
    for x, y in datasets.Phishing().take(400):
        area.update(y, model.predict_proba_one(x))
        model.learn_one(x, y)
    assert area.get() > 0.9


def test_it_works_in_a_pipeline_of_mini_batches() -> None:
    model = compose.Pipeline(preprocessing.StandardScaler(), CorrectingLogistic(intercept_sd=1.0))
    rows = list(datasets.Phishing().take(600))
    frame, truth = pd.DataFrame([x for x, _ in rows]), pd.Series([y for _, y in rows])
    for start in range(0, 400, 50):
        model.learn_many(frame.iloc[start : start + 50], truth.iloc[start : start + 50])
    told = model.predict_proba_many(frame.iloc[400:])
    assert list(told.columns) == [False, True]
    assert (told[True].gt(0.5) == truth.iloc[400:]).mean() > 0.85


def data(n: int, seed: int = 0, weight: float = 0.8, level: float = 0.0) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    random = np.random.default_rng(seed)
    table, offsets = random.normal(size=(n, 2)), random.normal(size=n)
    labels = random.random(n) < expit(offsets + level + weight * table[:, 0])
    return table, labels.astype(float), offsets


def test_with_no_label_it_is_the_model_it_corrects() -> None:
    model = CorrectingLogistic()
    assert model.predict_proba_one({"offset": 1.2, "a": 5.0})[True] == pytest.approx(expit(1.2))


def test_it_finds_what_the_offset_misses_and_leaves_the_rest() -> None:
    model = CorrectingLogistic(sd=1.0)
    for seed in range(10):
        table, labels, offsets = data(500, seed)
        model.learn_columns(("tells", "noise"), table, labels, offsets)
    assert model.weight("tells") == pytest.approx(0.8, abs=0.1)
    assert model.weight("noise") == pytest.approx(0.0, abs=0.08)
    assert model.weight("never seen") == 0.0


def test_a_season_that_moves_everybody_moves_no_weight() -> None:
    model = CorrectingLogistic(sd=1.0)
    for seed in range(10):
        table, labels, offsets = data(500, seed, level=2.0 if seed % 2 else -2.0)
        model.learn_columns(("tells", "noise"), table, labels, offsets)
    assert model.weight("tells") == pytest.approx(0.8, abs=0.15)
    assert abs(model.weight(INTERCEPT)) < 0.1


def test_a_wide_intercept_takes_up_a_lasting_level() -> None:
    model = CorrectingLogistic(intercept_sd=2.0, batch_sd=0.1)
    for seed in range(20):
        table, labels, offsets = data(300, seed, level=1.0)
        model.learn_columns(("a", "b"), table, labels, offsets)
    assert model.weight(INTERCEPT) == pytest.approx(1.0, abs=0.2)


def test_single_features_may_have_their_own_spread() -> None:
    table, labels, offsets = data(2_000)
    tight = CorrectingLogistic(sds={"tells": 0.001})
    tight.learn_columns(("tells", "noise"), table, labels, offsets)
    assert abs(tight.weight("tells")) < 0.01


def test_a_row_of_weight_two_counts_as_two_rows() -> None:
    table, labels, offsets = data(200)
    once, twice = CorrectingLogistic(), CorrectingLogistic()
    once.learn_columns(("a", "b"), table, labels, offsets, np.full(200, 2.0))
    twice.learn_columns(("a", "b"), np.tile(table, (2, 1)), np.tile(labels, 2), np.tile(offsets, 2))
    assert once.weight("a") == pytest.approx(twice.weight("a"))


def test_frames_and_columns_are_one_thing() -> None:
    table, labels, offsets = data(100)
    columns, frame = CorrectingLogistic(), CorrectingLogistic()
    columns.learn_columns(("a", "b"), table, labels, offsets)
    rows = pd.DataFrame({"a": table[:, 0], "offset": offsets, "b": table[:, 1]})
    frame.learn_many(rows, pd.Series(labels.astype(bool)))
    assert frame.weight("a") == columns.weight("a")
    told = expit(columns.log_odds_columns(("a", "b"), table, offsets))
    assert frame.predict_proba_many(rows)[True].to_numpy() == pytest.approx(told)


def test_an_empty_batch_teaches_nothing() -> None:
    model = CorrectingLogistic()
    model.learn_columns(("a",), np.empty((0, 1)), np.empty(0), np.empty(0))
    assert model.posterior()[0] == (INTERCEPT,)


@settings(max_examples=25)
@given(st.integers(0, 1_000), st.integers(1, 80), st.floats(0.05, 3.0))
def test_the_posterior_stays_a_gaussian_and_moves_from_hand_to_hand(seed: int, n: int, sd: float) -> None:
    model, other = CorrectingLogistic(sd=sd), CorrectingLogistic(sd=sd)
    table, labels, offsets = data(n, seed, weight=3.0, level=4.0)
    model.learn_columns(("a", "b"), table, labels, offsets)
    names, mean, precision = model.posterior()
    assert np.linalg.eigvalsh(precision).min() > 0
    assert np.isfinite(mean).all()
    other.set_posterior(names, mean, precision)
    for each in (model, other):
        each.learn_columns(("b", "c"), *data(n, seed + 1))
    assert (other.posterior()[1] == model.posterior()[1]).all()
    assert (other.posterior()[2] == model.posterior()[2]).all()


@pytest.mark.parametrize("poison", [float("nan"), float("inf")])
def test_a_batch_that_is_not_finite_is_refused_whole(poison: float) -> None:
    model = CorrectingLogistic()
    model.learn_columns(("a", "b"), *data(50)[:3])
    before = model.posterior()
    table, labels, offsets = data(50)
    table[3, 1] = poison
    with np.errstate(all="ignore"), pytest.raises(DivergedError):
        model.learn_columns(("a", "b"), table, labels, offsets)
    assert (model.posterior()[1] == before[1]).all()
    assert (model.posterior()[2] == before[2]).all()
