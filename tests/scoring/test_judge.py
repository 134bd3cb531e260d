import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamproc.scoring.judge import (
    auc,
    average_precision,
    brier,
    calibration,
    calibration_error,
    judged,
    judged_over_cuts,
    log_loss,
    precision_at,
)

LABELS = np.array([0, 0, 1, 1])
RISKS = np.array([0.1, 0.4, 0.35, 0.8])

judgements = st.lists(
    st.tuples(st.integers(0, 1), st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.75, 1.0])), min_size=2, max_size=60
).filter(lambda some: 0 < sum(label for label, _ in some) < len(some))


def columns(some: list[tuple[int, float]]) -> tuple[np.ndarray, np.ndarray]:
    return np.array([label for label, _ in some]), np.array([risk for _, risk in some])


def test_textbook_values() -> None:
    assert auc(LABELS, RISKS) == 0.75
    assert average_precision(LABELS, RISKS) == pytest.approx(0.5 * 1.0 + 0.5 * 2 / 3)
    assert brier(LABELS, RISKS) == pytest.approx((0.01 + 0.16 + 0.4225 + 0.04) / 4)
    assert log_loss(LABELS, RISKS) == pytest.approx(-np.log([0.9, 0.6, 0.35, 0.8]).mean())
    assert precision_at(LABELS, RISKS, 0.5) == 0.5
    assert precision_at(LABELS, RISKS, 0.01) == 1.0


@given(judgements)
def test_auc_is_the_chance_that_the_lost_rank_above_the_staying(some: list[tuple[int, float]]) -> None:
    labels, risks = columns(some)
    lost, stayed = risks[labels == 1], risks[labels == 0]
    pairs = np.sign(lost[:, None] - stayed[None, :])
    assert auc(labels, risks) == pytest.approx(((pairs + 1) / 2).mean())


@given(judgements)
def test_average_precision_takes_ties_together(some: list[tuple[int, float]]) -> None:
    labels, risks = columns(some)
    total, recall = 0.0, 0.0
    for bound in sorted(set(risks.tolist()), reverse=True):
        chosen = labels[risks >= bound]
        total += (chosen.sum() / labels.sum() - recall) * chosen.mean()
        recall = chosen.sum() / labels.sum()
    assert average_precision(labels, risks) == pytest.approx(total)


def test_figures_of_one_label_alone() -> None:
    assert np.isnan(auc(np.ones(3, dtype=int), np.array([0.1, 0.2, 0.3])))
    assert np.isnan(average_precision(np.zeros(3, dtype=int), np.array([0.1, 0.2, 0.3])))
    assert np.isnan(judged(np.zeros(3, dtype=int), np.array([0.1, 0.2, 0.3])).lift_5)


def test_a_sure_error_costs_much_and_not_everything() -> None:
    assert log_loss(np.array([1]), np.array([0.0])) == pytest.approx(-np.log(1e-6))


def test_calibration_of_risks_that_are_rates() -> None:
    risks = np.repeat([0.2, 0.8], 50)
    labels = np.tile([1] * 10 + [0] * 40 + [1] * 40 + [0] * 10, 1)
    assert calibration_error(labels, risks) == pytest.approx(0.0)
    assert [(b.n, round(b.risk, 2), round(b.rate, 2)) for b in calibration(labels, risks, 2)] == [(100, 0.5, 0.5)] or [
        b.n for b in calibration(labels, risks, 2)
    ] == [50, 50]
    assert calibration_error(1 - labels, risks) == pytest.approx(0.6)


@given(judgements)
def test_calibration_bins_hold_everybody_once(some: list[tuple[int, float]]) -> None:
    labels, risks = columns(some)
    bins = calibration(labels, risks)
    assert sum(b.n for b in bins) == len(labels)
    assert sum(b.n * b.rate for b in bins) == pytest.approx(labels.sum())


def test_lift_is_precision_over_the_base_rate() -> None:
    labels = np.array([1, 1, 0, 0] * 10)
    told = judged(labels, labels.astype(float))
    assert (told.base_rate, told.precision_10, told.lift_10, told.auc) == (0.5, 1.0, 2.0, 1.0)


def test_ties_at_the_top_are_not_broken_by_order() -> None:
    labels = np.array([1] * 50 + [0] * 50)
    assert precision_at(labels, np.full(100, 0.5), 0.2) == 0.5
    assert precision_at(labels[::-1], np.full(100, 0.5), 0.2) == 0.5


@given(judgements, st.floats(0.01, 1.0))
def test_precision_at_the_top_is_the_mean_over_all_orders_of_ties(some: list[tuple[int, float]], share: float) -> None:
    labels, risks = columns(some)
    random, most = np.random.default_rng(0), max(1, round(share * len(risks)))
    orders = [np.lexsort((random.random(len(risks)), -risks))[:most] for _ in range(400)]
    mean = np.mean([labels[order].mean() for order in orders])
    assert precision_at(labels, risks, share) == pytest.approx(mean, abs=0.12)


def test_several_cuts_are_pooled_but_for_their_tops() -> None:
    labels = np.array([1, 0, 0, 1, 0, 0])
    risks = np.array([0.9, 0.5, 0.1, 0.2, 0.15, 0.1])
    figures, mean_auc = judged_over_cuts(labels, risks, np.array([1, 1, 1, 2, 2, 2]))
    assert figures.precision_5 == 1.0
    assert figures.lift_5 == pytest.approx(3.0)
    assert mean_auc == 1.0
    assert figures.auc < 1.0


def test_nothing_cannot_be_judged() -> None:
    with pytest.raises(ValueError, match="nothing"):
        judged(np.array([], dtype=int), np.array([]))
