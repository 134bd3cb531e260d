"""Topics that a process reads by itself beside its apps: known to their end before it begins, and on from there."""

import asyncio
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager, suppress
from typing import Any

import aiokafka

from streamproc.adapters.kafka.transactions import Connection
from streamproc.adapters.kafka.worker_exit import ExitCode, leave

_PAUSE_MS = 1_000
_PATIENCE = 60.0

Take = Callable[[Any, Sequence[Any]], None]
"""Takes what came of one partition, in order."""


@asynccontextmanager
async def following(connection: Connection, topic: str, partitions: int, take: Take, what: str) -> AsyncIterator[None]:
    """Enters once all that is committed by now was taken; goes on until left.

    A failure later on ends the process, and says that `what` cannot be read. Raises aiokafka's KafkaError.
    """
    consumer = connection.reader()
    await consumer.start()
    try:
        places = [aiokafka.TopicPartition(topic, number) for number in range(partitions)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        async with asyncio.timeout(_PATIENCE):
            while any([await consumer.position(place) < ends[place] for place in places]):
                await _take(consumer, take, 100)
        follower = asyncio.create_task(_follow(consumer, take, what))
        try:
            yield
        finally:
            follower.cancel()
            with suppress(asyncio.CancelledError):
                await follower
    finally:
        await consumer.stop()


async def _follow(consumer: aiokafka.AIOKafkaConsumer, take: Take, what: str) -> None:
    try:
        while True:
            await _take(consumer, take, _PAUSE_MS)
    except Exception as error:  # noqa: BLE001 - or the process would go on with what was true yesterday, unseen
        leave(ExitCode.BESIDE, f"{what} cannot be read: {error!r}")


async def _take(consumer: aiokafka.AIOKafkaConsumer, take: Take, pause_ms: int) -> None:
    for place, records in (await consumer.getmany(timeout_ms=pause_ms)).items():
        take(place, records)
