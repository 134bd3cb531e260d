"""Counts by day, and whether the last days lie outside what the days before them lead one to expect.

The rule kept here: a series is compared with its own past alone, by weekday, per head of what it is counted among. The
days ahead are taken as negative binomial: the less was counted, and the more days swung, the wider. So a count that
merely swings is no finding, and a chance finding has the stated odds.
"""

from collections.abc import Sequence
from typing import NamedTuple

from msgspec import Struct

DAYS_KEPT = 210
TALLY_DAYS_KEPT = 63
SERIES_KEPT = 128
"""Series beyond these count together, as the rest of what they are of."""

LEAST_PAST = 28
"""Days of past without which nothing is expected."""

PRIOR_DAYS, PRIOR_COUNT = 4, 20.0
"""Weekdays begin alike: each counts as so many ordinary ones of itself, or as so much, before it speaks."""

MOST_SWING = 4.0
SWING_MARGIN = 1.3
"""A swing found in some weeks is taken for so much: it may as well have been found too small."""

WEEK = 7


class Days(Struct):
    """Daily counts by series, the newest last; `last` is the newest day. A series that is shorter began later, at 0."""

    last: int = -1
    counts: dict[str, list[int]] = {}

    def add(self, day: int, counts: dict[str, int]) -> None:
        """Appends a day to every series (in place); what is not counted is 0."""
        self.last = day
        for name in sorted({*self.counts, *counts}):
            kept = self.counts.setdefault(name, [])
            kept.append(counts.get(name, 0))
            del kept[: -(TALLY_DAYS_KEPT if ":" in name else DAYS_KEPT)]
        for name in [name for name, kept in self.counts.items() if not any(kept)]:
            del self.counts[name]

    def room_for(self, name: str, today: dict[str, int]) -> str:
        """The series a count of `today` belongs to: its own, or the rest's where there are too many."""
        if name in today or name in self.counts or len(self.counts.keys() | today.keys()) < SERIES_KEPT:
            return name
        return f"{name.partition(':')[0]}:…"

    def series(self, name: str, days: int) -> list[int]:
        """The last `days` counts, with zeros before the first that is kept."""
        kept = self.counts.get(name, [])[-days:]
        return [0] * (days - len(kept)) + kept


class Usual(NamedTuple):
    """What the past says: how many a day and head, by weekday how much more, how much days swing, how many in all.

    `swing` is the variance of a day's own level, relative to its mean and beyond what chance alone brings.
    """

    rate: float
    weekdays: list[float]
    swing: float
    total: int


class Band(NamedTuple):
    """How many the last days brought, what was to be expected, and how odd that is either way (probabilities)."""

    seen: int
    expected: float
    above: float
    below: float


def usual(counts: list[int], among: list[int], last: int, least_swing: float = 0.0) -> Usual | None:
    """What is usual by a past whose newest day is `last`; None where it is too short, or empty of customers.

    `counts` and `among` are as long as each other. `least_swing` is what is known of the swing from elsewhere.
    """
    if len(counts) < LEAST_PAST or not any(among):
        return None
    weekdays = _weekdays(counts, among, last)
    exposed = _exposed(among, weekdays, last)
    total = sum(counts)
    rate = (total + 0.5) / sum(exposed)  # where nothing was counted, half a one may have been missed
    expected = [rate * n for n in exposed]
    swing = max(least_swing, _swing(counts, expected), _swing(_weeks(counts), _weeks(expected)))
    return Usual(rate, weekdays, min(MOST_SWING, SWING_MARGIN * swing), total)


def band(known: Usual, counts: list[int], among: list[int], last: int) -> Band | None:
    """Some days, up to `last`, against what is usual; None where nobody was there to be counted."""
    expected = [known.rate * n for n in _exposed(among, known.weekdays, last)]
    mean, seen = sum(expected), sum(counts)
    if not any(among):
        return None
    from scipy.special import betainc  # noqa: PLC0415 - whoever only reads a journal does not wait for it

    squares = sum(m * m for m in expected)
    unsure = max(mean * mean, WEEK * squares) / (known.total + 0.5)  # of the level, or of single weekdays
    beyond = known.swing * squares + unsure
    size = mean * mean / beyond
    share = mean / (size + mean)
    above = float(betainc(seen, size, share)) if seen else 1.0
    below = float(betainc(size, seen + 1.0, 1.0 - share))
    return Band(seen, mean, above, below)


def _exposed(among: list[int], weekdays: list[float], last: int) -> list[float]:
    first = last - len(among) + 1
    return [n * weekdays[(first + at) % WEEK] for at, n in enumerate(among)]


def _weekdays(counts: list[int], among: list[int], last: int) -> list[float]:
    """By weekday how much more than on average is counted per head; near 1 where little was counted."""
    total, heads, first = sum(counts), sum(among), last - len(among) + 1
    if not total:
        return [1.0] * WEEK
    prior = min(PRIOR_COUNT, PRIOR_DAYS * total / len(counts))
    found, expected = [prior] * WEEK, [prior] * WEEK
    for at, (count, n) in enumerate(zip(counts, among, strict=True)):
        day = (first + at) % WEEK
        found[day] += count
        expected[day] += total * n / heads
    return [f / e for f, e in zip(found, expected, strict=True)]


def _weeks(values: Sequence[float]) -> list[float]:
    first = len(values) % WEEK
    return [sum(values[at : at + WEEK]) for at in range(first, len(values), WEEK)]


def _swing(counts: Sequence[float], expected: Sequence[float]) -> float:
    """How much the level itself swings: variance beyond chance's, by the mean's square; 0 for less than chance."""
    square = sum(mean * mean for mean in expected)
    if not square:
        return 0.0
    return max(0.0, sum((count - mean) ** 2 - mean for count, mean in zip(counts, expected, strict=True)) / square)
