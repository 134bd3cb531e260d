"""The trainer on Kafka: examples of all partitions in, a snapshot into every partition of the journal.

The rule kept here: a tick's inputs are absorbed once every partition is through with its day, sorted by customer, ticks
in order of time: so it does not matter how the partitions' messages were mixed.
"""

import logging
from collections.abc import Iterator, Sequence
from typing import Literal

import msgspec

from streamproc.adapters.kafka.changelog import ChangelogError
from streamproc.adapters.kafka.letters import KILLED, UNREADABLE, letter
from streamproc.adapters.kafka.messages import (
    PINNED,
    ExamplesPart,
    ForTrainer,
    LetGo,
    ModelChosen,
    PastForTrainer,
    encode,
    for_trainer,
)
from streamproc.adapters.kafka.names import Names
from streamproc.adapters.kafka.transactions import Output, Record, Writes
from streamproc.core.control import ModelSnapshot
from streamproc.core.time import day_of, to_text
from streamproc.core.turns import Turns
from streamproc.monitor.counts import Counts
from streamproc.scoring.snapshot import Snapshot
from streamproc.trainer.state import Config, without
from streamproc.trainer.trainer import Refused, Trainer
from streamproc.wire import journal

CHUNK = 500_000
"""Bytes of the trainer's state in one changelog record: a message has at most a megabyte."""

TRAININGS = 4
"""Most in one step: of a whole past hundreds may be due at once, and the process's open transactions wait meanwhile."""

Reason = Literal["trained", "pinned", "rolled_back"]

_CHUNK, _INPUT, _ABSORBED, _REFUSAL = b"t", b"i", b"a", b"r"

log = logging.getLogger(__name__)


class TrainerProcessor:
    """The trainer behind the one partition of the examples; what it cannot read is counted in `counts`."""

    def __init__(self, names: Names, partitions: int, config: Config, counts: Counts | None = None) -> None:
        self._counts = Counts() if counts is None else counts
        self._names = names
        self._partitions = partitions
        self._config = config
        self._chunks: dict[int, bytes] = {}
        self._inputs: dict[int, tuple[int, bytes]] = {}  # by offset, with their tick: all since the state was kept
        self._ticks: dict[int, list[ForTrainer]] = {}  # not absorbed yet
        self._midnights: set[int] = set()  # told by some partition, not absorbed yet
        self._through: dict[int, int] = {}  # by partition: the last midnight it is through with
        self._absorbed = 0
        self._past = 0  # up to here (µs) the journal was imported, with its snapshots
        self._trainer: Trainer | None = None
        self.refusal = ""
        """Why the newest snapshot was refused, empty where it was not."""
        self.pinned = ""
        """The id of the model that stays in force whatever is learned, empty without one."""

    def restore(self, key: bytes, value: bytes) -> None:
        """Takes back a piece of the trainer's state, an input since, how far these are absorbed, a refusal, a pin."""
        kind, number = key[:1], int(key[1:] or b"0")
        if kind == _REFUSAL:
            self.refusal = value.decode()
        elif kind == PINNED:
            self.pinned = value.decode()
        elif kind == _CHUNK:
            self._chunks[number] = value
        elif kind == _INPUT:
            self._inputs[number] = (0, value)
        elif kind == _ABSORBED:
            self._absorbed = int(value)
        else:
            raise ChangelogError(f"the trainer's changelog has {key!r}: a newer version wrote it; upgrade streamproc")

    @property
    def trainer(self) -> Trainer:
        """The trainer, as it was left: its kept state, and all inputs since."""
        if self._trainer is None:
            state = b"".join(self._chunks[n] for n in sorted(self._chunks)) or None
            self._trainer = Trainer(self._config, state)
            kept, self._inputs = self._inputs, {}
            for offset in sorted(kept):
                self._take(offset, kept[offset][1])
            self._absorb(self._trainer, self._absorbed)
        return self._trainer

    def process(self, records: Sequence[Record]) -> Turns[Writes]:
        """Takes messages in, and goes on as far as it may."""
        trainer = self.trainer  # first of all: it takes back what was there
        outputs: list[Output] = []
        changes: dict[bytes, bytes | None] = {}
        for record in records:
            yield
            body = record.value or b""
            try:
                message = for_trainer(body)
            except msgspec.DecodeError as error:  # a command line of another version
                self._counts["refused", UNREADABLE] += 1
                outputs.append(letter(self._names.dead_letters, record, self._place, UNREADABLE, detail=str(error)))
                continue
            if isinstance(message, LetGo):
                trainer = self._let_go(trainer, message.customer_id, changes)
            elif isinstance(message, ModelChosen):
                outputs += self._choose(message)
            else:
                changes[_input(record.offset)] = body
                self._take(record.offset, body)
        return self._go_on(trainer, outputs, changes)

    def poison(self, record: Record) -> Writes:
        """The record goes to the dead letters unread."""
        self._counts["refused", KILLED] += 1
        return Writes([letter(self._names.dead_letters, record, self._place, KILLED)], [])

    @property
    def _place(self) -> tuple[str, int]:
        return self._names.examples, 0

    def wake(self, now: float, *, caught_up: bool) -> Writes | None:  # noqa: ARG002 - the door's
        """Goes on with what is complete already."""
        trainer = self.trainer
        return None if self._complete() is None else self._go_on(trainer, [], {})

    def _go_on(self, trainer: Trainer, outputs: list[Output], changes: dict[bytes, bytes | None]) -> Writes:
        """Absorbs what is complete, and trains where training days are, as often as is fair to others."""
        trained = 0
        while trained < TRAININGS and (midnight := self._complete()) is not None:
            self._absorb(trainer, midnight)
            if day_of(midnight) % self._config.training_days == 0:
                outputs += self._train(trainer, midnight)
                changes.update(self._kept(trainer, midnight))
                changes[_REFUSAL] = self.refusal.encode() or None
                trained += 1
        changes[_ABSORBED] = str(self._absorbed).encode()
        changes[PINNED] = self.pinned.encode()
        return Writes(outputs, list(changes.items()))

    def _take(self, offset: int, body: bytes) -> None:
        message = for_trainer(body)
        assert not isinstance(message, LetGo | ModelChosen)
        self._inputs[offset] = (message.at, body)
        if isinstance(message, ExamplesPart):
            self._ticks.setdefault(message.at, []).extend(message.items)
        elif isinstance(message, PastForTrainer):
            self._past = message.at
        else:
            self._through[message.partition] = message.at
            if message.at > self._absorbed:
                self._midnights.add(message.at)

    def _let_go(self, trainer: Trainer, customer_id: str, changes: dict[bytes, bytes | None]) -> Trainer:
        """The trainer without a row of the customer; what was told since its state was kept is told without them."""
        customers = frozenset((customer_id,))
        self._trainer = Trainer(self._config, without(trainer.dump(), self._config, customers))
        changes.update(self._kept(self._trainer, self._absorbed))
        for items in self._ticks.values():
            items[:] = [item for item in items if item.customer_id not in customers]
        for offset, (at, body) in self._inputs.items():
            message = for_trainer(body)
            if isinstance(message, ExamplesPart) and any(item.customer_id in customers for item in message.items):
                left = [item for item in message.items if item.customer_id not in customers]
                self._inputs[offset] = (at, encode(msgspec.structs.replace(message, items=left)))
                changes[_input(offset)] = self._inputs[offset][1]
        return self._trainer

    def _complete(self) -> int | None:
        """The first midnight not absorbed that every partition is through with."""
        first = min(self._midnights, default=None)
        if first is None or len(self._through) < self._partitions or min(self._through.values()) < first:
            return None
        return first

    def _absorb(self, trainer: Trainer, midnight: int) -> None:
        for at in sorted(at for at in self._ticks if at <= midnight):
            trainer.absorb(sorted(self._ticks.pop(at), key=lambda item: item.customer_id))
        self._midnights.discard(midnight)
        self._absorbed = midnight

    def _train(self, trainer: Trainer, midnight: int) -> Iterator[Output]:
        made = trainer.train(midnight)
        if midnight <= self._past:  # what came of it is in the journal already
            return
        self.refusal = made.reason if isinstance(made, Refused) else ""
        if isinstance(made, Snapshot):
            if not self.pinned:
                yield from self._in_force(midnight, made, "trained")
        elif made is not None:
            log.warning("the snapshot of %s is refused, the last good one stays: %s", to_text(midnight), made.reason)

    def _choose(self, message: ModelChosen) -> Iterator[Output]:
        """What is learned while a model is pinned is not told; the trainer goes on learning.

        Who rolls back while another pins has not seen the pin: it stays.
        """
        if self.pinned and message.snapshot is not None and not message.pinned:
            log.warning("a rollback to %s is not done: %s is pinned", message.snapshot.id, self.pinned)
            return
        self.pinned = ""
        if message.snapshot is not None:
            self.pinned = message.snapshot.id if message.pinned else ""
            yield from self._in_force(message.at, message.snapshot, "pinned" if message.pinned else "rolled_back")

    def _in_force(self, at: int, snapshot: Snapshot, reason: Reason) -> Iterator[Output]:
        raw = msgspec.Raw(msgspec.json.encode(snapshot))
        body = journal.encode(ModelSnapshot(at=at, snapshot=raw, reason=reason))
        return (Output(self._names.journal, number, None, body) for number in range(self._partitions))

    def _kept(self, trainer: Trainer, midnight: int) -> Iterator[tuple[bytes, bytes | None]]:
        """The state as it is now, and no input any more that is in it."""
        state = trainer.dump()
        fresh = {n: state[at : at + CHUNK] for n, at in enumerate(range(0, len(state), CHUNK))}
        for number in self._chunks.keys() | fresh.keys():
            yield _CHUNK + str(number).encode(), fresh.get(number)
        self._chunks = fresh
        for offset in [offset for offset, (at, _) in self._inputs.items() if at <= midnight]:
            del self._inputs[offset]
            yield _input(offset), None


def _input(offset: int) -> bytes:
    return _INPUT + str(offset).encode()
