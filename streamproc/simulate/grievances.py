"""What drives a customer away: grievances with a cause, a strength and a fading, and strikes of the world.

A grievance adds to the daily hazard of leaving; it fades with time. Good handling of a complaint shrinks it,
bad handling makes it grow. Nothing here writes events.
"""

from dataclasses import dataclass
from math import exp
from random import Random
from typing import Final, Literal

from streamproc.core.time import DAY, SECOND
from streamproc.simulate.person import Person
from streamproc.simulate.shop import chance
from streamproc.simulate.world import World

Cause = Literal[
    "quality",
    "innovation",
    "service",
    "market_control",
    "staff_departure",
    "competitor",
    "short_term_conduct",
    "price",
    "inconvenience",
    "natural",
]
CAUSES: Final[tuple[Cause, ...]] = (
    "quality",
    "innovation",
    "service",
    "market_control",
    "staff_departure",
    "competitor",
    "short_term_conduct",
    "price",
    "inconvenience",
    "natural",
)
"""The nine causes (domain: why they leave), and "natural": the need is gone, nobody is to blame."""

_FADES_DAYS = 75.0
_FADES = _FADES_DAYS * DAY
_PERSONAL: Final[tuple[Cause, ...]] = ("quality", "service", "short_term_conduct", "competitor", "inconvenience")
_PERSONAL_SHARES = (0.33, 0.26, 0.13, 0.17, 0.11)
_STRENGTH = 0.0048  # hazard a day at the start; over the whole fading e^-(0.0048 × 75) = 70 % stay
_OUTAGE_HITS = 0.04


@dataclass(slots=True)
class Grievance:
    """Why a customer may leave from `at` (µs) on: `strength` is the hazard a day at the start.

    `evidence`: whether the feed shows the cause.
    """

    cause: Cause
    at: int
    strength: float
    evidence: bool = False

    def left_over(self, at: int) -> float:
        """The hazard a day that remains at `at`."""
        return self.strength * exp((self.at - at) / _FADES) if at > self.at else self.strength

    def risk(self, at: int, until: int) -> float:
        """The hazard summed over [at, until)."""
        start = max(at, self.at)
        if start >= until:
            return 0.0
        faded = 1 - exp((start - until) / _FADES)
        return self.left_over(start) * _FADES_DAYS * faded


def fresh_grievance(at: int, rng: Random) -> Grievance:
    """Something of the customer's own went wrong with an order."""
    cause = rng.choices(_PERSONAL, _PERSONAL_SHARES)[0]
    return Grievance(cause, at, _STRENGTH * rng.lognormvariate(0, 0.6))


def strikes_of(world: World, person: Person, rng: Random) -> list[Grievance]:
    """What the world will do to this customer, in time order."""
    temper = person.temper
    strikes = [
        Grievance("price", rise.at, 0.02 * (rise.factor - 1) * temper.price_sensitive**2, evidence=True)
        for rise in world.rises[person.category]
    ]
    if person.wallet.price_loyal:
        strikes.append(Grievance("price", world.discounts_end_at, 0.015, evidence=True))
    if temper.novelty:
        strikes += [Grievance("innovation", gone.at, 0.003) for gone in world.discontinued[person.category]]
    if person.seat is not None and (left_at := world.seats[person.seat].left_at) is not None:
        strength = 0.02 if temper.loyal_to_staff else 0.0015
        strikes.append(Grievance("staff_departure", left_at, strength, evidence=True))
    if person.dealer is not None and (raider := world.raiders.get(person.region)) is not None:
        strikes.append(Grievance("market_control", raider.raids_from or 0, 0.005))
    if person.channel in {"web", "app"}:
        strikes += [
            Grievance("inconvenience", starts + 600 * SECOND, 0.002)
            for starts, _ in world.outages
            if chance(rng, _OUTAGE_HITS)
        ]
    return sorted((one for one in strikes if one.at >= person.arrives_at), key=lambda one: one.at)
