"""What the metrics are made of: figures as a runtime reads them at one scrape. Each part may be missing."""

from collections.abc import Mapping
from typing import NamedTuple

from streamproc.core.durations import Durations

Counts = Mapping[tuple[str, str], int]
"""What was counted, by name and label."""


class Time(NamedTuple):
    """How far time is; `clock`, `read`, `now` in µs, 0: nothing yet. `wall`: time follows the wall."""

    clock: int
    read: int
    now: int
    wall: bool


class Base(NamedTuple):
    """The customers as of their last looks; money in units of the currency.

    `lost` by grade and partition, for ever; `losses` of 24 months by cause, grade and segment; `perceived` and
    `expected` are points.
    """

    currency: str
    stages: Mapping[str, int]
    grades: Mapping[str, int]
    equity: float
    at_risk: float
    warned: int = 0
    unhappy: int = 0
    lost: Mapping[tuple[str, ...], int] = {}
    losses: Mapping[tuple[str, ...], int] = {}
    perceived: float = 0.0
    expected: float = 0.0
    segments: Mapping[str, int] = {}


class Ruled(NamedTuple):
    """What looks go by: the snapshot (`created` in µs, 0: none was made yet) and the policy."""

    snapshot: str
    speaks: str
    created: int
    policy: str
    digest: str


class Model(NamedTuple):
    """Figures of one model over the newest judged examples."""

    log_loss: float
    auc: float
    brier: float
    calibration_error: float


class Judged(NamedTuple):
    """How models stand on the newest judged examples: ours, and the challenger's beside it."""

    examples: int
    base_rate: float
    models: Mapping[str, Model]
    drifts: Mapping[str, int]
    refused: int


class AtDesk(NamedTuple):
    """What the desk has open: complaints by category, alerts by kind and severity."""

    complaints: Mapping[str, int]
    alerts: Mapping[tuple[str, ...], int]


class Kept(NamedTuple):
    """What a data folder holds. Sizes in bytes, those of states and journal from a sample where there are many."""

    dead_letters: int
    open_warnings: Mapping[str, int]
    customers: int
    due: int
    journal: int
    files: Mapping[str, int]
    disk_free: int
    disk: int
    state_bytes: int
    journal_bytes: int


class Seen(NamedTuple):
    """All that is read at one scrape of a run. `waiting` is the inbox's depth, `newest` by feed in µs."""

    counts: Counts
    time: Time
    waiting: int
    newest: Mapping[str, int] = {}
    batches: Mapping[str, Durations] = {}
    transactions: Mapping[str, Durations] = {}
    kept: Kept | None = None
    base: Base | None = None
    ruled: Ruled | None = None
    judged: Judged | None = None
    desk: AtDesk | None = None
