"""The trainer: examples and sightings in, snapshots out."""

from collections.abc import Iterable, Sequence

import msgspec
import numpy as np

from streamproc.core.time import today_of
from streamproc.scoring.examples import Example, Sighting, features_of
from streamproc.scoring.score import MICRO, design
from streamproc.scoring.snapshot import Snapshot, Trained, default_snapshot, is_finite, sealed
from streamproc.trainer.sample import Fitted, Sample

STATE = 1

FRESH = 2_048
"""Newest unlabelled rows kept, for means and level."""


class Config(msgspec.Struct, frozen=True):
    """What the trainer must know of the task: the main horizon and the allowed lateness, in days."""

    horizon: float = 90.0
    lateness: float = 1.0

    @property
    def training_days(self) -> int:
        """Days between training instants."""
        return max(1, round(self.horizon / 13))

    @property
    def refit_days(self) -> int:
        """Days between refits of the parametric models."""
        return max(1, round(self.horizon / 4))

    @property
    def example_days(self) -> int:
        """Days between a customer's examples: the step of their phase grid."""
        return max(1, round(4 * self.horizon / 13))


class Refused(msgspec.Struct, frozen=True):
    """A snapshot that was not let out, and why; the running one stays."""

    at: int
    reason: str
    snapshot: Snapshot


class _State(msgspec.Struct):
    format: int
    config: Config
    sightings: list[Sighting]
    below: int
    fresh: list[Example]
    fitted: Fitted
    refitted: int
    running: Snapshot


class Trainer:
    """Absorbs what the monitor emits and trains at given instants; everything follows from its inputs."""

    def __init__(self, config: Config, state: bytes | None = None) -> None:
        """Start anew, or from what `dump` gave. Raises ValueError if the state is not of this version."""
        self.config = config
        if state is None:
            loaded = _State(
                STATE, config, [], default_snapshot().sample_below, [], Fitted(), 0, default_snapshot()
            )
        else:
            loaded = msgspec.msgpack.decode(state, type=_State)
        if loaded.format != STATE:
            message = f"trainer state has format {loaded.format}, this version reads {STATE}"
            raise ValueError(message)
        self._sample = Sample(loaded.sightings, loaded.below)
        self._fresh = loaded.fresh
        self._fitted = loaded.fitted
        self._refitted = loaded.refitted
        self.running = loaded.running

    def dump(self) -> bytes:
        """Everything that later snapshots depend on, as msgpack."""
        return msgspec.msgpack.encode(
            _State(
                STATE,
                self.config,
                self._sample.sightings(),
                self._sample.below,
                self._fresh,
                self._fitted,
                self._refitted,
                self.running,
            )
        )

    def absorb(self, inputs: Iterable[Example | Sighting]) -> None:
        """Take in the inputs of one tick, sorted by (customer, id)."""
        for item in inputs:
            if isinstance(item, Sighting):
                self._sample.see(item)
            elif item.label is None and item.active:
                self._fresh.append(item)
        del self._fresh[:-FRESH]

    def train(self, at: int) -> Snapshot | Refused | None:
        """A new snapshot as of the midnight `at` (µs), or why it was refused; None while nothing is known."""
        today = today_of(at)
        if not self._refitted or today - self._refitted >= self.config.refit_days:
            fitted = self._sample.fit(today, self._fitted)
            if fitted is not self._fitted:
                self._fitted, self._refitted = fitted, today
        if not self._fitted.customers:
            return None
        made = self._snapshot(at)
        if not is_finite(made):
            return Refused(at, "not finite", made)
        self.running = made
        return made

    def _snapshot(self, at: int) -> Snapshot:
        fitted = self._fitted
        bare = Snapshot(
            at=at,
            trained_on=Trained(0, fitted.customers),
            prior=fitted.prior,
            rhythm=fitted.rhythm,
            population=fitted.population,
            sample_below=self._sample.below,
        )
        rows: Sequence[Example] = self._fresh
        if not rows:
            return sealed(bare)
        parts = design(features_of(list(rows)), bare)
        return sealed(
            msgspec.structs.replace(
                bare,
                mean_silence=float(np.mean(parts.silence)) / MICRO,
                mean_frequency=float(np.mean(parts.frequency)) / MICRO,
            )
        )
