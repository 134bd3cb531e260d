"""Where dealers sell, and what is paid where: what market control is watched by (窜货, price gaps between regions).

Counts by month that add up over partitions. An event told twice counts twice here: shares of many orders bear that.
"""

from bisect import bisect_right
from collections.abc import Iterable
from functools import lru_cache
from typing import NamedTuple, TypeVar

from msgspec import Struct

from streamproc.core.events import CustomerEvent, Purchase
from streamproc.core.firm import Firm, Note
from streamproc.core.time import DAY, day_of, to_text

T = TypeVar("T")

MONTHS_KEPT = 3
KEPT_A_MONTH = 256
"""Dealers with a region, and categories with a region, that are counted a month; what is beyond them is not."""

LEAST_ORDERS, LEAST_SHARE = 5, 0.1
"""Orders outside the assigned region, and their share, from which a dealer sells across regions."""

LEAST_PRICED, LEAST_GAP = 30, 0.1
"""Orders a region with a known list price, and the difference in paid share of it, from which prices are apart."""


APART = "\x1f"
"""Between two names that make a key: names hold any other character."""


def _key(name: str, region: str) -> str:
    return f"{name.replace(APART, ' ')}{APART}{region.replace(APART, ' ')}"


def _names(key: str) -> tuple[str, str]:
    """The two names of a key; what was kept before has a slash between them."""
    name, _, region = key.rpartition(APART if APART in key else "/")
    return name, region


class Dealing(Struct):
    """By month (`YYYY-MM`), the latest three.

    `sold`: orders by dealer and region, with no region where it is the assigned one. `paid`: by category and region
    orders with a list price, what was paid for them and what the list says (minor units). Keys are made by `_key`.
    """

    sold: dict[str, dict[str, int]] = {}
    paid: dict[str, dict[str, list[int]]] = {}

    def add(self, other: "Dealing") -> None:
        """Adds another partition's counts (in place)."""
        for month, counts in other.sold.items():
            mine = self.sold.setdefault(month, {})
            for key, count in counts.items():
                mine[key] = mine.get(key, 0) + count
        for month, sums in other.paid.items():
            ours = self.paid.setdefault(month, {})
            for key, some in sums.items():
                ours[key] = [a + b for a, b in zip(ours.get(key, (0, 0, 0)), some, strict=True)]
        for table in (self.sold, self.paid):
            for month in sorted(table)[:-MONTHS_KEPT]:
                del table[month]


Homes = dict[str, list[Note]]
"""By dealer the regions assigned, in order of time."""


def homes_of(firm: Firm) -> Homes:
    """The dealers' assigned regions."""
    homes: Homes = {}
    for note in firm.of("dealer_region"):
        homes.setdefault(note.subject, []).append(note)
    return homes


def home_at(homes: Homes, dealer: str, at: int) -> str | None:
    """The region assigned to a dealer at `at` (µs), None where none was told."""
    notes = homes.get(dealer, [])
    place = bisect_right(notes, at, key=lambda note: note.at)
    return notes[place - 1].text("region") if place else None


def count_sales(dealing: Dealing, homes: Homes, events: Iterable[CustomerEvent]) -> None:
    """Counts orders in (in place)."""
    for event in events:
        if isinstance(event, Purchase) and event.region and not (event.returned or event.cancelled or event.revision):
            if event.dealer_id:
                _count_sold(dealing, home_at(homes, event.dealer_id, event.at), event)
            if event.list_amount and event.amount is not None and event.category:
                _count_paid(dealing, event.amount, event.list_amount, event)


def _count_sold(dealing: Dealing, home: str | None, event: Purchase) -> None:
    if home is not None:
        key = _key(event.dealer_id or "", "" if home == event.region else event.region or "")
        counts = _month(dealing.sold, event.at)
        if key in counts or len(counts) < KEPT_A_MONTH:
            counts[key] = counts.get(key, 0) + 1


def _count_paid(dealing: Dealing, amount: int, listed: int, event: Purchase) -> None:
    key = _key(event.category or "", event.region or "")
    sums = _month(dealing.paid, event.at)
    if key in sums or len(sums) < KEPT_A_MONTH:
        n, paid, whole = sums.get(key, (0, 0, 0))
        sums[key] = [n + 1, paid + amount, whole + listed]


def _month(table: dict[str, dict[str, T]], at: int) -> dict[str, T]:
    month = _month_of(day_of(at))
    found = table.get(month)
    if found is None:
        found = table[month] = {}
        for old in sorted(table)[:-MONTHS_KEPT]:
            del table[old]
    return found


@lru_cache(maxsize=256)
def _month_of(day: int) -> str:
    return to_text(day * DAY)[:7]


class Stray(NamedTuple):
    """A dealer who sells outside the region assigned: how many orders of all, and into which region most."""

    dealer: str
    outside: int
    orders: int
    region: str


class Gap(NamedTuple):
    """A category whose paid share of the list price differs between regions."""

    category: str
    cheap: str
    dear: str
    low: float
    high: float


def strays(dealing: Dealing) -> list[Stray]:
    """Dealers selling across regions, by name."""
    by_dealer: dict[str, dict[str, int]] = {}
    for counts in dealing.sold.values():
        for key, count in counts.items():
            dealer, region = _names(key)
            regions = by_dealer.setdefault(dealer, {})
            regions[region] = regions.get(region, 0) + count
    found = []
    for dealer, regions in sorted(by_dealer.items()):
        orders = sum(regions.values())
        outside = {region: n for region, n in regions.items() if region}
        if sum(outside.values()) >= max(LEAST_ORDERS, LEAST_SHARE * orders):
            found.append(Stray(dealer, sum(outside.values()), orders, max(sorted(outside), key=lambda r: outside[r])))
    return found


def gaps(dealing: Dealing) -> list[Gap]:
    """Categories whose prices are apart, by name."""
    sums: dict[str, dict[str, list[int]]] = {}
    for month in dealing.paid.values():
        for key, some in month.items():
            category, region = _names(key)
            regions = sums.setdefault(category, {})
            regions[region] = [a + b for a, b in zip(regions.get(region, (0, 0, 0)), some, strict=True)]
    found = []
    for category, regions in sorted(sums.items()):
        shares = sorted((paid / listed, region) for region, (n, paid, listed) in regions.items() if n >= LEAST_PRICED)
        if shares and shares[-1][0] - shares[0][0] >= LEAST_GAP:
            found.append(Gap(category, shares[0][1], shares[-1][1], shares[0][0], shares[-1][0]))
    return found
