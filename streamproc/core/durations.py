"""How long things took, counted by bucket: what a histogram of seconds is made of. It measures nothing itself."""

from bisect import bisect_left
from itertools import accumulate

BOUNDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
"""Upper bounds of the buckets in seconds; what took longer counts in the whole alone."""


class Durations:
    """Counts of seconds. Changed by one thread; others may read, and may see a count before its sum."""

    def __init__(self) -> None:
        self._counts = [0] * (len(BOUNDS) + 1)
        self.total = 0.0

    def observe(self, seconds: float) -> None:
        """Counts one."""
        self._counts[bisect_left(BOUNDS, seconds)] += 1
        self.total += seconds

    def buckets(self) -> list[tuple[float, int]]:
        """Each bound, and how many took no longer; the last bound is infinity."""
        return list(zip((*BOUNDS, float("inf")), accumulate(self._counts), strict=True))
