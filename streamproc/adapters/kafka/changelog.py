"""The changelog of owned partitions: how its keys are laid out, and reading it back."""

import asyncio
import time
from collections.abc import Callable, Iterable
from typing import Any, NamedTuple

import aiokafka

from streamproc.adapters.kafka.state_topics import TAKEN, taken_by
from streamproc.adapters.kafka.transactions import Connection, Output, Writes

POSITION = b"\0position"
SUSPECT = b"\0suspect"
TOPIC = b"\0topic"
_OURS = (POSITION, SUSPECT, TOPIC)
_RESERVED = (*_OURS, TAKEN)
STALL_SECONDS = 90.0
"""How long reading back may stand still: longer than any transaction may stay open."""

Value = bytes | None
Partition = tuple[str, int]


class ChangelogError(Exception):
    """The changelog cannot be read back, or a processor uses a key that is the transport's."""


class Slot(NamedTuple):
    """Where one owned partition keeps its state; slots that share a changelog partition differ by prefix."""

    topic: str
    partition: int
    prefix: bytes = b""

    def outputs(self, writes: Writes, position: int) -> list[Output]:
        """The whole batch as records: outputs, changed states, read position. Raises ChangelogError."""
        records = list(writes.outputs)
        for key, value in writes.changes:
            if key in _RESERVED:
                raise ChangelogError(f"a state may not have the key {key!r}")
            records.append(self._output(key, value))
        records.append(self._output(POSITION, b"%d" % position))
        return records

    def mark(self, position: int) -> Output:
        """The mark that the batch from this position on is being tried."""
        return self._output(SUSPECT, b"%d" % position)

    def read_from(self, topic_id: str) -> Output:
        """The note of which topic it is that the position is in."""
        return self._output(TOPIC, topic_id.encode())

    def _output(self, key: bytes, value: Value) -> Output:
        return Output(self.topic, self.partition, self.prefix + key, value)


class Past(NamedTuple):
    """What a changelog holds of one owned partition. None: it was never written; `topic` is the id of what was read.

    `taken` is the changelog's own id where it was taken for another that it stands for.
    """

    position: int | None
    suspect: int | None
    states: dict[bytes, bytes]
    topic: str | None = None
    taken: str = ""


def parted(values: dict[bytes, bytes], prefix: bytes) -> Past:
    """A changelog partition's last values as one owner sees them. Without a prefix it takes them all."""
    taken, states = taken_by(values), values
    if prefix:
        states = {key[len(prefix) :]: value for key, value in values.items() if key.startswith(prefix)}
    position, suspect, topic = (states.pop(key, None) for key in _OURS)
    states.pop(TAKEN, None)
    return Past(
        None if position is None else int(position),
        None if suspect is None else int(suspect),
        states,
        None if topic is None else topic.decode(),
        taken,
    )


async def read_back(connection: Connection, slots: Iterable[Slot], moved: Callable[[], None]) -> dict[Slot, Past]:
    """The last values of each slot; `moved` is called as reading goes on.

    To be called after the fence: what an earlier owner committed is then in the log. The end is the high
    watermark, not the last stable offset: in a shared changelog partition another owner's open transaction
    may hide ours for as long as it is open. Raises ChangelogError, aiokafka's KafkaError.
    """
    wanted = {aiokafka.TopicPartition(slot.topic, slot.partition) for slot in slots}
    consumer = connection.reader(max_partition_fetch_bytes=4 << 20, fetch_max_wait_ms=100)
    await consumer.start()
    try:
        consumer.assign(list(wanted))
        values = await _read(consumer, wanted, moved)
    finally:
        await consumer.stop()
    return {slot: parted(values[aiokafka.TopicPartition(slot.topic, slot.partition)], slot.prefix) for slot in slots}


async def _read(
    consumer: aiokafka.AIOKafkaConsumer, wanted: set[Partition], moved: Callable[[], None]
) -> dict[Partition, dict[bytes, bytes]]:
    values: dict[Partition, dict[bytes, bytes]] = {partition: {} for partition in wanted}
    ends: dict[Partition, int] = {}
    position: dict[Partition, int] = {}
    since = time.monotonic()
    while left := [p for p in wanted if p not in ends or position[p] < ends[p]]:
        for partition, records in (await consumer.getmany(*left, timeout_ms=200, max_records=5000)).items():
            _take(values[partition], records)
        before = dict(position)
        for partition in left:
            position[partition] = await consumer.position(partition)  # it passes control records, too
            end = consumer.highwater(partition)
            if partition not in ends and end is not None:
                ends[partition] = end
        if position != before:
            since = time.monotonic()
            moved()
        elif time.monotonic() - since > STALL_SECONDS:
            raise ChangelogError(f"the changelog cannot be read to its end: {sorted(left)}")
        await asyncio.sleep(0)
    return values


def _take(values: dict[bytes, bytes], records: Iterable[Any]) -> None:
    for record in records:
        if record.value is None:
            values.pop(record.key, None)
        else:
            values[record.key] = record.value
