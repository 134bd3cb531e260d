"""How a journal begins: the set-up and the clock's mode, the first records of each of its partitions.

The rule kept here: all partitions begin in one transaction, written by whoever comes first; everybody else finds it.
"""

import asyncio

import aiokafka

from streamproc.adapters.kafka.names import Names
from streamproc.adapters.kafka.transactions import Connection, Output, TransactionWriter
from streamproc.core.control import ClockMode, JournalRecord, Setup
from streamproc.wire import journal

_TIMEOUT = 20.0


class BeginningError(Exception):
    """The journal does not begin with a set-up, or with another than was asked for."""


async def begin(connection: Connection, names: Names, partitions: int, asked: Setup) -> Setup:
    """The journal's set-up, written now if the journal is empty. Raises BeginningError, aiokafka's KafkaError."""
    found = await _first(connection, names.journal)
    if found is None:
        writer = TransactionWriter(connection, f"{names.prefix}beginning", _TIMEOUT)
        try:
            await writer.fence()  # from here on nobody else is at it
            found = await _first(connection, names.journal)
            if found is None:
                await writer.commit(_beginning(names.journal, partitions, asked))
                found = asked
        finally:
            await writer.close()
    if not isinstance(found, Setup):
        raise BeginningError(
            f"{names.journal} does not begin with a set-up: is it another program's topic? "
            "Choose another prefix (STREAMPROC_KAFKA__PREFIX), or make the topic anew."
        )
    return found


def _beginning(topic: str, partitions: int, setup: Setup) -> list[Output]:
    bodies = [journal.encode(setup), journal.encode(ClockMode(at=0, mode="event"))]
    return [Output(topic, number, None, body) for number in range(partitions) for body in bodies]


async def _first(connection: Connection, topic: str) -> JournalRecord | journal.DecodeFailure | None:
    """The first record of the journal's first partition; None where it has none."""
    place = aiokafka.TopicPartition(topic, 0)
    consumer = aiokafka.AIOKafkaConsumer(
        bootstrap_servers=connection.brokers, isolation_level="read_committed", **connection.security
    )
    await consumer.start()
    try:
        consumer.assign([place])
        end = (await consumer.end_offsets([place]))[place]
        if not end:
            return None
        await consumer.seek_to_beginning(place)
        async with asyncio.timeout(_TIMEOUT):
            while await consumer.position(place) < end:
                records = (await consumer.getmany(place, timeout_ms=500)).get(place)
                if records:
                    return journal.decode(records[0].value or b"")
        return None
    finally:
        await consumer.stop()
