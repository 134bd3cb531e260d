"""The journal on Kafka as its monitors took it: partition by partition, what no monitor could take left out."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

from streamproc.adapters.kafka.letters import KILLED
from streamproc.adapters.kafka.reading import Reader, Span, Topics, header
from streamproc.adapters.kafka.tools import ClusterError
from streamproc.adapters.kafka.transactions import Record
from streamproc.core.control import JournalRecord, ModelSnapshot, Setup, Tick
from streamproc.core.ids import partition_of
from streamproc.wire import journal

Place = tuple[int, int]
"""A partition of the journal, and an offset in it."""

Placed = tuple[int, JournalRecord]
"""A record of the journal with its offset."""

LAST_LOOK = 256
"""Offsets from the end in which a tick is looked for first."""


class Seen(NamedTuple):
    """A record of the journal as it came: `read` None where it cannot be read."""

    partition: int
    offset: int
    body: bytes
    read: JournalRecord | None


class Journal:
    """The journal's partitions as they are now. Errors are kafka-python's, and ClusterError where it is not whole."""

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self.topic = topics.names.journal
        self.spans = topics.spans(self.topic)
        cut = [number for number, span in self.spans.items() if span.begin]
        if cut:
            raise ClusterError(
                f"{self.topic}: the beginning of partition {', '.join(map(str, cut))} was deleted; without it nothing "
                "can be told. `streamproc topics check` says what keeps it"
            )
        self._killed: set[Place] | None = None
        self._clock: int | None = None

    def reader(self, *numbers: int) -> Reader:
        """Reads these partitions, or all."""
        return self._topics.between(self.topic, {n: self.spans[n] for n in numbers or self.spans})

    def records(self, reader: Reader, number: int, customer_id: str | None = None) -> Iterator[Placed]:
        """The partition's records: all, or one customer's and those for everybody.

        What the monitor could not take, for it could not be read or ended the process, is left out.
        """
        return ((record.offset, read) for record, read in self._taken(reader, number, customer_id))

    def bodies(self, reader: Reader, number: int) -> Iterator[bytes]:
        """The same records byte for byte, all of the partition's."""
        return (record.value or b"" for record, _ in self._taken(reader, number, None))

    def _taken(self, reader: Reader, number: int, customer_id: str | None) -> Iterator[tuple[Record, JournalRecord]]:
        key = None if customer_id is None else customer_id.encode()
        for record in reader.records(number):
            if key is not None and record.key is not None and record.key != key:
                continue
            read = journal.decode(record.value or b"")
            if not isinstance(read, journal.DecodeFailure) and (number, record.offset) not in self._killers():
                yield record, read

    def of_customer(self, customer_id: str) -> Iterator[Placed]:
        """One customer's records and those for everybody, in order."""
        number = partition_of(customer_id, len(self.spans))
        return self.records(self.reader(number), number, customer_id)

    def news(self, numbers: Iterable[int], customer_id: str | None = None) -> Iterator[Seen]:
        """What is committed to these partitions from now on, of one customer or all of it; it never ends."""
        key = None if customer_id is None else customer_id.encode()
        for number, record in self._topics.follow(self.topic, {n: self.spans[n].end for n in numbers}):
            if key is None or record.key == key:
                body = record.value or b""
                read = journal.decode(body)
                yield Seen(number, record.offset, body, None if isinstance(read, journal.DecodeFailure) else read)

    def setup(self) -> Setup | None:
        """The journal's set-up, None where nothing was written yet."""
        first = next(self.records(self.reader(0), 0), None)
        return first[1] if first is not None and isinstance(first[1], Setup) else None

    def clock(self) -> int:
        """The last tick (µs) before the ends that were found at the beginning, 0 where there is none."""
        if self._clock is None:
            self._clock = self._last_tick()
        return self._clock

    def _last_tick(self) -> int:
        span, look = self.spans[0], LAST_LOOK
        while True:
            begin = max(span.begin, span.end - look)
            reader = self._topics.between(self.topic, {0: Span(begin, span.end)})
            ticks = [record.at for _, record in self.records(reader, 0) if isinstance(record, Tick)]
            if ticks or begin == span.begin:
                return max(ticks, default=0)
            look *= 8

    def models(self) -> Iterator[tuple[int, ModelSnapshot]]:
        """The snapshots that came into force, with their offsets in the first partition."""
        for offset, record in self.records(self.reader(0), 0):
            if isinstance(record, ModelSnapshot):
                yield offset, record

    def _killers(self) -> set[Place]:
        """The records that ended the monitor's process itself: they went to the dead letters, and were not applied."""
        if self._killed is None:
            self._killed = {
                (_number(letter.headers, "partition"), _number(letter.headers, "offset"))
                for letter in self._topics.read(self._topics.names.dead_letters, [0]).records(0)
                if header(letter.headers, "__streams.errors.topic") == self.topic
                and header(letter.headers, "__streams.errors.exception") == KILLED
            }
        return self._killed


def _number(headers: Sequence[tuple[str, bytes]], name: str) -> int:
    return int(header(headers, f"__streams.errors.{name}"))
