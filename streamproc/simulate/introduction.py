"""How the firm comes to know a customer: first questions, account owner, a guest id, do-not-contact."""

from random import Random

from streamproc.core.time import DAY, HOUR, SECOND
from streamproc.simulate.person import CONSUMER, Person
from streamproc.simulate.records import CONTACTS, FACTS, Pen, members
from streamproc.simulate.shop import chance
from streamproc.simulate.world import World

_ASKS_FIRST = 0.05
_GUESTS = 0.012
_DO_NOT_CONTACT = 0.015
_STATED_KIND = 0.9
_STATED_FIT = 0.5
_STATED_SERVICE_COST = 0.08


def introduce(world: World, person: Person, pen: Pen, first_at: int, rng: Random) -> None:
    """Write the firm's facts of the customer, and settle under which id and envelope `pen` writes.

    `first_at` (µs) is when the first order is, or would be.
    """
    pen.about = _envelope(person, rng)
    if person.kind is CONSUMER and chance(rng, _GUESTS):
        _be_a_guest(pen, first_at, rng)
    if person.prospect or chance(rng, _ASKS_FIRST):
        _ask(world, pen, first_at, rng)
    if person.seat is not None and not person.prospect:
        _be_owned(world, person.seat, pen, first_at, rng)
    if chance(rng, _DO_NOT_CONTACT):
        pen.put(first_at + rng.randrange(400) * DAY, FACTS, ',"do_not_contact":true')


def _envelope(person: Person, rng: Random) -> str:
    firm = person.kind is not CONSUMER
    return members(
        customer_kind=person.kind.name if chance(rng, _STATED_KIND) else None,
        strategic=round(rng.random(), 2) if firm and chance(rng, _STATED_FIT) else None,
        fixed_service_cost=round(rng.uniform(1, 30), 2) if firm and chance(rng, _STATED_SERVICE_COST) else None,
    )


def _ask(world: World, pen: Pen, first_at: int, rng: Random) -> None:
    """One to three questions in the two months before."""
    for days in rng.sample(range(1, 60), rng.randrange(1, 4)):
        asked = max(world.opens, first_at - days * DAY)
        contact = members(
            contact_id=f"t{pen.next_ref()}",
            direction="in",
            channel=rng.choice(("web", "phone")),
            purpose=rng.choice(("inquiry", "sales")),
            result="resolved",
        )
        pen.put(asked, CONTACTS, contact)


def _be_owned(world: World, number: int, pen: Pen, first_at: int, rng: Random) -> None:
    """The account manager of that seat, and the successor some weeks after the first has left the firm."""
    seat = world.seats[number]
    handed = rng.randrange(5, 40) * DAY
    left_at = world.ends if seat.left_at is None else seat.left_at
    owner = seat.successor if first_at >= left_at else seat.staff_id
    pen.put(max(world.opens, first_at - HOUR), FACTS, members(owner=owner))
    if first_at < left_at:
        pen.put(left_at + handed, FACTS, members(owner=seat.successor))


def _be_a_guest(pen: Pen, first_at: int, rng: Random) -> None:
    """Known under a guest's id until the customer registers, when the firm learns that both are one."""
    registered = first_at + rng.randrange(1, 40) * DAY
    if registered < pen.ends:
        pen.guest = f"g{pen.name[1:]}"
        pen.renamed_at = registered
        pen.put(registered - SECOND, FACTS, members(alias_of=pen.name))
