"""Parametric models of buying while alive: BG/NBD, MBG/NBD and their (M)BG/CNBD-k with Erlang gaps.

Time is counted in horizons. x repeat purchase days, the last of them `recency` ago, the first one `age` ago.
Fader, Hardie & Lee 2005 (BG/NBD); Batislam et al. 2007 (MBG/NBD); Platzer & Reutterer 2016 (MBG/CNBD-k).
"""

from typing import NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray

Floats = NDArray[np.float64]

ALIVE_FLOOR = 0.1
"""Least weight given to a customer being alive: real customers come back more often than the models allow."""

LEAST = 1e-6
"""Probabilities are kept this far from 0 and 1."""

MOST_EXPONENT = 500.0
"""Where e to the power of it is cut off: so far no double overflows."""

MOST_ERLANG = 4
"""The most regular rhythm considered: gaps of Erlang-4."""


class Buying(msgspec.Struct, frozen=True):
    """Parameters: purchase rate ~ Gamma(r, alpha) per horizon; chance to stop after a purchase ~ Beta(a, b).

    Gaps are Erlang-k (k = 1: Poisson purchases). `modified`: one may also stop after the very first purchase.
    """

    r: float = 0.8
    alpha: float = 1.0
    a: float = 0.8
    b: float = 3.0
    k: int = 1
    modified: bool = False


class Outlook(NamedTuple):
    """What a buying model says of n customers: log-odds of no purchase within one horizon, P(alive).

    `quiet_today` are the log-odds of a like customer who bought today.
    """

    quiet: Floats
    alive: Floats
    quiet_today: Floats


def erlang_tail(share: Floats, shape: Floats, k: int) -> Floats:
    """Σ_{j<k} Γ(n+j)/Γ(n)/j! s^j with s = u/(alpha+t+u); times (alpha+t+u)^-n, P(gap > u)."""
    term = np.ones_like(share)
    total = np.ones_like(share)
    for j in range(1, k):
        term = term * share * (shape + (j - 1)) / j
        total = total + term
    return total


def outlook(model: Buying, repeats: Floats, recency: Floats, age: Floats, *, floor: float = ALIVE_FLOOR) -> Outlook:
    """Log-odds of P(no purchase in the next horizon) and P(alive); recency and age [n] in horizons.

    Being alive is given at least the weight `floor`. Elementwise: a row's result does not depend on the other rows.
    """
    shape = model.r + model.k * repeats
    start = model.alpha + (age - recency)
    now = model.alpha + age
    later = now + 1.0
    tail_now = erlang_tail(recency / now, shape, model.k)
    tail_later = erlang_tail((recency + 1.0) / later, shape, model.k)
    if model.modified:
        stop = model.a / (model.b + repeats)
    else:
        stop = np.where(repeats > 0, model.a / (model.b + np.maximum(repeats, 1.0) - 1.0), 0.0)
    gone = stop / tail_now * np.exp(np.minimum(shape * np.log(now / start), MOST_EXPONENT))
    alive = 1.0 / (1.0 + gone)
    still = np.exp(-shape * np.log(later / now))
    today = 1.0 / (1.0 + stop), still * erlang_tail(1.0 / later, shape, model.k)
    return Outlook(_quiet(alive, still * tail_later / tail_now, floor), alive, _quiet(*today, floor))


def _quiet(alive: Floats, silent: Floats, floor: float) -> Floats:
    buys = (floor + (1.0 - floor) * alive) * (1.0 - np.minimum(silent, 1.0))
    kept = np.minimum(np.maximum(buys, LEAST), 1.0 - LEAST)
    log_odds: Floats = np.log((1.0 - kept) / kept)
    return log_odds
