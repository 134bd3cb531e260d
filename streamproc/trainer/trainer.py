"""The trainer: examples and sightings in, snapshots out."""

from collections.abc import Iterable
from typing import Literal, NamedTuple

import msgspec
import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from streamproc.core.time import DAY, today_of
from streamproc.scoring.examples import Example, Sighting, features_of
from streamproc.scoring.judge import log_loss
from streamproc.scoring.layout import FEATURE_NAMES, UNIT
from streamproc.scoring.score import MICRO, Design, design, score
from streamproc.scoring.snapshot import Snapshot, Trained, is_finite, sample_bound, sealed
from streamproc.trainer.learner import DivergedError
from streamproc.trainer.level import level_shift, matching_shift
from streamproc.trainer.pair import Batch, Pair
from streamproc.trainer.ring import Ring, thinned
from streamproc.trainer.sample import Sample
from streamproc.trainer.state import Config, Means, State, decode, encode, give_numbers, numbers_of
from streamproc.trainer.watch import Record, Watch

Floats = NDArray[np.float64]

FRESH = 2_048
FRESH_A_TICK = 256
"""Unlabelled rows kept for means and level: the newest, so many of one tick."""

BATCH = 4_096
"""Most matured examples learned from at once; of more, those of smallest hash."""

FEW = 500
"""Matured examples below which a snapshot says that it is a blend."""

JUDGES = 1_024
FEWEST_JUDGES = 100
"""Matured examples of the ring, the newest, that a snapshot is judged on; with too few it is not."""

TOLERATED = 0.03
"""How much more log-loss a snapshot may have there than the running one, both shifted to the labels' level."""

FAR_OFF = 0.3
"""The same at the snapshots' own level, which is today's and need not suit labels a horizon old."""


class Refused(msgspec.Struct, frozen=True):
    """Why no new snapshot was let out; the running one stays. `snapshot` is the refused one, if there is one."""

    at: int
    reason: str
    snapshot: Snapshot | None


class Status(msgspec.Struct, frozen=True):
    """The trainer's record: what the running snapshot is founded on, and how it and the challenger stand."""

    snapshot: str
    speaks: Literal["prior", "blend", "learned"]
    trained_on: Trained
    free_share: float  # the free learner's share of the log-odds
    refused: int
    standing: Record


class _Rows(NamedTuple):
    """Examples as the learner wants them."""

    prior: Floats  # [n] the prior's log-odds
    terms: Floats  # [n, terms]


def _rows(parts: Design) -> _Rows:
    return _Rows((parts.silence + parts.frequency) / MICRO, parts.terms / float(UNIT))


class Trainer:
    """Absorbs what the monitor emits and trains at given instants; everything follows from its inputs."""

    def __init__(self, config: Config, state: bytes | None = None) -> None:
        """Start anew, or go on from what `dump` gave. Raises StateError if that is not for us."""
        loaded = State(config=config) if state is None else decode(state, config)
        self.config = config
        self._state = loaded
        self._sample = Sample(loaded.sightings, loaded.sample_below)
        self._ring = Ring(loaded.ring)
        self._pair = Pair(loaded.belief)
        give_numbers(self._pair.correcting, loaded.learned)
        give_numbers(self._pair.free, loaded.free)
        self._watch = Watch(self._ring.examples())

    @property
    def running(self) -> Snapshot:
        """The last snapshot that was let out."""
        return self._state.running

    @property
    def refused(self) -> int:
        """How many snapshots were not let out."""
        return self._state.refused

    def dump(self) -> bytes:
        """Everything that later snapshots depend on. The record is rebuilt from the ring at start."""
        self._state.fresh = self._state.fresh[-FRESH:]
        self._state.sightings = self._sample.sightings()
        self._state.sample_below = self._sample.below
        self._state.ring = self._ring.examples()
        self._state.learned = numbers_of(self._pair.correcting)
        self._state.free = numbers_of(self._pair.free)
        self._state.belief = self._pair.belief
        return encode(self._state)

    def absorb(self, inputs: Iterable[Example | Sighting]) -> None:
        """Take in one tick's inputs, sorted by (customer, id); inactive customers' rows are passed over."""
        fresh: list[Example] = []
        kept: list[Example] = []
        for item in inputs:
            if isinstance(item, Sighting):
                self._sample.see(item)
            elif len(item.features) != len(FEATURE_NAMES) * 2:
                continue  # taken by a version with other features, and still waiting for its label when this one came
            elif item.active and item.label is None:
                fresh.append(item)
            elif item.active and item.weight != 0.0:  # what was treated tells nothing of those left alone
                self._state.batch.append(item)
                if self._ring.keep(item):
                    kept.append(item)
        self._watch.see(kept)
        self._state.fresh += thinned(fresh, FRESH_A_TICK)
        if len(self._state.fresh) > 2 * FRESH:  # trimmed now and then: there are many ticks between two trainings
            del self._state.fresh[:-FRESH]

    def train(self, at: int) -> Snapshot | Refused | None:
        """A new snapshot as of the midnight `at` (µs), or why it was refused; None while nothing is known."""
        state, today = self._state, today_of(at)
        if state.refitted is None or today - state.refitted >= self.config.refit_days:
            fitted = self._sample.fit(today, state.fitted)
            if fitted is not state.fitted:
                state.fitted, state.refitted = fitted, today
        if not state.fitted.customers:
            return None
        bare = Snapshot(
            at=at,
            prior=state.fitted.prior,
            rhythm=state.fitted.rhythm,
            population=state.fitted.population,
            sample_below=sample_bound(self._sample.below),
        )
        self._ring.forget(at)
        try:
            self._learn(bare)
        except DivergedError as error:
            state.refused += 1
            return Refused(at, f"not finite: {error}", None)
        made = self._snapshot(bare)
        reason = self._objection(made)
        if reason is not None:
            state.refused += 1
            return Refused(at, reason, made)
        state.running = made
        return made

    def record(self) -> Status:
        """What is running and how it stands beside the challenger."""
        running = self.running
        return Status(
            snapshot=running.id,
            speaks=running.speaks,
            trained_on=running.trained_on,
            free_share=self._pair.share,
            refused=self._state.refused,
            standing=self._watch.record(),
        )

    def _learn(self, bare: Snapshot) -> None:
        """One batch: all that matured since the last training, with the prior of today's parameters."""
        state = self._state
        batch, state.batch = thinned(state.batch, BATCH), []
        if not batch or not state.means:
            return
        rows = _rows(design(features_of(batch), bare))
        since = np.array([means.at for means in state.means])
        then = np.searchsorted(since, [example.at for example in batch], side="right") - 1
        centre = np.array([means.terms for means in state.means])[np.maximum(then, 0)]
        weights = np.array([example.weight for example in batch])
        self._pair.learn(Batch(rows.prior, rows.terms - centre, _labels(batch), weights), state.examples)
        state.examples += len(batch)

    def _snapshot(self, bare: Snapshot) -> Snapshot:
        """The learner's weights around today's means, at the level that the prior and past misses give."""
        state = self._state
        trained = Trained(state.examples, state.fitted.customers)
        rows = [e for e in state.fresh[-FRESH:] if e.at > bare.at - self.config.example_days * DAY]
        if not rows:
            return sealed(msgspec.structs.replace(bare, trained_on=trained))
        parts = design(features_of(rows), bare)
        prior, terms = _rows(parts)
        means = terms.mean(axis=0)
        self._remember(Means(bare.at, tuple(means.tolist())))
        weights, w1 = self._pair.corrections(state.examples)
        goal = float(expit(prior + self._level(bare)).mean())
        corrected = prior + w1 * (prior - prior.mean()) + (terms - means) @ weights
        return sealed(
            msgspec.structs.replace(
                bare,
                trained_on=trained,
                speaks="prior" if not state.examples else "blend" if state.examples < FEW else "learned",
                mean_silence=float(parts.silence.mean()) / MICRO,
                mean_frequency=float(parts.frequency.mean()) / MICRO,
                means=tuple(means.tolist()),
                weights=tuple(weights.tolist()),
                w1=w1,
                delta=matching_shift(corrected, goal),
            )
        )

    def _remember(self, means: Means) -> None:
        """Keep the means that examples still waiting for their label will be centred by."""
        oldest = means.at - round((self.config.label_days + 2 * self.config.training_days) * DAY)
        self._state.means = [old for old in self._state.means if old.at >= oldest]
        self._state.means.append(means)

    def _level(self, bare: Snapshot) -> float:
        """The lasting miss of the prior's level on the ring, in windows of one horizon."""
        ring = self._ring.examples()
        if not ring:
            return 0.0
        at = np.array([example.at for example in ring])
        window = (at[-1] - at) // round(self.config.horizon * DAY)
        return level_shift(_rows(design(features_of(ring), bare)).prior, _labels(ring), window)

    def _objection(self, made: Snapshot) -> str | None:
        """Why the snapshot may not be let out, if so."""
        if not is_finite(made):
            return "not finite"
        ring = self._ring.examples()[-JUDGES:]
        if len(ring) < FEWEST_JUDGES:
            return None
        rows, labels = features_of(ring), _labels(ring)
        new, old = (score(rows, snapshot).log_odds_micro / MICRO for snapshot in (made, self.running))
        rate = float(labels.mean())
        shifted = [z + matching_shift(z, rate) for z in (new, old)]
        return _worse(labels, shifted[0], shifted[1], TOLERATED) or _worse(labels, new, old, FAR_OFF)


def _worse(labels: Floats, new: Floats, old: Floats, tolerated: float) -> str | None:
    """Says by how much the log-odds `new` are worse than `old`, if it is more than tolerated."""
    known = labels.astype(np.int64)
    losses = log_loss(known, expit(new)), log_loss(known, expit(old))
    if losses[0] <= losses[1] + tolerated:
        return None
    return f"log-loss {losses[0]:.4f} on recent matured examples, the running snapshot's is {losses[1]:.4f}"


def _labels(examples: list[Example]) -> Floats:
    return np.array([example.label for example in examples], dtype=np.float64)
