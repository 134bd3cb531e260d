"""What a score is made of: customers as they stand at one look, one by one and in columns."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RECENT_DAYS = 32
"""How many of the last purchase days a customer's state keeps."""

KINDS = ("return", "complaint", "contact_in", "unresolved", "cancellation", "competitor", "contact_out", "discounted")
"""Events beside purchases that a score may learn from, in the order of the `kind_*` columns."""

BUCKET_DAYS = 30
BUCKETS = 14
"""How many 30-day buckets of counts a row holds; index 0 is the bucket that holds today (day // 30)."""


class Buyer(NamedTuple):
    """One customer with at least one purchase day. Days are days since the epoch.

    The columns by purchase day ascend, the last 32 days at most; `today` is the day of the last instant before the
    look. `kind_last` is the last day of each of KINDS (-1: none), empty where there is none at all; `kinds` are counts
    of KINDS by 30-day bucket number (day // 30).
    """

    horizon: float  # the customer's own horizon H, days
    today: int
    first: int  # first purchase day
    n_days: int  # distinct purchase days, all time (>= 1)
    days: Sequence[int]
    orders: Sequence[int]  # orders that day
    amount: Sequence[int]  # minor units bought that day (0 where the feed knows no money)
    lines: Sequence[int]  # order lines that day (0 where unknown)
    kind_last: Sequence[int]
    kinds: dict[int, list[int]]


class Rows(NamedTuple):
    """Columns of n buyers.

    Those by purchase day are right-aligned: column -1 is the last purchase day; unused cells hold day -1 and zeros.
    """

    horizon: NDArray[np.float64]  # [n]
    today: NDArray[np.int64]  # [n]
    first: NDArray[np.int64]  # [n]
    n_days: NDArray[np.int64]  # [n]
    days: NDArray[np.int64]  # [n, 32]
    orders: NDArray[np.int64]  # [n, 32]
    amount: NDArray[np.int64]  # [n, 32]
    lines: NDArray[np.int64]  # [n, 32]
    kind_last: NDArray[np.int64]  # [n, 8] last day of each of KINDS, -1 none
    kind_count: NDArray[np.int64]  # [n, 8, 14] counts by 30-day bucket, newest first


_NEVER = [-1] * len(KINDS)


def rows_of(buyers: Sequence[Buyer]) -> Rows:
    """The buyers in columns."""
    n = len(buyers)
    lengths = np.array([len(b.days) for b in buyers], dtype=np.int64)
    filled = np.flatnonzero(np.arange(RECENT_DAYS) >= (RECENT_DAYS - lengths)[:, None])
    return Rows(
        horizon=np.array([b.horizon for b in buyers], dtype=np.float64),
        today=np.array([b.today for b in buyers], dtype=np.int64),
        first=np.array([b.first for b in buyers], dtype=np.int64),
        n_days=np.array([b.n_days for b in buyers], dtype=np.int64),
        days=_padded(n, filled, [day for b in buyers for day in b.days], -1),
        orders=_padded(n, filled, [orders for b in buyers for orders in b.orders], 0),
        amount=_padded(n, filled, [amount for b in buyers for amount in b.amount], 0),
        lines=_padded(n, filled, [lines for b in buyers for lines in b.lines], 0),
        kind_last=np.array([b.kind_last or _NEVER for b in buyers], dtype=np.int64),
        kind_count=_kind_counts(buyers),
    )


def _padded(n: int, filled: NDArray[np.int64], values: list[int], empty: int) -> NDArray[np.int64]:
    column = np.full(n * RECENT_DAYS, empty, dtype=np.int64)
    column[filled] = values
    return column.reshape(n, RECENT_DAYS)


def _kind_counts(buyers: Sequence[Buyer]) -> NDArray[np.int64]:
    counts = np.zeros((len(buyers), len(KINDS), BUCKETS), dtype=np.int64)
    for i, buyer in enumerate(buyers):
        if buyer.kinds:
            now = buyer.today // BUCKET_DAYS
            for number, kinds in buyer.kinds.items():
                if 0 <= now - number < BUCKETS:
                    counts[i, :, now - number] = kinds
    return counts
