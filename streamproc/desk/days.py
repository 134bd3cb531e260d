"""Counts by day, and whether the last days lie outside what the days before them lead one to expect.

The rule kept here: a series is compared with its own past alone, by weekday, per head of what it is counted among. The
past is taken as the sum of a negative binomial: how sure it is grows with what was counted, and its own unrest widens
the band. So a count that merely swings is no finding, and a chance finding has the stated odds.
"""

from typing import NamedTuple

from msgspec import Struct

DAYS_KEPT = 210
TALLY_DAYS_KEPT = 63
SERIES_KEPT = 128
"""Series beyond these count together, as the rest of what they are of."""

LEAST_PAST = 28
"""Days of past without which nothing is expected."""

PRIOR_DAYS = 4
"""Weekdays begin alike: each counts as so many ordinary ones of itself before it speaks."""

MOST_UNREST = 50.0
WEEK = 7


class Days(Struct):
    """Daily counts by series, the newest last; `last` is the newest day. A series that is shorter began later, at 0."""

    last: int = -1
    counts: dict[str, list[int]] = {}

    def add(self, day: int, counts: dict[str, int]) -> None:
        """Appends a day to every series (in place); what is not counted is 0."""
        self.last = day
        for name in {*self.counts, *counts}:
            kept = self.counts.setdefault(name, [])
            kept.append(counts.get(name, 0))
            del kept[: -(TALLY_DAYS_KEPT if ":" in name else DAYS_KEPT)]
        for name in [name for name, kept in self.counts.items() if not any(kept)]:
            del self.counts[name]

    def room_for(self, name: str) -> str:
        """The series a count belongs to: its own, or the rest's where there are too many."""
        if name in self.counts or len(self.counts) < SERIES_KEPT:
            return name
        return f"{name.partition(':')[0]}:…"

    def series(self, name: str, days: int) -> list[int]:
        """The last `days` counts, with zeros before the first that is kept."""
        kept = self.counts.get(name, [])[-days:]
        return [0] * (days - len(kept)) + kept


class Band(NamedTuple):
    """How many the last days brought, what was to be expected, and how odd that is either way (probabilities)."""

    seen: int
    expected: float
    above: float
    below: float


def band(counts: list[int], among: list[int], window: int, last: int) -> Band | None:
    """The last `window` days against those before; None where the past is too short, or was empty of customers.

    `counts` and `among` are as long as each other; the last of them is the day `last`.
    """
    past = len(counts) - window
    if past < LEAST_PAST:
        return None
    weight = weights(counts[:past], among[:past], last - window)
    exposed = [n * weight[(last - back) % WEEK] for back, n in zip(range(len(among) - 1, -1, -1), among, strict=True)]
    before, now = sum(exposed[:past]), sum(exposed[past:])
    if before <= 0 or now <= 0:
        return None
    from scipy.special import betainc  # noqa: PLC0415 - whoever only reads a journal does not wait for it

    total, count = sum(counts[:past]), sum(counts[past:])
    rate = total / before
    unrest = _unrest(counts[:past], [rate * n for n in exposed[:past]])
    size, share = total / unrest + 0.5, now / (before + now)
    seen = count / unrest
    above = float(betainc(seen, size, share)) if count else 1.0
    below = float(betainc(size, seen + 1.0, 1.0 - share))
    return Band(count, rate * now, above, below)


def weights(counts: list[int], among: list[int], last: int) -> list[float]:
    """By weekday how much more than on average is counted per head; near 1 where little was counted."""
    total, heads = sum(counts), sum(among)
    if not total or not heads:
        return [1.0] * WEEK
    prior = PRIOR_DAYS * total / len(counts)
    found, expected = [prior] * WEEK, [prior] * WEEK
    for back, (count, n) in enumerate(zip(reversed(counts), reversed(among), strict=True)):
        day = (last - back) % WEEK
        found[day] += count
        expected[day] += total * n / heads
    return [f / e for f, e in zip(found, expected, strict=True)]


def _unrest(counts: list[int], expected: list[float]) -> float:
    """How much more the past swings than chance alone would let it: variance by mean, of days and of whole weeks."""
    return min(MOST_UNREST, max(1.0, _spread(counts, expected), _spread(_weeks(counts), _weeks(expected))))


def _weeks(values: list[int] | list[float]) -> list[float]:
    first = len(values) % WEEK
    return [float(sum(values[at : at + WEEK])) for at in range(first, len(values), WEEK)]


def _spread(counts: list[int] | list[float], expected: list[float]) -> float:
    pairs = [(count, mean) for count, mean in zip(counts, expected, strict=True) if mean > 0]
    if len(pairs) <= 1:
        return 1.0
    return sum((count - mean) ** 2 / mean for count, mean in pairs) / (len(pairs) - 1)
