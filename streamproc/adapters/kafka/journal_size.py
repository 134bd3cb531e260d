"""How large the journal is: its offsets, and the bytes of records found at places spread over it.

What it takes on the brokers' disks only they know. Whoever asks them for it (DescribeLogDirs) needs a right over the
whole cluster, which shows everybody's topics; no role has it. The right to read the journal each of them has.
"""

import asyncio
from collections.abc import Collection
from contextlib import suppress
from typing import Any, NamedTuple

from aiokafka import TopicPartition
from aiokafka.errors import KafkaError

from streamproc.adapters.kafka.transactions import Connection

PLACES = 8
"""Of a partition; at each as many records are looked at as come with one fetch."""

FETCH_BYTES = 1 << 16
PATIENCE_MS = 2_000


class Size(NamedTuple):
    """Of one partition: its offsets (records, and marks that end transactions), and about how many bytes of bodies."""

    records: int
    size: int


async def measured(connection: Connection, topic: str, numbers: Collection[int]) -> dict[int, Size]:
    """The sizes of these partitions; a place that does not answer is passed over. Raises aiokafka's KafkaError."""
    places = [TopicPartition(topic, number) for number in sorted(numbers)]
    if not places:
        return {}
    consumer = connection.reader(max_partition_fetch_bytes=FETCH_BYTES)
    try:
        await consumer.start()
        consumer.assign(places)
        begins, ends = await consumer.beginning_offsets(places), await consumer.end_offsets(places)
        return {place.partition: await _of(consumer, place, begins[place], ends[place]) for place in places}
    finally:
        await consumer.stop()


async def _of(consumer: Any, place: TopicPartition, begin: int, end: int) -> Size:  # noqa: ANN401 - aiokafka is untyped
    await consumer.position(place)  # or the reset that an assignment begins with would overtake the first seek
    found = []  # bytes an offset, by place: marks lie between the records
    for at in sorted(
        {begin + (end - begin) * (2 * n + 1) // (2 * PLACES) for n in range(PLACES if end > begin else 0)}
    ):
        consumer.seek(place, at)
        records = (await consumer.getmany(place, timeout_ms=PATIENCE_MS)).get(place, ())
        if records:
            found.append(sum(len(record.value or b"") for record in records) / (records[-1].offset + 1 - at))
    return Size(end - begin, round(sum(found) / len(found) * (end - begin)) if found else 0)


class JournalSize:
    """The sizes of the partitions that are owned, as last measured."""

    def __init__(self, connection: Connection, topic: str) -> None:
        self._connection = connection
        self._topic = topic
        self._known: dict[int, Size] = {}

    async def look(self, numbers: Collection[int]) -> None:
        """Measures anew; while Kafka does not answer all stays as it was."""
        with suppress(KafkaError, OSError, asyncio.TimeoutError):
            self._known = await measured(self._connection, self._topic, numbers)

    def of(self, numbers: Collection[int]) -> Size | None:
        """All of these together; None where one was not measured yet."""
        known = [self._known[number] for number in numbers if number in self._known]
        if not known or len(known) < len(numbers):
            return None
        return Size(sum(size.records for size in known), sum(size.size for size in known))
