"""How far the prior's level is off, where seasons and chance do not explain it."""

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

Floats = NDArray[np.float64]

SEASON = 0.3
"""Standard deviation of a season's own level in log-odds, before the data says otherwise."""

_SEASONS_BEFORE = 4.0  # how many seasons that is worth
_SURE = 4.0  # the squared ratio of a shift to its standard error below which it does not count
_FEWEST = 10
_STEPS = 8
_FAR = 16.0
_HALVINGS = 40


def _miss(log_odds: Floats, labels: Floats) -> tuple[float, float]:
    """The shift that would make the mean probability that of the labels, and its variance."""
    shift, curve = 0.0, 1.0
    for _ in range(_STEPS):
        expected = expit(log_odds + shift)
        curve = float((expected * (1.0 - expected)).sum()) + 0.5
        shift += float(np.clip(((labels - expected).sum() - 0.5 * shift) / curve, -1.0, 1.0))
    return shift, 1.0 / curve


def level_shift(log_odds: Floats, labels: Floats, window: NDArray[np.int64]) -> float:
    """A lasting shift of the level of `log_odds` [n], from matured labels [n] in windows of one horizon [n].

    Each window is one season that misses by the shift, by its own season's level and by chance. Their mean is
    shrunk to zero unless it stands out (positive-part James–Stein): seasons must not become the level.
    """
    misses = [
        _miss(log_odds[inside], labels[inside])
        for inside in (window == k for k in np.unique(window))
        if inside.sum() >= _FEWEST
    ]
    if not misses:
        return 0.0
    miss, chance = (np.array(column) for column in zip(*misses, strict=True))
    beyond = np.maximum((miss - miss.mean()) ** 2 - chance, 0.0).sum()
    season = (_SEASONS_BEFORE * SEASON**2 + beyond) / (_SEASONS_BEFORE + len(miss) - 1)
    weight = 1.0 / (season + chance)
    mean, variance = float((miss * weight).sum() / weight.sum()), float(1.0 / weight.sum())
    return mean * max(0.0, 1.0 - _SURE * variance / mean**2) if mean else 0.0


def matching_shift(log_odds: Floats, goal: float) -> float:
    """The shift of `log_odds` [n], within ±_FAR, under which their mean probability is `goal` (by bisection)."""
    low, high = -_FAR, _FAR
    for _ in range(_HALVINGS):
        middle = (low + high) / 2.0
        if float(expit(log_odds + middle).mean()) < goal:
            low = middle
        else:
            high = middle
    return (low + high) / 2.0
