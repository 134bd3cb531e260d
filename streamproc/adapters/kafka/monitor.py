"""The monitor on Kafka: one journal partition in, what it finds out; states in the changelog."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import islice
from typing import NamedTuple, TypeVar, get_args

import msgspec

from streamproc.adapters.kafka.letters import KILLED, NOT_FINITE, UNREADABLE, letter, of_effect
from streamproc.adapters.kafka.messages import (
    IMPORTED,
    PART,
    DayDone,
    ExamplesPart,
    ForTrainer,
    LetGo,
    TickDone,
    TickPart,
    WorkLeft,
    encode,
)
from streamproc.adapters.kafka.names import Names
from streamproc.adapters.kafka.transactions import Output, Record, Writes
from streamproc.core.control import JournalRecord, ModelSnapshot, Tick
from streamproc.core.events import CustomerEvent
from streamproc.core.ids import partition_of
from streamproc.core.time import DAY
from streamproc.core.turns import Turns
from streamproc.monitor.counts import Counts, tally
from streamproc.monitor.effects import DeadLettered, Effect, ForDesk, Forgotten, ToJournal
from streamproc.monitor.memory import MemoryStates
from streamproc.monitor.partition import Meta, Partition
from streamproc.scoring.snapshot import is_finite, read_snapshot
from streamproc.wire import journal

META, _STATE, _WAITING = b"m", b"s", b"w"
_NEVER = 0
_FOR_DESK, _FOR_TRAINER = frozenset(get_args(ForDesk)), frozenset(get_args(ForTrainer))
T = TypeVar("T")
_WAITING_EVENTS = msgspec.msgpack.Decoder(list[CustomerEvent])


class KeptStates(MemoryStates):
    """States in memory that know which of them changed; as the changelog keeps them: when due (8 bytes), state."""

    def __init__(self) -> None:
        super().__init__()
        self._changed: dict[str, int | None] = {}

    def put(self, customer_id: str, body: bytes, due: int | None) -> None:
        """Keeps a state; `due` None: nothing will happen by itself."""
        super().put(customer_id, body, due)
        self._changed[customer_id] = due

    def drop(self, customer_id: str) -> None:
        """Keeps nothing of the customer."""
        super().drop(customer_id)
        self._changed[customer_id] = None

    def restore(self, customer_id: str, kept: bytes) -> None:
        """Takes a state back."""
        super().put(customer_id, kept[8:], int.from_bytes(kept[:8], "big") or None)

    def changes(self) -> Iterator[tuple[bytes, bytes | None]]:
        """What was put or dropped since the last call, for the changelog."""
        for customer_id, due in self._changed.items():
            body = self.bodies.get(customer_id)
            kept = None if body is None else (due or _NEVER).to_bytes(8, "big") + body
            yield _STATE + customer_id.encode(), kept
        self._changed.clear()


class Kept(NamedTuple):
    """Customers, the bytes of their states, and how many are due and were not looked at yet."""

    customers: int
    size: int
    due: int


class MonitorProcessor:
    """The monitor of journal partition `number` of `partitions`; what happens is counted in `counts`."""

    def __init__(self, number: int, names: Names, partitions: int, counts: Counts | None = None) -> None:
        self._number = number
        self._names = names
        self._partitions = partitions
        self._states = KeptStates()
        self._meta: Meta | None = None
        self._waiting: list[CustomerEvent] = []
        self._partition: Partition | None = None
        self._told_due = False
        self._counts = Counts() if counts is None else counts

    def restore(self, key: bytes, value: bytes) -> None:
        """Takes back a state, events that wait, or what the partition remembers beside its customers."""
        kind, customer_id = key[:1], key[1:].decode()
        if kind == _STATE:
            self._states.restore(customer_id, value)
        elif kind == _WAITING:
            self._waiting += _WAITING_EVENTS.decode(value)
        else:
            self._meta = msgspec.msgpack.decode(value, type=Meta)

    def kept(self) -> Kept:
        """What is kept just now; it looks at every customer."""
        clock = self.partition.meta.clock
        return Kept(len(self._states.bodies), sum(map(len, self._states.bodies.values())), self._states.overdue(clock))

    @property
    def partition(self) -> Partition:
        """The partition's monitor, as it was left."""
        if self._partition is None:
            self._partition = Partition(self._number, self._states, self._meta)
            self._partition.resume_waiting(self._waiting)
            self._waiting.clear()
        return self._partition

    def process(self, records: Sequence[Record]) -> Turns[Writes]:
        """Applies the journal's next records."""
        outputs: list[Output] = []
        for record in records:
            yield
            read = journal.decode(record.value or b"")
            if isinstance(read, journal.DecodeFailure):
                self._counts["refused", UNREADABLE] += 1
                outputs.append(letter(self._names.dead_letters, record, self._place, UNREADABLE, detail=read.why))
            elif isinstance(read, Tick):
                outputs += self._told(record, read, (yield from self.partition.tick(read)))
            else:
                outputs += self._told(record, read, self.partition.apply(read))
        due = self.partition.next_work()
        left = due is not None and due <= self.partition.meta.clock
        if left and not self._told_due:
            outputs.append(self._desk(WorkLeft(partition=self._number)))
        self._told_due = left
        return Writes(outputs, list(self._changes()))

    def poison(self, record: Record) -> Writes:
        """The record goes to the dead letters; the journal goes on behind it."""
        self._counts["refused", KILLED] += 1
        return Writes([letter(self._names.dead_letters, record, self._place, KILLED)], [])

    def wake(self, now: float, *, caught_up: bool) -> None:
        """Nothing: only ticks move time here."""

    @property
    def _place(self) -> tuple[str, int]:
        return self._names.journal, self._number

    def _told(self, record: Record, read: JournalRecord, effects: list[Effect]) -> Iterator[Output]:
        """What came of a record, for others."""
        for effect in effects:
            tally(self._counts, effect)
            if isinstance(effect, Forgotten):
                yield self._desk(LetGo(customer_id=effect.customer_id))
                yield self._trainer(LetGo(customer_id=effect.customer_id))
            elif isinstance(effect, DeadLettered):
                yield of_effect(self._names.dead_letters, record, self._place, effect)
            elif isinstance(effect, ToJournal) and not any(name == IMPORTED for name, _ in record.headers):
                yield self._to_journal(effect.record)
        if isinstance(read, ModelSnapshot) and not self._number and not is_finite(read_snapshot(read.snapshot)):
            self._counts["refused", NOT_FINITE] += 1
            yield letter(
                self._names.dead_letters,
                record,
                self._place,
                NOT_FINITE,
                detail="a snapshot that cannot be scored with: the last good one stays",
            )
        if isinstance(read, Tick):
            self._told_due = False  # whoever is due from here on is due at the next
            yield from self._end_of_tick(read.at, effects)

    def _end_of_tick(self, at: int, effects: list[Effect]) -> Iterator[Output]:
        found: list[ForDesk] = [e for e in effects if type(e) in _FOR_DESK]  # type: ignore[misc]
        for some in _parts(found):
            yield self._desk(TickPart(partition=self._number, at=at, effects=some))
        yield self._desk(TickDone(partition=self._number, at=at))
        seen: list[ForTrainer] = [e for e in effects if type(e) in _FOR_TRAINER]  # type: ignore[misc]
        for items in _parts(seen):
            yield self._trainer(ExamplesPart(partition=self._number, at=at, items=items))
        if at % DAY == 0:
            yield self._trainer(DayDone(partition=self._number, at=at))

    def _desk(self, message: TickPart | TickDone | WorkLeft | LetGo) -> Output:
        return Output(self._names.desk_inbox, 0, None, encode(message))

    def _trainer(self, message: ExamplesPart | DayDone | LetGo) -> Output:
        return Output(self._names.examples, 0, None, encode(message))

    def _to_journal(self, record: JournalRecord) -> Output:
        customer_id = str(getattr(record, "customer_id"))  # noqa: B009 - what is for a customer names one
        number = partition_of(customer_id, self._partitions)
        return Output(self._names.journal, number, customer_id.encode(), journal.encode(record))

    def _changes(self) -> Iterator[tuple[bytes, bytes | None]]:
        yield from self._states.changes()
        for customer_id, events in self.partition.waiting_changes().items():
            yield _WAITING + customer_id.encode(), msgspec.msgpack.encode(events) if events else None
        yield META, msgspec.msgpack.encode(self.partition.meta)


def _parts(items: Iterable[T]) -> Iterator[list[T]]:
    left = iter(items)
    while part := list(islice(left, PART)):
        yield part
