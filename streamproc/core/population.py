"""Figures over the whole base: histograms that merge exactly, grade thresholds, concentration.

A histogram has fixed log buckets (eight an octave, of either sign) with integer counts and sums, so that partitions
add up to the same base in any order, and a customer's old value can be taken out when the new one comes in.
"""

from math import frexp

from msgspec import Struct

STEPS_AN_OCTAVE = 8


def slot_of(value: int) -> int:
    """The log bucket of an amount in minor units: 0 for nothing, negative for losses."""
    if value == 0:
        return 0
    mantissa, exponent = frexp(abs(value))  # abs(value) = mantissa × 2^exponent, mantissa in [0.5, 1)
    step = int((mantissa - 0.5) * 2 * STEPS_AN_OCTAVE)
    slot: int = (exponent - 1) * STEPS_AN_OCTAVE + step + 1
    return slot if value > 0 else -slot


def floor_of(slot: int) -> int:
    """The least amount that falls into the slot; slots are linear within an octave."""
    if slot == 0:
        return 0
    if slot < 0:  # of losses, the least is the one furthest from nothing
        return 1 - floor_of(1 - slot)
    octave, step = divmod(slot - 1, STEPS_AN_OCTAVE)
    least: int = -(-(2**octave * (STEPS_AN_OCTAVE + step)) // STEPS_AN_OCTAVE)
    return least


class Histogram(Struct):
    """Counts and sums (minor units) by slot."""

    count: dict[int, int] = {}
    total: dict[int, int] = {}

    def add(self, value: int, sign: int = 1) -> None:
        """Counts a value in, or out again with `sign` -1 (in place)."""
        slot = slot_of(value)
        count = self.count.get(slot, 0) + sign
        if count:
            self.count[slot] = count
            self.total[slot] = self.total.get(slot, 0) + sign * value
        else:
            self.count.pop(slot, None)
            self.total.pop(slot, None)

    def merge(self, other: "Histogram") -> None:
        """Adds another partition's counts and sums (in place)."""
        for slot, count in other.count.items():
            self.count[slot] = self.count.get(slot, 0) + count
            self.total[slot] = self.total.get(slot, 0) + other.total[slot]

    def size(self) -> int:
        """How many values are counted."""
        return sum(self.count.values())

    def least_of_top(self, share: float) -> int:
        """A threshold such that about the top `share` of the values (by slot) reach it; 0 for an empty histogram."""
        wanted, seen, last = share * self.size(), 0, 0
        for slot in sorted(self.count, reverse=True):
            if seen + self.count[slot] / 2 > wanted and seen:
                return last
            seen += self.count[slot]
            last = floor_of(slot)
        return last

    def total_of_top(self, share: float) -> float:
        """The sum over the top `share` of the values; a slot at the edge gives its share."""
        wanted, got = share * self.size(), 0.0
        for slot in sorted(self.count, reverse=True):
            taken = min(wanted, self.count[slot])
            got += self.total[slot] * taken / self.count[slot]
            wanted -= taken
            if wanted <= 0:
                break
        return got

    def grand_total(self) -> int:
        """The sum of all values."""
        return sum(self.total.values())


class GradeShares(Struct, frozen=True, forbid_unknown_fields=True):
    """Which share of the base is of which grade: A from the top, B and C below it, D is the rest."""

    a: float = 0.2
    b: float = 0.3
    c: float = 0.2

    def __post_init__(self) -> None:
        """Raises ValueError where a grade, D among them, would be empty."""
        if not (min(self.a, self.b, self.c) > 0.0 and self.a + self.b + self.c < 1.0):
            raise ValueError("grade_shares: each is above 0, and together they are below 1")


GRADE_SHARES = GradeShares()


def grade_thresholds(contribution: Histogram, shares: GradeShares = GRADE_SHARES) -> tuple[int, int, int] | None:
    """The least contribution of grades A, B and C; None for an empty base."""
    if not contribution.count:
        return None
    tops = (shares.a, shares.a + shares.b, shares.a + shares.b + shares.c)
    a, b, c = (contribution.least_of_top(round(top, 6)) for top in tops)
    return a, b, c


class Concentration(Struct, frozen=True):
    """Shares of a total by the top 20 % and the bottom 30 % of customers; None where the total is not positive.

    The figures of the field to compare with: 80 % of revenue from the top 20 %; 150 % of profit from the top
    20 % and −50 % from the bottom 30 %.
    """

    top_20: float | None
    bottom_30: float | None


def concentration(histogram: Histogram) -> Concentration:
    """How much of the total the top and the bottom bring."""
    total = histogram.grand_total()
    if total <= 0:
        return Concentration(None, None)
    return Concentration(histogram.total_of_top(0.2) / total, 1 - histogram.total_of_top(0.7) / total)
