"""The currency rates that the firm's facts tell, known to every intake of the process.

A partition of purchases cannot wait for one of facts: so each process reads all facts itself, to their end before it
takes anything in, and on from there. Which rate an amount was turned with is decided once and written in the journal.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import aiokafka

from streamproc.adapters.kafka.transactions import Connection
from streamproc.adapters.kafka.worker_exit import ExitCode, leave
from streamproc.intake.intake import Intake
from streamproc.intake.refusal import Position

_PAUSE_MS = 1_000
_PATIENCE = 60.0


@asynccontextmanager
async def learning(connection: Connection, topic: str, partitions: int, intake: Intake) -> AsyncIterator[None]:
    """Enters once all facts up to now are known to the `intake`'s rates; goes on learning until left.

    `intake` is one of its own for this, over the rates that the process shares. Raises aiokafka's KafkaError.
    """
    consumer = connection.reader()
    await consumer.start()
    try:
        places = [aiokafka.TopicPartition(topic, number) for number in range(partitions)]
        consumer.assign(places)
        ends = await consumer.end_offsets(places)
        async with asyncio.timeout(_PATIENCE):
            while any([await consumer.position(place) < ends[place] for place in places]):
                await _learn(consumer, intake, 100)
        follower = asyncio.create_task(_follow(consumer, intake))
        try:
            yield
        finally:
            follower.cancel()
            with suppress(asyncio.CancelledError):
                await follower
    finally:
        await consumer.stop()


async def _follow(consumer: aiokafka.AIOKafkaConsumer, intake: Intake) -> None:
    try:
        while True:
            await _learn(consumer, intake, _PAUSE_MS)
    except Exception as error:  # noqa: BLE001 - or amounts would be turned with yesterday's rates, and nobody know
        leave(ExitCode.BESIDE, f"the currency rates cannot be read: {error!r}")


async def _learn(consumer: aiokafka.AIOKafkaConsumer, intake: Intake, pause_ms: int) -> None:
    """What the intake makes of a fact is thrown away: the rate in it is known by then."""
    now = time.time_ns() // 1_000
    for place, records in (await consumer.getmany(timeout_ms=pause_ms)).items():
        for record in records:
            position = Position(f"{place.topic}/{place.partition}", record.offset + 1)
            intake.take(record.value or b"", position, now, key=f"{place}/{record.offset}")
