"""The raw columns a score is made of: one entry a customer, as they stand at one look."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

RECENT_DAYS = 32
"""How many of the last purchase days a customer's state keeps."""

KINDS = ("return", "complaint", "contact_in", "unresolved", "cancellation", "competitor", "contact_out", "discounted")
"""Events beside purchases that a score may learn from, in the order of the `kind_*` columns."""

BUCKETS = 14
"""How many 30-day buckets of counts a row holds; index 0 is the bucket that holds today (day // 30)."""


class Rows(NamedTuple):
    """Columns of n customers with at least one purchase day. Days are days since the epoch.

    Recent-day arrays are right-aligned and ascending: column -1 is the last purchase day; unused cells hold
    day -1 and zeros. `today` is the day of the last instant before the look.
    """

    horizon: NDArray[np.float64]  # [n] the customer's own horizon H, days
    today: NDArray[np.int64]  # [n]
    first: NDArray[np.int64]  # [n] first purchase day
    n_days: NDArray[np.int64]  # [n] distinct purchase days, all time (>= 1)
    days: NDArray[np.int64]  # [n, 32]
    orders: NDArray[np.int64]  # [n, 32] orders that day
    amount: NDArray[np.int64]  # [n, 32] minor units bought that day (0 where the feed knows no money)
    lines: NDArray[np.int64]  # [n, 32] order lines that day (0 where unknown)
    kind_last: NDArray[np.int64]  # [n, 8] last day of each of KINDS, -1 none
    kind_count: NDArray[np.int64]  # [n, 8, 14] counts by 30-day bucket, newest first
