"""How the firm comes to know a customer: first questions, account owner, a guest id merged later, do-not-contact."""

from random import Random

from streamproc.core.time import DAY, HOUR
from streamproc.simulate.person import CONSUMER, Person
from streamproc.simulate.records import CONTACTS, FACTS, Pen, members
from streamproc.simulate.world import World

_ASKS_FIRST = 0.08
_GUESTS = 0.012
_DO_NOT_CONTACT = 0.015
_STATED_KIND = 0.9
_STATED_FIT = 0.5
_STATED_SERVICE_COST = 0.08


def introduce(world: World, person: Person, pen: Pen, first_at: int, rng: Random) -> None:
    """Write the firm's facts of the customer, and settle under which id and with which envelope `pen` writes.

    `first_at` (µs) is the first order's time.
    """
    pen.about = _envelope(person, rng)
    if person.kind is CONSUMER and rng.random() < _GUESTS:
        _be_a_guest(pen, first_at, rng)
    if rng.random() < _ASKS_FIRST:
        for days in sorted(rng.sample(range(1, 60), rng.randrange(1, 4)), reverse=True):
            asked = first_at - days * DAY
            if asked >= world.opens:
                contact = members(
                    contact_id=f"t{pen.next_ref()}", direction="in", channel="web", purpose="inquiry"
                )
                pen.put(asked, CONTACTS, f'{contact},"result":"resolved"')
    if person.seat is not None:
        seat = world.seats[person.seat]
        staff = seat.staff_id
        if seat.left_at is not None:
            if first_at >= seat.left_at:
                staff = seat.successor
            else:
                handed = seat.left_at + rng.randrange(5, 40) * DAY
                pen.put(handed, FACTS, members(owner=seat.successor))
        pen.put(max(world.opens, first_at - HOUR), FACTS, members(owner=staff))
    if rng.random() < _DO_NOT_CONTACT:
        pen.put(first_at + rng.randrange(400) * DAY, FACTS, ',"do_not_contact":true')


def _envelope(person: Person, rng: Random) -> str:
    firm = person.kind is not CONSUMER
    return members(
        customer_kind=person.kind.name if rng.random() < _STATED_KIND else None,
        strategic=round(rng.random(), 2) if firm and rng.random() < _STATED_FIT else None,
        fixed_service_cost=round(rng.uniform(1, 30), 2)
        if firm and rng.random() < _STATED_SERVICE_COST
        else None,
    )


def _be_a_guest(pen: Pen, first_at: int, rng: Random) -> None:
    registered = first_at + rng.randrange(1, 40) * DAY
    if registered < pen.ends:
        pen.guest = f"g{pen.name[1:]}"
        pen.renamed_at = registered
        body = members(alias_of=pen.name)
        pen.put(registered - 1, FACTS, body)
