"""A transaction that its coordinator has forgotten: open for ever, were it not for the next owner's fence."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import aiokafka
import pytest

from streamproc.adapters.kafka.transactions import Connection, TransactionWriter
from tests.servers.broker import Kafka

PLACE = aiokafka.TopicPartition("changelog", 0)
OWNER = "toy.journal.0"
TIMEOUT = 2.0


@pytest.fixture
def kafka_that_believes(tmp_path: Path) -> Iterator[Kafka]:
    """A broker that does not ask the coordinator whether a transaction has a partition: so it can be made to hang."""
    node = Kafka(tmp_path / "kafka", settings={"transaction.partition.verification.enable": "false"})
    node.start()
    node.create({PLACE.topic: 1})
    yield node
    node.kill()


async def hang(bootstrap: str) -> None:
    """What is left where the mark that ended a transaction never reached the partition."""
    producer = aiokafka.AIOKafkaProducer(
        bootstrap_servers=bootstrap, transactional_id=OWNER, transaction_timeout_ms=int(TIMEOUT * 1000)
    )
    await producer.start()
    await producer.begin_transaction()
    producer._txn_manager._txn_partitions.add(PLACE)  # the coordinator is not told
    await producer.send_and_wait(PLACE.topic, b"never seen", b"key", partition=0)
    producer._txn_manager._txn_partitions.clear()
    await producer.abort_transaction()  # nothing to be ended, as far as it knows
    await producer.stop()


async def behind(bootstrap: str) -> int:
    """How far the last stable offset is behind the end."""
    ends = []
    for isolation in ("read_uncommitted", "read_committed"):
        consumer = aiokafka.AIOKafkaConsumer(bootstrap_servers=bootstrap, isolation_level=isolation)
        async with consumer:
            ends.append((await consumer.end_offsets([PLACE]))[PLACE])
    return int(ends[0] - ends[1])


async def fenced(bootstrap: str, *places: tuple[str, int]) -> int:
    """How far it is behind after a fence that clears these places."""
    writer = TransactionWriter(Connection(bootstrap), OWNER, TIMEOUT, places)
    await writer.fence()
    await writer.close()
    return await behind(bootstrap)


def test_the_fence_ends_what_no_timeout_ends(kafka_that_believes: Kafka) -> None:
    async def course() -> None:
        bootstrap = kafka_that_believes.bootstrap
        await hang(bootstrap)
        await asyncio.sleep(2 * TIMEOUT)  # it is for this very timeout not to come
        assert await behind(bootstrap) > 0
        assert await fenced(bootstrap) > 0, "a fence alone does not help"
        assert await fenced(bootstrap, (PLACE.topic, 0)) == 0

    asyncio.run(course())
