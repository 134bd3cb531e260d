"""Simulated shops as journal records: what intake makes of the simulator's lines."""

import random
from functools import cache
from typing import NamedTuple

import msgspec

from streamproc.core.events import CustomerEvent, FirmFact
from streamproc.intake.intake import Intake
from streamproc.intake.rates import Rates
from streamproc.intake.refusal import Position, Refusal
from streamproc.simulate import Shop, simulate

Record = CustomerEvent | FirmFact


class Delivery(NamedTuple):
    """A record as a source delivers it."""

    outcome: Record | Refusal
    raw: bytes
    position: Position


@cache
def records(customers: int, days: int, seed: int) -> tuple[Record, ...]:
    """A clean shop's records in order of time."""
    return tuple(
        d.outcome
        for d in deliveries(Shop(customers=customers, days=days, seed=seed))
        if not isinstance(d.outcome, Refusal)
    )


def deliveries(shop: Shop) -> list[Delivery]:
    """What a source delivers of a shop, refusals included."""
    intake = Intake(Rates(shop.currency))
    made = []
    for row, event in enumerate(simulate(shop), 1):
        position = Position(f"{event.stream}.jsonl", row)
        outcome = intake.take(event.line, position, shop.ends)
        if outcome is not None:
            made.append(Delivery(outcome, event.line, position))
    return made


def delivered(given: tuple[Record, ...]) -> list[Delivery]:
    """Records as a source would deliver them."""
    return [Delivery(r, msgspec.json.encode(r), Position("made", n)) for n, r in enumerate(given, 1)]


def jumbled(given: tuple[Record, ...], span: int, rng: random.Random, *, repeats: float = 0.0) -> list[Record]:
    """The records in disorder: none arrives more than `span` µs of event time late; some come twice."""
    again = [r for r in given if rng.random() < repeats]
    keyed = [(r.at + rng.randrange(span + 1), n, r) for n, r in enumerate([*given, *again])]
    return [r for _, _, r in sorted(keyed, key=lambda item: item[:2])]
