"""A snapshot: the numbers a score is made with, as data."""

from hashlib import blake2b
from math import isfinite
from typing import Literal

import msgspec

from streamproc.scoring.buying import Buying
from streamproc.scoring.layout import TERM_NAMES

FORMAT = 1

EVERYBODY = 1 << 63
"""A `sample_below` above every customer hash."""

_DOUBLE_BITS = 53


class Population(msgspec.Struct, frozen=True):
    """What is usual among the customers, used to complete what few purchases leave open."""

    log_gap: float = -0.8  # mean log of a gap in horizons
    log_gap_spread: float = 0.9  # its standard deviation within a customer
    gap: float = 0.7  # mean gap in horizons
    log_amount: float = 8.5  # mean log of a purchase day's amount in minor units
    log_lines: float = 1.0  # mean log of lines an order


class Trained(msgspec.Struct, frozen=True):
    """How much a snapshot is founded on."""

    examples: int = 0  # matured examples learned from
    customers: int = 0  # customers in the parametric sample


class Snapshot(msgspec.Struct, frozen=True, kw_only=True, cache_hash=True):
    """Everything a score needs beside the customer's own state. JSON; `id` is a hash over the rest.

    `speaks` says which model the score rests on: the parametric prior alone, a blend of it and few labels, or
    the learned corrections. `terms` names what `means` and `weights` belong to. Log-odds are b + w1 (b − mean b) +
    w · (terms − means) + w0 + delta, with b the prior's log-odds of no purchase within the horizon.
    """

    format: int = FORMAT
    id: str = ""
    at: int = 0
    trained_on: Trained = Trained()
    speaks: Literal["prior", "blend", "learned"] = "prior"
    prior: Buying = Buying()
    rhythm: Buying = Buying()
    population: Population = Population()
    mean_silence: float = 0.0
    mean_frequency: float = 0.0
    terms: tuple[str, ...] = TERM_NAMES
    means: tuple[float, ...] = (0.0,) * len(TERM_NAMES)
    weights: tuple[float, ...] = (0.0,) * len(TERM_NAMES)
    w0: float = 0.0
    w1: float = 0.0
    delta: float = 0.0
    sample_below: int = EVERYBODY


def sample_bound(below: int) -> int:
    """The least bound from `below` (0-EVERYBODY) on that a double holds exactly: many a JSON reader knows no other.

    It wants at most 1,023 hashes in 2^63 that `below` does not; whoever keeps the sample knows its own bound.
    """
    step = 1 << (EVERYBODY.bit_length() - 1 - _DOUBLE_BITS)
    return -(-below // step) * step


def sealed(snapshot: Snapshot) -> Snapshot:
    """The same snapshot with its `id` set to the hash over its content."""
    blank = msgspec.structs.replace(snapshot, id="")
    digest = blake2b(msgspec.json.encode(blank), digest_size=8).hexdigest()
    return msgspec.structs.replace(blank, id=digest)


def default_snapshot() -> Snapshot:
    """Day zero: the parametric model at its prior, no corrections, so that there always is a score."""
    return sealed(Snapshot())


class SnapshotTooNewError(Exception):
    """A snapshot was written by a newer version of the program."""


def read_snapshot(body: bytes) -> Snapshot:
    """The snapshot in its JSON, its terms brought into today's order.

    A term that an older version did not have counts nothing, one that is gone is left out. Raises SnapshotTooNewError
    at a newer format, msgspec.DecodeError where the bytes are no snapshot.
    """
    found = msgspec.json.decode(body, type=Snapshot)
    if found.format > FORMAT:
        raise SnapshotTooNewError(
            f"the model snapshot {found.id} has format {found.format}, this program knows {FORMAT}: upgrade streamproc"
        )
    if found.terms == TERM_NAMES or not len(found.terms) == len(found.means) == len(found.weights):
        return found
    known = {term: (mean, weight) for term, mean, weight in zip(found.terms, found.means, found.weights, strict=True)}
    means, weights = zip(*(known.get(term, (0.0, 0.0)) for term in TERM_NAMES), strict=True)
    return msgspec.structs.replace(found, terms=TERM_NAMES, means=means, weights=weights)


def is_finite(snapshot: Snapshot) -> bool:
    """Whether every number can be scored with: finite, positive where it must be, one weight per term."""
    models = (snapshot.prior, snapshot.rhythm)
    positive = [n for m in models for n in (m.r, m.alpha, m.a, m.b, float(m.k))]
    positive += [snapshot.population.log_gap_spread, snapshot.population.gap]
    usual = snapshot.population
    plain = [usual.log_gap, usual.log_amount, usual.log_lines, snapshot.mean_silence, snapshot.mean_frequency]
    plain += [snapshot.w0, snapshot.w1, snapshot.delta, *snapshot.means, *snapshot.weights]
    return (
        snapshot.terms == TERM_NAMES
        and len(snapshot.means) == len(snapshot.weights) == len(TERM_NAMES)
        and all(isfinite(n) for n in (*positive, *plain))
        and all(n > 0 for n in positive)
    )
