"""Time as the journal keeps it: integer microseconds (`at`) and integer days since the epoch, UTC."""

from datetime import UTC, datetime, timedelta
from functools import lru_cache

SECOND = 1_000_000
HOUR = 3600 * SECOND
DAY = 24 * HOUR
FOREVER = 1 << 53
"""Later than any instant (µs): the year 2255."""

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


def day_of(at: int) -> int:
    """The UTC day, counted from the epoch, that holds the instant `at` (µs)."""
    return at // DAY


def today_of(at: int) -> int:
    """The day of the last instant before `at`: what a look at midnight calls today is the day just over."""
    return (at - 1) // DAY


def ceil_to(at: int, grid: int) -> int:
    """The first point of the grid (µs) that is not before `at`."""
    return -(-at // grid) * grid


def first_tick_after(at: int, grid: int) -> int:
    """The first point of the grid (µs) strictly after `at`: the tick that passes an event of that instant."""
    return (at // grid + 1) * grid


def from_datetime(when: datetime) -> int:
    """Microseconds since the epoch of an aware datetime, exactly (no float on the way)."""
    delta = when - _EPOCH
    return (delta.days * 86_400 + delta.seconds) * SECOND + delta.microseconds


def to_datetime(at: int) -> datetime:
    """The aware UTC datetime of `at` (µs)."""
    return _EPOCH + timedelta(microseconds=at)


@lru_cache(maxsize=4096)  # a tick's lines tell the same few instants
def to_text(at: int) -> str:
    """RFC 3339 in UTC, fractions only where there are any: `2026-01-31T00:00:00Z`."""
    return to_datetime(at).isoformat().replace("+00:00", "Z")
