"""Intake on Kafka: one partition of the firm's topics in, journal records and dead letters out.

What depends on the wall clock or on the place of a record is decided here, once, and written down.
"""

from collections.abc import Callable, Sequence

from msgspec import Struct, msgpack

from streamproc.adapters.kafka.clock import SIGN_OF_LIFE, due_by
from streamproc.adapters.kafka.letters import KILLED, letter, of_refusal
from streamproc.adapters.kafka.messages import SourceRead, encode
from streamproc.adapters.kafka.names import Names
from streamproc.adapters.kafka.transactions import Output, Record, Writes
from streamproc.core.events import FirmFact, Purchase
from streamproc.core.ids import partition_of
from streamproc.core.time import SECOND
from streamproc.core.turns import Turns
from streamproc.intake.intake import Intake
from streamproc.intake.journal import JournalEvent
from streamproc.intake.refusal import Position, Refusal
from streamproc.monitor.counts import Counts, stream_of
from streamproc.wire import journal

STATE = b"read"
_CLOUD_EVENT_ID = "ce_id"
_CLOUD_EVENT_SOURCE = "ce_source"
SOURCE_CHARACTERS = 128
"""Kept of what an event says that it came from."""


class Read(Struct):
    """How far one partition is read, as `SourceRead` tells it; `midst` is the median time (µs) of the last batch."""

    read: int = 0
    caught_up: bool = False
    purchases: bool = False
    told: bool = False
    midst: int = 0


class IntakeProcessor:
    """The intake of one (topic, partition). `now` gives the wall clock in µs: no event may lie far ahead of it.

    What is taken and what is refused is counted in `counts`.
    """

    def __init__(
        self,
        place: tuple[str, int],
        names: Names,
        partitions: int,
        intake: Intake,
        now: Callable[[], int],
        counts: Counts | None = None,
    ) -> None:
        self._place = place
        self.source = f"{place[0]}/{place[1]}"
        self._names = names
        self._partitions = partitions
        self._intake = intake
        self._now = now
        self._counts = Counts() if counts is None else counts
        self._state = Read()
        self._spoke = 0.0

    @property
    def place_in_time(self) -> int:
        """About where it is read (µs), 0 before any event: one dated far ahead of its neighbours does not move it."""
        return self._state.midst or self._state.read

    def restore(self, key: bytes, value: bytes) -> None:
        """Takes back how far was read; whether there is more shows anew."""
        assert key == STATE
        self._state = msgpack.decode(value, type=Read)
        self._state.told = self._state.caught_up = False

    def process(self, records: Sequence[Record]) -> Turns[Writes]:
        """Each record into the journal's partition of its customer, or to the dead letters."""
        now, outputs, times = self._now(), list[Output](), list[int]()
        for record in records:
            yield
            event = self._taken(record, now)
            if isinstance(event, Refusal):
                self._counts["refused", event.reason] += 1
                outputs.append(of_refusal(self._names.dead_letters, record, self._place, event))
            elif event is not None:
                self._counts["events", stream_of(event)] += 1
                outputs += self._appended(event)
                times.append(event.at)
                self._state.purchases = self._state.purchases or isinstance(event, Purchase)
        self._state.read = max([self._state.read, *times])
        self._state.midst = sorted(times)[len(times) // 2] if times else self._state.midst
        return self._told(outputs, due_by(times))

    def poison(self, record: Record) -> Writes:
        """The record goes to the dead letters unread."""
        self._counts["refused", KILLED] += 1
        return Writes([letter(self._names.dead_letters, record, self._place, KILLED)], [])

    def wake(self, now: float, *, caught_up: bool) -> Writes | None:
        """Tells the desk where nothing more is there to be read, so that time need not wait for this partition."""
        state = self._state
        if state.told and state.caught_up == caught_up and now - self._spoke < SIGN_OF_LIFE:
            return None
        state.caught_up = caught_up
        return self._told([], [])

    def _taken(self, record: Record, now: int) -> JournalEvent | Refusal | None:
        if record.value is None:
            return Refusal("not_json", "", "no value: a tombstone")
        headers = dict(record.headers)
        source = headers.get(_CLOUD_EVENT_SOURCE, b"").decode("utf-8", "replace")[:SOURCE_CHARACTERS]
        position = Position(source or self.source, record.offset + 1)
        named = headers.get(_CLOUD_EVENT_ID, b"").decode("utf-8", "replace")
        return self._intake.take(record.value, position, now, key=named or f"{self.source}/{record.offset}")

    def _appended(self, event: JournalEvent) -> list[Output]:
        body, topic = journal.encode(event), self._names.journal
        if isinstance(event, FirmFact):
            return [Output(topic, number, None, body) for number in range(self._partitions)]
        number = partition_of(event.customer_id, self._partitions)
        return [Output(topic, number, event.customer_id.encode(), body)]

    def _told(self, outputs: list[Output], due: list[int]) -> Writes:
        state = self._state
        state.told = True
        self._spoke = self._now() / SECOND
        news = SourceRead(
            source=self.source, read=state.read, due=due,
            caught_up=state.caught_up, purchases=state.purchases,
        )  # fmt: skip
        outputs.append(Output(self._names.desk_inbox, 0, None, encode(news)))
        return Writes(outputs, [(STATE, msgpack.encode(state))])
