"""What a backtest's risks are held against: recency alone, the base rate, and BG/NBD fitted before the cut."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamproc.scoring.buying import outlook
from streamproc.trainer.fit import fit_bg_nbd, histories

Floats = NDArray[np.float64]

UNKNOWN = 0.5
"""The base rate before anybody has been watched for a horizon."""


class Baselines(NamedTuple):
    """Risks of no purchase in the horizon after the cut, [n] each."""

    recency: Floats
    base_rate: Floats
    bg_nbd: Floats


def baselines(purchase_days: Sequence[Sequence[int]], cut: int, horizon: float) -> Baselines:
    """Risks as of midnight before day `cut`, from each customer's distinct purchase days before it, ascending.

    Recency: days since the last purchase over a horizon. Base rate: the share of customers active one horizon
    earlier who then bought nothing. Raises ValueError for a customer without a purchase before the cut.
    """
    if any(not days or days[-1] >= cut for days in purchase_days):
        raise ValueError("every customer needs a purchase before the cut, and none after it")
    first = np.array([days[0] for days in purchase_days], dtype=np.float64)
    last = np.array([days[-1] for days in purchase_days], dtype=np.float64)
    repeats = np.array([len(days) - 1 for days in purchase_days], dtype=np.float64)
    recency, age = (cut - 1 - last) / horizon, (cut - 1 - first) / horizon
    model = fit_bg_nbd(histories(repeats, age - recency, age, 0.0))
    quiet = outlook(model, repeats, recency, age, floor=0.0).quiet
    rate = _rate(purchase_days, cut, horizon)
    return Baselines(
        recency=np.minimum(recency, 1.0), base_rate=np.full(len(first), rate), bg_nbd=1.0 / (1.0 + np.exp(-quiet))
    )


def _rate(purchase_days: Sequence[Sequence[int]], cut: int, horizon: float) -> float:
    start = cut - horizon
    active = [days for days in purchase_days if any(start - horizon - 1 <= day < start for day in days)]
    if not active:
        return UNKNOWN
    return sum(days[-1] < start for days in active) / len(active)
