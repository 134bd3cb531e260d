"""What the monitor hands to the trainer: feature rows without and with labels, sightings of the sample."""

from functools import lru_cache
from hashlib import blake2b
from itertools import pairwise
from math import log

import msgspec
import numpy as np
from numpy.typing import NDArray

from streamproc.core.time import DAY
from streamproc.scoring.features import Features
from streamproc.scoring.layout import FEATURE_NAMES
from streamproc.scoring.rows import Buyer

LABELS_WAITING = 3
"""How many of a customer's examples wait for their labels at a time."""


class Example(msgspec.Struct, frozen=True, kw_only=True, tag="example"):
    """A customer's features as they were at the instant `at`.

    Without a label it is fresh: emitted at `at`. With one (1: no purchase in [at, at + horizon), 0: one) it
    is the same row again, emitted once that is known beyond doubt, both classes after the same delay.
    """

    customer_id: str
    at: int  # µs since the epoch, a midnight
    features: bytes  # little-endian int16
    repeats: int  # distinct purchase days − 1
    recency: int  # days
    age: int  # days
    horizon: float  # days
    log_odds_micro: int  # as scored at `at`
    weight: float = 1.0  # 1 / the chance of this example being taken, and of the arm it was in; 0: not to be learned
    active: bool = True  # bought within the last horizon
    label: int | None = None
    treated: bool = False  # people were told of the customer within [at, at + horizon), while a silent arm was drawn


class Sighting(msgspec.Struct, frozen=True, kw_only=True, tag="sighting"):
    """A customer of the parametric sample at a look that applied a purchase: their purchase days in short."""

    customer_id: str
    customer: int  # customer_hash
    first: int  # day
    last: int  # day
    n_days: int
    log_gaps: float  # sum over all gaps of the log of their days (the kept ones scaled up to all)
    log_gaps_square: float  # sum over all gaps of the squared deviation from their own mean
    log_amount: float  # log of the mean amount a purchase day, minor units; 0: unknown
    log_lines: float  # log of the mean lines an order; 0: unknown
    horizon: float  # days


def customer_hash(customer_id: str) -> int:
    """A stable 63-bit hash of the id, by which customers are sampled and spread."""
    return int.from_bytes(blake2b(customer_id.encode(), digest_size=8).digest(), "big") >> 1


@lru_cache(maxsize=1024)
def example_step(horizon_days: int, lateness: int) -> int:
    """Days between a customer's examples: a third of what a label takes (`lateness` in µs), so that at most three wait.

    So an example's label is told at the customer's third example day after it, whichever class it is of.
    """
    return max(1, -(-(horizon_days * DAY + lateness) // (LABELS_WAITING * DAY)))


def pack(x: NDArray[np.int16]) -> bytes:
    """One row of quantised features as bytes."""
    return x.astype("<i2", copy=False).tobytes()


def example_of(rows: Features, index: int, customer_id: str, at: int, log_odds_micro: int) -> Example:
    """The fresh example of row `index`, taken with certainty (weight 1)."""
    recency, horizon = rows.recency.item(index), rows.horizon.item(index)
    return Example(
        customer_id=customer_id,
        at=at,
        features=pack(rows.x[index]),
        repeats=rows.repeats.item(index),
        recency=recency,
        age=rows.age.item(index),
        horizon=horizon,
        log_odds_micro=log_odds_micro,
        active=recency <= horizon,
    )


def features_of(examples: list[Example]) -> Features:
    """The examples' rows, stacked. Raises ValueError if a row has not one int16 for each feature."""
    x = np.frombuffer(b"".join(e.features for e in examples), dtype="<i2").astype(np.int16)
    return Features(
        x=x.reshape(len(examples), len(FEATURE_NAMES)),
        repeats=np.array([e.repeats for e in examples], dtype=np.int64),
        recency=np.array([e.recency for e in examples], dtype=np.int64),
        age=np.array([e.age for e in examples], dtype=np.int64),
        horizon=np.array([e.horizon for e in examples], dtype=np.float64),
    )


def sighting_of(buyer: Buyer, customer_id: str, hashed: int) -> Sighting:
    """The sighting of a buyer (`hashed` is their `customer_hash`), from the kept purchase days."""
    logs = [log(b - a) for a, b in pairwise(buyer.days)]
    scale = (buyer.n_days - 1) / len(logs) if logs else 0.0
    total = sum(logs)
    mean = total / len(logs) if logs else 0.0
    paid = [amount for amount in buyer.amount if amount > 0]
    lines, orders = sum(buyer.lines), sum(buyer.orders)
    return Sighting(
        customer_id=customer_id,
        customer=hashed,
        first=buyer.first,
        last=buyer.days[-1],
        n_days=buyer.n_days,
        log_gaps=scale * total,
        log_gaps_square=scale * sum([(g - mean) ** 2 for g in logs]),
        log_amount=log(sum(paid) / len(paid)) if paid else 0.0,
        log_lines=log(lines / orders) if lines and orders else 0.0,
        horizon=buyer.horizon,
    )
