"""Reading topics of the cluster as they stand: committed records only, each partition in order, up to its end by now.

The rule kept here: an end is the last stable offset. What lies behind it may yet be taken back.
"""

import time
from collections import deque
from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, NamedTuple

from kafka import KafkaConsumer, TopicPartition

from streamproc.adapters.kafka.names import Names
from streamproc.adapters.kafka.tools import PATIENCE_MS, ClusterError, cluster_errors
from streamproc.adapters.kafka.transactions import Record
from streamproc.config import KafkaSettings

POLL_MS = 500
FETCH_BYTES = 1 << 20
"""Of one partition at a time; one record may be larger."""

RETRY_MS = 20
"""Each new consumer waits so long at least once: until it knows where its partitions are."""

WHOLE_FETCH = 1 << 30
"""Records given out at once: all that a fetch brought."""

STALL_SECONDS = 90.0
"""How long reading may stand still before its end: longer than any transaction stays open."""


class Span(NamedTuple):
    """What a partition holds: offsets from `begin` up to, but not including, `end`."""

    begin: int
    end: int


class Reader:
    """The records of some partitions of one topic, each in order, up to `spans`' ends. Errors are kafka-python's."""

    def __init__(self, consumer: Any, topic: str, spans: dict[int, Span]) -> None:  # noqa: ANN401 - kafka-python ships no types
        self.spans = spans
        self._consumer = consumer
        self._places = {number: TopicPartition(topic, number) for number in spans}
        self._waiting: dict[int, deque[Record]] = {number: deque() for number in spans}
        self._passed = {number: span.begin for number, span in spans.items()}
        self._fetched: list[TopicPartition] = []

    @property
    def total(self) -> int:
        """Offsets to be read."""
        return sum(span.end - span.begin for span in self.spans.values())

    @property
    def done(self) -> int:
        """Offsets read."""
        return sum(self._passed[number] - span.begin for number, span in self.spans.items())

    def records(self, number: int) -> Iterator[Record]:
        """The partition's records. Partitions may be taken in turns: of each a bounded number waits meanwhile."""
        waiting, end = self._waiting[number], self.spans[number].end
        since = time.monotonic()
        while True:
            while waiting:
                yield waiting.popleft()
                since = time.monotonic()
            before = self._passed[number]
            if before >= end:
                return
            self._fetch()
            if self._passed[number] > before:
                since = time.monotonic()
            elif time.monotonic() - since > STALL_SECONDS:
                raise ClusterError(f"{self._places[number].topic} partition {number} cannot be read beyond {before}")

    def _fetch(self) -> None:
        """Takes in the next fetch of each partition of which nothing waits, and that is not at its end."""
        dry = [self._places[n] for n, some in self._waiting.items() if not some and self._passed[n] < self.spans[n].end]
        if dry != self._fetched:  # to pause the others would leave some paused for ever in this client
            self._consumer.assign(dry)
            for place in dry:
                self._consumer.seek(place, self._passed[place.partition])
            self._fetched = dry
        for place, records in self._consumer.poll(POLL_MS).items():
            end = self.spans[place.partition].end
            self._waiting[place.partition] += [_record(found) for found in records if found.offset < end]
        for place in dry:
            at = self._consumer.position(place)  # beyond marks of transactions, and what was taken back
            self._passed[place.partition] = min(at, self.spans[place.partition].end)


class Topics:
    """The cluster's topics, to be read with what the settings say of it."""

    def __init__(self, settings: KafkaSettings, security: dict[str, object]) -> None:
        self.names = Names(settings.prefix)
        self._settings = settings
        self._security = security
        self._open: list[Any] = []
        self._asking: Any = None

    def consumer(self) -> Any:  # noqa: ANN401 - as above
        """A consumer of committed records, closed with the topics."""
        made = KafkaConsumer(
            bootstrap_servers=self._settings.brokers,
            bootstrap_timeout_ms=PATIENCE_MS,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="none",  # a record that is gone is an error, never a silent jump
            allow_auto_create_topics=False,
            max_partition_fetch_bytes=FETCH_BYTES,
            max_poll_records=WHOLE_FETCH,
            retry_backoff_ms=RETRY_MS,
            **self._security,
        )
        self._open.append(made)
        return made

    def spans(self, topic: str) -> dict[int, Span]:
        """What each partition of the topic holds by now. Raises ClusterError where there is no such topic."""
        self._asking = consumer = self._asking or self.consumer()
        numbers = consumer.partitions_for_topic(topic)
        if not numbers:
            raise ClusterError(f"there is no topic {topic}: `streamproc topics create` makes it")
        places = [TopicPartition(topic, number) for number in sorted(numbers)]
        begins, ends = consumer.beginning_offsets(places), consumer.end_offsets(places)
        return {place.partition: Span(begins[place], ends[place]) for place in places}

    def read(self, topic: str, numbers: Iterable[int] | None = None) -> Reader:
        """The topic's partitions, all or these, from their beginning to their end by now."""
        spans = self.spans(topic)
        return self.between(topic, spans if numbers is None else {number: spans[number] for number in numbers})

    def between(self, topic: str, spans: dict[int, Span]) -> Reader:
        """What lies in the spans."""
        return Reader(self.consumer(), topic, spans)

    def follow(self, topic: str, begins: dict[int, int]) -> Iterator[tuple[int, Record]]:
        """Records from the offsets on as they come, with their partition; it never ends."""
        consumer = self.consumer()
        consumer.assign([TopicPartition(topic, number) for number in begins])
        for number, begin in begins.items():
            consumer.seek(TopicPartition(topic, number), begin)
        while True:
            for place, records in consumer.poll(POLL_MS).items():
                for found in records:
                    yield place.partition, _record(found)

    def close(self) -> None:
        """Lets all connections go."""
        while self._open:
            self._open.pop().close(autocommit=False)


@contextmanager
def topics_of(settings: KafkaSettings) -> Iterator[Topics]:
    """The topics, to be read within. Raises ConfigError without brokers; ClusterError, also from within."""
    with cluster_errors(settings) as security:
        topics = Topics(settings, security)
        try:
            yield topics
        finally:
            topics.close()


def header(headers: Sequence[tuple[str, bytes]], name: str) -> str:
    """The last header of this name as text, empty where there is none."""
    found = [value for named, value in headers if named == name]
    return found[-1].decode("utf-8", "replace") if found else ""


def _record(found: Any) -> Record:  # noqa: ANN401 - as above
    return Record(found.offset, found.key, found.value, tuple(found.headers), found.timestamp)
