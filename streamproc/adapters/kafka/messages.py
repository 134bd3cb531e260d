"""What the processors tell each other beside the journal: JSON, told apart by `type`."""

import msgspec
from msgspec import Struct

from streamproc.core.policy import Policy
from streamproc.monitor.effects import ForDesk
from streamproc.scoring.examples import Example, Sighting
from streamproc.scoring.snapshot import Snapshot

IMPORTED = "streamproc.imported"
"""The header of journal records that come from another journal: their number there, as text.

What was answered to them, forwarded and handed over, comes behind them, numbered too.
"""

PART = 200
"""Most effects or examples in one message: a message has at most a megabyte, and a tick may bring thousands."""

PINNED = b"p"
"""Where the trainer's changelog has the pinned model's id, empty without one; written with every batch."""

ForTrainer = Example | Sighting


class SourceRead(Struct, frozen=True, kw_only=True, tag="source_read"):
    """Intake has read on in one partition of the firm's topics.

    `read` (µs) is the largest event time it ever had, 0 for none; `due` are instants (µs) by which ticks are to pass
    what was appended just now. `caught_up`: nothing more is there to be read. `purchases`: it ever brought a purchase.
    """

    source: str
    read: int
    due: list[int]
    caught_up: bool
    purchases: bool


class TickPart(Struct, frozen=True, kw_only=True, tag="tick_part"):
    """Some of what a journal partition's monitor found at the tick `at` (µs)."""

    partition: int
    at: int
    effects: list[ForDesk]


class TickDone(Struct, frozen=True, kw_only=True, tag="tick_done"):
    """A journal partition is through with the tick `at` (µs): all its parts came before."""

    partition: int
    at: int


class WorkLeft(Struct, frozen=True, kw_only=True, tag="work_left"):
    """A late event or a handover made somebody due at the next tick."""

    partition: int


class PastForDesk(Struct, frozen=True, kw_only=True, tag="past"):
    """The journal begins with an imported past, whose last tick is `clock` (µs; 0: none).

    Its would-warns were answered when it was made; its lines are still to be written to the feed. `live`: after which
    tick (µs) its warnings began to be for people, or to be history. `due` as in SourceRead; `announced` are the grades
    that its ticks carried last, `policy` is the one in force. `bought` is how far (µs) its purchases are known, 0
    where it has none.
    """

    clock: int
    live: list[tuple[int, bool]]
    due: list[int]
    policy: Policy | None
    announced: tuple[int, int, int] | None
    bought: int = 0


class LetGo(Struct, frozen=True, kw_only=True, tag="let_go"):
    """A customer asked to be forgotten: the journal partition has let go of them, and who reads this does the same."""

    customer_id: str


DeskMessage = SourceRead | TickPart | TickDone | WorkLeft | PastForDesk | LetGo


class ExamplesPart(Struct, frozen=True, kw_only=True, tag="examples_part"):
    """Some examples and sightings of the tick `at` (µs) in a journal partition."""

    partition: int
    at: int
    items: list[ForTrainer]


class DayDone(Struct, frozen=True, kw_only=True, tag="day_done"):
    """A journal partition is through with the midnight `at` (µs) and all ticks before it."""

    partition: int
    at: int


class PastForTrainer(Struct, frozen=True, kw_only=True, tag="past"):
    """The journal begins with an imported past up to the tick `at` (µs), and the snapshots made of it."""

    at: int


class ModelChosen(Struct, frozen=True, kw_only=True, tag="model_chosen"):
    """Somebody brings a snapshot into force, when time had come to `at` (µs).

    A `pinned` one stays until another is chosen, or none; any other until the next is made.
    """

    at: int
    snapshot: Snapshot | None
    pinned: bool


TrainerMessage = ExamplesPart | DayDone | PastForTrainer | LetGo | ModelChosen

_ENCODER = msgspec.json.Encoder()
encode = _ENCODER.encode
_DESK: msgspec.json.Decoder[DeskMessage] = msgspec.json.Decoder(DeskMessage)
_TRAINER: msgspec.json.Decoder[TrainerMessage] = msgspec.json.Decoder(TrainerMessage)


def for_desk(body: bytes) -> DeskMessage:
    """The message to the desk. Raises msgspec.DecodeError: only our own processors write these."""
    return _DESK.decode(body)


def for_trainer(body: bytes) -> TrainerMessage:
    """The message to the trainer. Raises msgspec.DecodeError: a command line of another version wrote it."""
    return _TRAINER.decode(body)
