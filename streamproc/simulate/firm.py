"""The firm's own facts, those for everybody: what the shop writes down about its world."""

from collections.abc import Iterator
from datetime import date, timedelta

from streamproc.core.time import DAY, HOUR
from streamproc.simulate.records import FACTS, Value, clock_text, entry, members
from streamproc.simulate.shop import dice
from streamproc.simulate.world import CATEGORIES, FOREIGN, RATE, World

_RATE_STEP = 0.006
_HOLIDAYS = ((1, 1, "new_year"), (5, 1, "labour_day"), (10, 1, "national_day"), (12, 25, "christmas"))


def firm_facts(world: World) -> list[bytes]:
    """All facts for everybody as entries, in no order; each has its own id."""
    facts = [*_standing(world), *_rates(world), *_people(world), *_offers(world), *_campaigns(world), *_closures(world)]
    return [_fact_entry(number, *fact) for number, fact in enumerate(facts) if fact[0] < world.ends]


_Fact = tuple[int, str, str | None, float | None, dict[str, Value]]


def _fact_entry(
    number: int, at: int, fact: str, subject: str | None, value: float | None, detail: dict[str, Value]
) -> bytes:
    body = members(fact=fact, subject=subject, value=value, **detail)
    head = f'"event_id":"f-{number}","occurred_at":"{clock_text(at)}","schema_version":1'
    return entry(at, FACTS, f"{{{head}{body}}}")


def _standing(world: World) -> Iterator[_Fact]:
    hours: dict[str, Value] = {"from": "09:00", "to": "18:00", "days": "1-5"}
    yield world.opens, "working_hours", "support", None, hours
    for dealer in world.dealers:
        yield world.opens, "dealer_region", dealer.dealer_id, None, {"region": dealer.region}
    for category in CATEGORIES:
        yield world.opens, "list_price", category, 1.0, {"change": 0.0}


def _rates(world: World) -> Iterator[_Fact]:
    """One rate a week: units of the shop's currency for one unit of the foreign one."""
    rng = dice(world.shop.seed, "rates")
    rate = RATE
    for at in range(world.opens, world.ends, 7 * DAY):
        yield at, "currency_rate", FOREIGN, round(rate, 4), {}
        rate *= 1 + rng.gauss(0, _RATE_STEP)


def _people(world: World) -> Iterator[_Fact]:
    for seat in world.seats:
        if seat.left_at is not None:
            yield seat.left_at, "staff_left", seat.staff_id, None, {"successor": seat.successor}


def _offers(world: World) -> Iterator[_Fact]:
    for category in CATEGORIES:
        index = 1.0
        for rise in world.rises[category]:
            index *= rise.factor
            detail: dict[str, Value] = {"change": round(rise.factor - 1, 2)}
            yield rise.at, "list_price", category, round(index, 4), detail
        for gone in world.discontinued[category]:
            yield gone.at, "product", category, None, {"change": "discontinued"}
            yield gone.at + 150 * DAY, "product", category, None, {"change": "launched"}


def _campaigns(world: World) -> Iterator[_Fact]:
    rng = dice(world.shop.seed, "campaigns")
    for number, at in enumerate(range(world.opens + 3 * DAY, world.ends, 30 * DAY)):
        mailings, each, response = rng.randrange(500, 5000), rng.choice((0.5, 0.7)), rng.uniform(0.01, 0.04)
        detail: dict[str, Value] = {
            "mailings": mailings,
            "cost_per_mailing": each,
            "response_rate": round(response, 4),
            "channel": rng.choice(("mail", "email", "app")),
        }
        yield at, "marketing", f"campaign-{number:02d}", round(mailings * each, 2), detail
    over: dict[str, Value] = {"change": "ended"}
    yield world.discounts_end_at, "marketing", "standing-discount", 0.0, over


def _closures(world: World) -> Iterator[_Fact]:
    for starts, ends in world.outages:
        hours = (ends - starts) / HOUR
        yield starts, "outage", "web", hours, {"until": clock_text(ends), "planned": False}
    last = world.shop.start + timedelta(days=world.shop.days - 1)
    for year in range(world.shop.start.year, last.year + 1):
        for month, day, name in _HOLIDAYS:
            when = date(year, month, day)
            if world.shop.start <= when <= last:
                yield (max(world.opens, _midnight(world, when) - 30 * DAY), "holiday", name, None, {"day": str(when)})


def _midnight(world: World, when: date) -> int:
    return world.opens + (when - world.shop.start).days * DAY
