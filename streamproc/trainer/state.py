"""What a trainer carries from run to run: numbers and bounded rows, never an object of a library."""

import msgspec
import numpy as np

from streamproc.core.control import Setup
from streamproc.core.time import DAY
from streamproc.scoring.examples import LABELS_WAITING, Example, Sighting, example_step
from streamproc.scoring.snapshot import EVERYBODY, Snapshot, default_snapshot
from streamproc.trainer.learner import CorrectingLogistic
from streamproc.trainer.pair import BELIEF
from streamproc.trainer.sample import Fitted

FORMAT = 1


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
        return example_step(round(self.horizon), round(self.lateness * DAY))

    @property
    def label_days(self) -> int:
        """Days from an example to its label, at the most."""
        return LABELS_WAITING * self.example_days


def config_of(setup: Setup) -> Config:
    """What the trainer must know of a journal's set-up."""
    return Config(horizon=float(setup.horizon_days), lateness=setup.lateness / DAY)


class Means(msgspec.Struct, frozen=True):
    """The terms of an average active customer as of `at`: what rows of that time are centred by."""

    at: int
    terms: tuple[float, ...]


class Learned(msgspec.Struct, frozen=True):
    """The learner's numbers: names and means of the weights, their precision matrix row by row."""

    names: tuple[str, ...] = ()
    means: tuple[float, ...] = ()
    precision: tuple[float, ...] = ()


class State(msgspec.Struct, kw_only=True):
    """Everything that later snapshots depend on."""

    format: int = FORMAT
    config: Config
    sightings: list[Sighting] = []
    sample_below: int = EVERYBODY
    fresh: list[Example] = []
    batch: list[Example] = []
    ring: list[Example] = []
    means: list[Means] = []
    learned: Learned = Learned()
    free: Learned = Learned()
    belief: tuple[float, ...] = BELIEF
    examples: int = 0
    fitted: Fitted = Fitted()
    refitted: int | None = None
    running: Snapshot = default_snapshot()
    refused: int = 0


class StateError(ValueError):
    """State that this version of the trainer cannot go on from."""


def encode(state: State) -> bytes:
    """The state as msgpack."""
    return msgspec.msgpack.encode(state)


def decode(data: bytes, config: Config) -> State:
    """The state in `data`. Raises StateError if it is of another format or made for another config."""
    try:
        state = msgspec.msgpack.decode(data, type=State)
    except msgspec.MsgspecError as error:
        raise StateError(f"the trainer's state cannot be read: {error}") from error
    if state.format != FORMAT:
        raise StateError(f"the trainer's state has format {state.format}, this version reads {FORMAT}")
    if state.config != config:
        raise StateError(f"the trainer's state was made for {state.config}, not for {config}")
    return state


def without(data: bytes, config: Config, customers: frozenset[str]) -> bytes:
    """An encoded state with no row of these customers in it; what was learned of them stays, as numbers of all.

    Raises StateError as `decode`.
    """
    state = decode(data, config)
    state.sightings = [row for row in state.sightings if row.customer_id not in customers]
    for rows in (state.fresh, state.batch, state.ring):
        rows[:] = [row for row in rows if row.customer_id not in customers]
    return encode(state)


def numbers_of(learner: CorrectingLogistic) -> Learned:
    """The learner's numbers, to be stored."""
    names, means, precision = learner.posterior()
    return Learned(names, tuple(means.tolist()), tuple(precision.ravel().tolist()))


def give_numbers(learner: CorrectingLogistic, learned: Learned) -> None:
    """Let the learner go on from stored numbers."""
    if learned.names:
        size = len(learned.names)
        learner.set_posterior(learned.names, np.array(learned.means), np.array(learned.precision).reshape(size, size))
