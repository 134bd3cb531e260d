"""What happens to the whole shop: staff, dealers, prices, products, outages, campaigns. Customers cannot change it.

It depends on seed, start and days alone, so that one customer more or less leaves it as it is.
"""

from bisect import bisect_right
from dataclasses import dataclass

from streamproc.core.time import DAY, HOUR, SECOND
from streamproc.simulate.shop import Shop, dice

REGIONS = ("north", "northeast", "east", "southeast", "south", "southwest", "west", "centre")
CATEGORIES = ("kitchen", "garden", "office", "workshop", "textiles", "outdoor")
FOREIGN = "USD"
STAFF_SEATS = 24
DEALERS = 24

_STAFF_YEARS = 3.5
_ROGUE_SHARE = 0.3
_RISE_DAYS = 320
_NOVELTY_DAYS = 300
_OUTAGE_DAYS = 75


@dataclass(frozen=True, slots=True)
class Seat:
    """One account manager and, if they leave within the shop's days, when (µs)."""

    staff_id: str
    left_at: int | None
    successor: str


@dataclass(frozen=True, slots=True)
class Dealer:
    """A dealer, the region assigned, and, for one who sells across regions, since when (µs) and where."""

    dealer_id: str
    region: str
    raids_from: int | None
    raided: str


@dataclass(frozen=True, slots=True)
class Change:
    """Something that changes at `at` (µs): a list price by `factor`, or a product that is discontinued (1.0)."""

    at: int
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class World:
    """The shop's surroundings, known in advance; changes are per category, in time order."""

    shop: Shop
    opens: int
    ends: int
    seats: tuple[Seat, ...]
    dealers: tuple[Dealer, ...]
    rises: dict[str, tuple[Change, ...]]
    discontinued: dict[str, tuple[Change, ...]]
    outages: tuple[tuple[int, int], ...]
    discounts_end_at: int

    def price_index(self, category: str, at: int) -> float:
        """List price of the category at `at`, relative to the first day."""
        index = 1.0
        for rise in self.rises[category]:
            if rise.at > at:
                break
            index *= rise.factor
        return index

    def outage_after(self, at: int) -> tuple[int, int] | None:
        """The first outage (from, to; µs) that starts after `at`."""
        place = bisect_right(self.outages, (at, at))
        return self.outages[place] if place < len(self.outages) else None


def build_world(shop: Shop) -> World:
    """The world of a shop."""
    return World(
        shop=shop,
        opens=shop.opens,
        ends=shop.ends,
        seats=_seats(shop),
        dealers=_dealers(shop),
        rises={category: _changes(shop, category, _RISE_DAYS, rise=True) for category in CATEGORIES},
        discontinued={
            category: _changes(shop, category, _NOVELTY_DAYS, rise=False) for category in CATEGORIES
        },
        outages=_outages(shop),
        discounts_end_at=shop.opens + int(dice(shop.seed, "discounts").uniform(0.45, 0.65) * shop.days) * DAY,
    )


def _seats(shop: Shop) -> tuple[Seat, ...]:
    rng = dice(shop.seed, "staff")
    seats = []
    for number in range(STAFF_SEATS):
        left_at = shop.opens + int(rng.expovariate(1 / (_STAFF_YEARS * 365)) * DAY) // SECOND * SECOND
        seats.append(
            Seat(
                f"staff-{number:02d}",
                left_at if left_at < shop.ends else None,
                f"staff-{number + STAFF_SEATS:02d}",
            )
        )
    return tuple(seats)


def _dealers(shop: Shop) -> tuple[Dealer, ...]:
    rng = dice(shop.seed, "dealers")
    dealers = []
    for number in range(DEALERS):
        home = number % len(REGIONS)
        raided = REGIONS[(home + rng.randrange(1, len(REGIONS))) % len(REGIONS)]
        raids_from = shop.opens + rng.randrange(shop.days) * DAY + 8 * HOUR
        rogue = rng.random() < _ROGUE_SHARE
        dealers.append(Dealer(f"dealer-{number:02d}", REGIONS[home], raids_from if rogue else None, raided))
    return tuple(dealers)


def _changes(shop: Shop, category: str, every_days: int, *, rise: bool) -> tuple[Change, ...]:
    rng = dice(shop.seed, f"{'rise' if rise else 'discontinued'}:{category}")
    at, changes = shop.opens, []
    while True:
        at += int(rng.uniform(0.5, 1.5) * every_days) * DAY
        if at >= shop.ends:
            return tuple(changes)
        changes.append(Change(at, round(rng.uniform(1.03, 1.2), 2) if rise else 1.0))


def _outages(shop: Shop) -> tuple[tuple[int, int], ...]:
    rng = dice(shop.seed, "outages")
    at, outages = shop.opens, []
    while True:
        at += int(rng.expovariate(1 / _OUTAGE_DAYS) * DAY) // SECOND * SECOND + DAY
        if at >= shop.ends:
            return tuple(outages)
        outages.append((at, at + rng.randrange(2, 13) * HOUR))
