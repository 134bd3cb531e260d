"""What is asked of the simulator: how many customers, how long, from which seed, with how much dirt."""

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, time, timedelta
from random import Random

from streamproc.core.time import DAY, from_datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Dirt:
    """How the feed is spoiled on its way. Shares are of the clean events, 0-1.

    `duplicates` of the events arrive a second time, byte for byte; `disorder` of them arrive late, by up to
    `lateness_s` seconds; beside `poison` of them stands one more line that no reader can accept.

    Raises ValueError if a share is not in 0-1 or the lateness is under a second.
    """

    duplicates: float = 0.0
    disorder: float = 0.0
    lateness_s: int = 6 * 3600
    poison: float = 0.0

    def __post_init__(self) -> None:
        for name in ("duplicates", "disorder", "poison"):
            if not 0.0 <= getattr(self, name) <= 1.0:
                raise ValueError(f"{name} is a share: it must lie in 0-1, not {getattr(self, name)}")
        if self.lateness_s < 1:
            raise ValueError(f"lateness_s must be at least 1 second, not {self.lateness_s}")

    def any(self) -> bool:
        """Whether the feed is spoiled at all."""
        return bool(self.duplicates or self.disorder or self.poison)


@dataclass(frozen=True, slots=True, kw_only=True)
class Shop:
    """A seeded shop: the same shop writes the same bytes.

    `customers` counts all who ever come; they arrive over the `days`. `start` is the first day, UTC. The
    history of a customer depends on seed, start, days, currency and the customer's number alone.

    Raises ValueError if there are no customers or days, or the span leaves the years 1970-2900.
    """

    customers: int = 1000
    days: int = 730
    seed: int = 1
    start: date = date(2024, 1, 1)
    currency: str = "EUR"
    dirt: Dirt = field(default_factory=Dirt)

    def __post_init__(self) -> None:
        if self.customers < 1 or self.days < 1:
            raise ValueError(f"a shop needs customers and days, not {self.customers} and {self.days}")
        if self.start.year < _FIRST_YEAR or self.start.year + self.days // 365 >= _LAST_YEAR:
            raise ValueError(f"the days of a shop lie in {_FIRST_YEAR}-{_LAST_YEAR}")

    @property
    def opens(self) -> int:
        """The first instant of the shop, µs."""
        return from_datetime(datetime.combine(self.start, time(), UTC))

    @property
    def ends(self) -> int:
        """The first instant after the shop's last day, µs: no event is at or after it."""
        return self.opens + self.days * DAY


_FIRST_YEAR = 1970
_LAST_YEAR = 2900


def demo_shop(*, seed: int = 7, until: date = date(2026, 1, 1)) -> Shop:
    """A small shop for a demonstration: 300 customers over 500 days that end at `until`."""
    days = 500
    return Shop(customers=300, days=days, seed=seed, start=until - timedelta(days=days))


def chance(rng: Random, odds: float) -> bool:
    """True in `odds` of all cases."""
    return rng.random() < odds


def dice(seed: int, whose: object) -> Random:
    """The random numbers of one customer, or of one part of the world: nobody else's draws disturb them."""
    return Random(f"streamproc:{seed}:{whose}")  # noqa: S311  a simulation wants repeatable numbers, not secret ones
