"""What happens to the whole shop: staff, dealers, prices, products, outages. Customers cannot change it.

It depends on seed, start and days alone, so that one customer more or less leaves it as it is.
"""

from bisect import bisect_right
from dataclasses import dataclass

from streamproc.core.time import DAY, HOUR, SECOND
from streamproc.simulate.shop import Shop, chance, dice

REGIONS = ("north", "northeast", "east", "southeast", "south", "southwest", "west", "centre")
CATEGORIES = ("kitchen", "garden", "office", "workshop", "textiles", "outdoor")
FOREIGN = "USD"
RATE = 0.92  # units of the shop's currency for one foreign unit, on the first day
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
    """What changes at `at` (µs): a list price by `factor`, or (1.0) a product that is discontinued."""

    at: int
    factor: float = 1.0


@dataclass(frozen=True, slots=True)
class World:
    """The shop's surroundings, known in advance.

    `rises` and `discontinued` are per category, in time order; `raiders` names the dealer from elsewhere who
    sells into a region first.
    """

    shop: Shop
    opens: int
    ends: int
    seats: tuple[Seat, ...]
    dealers: tuple[Dealer, ...]
    rises: dict[str, tuple[Change, ...]]
    discontinued: dict[str, tuple[Change, ...]]
    outages: tuple[tuple[int, int], ...]
    raiders: dict[str, Dealer]
    discounts_end_at: int

    def price_index(self, category: str, at: int) -> float:
        """List price of the category at `at`, relative to the first day."""
        index = 1.0
        for rise in self.rises[category]:
            if rise.at > at:
                break
            index *= rise.factor
        return index

    def outage_until(self, at: int) -> int | None:
        """The end (µs) of the outage that `at` lies in, None if it lies in none."""
        place = bisect_right(self.outages, (at, self.ends * 2)) - 1
        return self.outages[place][1] if place >= 0 and at < self.outages[place][1] else None


def build_world(shop: Shop) -> World:
    """The world of a shop."""
    dealers = _dealers(shop)
    return World(
        shop=shop,
        opens=shop.opens,
        ends=shop.ends,
        seats=_seats(shop),
        dealers=dealers,
        raiders=_raiders(dealers),
        rises={name: _changes(shop, name, _RISE_DAYS, rise=True) for name in CATEGORIES},
        discontinued={category: _changes(shop, category, _NOVELTY_DAYS, rise=False) for category in CATEGORIES},
        outages=_outages(shop),
        discounts_end_at=shop.opens + int(dice(shop.seed, "discounts").uniform(0.45, 0.65) * shop.days) * DAY,
    )


def _seats(shop: Shop) -> tuple[Seat, ...]:
    rng = dice(shop.seed, "staff")
    seats = []
    for number in range(STAFF_SEATS):
        left_at = shop.opens + int(rng.expovariate(1 / (_STAFF_YEARS * 365)) * DAY) // SECOND * SECOND
        successor = f"staff-{number + STAFF_SEATS:02d}"
        seats.append(Seat(f"staff-{number:02d}", left_at if left_at < shop.ends else None, successor))
    return tuple(seats)


def _dealers(shop: Shop) -> tuple[Dealer, ...]:
    rng = dice(shop.seed, "dealers")
    dealers = []
    for number in range(DEALERS):
        home = number % len(REGIONS)
        raided = REGIONS[(home + rng.randrange(1, len(REGIONS))) % len(REGIONS)]
        raids_from = shop.opens + rng.randrange(shop.days) * DAY + 8 * HOUR
        rogue = chance(rng, _ROGUE_SHARE)
        dealers.append(Dealer(f"dealer-{number:02d}", REGIONS[home], raids_from if rogue else None, raided))
    return tuple(dealers)


def _raiders(dealers: tuple[Dealer, ...]) -> dict[str, Dealer]:
    latest_first = sorted(dealers, key=lambda dealer: dealer.raids_from or 0, reverse=True)
    return {dealer.raided: dealer for dealer in latest_first if dealer.raids_from is not None}


def _changes(shop: Shop, category: str, every_days: int, *, rise: bool) -> tuple[Change, ...]:
    rng = dice(shop.seed, f"{'rise' if rise else 'discontinued'}:{category}")
    at = shop.opens
    changes: list[Change] = []
    while True:
        at += int(rng.uniform(0.5, 1.5) * every_days) * DAY
        if at >= shop.ends:
            return tuple(changes)
        changes.append(Change(at, round(rng.uniform(1.03, 1.2), 2) if rise else 1.0))


def _outages(shop: Shop) -> tuple[tuple[int, int], ...]:
    rng = dice(shop.seed, "outages")
    at = shop.opens
    outages: list[tuple[int, int]] = []
    while True:
        at += int(rng.expovariate(1 / _OUTAGE_DAYS) * DAY) // SECOND * SECOND + DAY
        if at >= shop.ends:
            return tuple(outages)
        outages.append((at, at + rng.randrange(2, 13) * HOUR))
