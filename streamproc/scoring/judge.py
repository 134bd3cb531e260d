"""How good risks were, once it is known what the customers did. Labels are 1: no purchase, 0: a purchase."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

_LEAST = 1e-6
BINS = 15
"""Bins of equal size in which calibration is measured."""


class Figures(NamedTuple):
    """The usual figures of n risks; those of a ranking are nan where only one label occurs."""

    n: int
    base_rate: float
    auc: float
    average_precision: float
    brier: float
    log_loss: float
    calibration_error: float
    precision_5: float
    precision_10: float
    lift_5: float
    lift_10: float


class Bin(NamedTuple):
    """One bin of a calibration plot."""

    n: int
    risk: float
    rate: float


def auc(labels: Ints, risks: Floats) -> float:
    """Area under the ROC curve, ties counted half; nan where only one label occurs."""
    order = np.argsort(risks, kind="stable")
    ordered = risks[order]
    starts = np.flatnonzero(np.r_[True, ordered[1:] != ordered[:-1]])
    ends = np.r_[starts[1:], len(ordered)]
    ranks = np.empty(len(risks))
    ranks[order] = np.repeat((starts + ends + 1) / 2, ends - starts)
    lost = int(labels.sum())
    stayed = len(labels) - lost
    if not lost or not stayed:
        return float("nan")
    return float((ranks[labels == 1].sum() - lost * (lost + 1) / 2) / (lost * stayed))


def average_precision(labels: Ints, risks: Floats) -> float:
    """Precision averaged over recall, equal risks taken together; nan without a 1."""
    if not labels.sum():
        return float("nan")
    order = np.argsort(-risks, kind="stable")
    ordered, falling = labels[order], risks[order]
    last_of_tie = np.r_[falling[1:] != falling[:-1], True]
    hits = np.cumsum(ordered)[last_of_tie]
    seen = np.flatnonzero(last_of_tie) + 1
    recall = np.r_[0.0, hits / hits[-1]]
    return float(np.sum(np.diff(recall) * hits / seen))


def brier(labels: Ints, risks: Floats) -> float:
    """Mean squared difference of risk and label."""
    return float(np.mean((risks - labels) ** 2))


def log_loss(labels: Ints, risks: Floats) -> float:
    """Mean negative log-likelihood, risks kept 1e-6 from 0 and 1."""
    kept = np.clip(risks, _LEAST, 1 - _LEAST)
    return float(-np.mean(labels * np.log(kept) + (1 - labels) * np.log(1 - kept)))


def calibration(labels: Ints, risks: Floats, bins: int = BINS) -> list[Bin]:
    """Mean risk and rate of 1 in bins between the quantiles of the risks; empty bins are left out."""
    edges = np.quantile(risks, np.linspace(0, 1, bins + 1)[1:-1])
    which = np.searchsorted(edges, risks, side="right")
    inside = [which == k for k in range(bins)]
    return [Bin(int(m.sum()), float(risks[m].mean()), float(labels[m].mean())) for m in inside if m.any()]


def calibration_error(labels: Ints, risks: Floats, bins: int = BINS) -> float:
    """Expected calibration error: the bins' |risk − rate|, weighted by their size."""
    return sum(b.n * abs(b.risk - b.rate) for b in calibration(labels, risks, bins)) / len(labels)


def precision_at(labels: Ints, risks: Floats, share: float) -> float:
    """Share of 1 among the riskiest `share`, at least one; of equal risks at the edge, what any of them gives."""
    most = max(1, round(share * len(risks)))
    edge = np.partition(risks, -most)[-most]
    above, tied = risks > edge, risks == edge
    return float((labels[above].sum() + (most - above.sum()) * labels[tied].mean()) / most)


def judged(labels: Ints, risks: Floats) -> Figures:
    """All figures of risks judged together, as of one cut. Raises ValueError where there are none."""
    if not len(labels):
        raise ValueError("there is nothing to judge")
    rate = float(labels.mean())
    at_5, at_10 = precision_at(labels, risks, 0.05), precision_at(labels, risks, 0.10)
    none = float("nan")
    return Figures(
        n=len(labels),
        base_rate=rate,
        auc=auc(labels, risks),
        average_precision=average_precision(labels, risks),
        brier=brier(labels, risks),
        log_loss=log_loss(labels, risks),
        calibration_error=calibration_error(labels, risks),
        precision_5=at_5,
        precision_10=at_10,
        lift_5=at_5 / rate if rate else none,
        lift_10=at_10 / rate if rate else none,
    )


def judged_over_cuts(labels: Ints, risks: Floats, cuts: Ints) -> tuple[Figures, float]:
    """Figures over several cuts and the AUC averaged over them.

    Ranking and calibration are pooled; precision and lift are averages over the cuts, since a top share is
    chosen at each. `cuts` [n] says which cut a risk belongs to.
    """
    pooled = judged(labels, risks)
    each = [judged(labels[cuts == cut], risks[cuts == cut]) for cut in np.unique(cuts)]
    at_5, at_10 = (float(np.mean([f[k] for f in each])) for k in (7, 8))
    rate = pooled.base_rate
    lifts = (at_5 / rate, at_10 / rate) if rate else (pooled.lift_5, pooled.lift_10)
    figures = pooled._replace(precision_5=at_5, precision_10=at_10, lift_5=lifts[0], lift_10=lifts[1])
    return figures, float(np.mean([f.auc for f in each]))
