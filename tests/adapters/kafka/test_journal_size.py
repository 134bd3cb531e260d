"""How large a journal is, from a sample of it, on a real broker."""

import asyncio

import aiokafka
import pytest

from streamproc.adapters.kafka.journal_size import JournalSize, Size, measured
from streamproc.adapters.kafka.transactions import Connection
from tests.servers.broker import Broker


async def write(node: Broker, topic: str, batches: int) -> int:
    """Small and large records in transactions into partition 0; the bytes of their bodies."""
    producer = aiokafka.AIOKafkaProducer(bootstrap_servers=node.bootstrap, transactional_id=topic)
    await producer.start()
    whole = 0
    for batch in range(batches):
        size = 100 + 1_900 * batch // batches  # the later the larger
        async with producer.transaction():
            for _ in range(20):
                await producer.send(topic, b"x" * size, partition=0)
        whole += 20 * size
    await producer.stop()
    return whole


def test_a_sample_tells_about_how_many_bytes_a_partition_has(kafka: Broker, topic_prefix: str) -> None:
    topic = f"{topic_prefix}journal"
    kafka.create({topic: 2})
    connection = Connection(kafka.bootstrap)
    known = JournalSize(connection, topic)

    async def run() -> int:
        await known.look([0, 1])
        assert known.of([0, 1]) == Size(0, 0)
        bytes_of_0 = await write(kafka, topic, 300)
        await known.look([0, 1])
        return bytes_of_0

    whole = asyncio.run(run())
    size = known.of([0, 1])
    assert size is not None
    assert size.records == 300 * 21  # with the marks that end transactions
    assert size.size == pytest.approx(whole, rel=0.15)
    assert known.of([1]) == Size(0, 0)
    assert known.of([0, 1, 2]) is None


def test_while_no_broker_answers_it_stays_as_it_was(kafka: Broker, topic_prefix: str) -> None:
    known = JournalSize(Connection("127.0.0.1:1"), "journal")
    asyncio.run(known.look([0]))
    assert known.of([0]) is None
    assert asyncio.run(measured(Connection(kafka.bootstrap), f"{topic_prefix}journal", [])) == {}
