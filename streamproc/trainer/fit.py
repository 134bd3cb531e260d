"""Maximum likelihood for the buying models, with analytic gradients (formulas: streamproc.scoring.buying)."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.optimize import minimize
from scipy.special import digamma, gammaln

from streamproc.scoring.buying import MOST_ERLANG, Buying

Floats = NDArray[np.float64]

CENTRE = Buying()
"""The parameters everything starts from and is drawn towards."""

_SPREAD = 1.5  # of the log-normal penalty
_WORTH = 3.0  # customers the penalty is worth at least
_SHARE = 0.05  # of the sample that it is worth: seasons move all customers at once
_BOUND = 6.5
_BETTER = 1e-4  # by how much a customer's mean log-likelihood must rise for a change of model
_ITERATIONS = 40


class Histories(NamedTuple):
    """Customers in short, equal ones once with a weight; times in horizons."""

    repeats: Floats
    last: Floats  # from the first purchase to the last
    age: Floats  # from the first purchase to today
    weight: Floats
    log_gaps: float  # sum of the log gaps of all of them

    @property
    def customers(self) -> float:
        """How many customers these are."""
        return float(self.weight.sum())


def histories(repeats: Floats, last: Floats, age: Floats, log_gaps: float) -> Histories:
    """The sample with equal customers merged."""
    rows, counts = np.unique(np.column_stack([repeats, last, age]), axis=0, return_counts=True)
    columns = np.ascontiguousarray(rows.T)
    return Histories(columns[0], columns[1], columns[2], counts.astype(np.float64), log_gaps)


class _Tail(NamedTuple):
    value: Floats
    by_shape: Floats
    by_share: Floats


def _tail(share: Floats, shape: Floats, k: int) -> _Tail:
    """The Erlang tail sum and its derivatives by shape and share."""
    term, term_n, value = np.ones_like(share), np.zeros_like(share), np.ones_like(share)
    by_shape, by_share = np.zeros_like(share), np.zeros_like(share)
    for j in range(1, k):
        by_share = by_share + term * (shape + (j - 1))
        term_n = (term_n * (shape + (j - 1)) + term) * share / j
        term = term * share * (shape + (j - 1)) / j
        value, by_shape = value + term, by_shape + term_n
    return _Tail(value, by_shape, by_share)


def likelihood(logs: Floats, k: int, *, modified: bool, sample: Histories) -> tuple[float, Floats]:
    """Log-likelihood and its gradient at `logs` = log of (r, alpha, a, b), shape [4]."""
    r, alpha, a, b = np.exp(logs)
    x, start, now = sample.repeats, alpha + sample.last, alpha + sample.age
    shape = r + k * x
    share = (sample.age - sample.last) / now
    tail = _tail(share, shape, k)
    stops = x + 1.0 if modified else x
    may = stops > 0
    among = np.where(may, b + stops - 1.0, 1.0)
    alive = -shape * np.log(now) + np.log(tail.value)
    gone = np.where(may, np.log(a / among) - shape * np.log(start), -np.inf)
    both = np.logaddexp(alive, gone)
    lives = np.exp(alive - both)
    dies = 1.0 - lives
    w = sample.weight
    beta = gammaln(b + stops) - gammaln(a + b + stops) - gammaln(b) + gammaln(a + b)
    each = gammaln(shape) - gammaln(r) + r * np.log(alpha) + beta + both - x * gammaln(k)
    by_r = digamma(shape) - digamma(r) + np.log(alpha)
    by_r = by_r + lives * (tail.by_shape / tail.value - np.log(now)) - dies * np.log(start)
    by_alpha = r / alpha - lives * (shape + tail.by_share / tail.value * share) / now - dies * shape / start
    whole = digamma(a + b) - digamma(a + b + stops)
    by_a = whole + dies / a
    by_b = whole + digamma(b + stops) - digamma(b) - np.where(may, dies / among, 0.0)
    value = float(w @ each) + (k - 1) * sample.log_gaps
    slope = np.array([w @ by_r, w @ by_alpha, w @ by_a, w @ by_b])
    return value, slope * np.exp(logs)


def _logs(model: Buying) -> Floats:
    logs: Floats = np.log(np.array([model.r, model.alpha, model.a, model.b]))
    return logs


def _climb(start: Floats, k: int, *, modified: bool, sample: Histories, pull: float) -> tuple[float, Buying]:
    """The penalised maximum for one k, as (mean loss a customer, model)."""
    centre = _logs(CENTRE) + np.array([0.0, np.log(k), 0.0, 0.0])
    total = sample.customers

    def loss(logs: Floats) -> tuple[float, Floats]:
        value, slope = likelihood(logs, k, modified=modified, sample=sample)
        away = logs - centre
        return (0.5 * pull * float(away @ away) - value) / total, (pull * away - slope) / total

    found = minimize(
        loss, start, jac=True, method="L-BFGS-B", bounds=[(-_BOUND, _BOUND)] * 4, options={"maxiter": _ITERATIONS}
    )
    r, alpha, a, b = (float(n) for n in np.exp(found.x))
    return float(found.fun), Buying(r=r, alpha=alpha, a=a, b=b, k=k, modified=modified)


def fit(sample: Histories, start: Buying, *, widest: int = MOST_ERLANG) -> Buying:
    """The likeliest model near `start`: then its neighbours in k (to `widest`) and `modified`."""
    pull = max(_WORTH, _SHARE * sample.customers) / _SPREAD**2
    best = _climb(_logs(start), start.k, modified=start.modified, sample=sample, pull=pull)
    here = best[1]
    near = [(here.k, not here.modified)]
    near += [(k, here.modified) for k in (here.k - 1, here.k + 1) if 1 <= k <= widest]
    for k, modified in near:
        moved = _logs(here) + np.array([0.0, np.log(k / here.k), 0.0, 0.0])
        other = _climb(moved, k, modified=modified, sample=sample, pull=pull)
        if other[0] < best[0] - _BETTER:
            best = other
    return best[1]


def fit_bg_nbd(sample: Histories) -> Buying:
    """Plain maximum likelihood of the plain BG/NBD: the field's reference, not what we score with."""
    return _climb(_logs(CENTRE), 1, modified=False, sample=sample, pull=0.0)[1]
