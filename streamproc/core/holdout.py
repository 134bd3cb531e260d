"""Who is warned of and who is watched in silence: drawn by hash, so that every replay draws the same.

The rule kept here: a customer has one draw a quarter, however many warnings fall into it, and the draw is kept to the
warning's verdict.
"""

from collections.abc import Mapping
from hashlib import blake2b
from math import sqrt
from typing import Literal, NamedTuple, get_args

from msgspec import Struct

from streamproc.core.time import to_datetime

NORMAL_95 = 1.959964
FEWEST = 30
"""Verdicts an arm needs before anything is said of it: below, the normal interval of a mean is no interval."""


def quarter_of(at: int) -> int:
    """The calendar quarter (UTC) of an instant (µs), counted through the years."""
    day = to_datetime(at)
    return day.year * 4 + (day.month - 1) // 3


def is_held_out(customer_id: str, at: int, share: float) -> bool:
    """Whether the customer is in the silent arm in the quarter of `at` (µs); `share` of all are."""
    if share <= 0.0:
        return False
    drawn = blake2b(f"{quarter_of(at)}\x1f{customer_id}".encode(), digest_size=7, person=b"holdout").digest()
    return int.from_bytes(drawn) < share * (1 << 56)


class Arm(Struct):
    """Verdicts of one arm: how many, how many customers were kept, and value kept less the offers' cost (minor units).

    `squares` is the sum of the squared values, so that arms of several partitions add up exactly. `untold` are those of
    the warned arm whom nobody was told of, for want of capacity: they count as warned, and cost nothing.
    """

    n: int = 0
    kept: int = 0
    value: int = 0
    squares: int = 0
    cost: int = 0
    untold: int = 0

    def count(self, stake: int, cost: int, *, kept: bool, told: bool = True) -> None:
        """One more verdict (in place); `stake` is what was to lose, `cost` what the offer cost."""
        value = (stake if kept else 0) - cost
        self.n += 1
        self.kept += kept
        self.value += value
        self.squares += value * value
        self.cost += cost
        self.untold += not told

    def add(self, other: "Arm") -> None:
        """Another partition's verdicts of the same arm (in place)."""
        self.n += other.n
        self.kept += other.kept
        self.value += other.value
        self.squares += other.squares
        self.cost += other.cost
        self.untold += other.untold


class Interval(NamedTuple):
    """A difference between the arms, and where it lies with 95 % confidence."""

    estimate: float
    low: float
    high: float

    @property
    def tells(self) -> bool:
        """Whether the interval leaves out nothing having been won."""
        return self.low > 0.0 or self.high < 0.0


class Uplift(Struct, frozen=True):
    """What warning brought, a warned customer: kept customers (a share), value saved net of offers (minor units).

    `claim` says what may be said of the value: "too_few" (an arm is under FEWEST), "too_wide" (its interval has zero),
    "gain" or "loss": who is kept by offers that cost more than they save is a loss. A figure may be shown beside its
    interval, and claimed under the last two only.
    """

    warned: Arm
    holdout: Arm
    kept: Interval | None
    value: Interval | None
    claim: str


def uplift(warned: Arm, holdout: Arm) -> Uplift:
    """The warned arm against the silent one, as drawn: a warned customer whom nobody called counts as warned."""
    if min(warned.n, holdout.n) < FEWEST:
        return Uplift(warned, holdout, None, None, "too_few")
    kept, value = _kept(warned, holdout), _value(warned, holdout)
    claim = "too_wide" if not value.tells else "gain" if value.estimate > 0.0 else "loss"
    return Uplift(warned, holdout, kept, value, claim)


Band = Literal["even", "likely", "near_certain"]
"""How likely a customer was to leave when the warning was raised: what a call can change depends on it."""

_EVEN, _LIKELY = 405_465, 1_386_294


def band_of(log_odds: int) -> Band:
    """The band of log-odds in millionths: below 60 %, below 80 %, above."""
    if log_odds < _EVEN:
        return "even"
    return "likely" if log_odds < _LIKELY else "near_certain"


class Saving(Struct, frozen=True):
    """What a warning of one band is known to bring once it is out: the share kept by it, and its offer's cost."""

    kept: float
    cost: int

    def of(self, stake: int) -> int:
        """The value it is expected to save of a stake (minor units)."""
        return round(self.kept * stake) - self.cost


def savings(arms: Mapping[str, Arm]) -> dict[Band, Saving]:
    """By band what is known of its warnings; of a band that tells nothing itself, what is known of all.

    `arms` holds them by arm, and by `arm/band`. Empty: nothing may be claimed of warnings at all.
    """
    every = _saving(arms, "")
    if every is None:
        return {}
    return {band: _saving(arms, f"/{band}") or every for band in get_args(Band)}


def _saving(arms: Mapping[str, Arm], which: str) -> Saving | None:
    found = uplift(arms.get(f"warned{which}", Arm()), arms.get(f"holdout{which}", Arm()))
    told = found.warned.n - found.warned.untold
    if found.kept is None or not found.kept.tells or not told:
        return None
    kept = found.kept.estimate * found.warned.n / told  # all that the arm as drawn gained, it gained by those told of
    return Saving(max(-1.0, min(1.0, kept)), round(found.warned.cost / told))


def _wilson(arm: Arm) -> Interval:
    """The share kept of one arm, by Wilson's score interval: it holds for shares near 0 and 1, too."""
    share, z2 = arm.kept / arm.n, NORMAL_95 * NORMAL_95
    middle = (share + z2 / (2 * arm.n)) / (1 + z2 / arm.n)
    half = NORMAL_95 * sqrt(share * (1 - share) / arm.n + z2 / (4 * arm.n * arm.n)) / (1 + z2 / arm.n)
    return Interval(share, middle - half, middle + half)


def _kept(warned: Arm, holdout: Arm) -> Interval:
    """The difference of the kept shares, by Newcombe's hybrid of two score intervals."""
    ours, theirs = _wilson(warned), _wilson(holdout)
    difference = ours.estimate - theirs.estimate
    below = sqrt((ours.estimate - ours.low) ** 2 + (theirs.high - theirs.estimate) ** 2)
    above = sqrt((ours.high - ours.estimate) ** 2 + (theirs.estimate - theirs.low) ** 2)
    return Interval(difference, difference - below, difference + above)


def _value(warned: Arm, holdout: Arm) -> Interval:
    """The difference of the mean values, with unequal variances."""
    difference = warned.value / warned.n - holdout.value / holdout.n
    half = NORMAL_95 * sqrt(sum(_variance(arm) / arm.n for arm in (warned, holdout)))
    return Interval(difference, difference - half, difference + half)


def _variance(arm: Arm) -> float:
    return max(0.0, (arm.squares * arm.n - arm.value * arm.value) / (arm.n * (arm.n - 1)))
