"""Who a customer is: drawn once, from the customer's own random numbers, and never changed."""

from dataclasses import dataclass
from random import Random
from typing import NamedTuple

from streamproc.core.time import DAY, SECOND
from streamproc.simulate.shop import chance
from streamproc.simulate.world import CATEGORIES, DEALERS, REGIONS, STAFF_SEATS, World


class Kind(NamedTuple):
    """What customers of a kind have in common. Rates are orders a year, levels the median order in cents."""

    name: str
    rate: float
    rate_shape: float
    level: float
    level_spread: float
    owned: float  # share with an account manager
    dealt: float  # share buying through a dealer
    contract: float  # share with a yearly contract
    one_timer: float  # share who only wanted to try
    hours: tuple[int, int]
    channels: tuple[str, ...]


CONSUMER = Kind(
    "consumer", 11.0, 1.7, 4_500.0, 0.7, 0.02, 0.0, 0.0, 0.14, (7, 23), ("web", "web", "app", "app", "store")
)
BUSINESS = Kind("business", 17.0, 2.2, 38_000.0, 0.8, 0.6, 0.4, 0.25, 0.04, (8, 18), ("web", "phone", "portal"))
DEALER = Kind("dealer", 30.0, 3.0, 160_000.0, 0.7, 0.9, 1.0, 0.4, 0.0, (7, 17), ("portal", "phone"))
KINDS = (CONSUMER, BUSINESS, DEALER)
_KIND_SHARES = (0.8, 0.96)  # cumulative: consumers, then businesses, the rest are dealers

_FOUNDERS = 0.35  # share of the customers who are there when the feed begins
_PROSPECTS = 0.02
_GROWTH = 0.75  # arrivals at share u of the span ~ u ** 0.75: more and more of them
_SHAPES = ((0.4, 1.0, 1.3), (0.75, 2.0, 4.0), (0.9, 5.0, 12.0), (1.0, 16.0, 40.0))  # Poisson ... clockwork


class Rhythm(NamedTuple):
    """When a customer buys.

    Mean gap (days), regularity (shape of the gamma gaps), yearly swing and its peak (day of the year), and
    the share of weekday orders put off to Saturday.
    """

    gap: float
    shape: float
    swing: float
    peak: int
    weekend: float


class Wallet(NamedTuple):
    """What a customer pays: cents an order and its spread, shares of discounted and of returned orders."""

    level: float
    spread: float
    discounted: float
    price_loyal: bool
    returns: float
    cost: float  # share of the list price that the firm knows as cost; 0: unknown
    foreign: bool
    member: bool


class Temper(NamedTuple):
    """How a customer takes things.

    Odds of trouble an order, of complaining about it, else of asking; hazard a day of losing the need
    (`drift`).
    """

    trouble: float
    complains: float
    asks: float
    drift: float
    price_sensitive: float
    novelty: bool
    loyal_to_staff: bool
    one_timer: bool


@dataclass(frozen=True, slots=True)
class Person:
    """A customer's traits; `arrives_at` (µs) is when they first want to buy; a `prospect` only asks."""

    name: str
    kind: Kind
    arrives_at: int
    region: str
    category: str
    channel: str
    seat: int | None
    dealer: int | None
    contract: bool
    prospect: bool
    rhythm: Rhythm
    wallet: Wallet
    temper: Temper

    def invoiced(self) -> bool:
        """Whether the list price stands on every order: so it does for firms with an account manager."""
        return self.seat is not None and self.kind is not CONSUMER


def draw_person(world: World, number: int, rng: Random) -> Person:
    """The customer of that number."""
    share = rng.random()
    kind = KINDS[(share > _KIND_SHARES[0]) + (share > _KIND_SHARES[1])]
    rhythm = _rhythm(kind, rng)
    region = rng.randrange(len(REGIONS))
    return Person(
        name=f"c{number:07d}",
        kind=kind,
        arrives_at=_arrival(world, rhythm, rng),
        region=REGIONS[region],
        category=rng.choice(CATEGORIES),
        channel=rng.choice(kind.channels),
        seat=rng.randrange(STAFF_SEATS) if chance(rng, kind.owned) else None,
        dealer=rng.randrange(region, DEALERS, len(REGIONS)) if chance(rng, kind.dealt) else None,
        contract=chance(rng, kind.contract),
        prospect=chance(rng, _PROSPECTS),
        rhythm=rhythm,
        wallet=_wallet(kind, rng),
        temper=_temper(kind, rng),
    )


def _rhythm(kind: Kind, rng: Random) -> Rhythm:
    rate = max(1.0, rng.gammavariate(kind.rate_shape, kind.rate / kind.rate_shape))
    dial = rng.random()
    low, high = next((low, high) for share, low, high in _SHAPES if dial <= share)
    return Rhythm(
        gap=365 / rate,
        shape=rng.uniform(low, high),
        swing=rng.uniform(0.0, 0.5),
        peak=int(rng.gauss(335, 25)) % 365,
        weekend=0.3 if kind is CONSUMER else -1.0,
    )


def _arrival(world: World, rhythm: Rhythm, rng: Random) -> int:
    span = world.ends - world.opens
    founder = chance(rng, _FOUNDERS)
    since = rng.random() * min(rhythm.gap * DAY, span) if founder else rng.random() ** _GROWTH * span
    return world.opens + int(since) // SECOND * SECOND


def _wallet(kind: Kind, rng: Random) -> Wallet:
    price_loyal = kind is CONSUMER and chance(rng, 0.1)
    return Wallet(
        level=kind.level * rng.lognormvariate(0, kind.level_spread),
        spread=rng.uniform(0.1, 0.5),
        discounted=1.0 if price_loyal else rng.random() ** 5,
        price_loyal=price_loyal,
        returns=min(0.5, rng.expovariate(21)),
        # Some cost more than they bring: a few pay less than the goods and their handling.
        cost=0.0 if chance(rng, 0.55) else rng.uniform(0.5, 0.88) * (1.5 if chance(rng, 0.06) else 1.0),
        foreign=chance(rng, 0.04),
        member=chance(rng, 0.3),
    )


def _temper(kind: Kind, rng: Random) -> Temper:
    return Temper(
        trouble=min(0.4, rng.expovariate(24)),
        complains=0.4 * (rng.random() + rng.random()),
        asks=0.4 * (rng.random() + rng.random()),
        drift=rng.expovariate(5000),
        price_sensitive=rng.random(),
        novelty=chance(rng, 0.2),
        loyal_to_staff=chance(rng, 0.35),
        one_timer=chance(rng, kind.one_timer),
    )
