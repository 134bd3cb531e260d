"""Features to log-odds: a sum of integer contributions, the same whatever else is in the batch."""

from functools import lru_cache
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamproc.scoring.buying import outlook
from streamproc.scoring.features import Features
from streamproc.scoring.layout import CROSSES, FEATURE_NAMES, GROUPS, TERMS, UNIT
from streamproc.scoring.snapshot import Snapshot

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

MICRO = 1_000_000
"""Log-odds are counted in millionths."""

SHIFT = 12  # further binary places of the coefficients below
CROSSED = tuple((FEATURE_NAMES.index(left), FEATURE_NAMES.index(right)) for left, right, _ in CROSSES)
TERM_GROUPS = tuple(GROUPS.index(group) for _, group in TERMS)
_LEFT, _RIGHT = np.array(CROSSED).T
_LEVEL, SILENCE, FREQUENCY = (GROUPS.index(name) for name in ("level", "silence", "frequency"))
RHYTHM_REACH = 3.0


class Design(NamedTuple):
    """The prior's log-odds, split in two, and the quantised terms the corrections are linear in."""

    silence: Ints  # [n] micro-log-odds: what the days since the last purchase add
    frequency: Ints  # [n] micro-log-odds of a like customer who bought today
    terms: Ints  # [n, len(TERMS)] in 1/UNIT


class Scores(NamedTuple):
    """Log-odds of no purchase within the horizon, and what each of GROUPS contributes to them."""

    log_odds_micro: Ints  # [n]
    contributions: Ints  # [n, len(GROUPS)], summing exactly to log_odds_micro


class Coefficients(NamedTuple):
    """A snapshot in integers: per-term weights by group, and the constant of each group."""

    weights: Ints  # [terms, groups], micro-log-odds per quantised unit times 2**SHIFT
    constant: Ints  # [groups], in the same fixed point
    prior: int  # 1 + w1 times 2**SHIFT
    mean_silence: int  # micro-log-odds
    mean_frequency: int


def design(rows: Features, snapshot: Snapshot) -> Design:
    """The prior under the snapshot's parameters, and the terms; elementwise in the rows."""
    repeats = rows.repeats.astype(np.float64)
    recency, age = rows.recency / rows.horizon, rows.age / rows.horizon
    prior = outlook(snapshot.prior, repeats, recency, age)
    frequency = np.rint(prior.quiet_today * MICRO).astype(np.int64)
    silence = np.rint(prior.quiet * MICRO).astype(np.int64) - frequency
    x = rows.x.astype(np.int64)
    terms = np.empty((len(x), len(TERMS)), dtype=np.int64)
    k = x.shape[1]
    terms[:, :k] = x
    terms[:, k : k + len(CROSSES)] = (x[:, _LEFT] * x[:, _RIGHT]) // UNIT
    terms[:, -2] = np.rint((prior.alive - 0.7) * (4 * UNIT))
    if snapshot.rhythm == snapshot.prior:
        terms[:, -1] = 0
    else:
        regular = outlook(snapshot.rhythm, repeats, recency, age).quiet - prior.quiet
        terms[:, -1] = np.rint(np.minimum(np.maximum(regular, -RHYTHM_REACH), RHYTHM_REACH) * UNIT)
    return Design(silence=silence, frequency=frequency, terms=terms)


@lru_cache(maxsize=4)
def coefficients(snapshot: Snapshot) -> Coefficients:
    """The snapshot's numbers as integers."""
    fixed = MICRO * float(1 << SHIFT)
    by_term = np.rint(np.array(snapshot.weights) * (fixed / UNIT)).astype(np.int64)
    means = np.rint(np.array(snapshot.means) * UNIT).astype(np.int64)
    weights = np.zeros((len(TERMS), len(GROUPS)), dtype=np.int64)
    weights[np.arange(len(TERMS)), TERM_GROUPS] = by_term
    constant = -(means[:, None] * weights).sum(axis=0)
    mean_silence, mean_frequency = (round(snapshot.mean_silence * MICRO), round(snapshot.mean_frequency * MICRO))
    constant[_LEVEL] += round((snapshot.w0 + snapshot.delta) * fixed) + ((mean_silence + mean_frequency) << SHIFT)
    prior = round((1.0 + snapshot.w1) * (1 << SHIFT))
    return Coefficients(weights, constant, prior, mean_silence, mean_frequency)


def score(rows: Features, snapshot: Snapshot) -> Scores:
    """Log-odds and contributions of each row under the snapshot.

    Everything from the design on is integer arithmetic, so the sums are exact in any order and any batch.
    """
    parts = design(rows, snapshot)
    c = coefficients(snapshot)
    fixed = parts.terms @ c.weights + c.constant
    fixed[:, SILENCE] += c.prior * (parts.silence - c.mean_silence)
    fixed[:, FREQUENCY] += c.prior * (parts.frequency - c.mean_frequency)
    contributions = (fixed + (1 << (SHIFT - 1))) >> SHIFT
    return Scores(log_odds_micro=contributions.sum(axis=1), contributions=contributions)


def probability(log_odds_micro: Ints) -> Floats:
    """P(no purchase within the horizon) of log-odds in millionths."""
    odds: Floats = 1.0 / (1.0 + np.exp(-np.minimum(np.maximum(log_odds_micro / MICRO, -30.0), 30.0)))
    return odds
