"""The parametric sample: the customers of smallest hash, as last sighted."""

from collections.abc import Iterable

import msgspec
import numpy as np

from streamproc.scoring.buying import Buying
from streamproc.scoring.examples import Sighting
from streamproc.scoring.snapshot import EVERYBODY, Population
from streamproc.trainer.fit import Histories, fit, histories

LARGEST = 2_000
"""Customers kept; the bound below which sightings are wanted shrinks to hold it."""

FEWEST = 20
"""Customers needed before the parameters leave their prior."""


_TWICE = 2  # purchase days that make one gap, which cannot scatter yet
_LEAST_SPREAD = 0.2
_LEAST_GAP = 0.01


class Fitted(msgspec.Struct, frozen=True):
    """The parametric part of a snapshot."""

    prior: Buying = Buying()
    rhythm: Buying = Buying()
    population: Population = Population()
    customers: int = 0


class Sample:
    """Latest sighting of each customer whose hash is below `below`; at most LARGEST of them."""

    def __init__(self, sightings: Iterable[Sighting] = (), below: int = EVERYBODY) -> None:
        self.below = below
        self._kept: dict[int, Sighting] = {}
        for sighting in sightings:
            self.see(sighting)

    def see(self, sighting: Sighting) -> None:
        """Take the sighting in; if that is one too many, the largest hash goes and bounds what is wanted."""
        if sighting.customer >= self.below:
            return
        self._kept[sighting.customer] = sighting
        if len(self._kept) > LARGEST:
            self.below = max(self._kept)
            del self._kept[self.below]

    def sightings(self) -> list[Sighting]:
        """Those kept, in order of hash."""
        return [self._kept[key] for key in sorted(self._kept)]

    def fit(self, today: int, before: Fitted) -> Fitted:
        """Parameters refitted on the sample with ages up to `today`, starting from `before`."""
        seen = self.sightings()
        if len(seen) < FEWEST:
            return before
        found = _histories(seen, today)
        return Fitted(
            prior=fit(found, before.prior, widest=1),
            rhythm=fit(found, before.rhythm),
            population=_population(seen),
            customers=len(seen),
        )


def _histories(seen: list[Sighting], today: int) -> Histories:
    horizon = np.array([s.horizon for s in seen])
    first = np.array([s.first for s in seen], dtype=np.float64)
    last = np.array([s.last for s in seen], dtype=np.float64)
    repeats = np.array([s.n_days - 1 for s in seen], dtype=np.float64)
    age = np.maximum(today - first, last - first)
    log_gaps = sum(s.log_gaps - (s.n_days - 1) * float(np.log(s.horizon)) for s in seen)
    return histories(repeats, (last - first) / horizon, age / horizon, log_gaps)


def _population(seen: list[Sighting]) -> Population:
    """Usual gap, its spread within a customer, usual amount and lines; a customer counts once."""
    usual = Population()
    again = [s for s in seen if s.n_days > 1]
    many = [s for s in seen if s.n_days > _TWICE]
    log_gap, gap, spread = usual.log_gap, usual.gap, usual.log_gap_spread
    if len(again) >= FEWEST:
        log_gap = float(np.mean([s.log_gaps / (s.n_days - 1) - np.log(s.horizon) for s in again]))
        gap = float(np.mean([(s.last - s.first) / (s.n_days - 1) / s.horizon for s in again]))
    if len(many) >= FEWEST:
        scatter = sum(s.log_gaps_square for s in many) / sum(s.n_days - _TWICE for s in many)
        spread = max(float(np.sqrt(scatter)), _LEAST_SPREAD)
    amounts = [s.log_amount for s in seen if s.log_amount > 0]
    lines = [s.log_lines for s in seen if s.log_lines > 0]
    return Population(
        log_gap=log_gap,
        log_gap_spread=spread,
        gap=max(gap, _LEAST_GAP),
        log_amount=float(np.mean(amounts)) if amounts else usual.log_amount,
        log_lines=float(np.mean(lines)) if lines else usual.log_lines,
    )
