"""The door between transport and processors, and the Kafka transaction that makes a batch all or nothing."""

import asyncio
import time
from collections.abc import Collection, Iterable, Mapping, Sequence
from itertools import zip_longest
from typing import Any, NamedTuple, Protocol

import aiokafka

from streamproc.core.turns import Turns

MAX_BATCH_BYTES = 1 << 18
REQUEST_TIMEOUT_MS = 15_000
FENCE_SECONDS = 60.0
TRANSACTION_SECONDS = 60.0
"""How long a worker's transaction may stay open, for work of others in its process comes in between.

It holds whoever reads the partitions it writes to. Who takes its owner's partition over ends it; only where nobody does
is it waited for: these seconds, and until the broker looks next.
"""
CLOSE_SECONDS = 5.0


class Record(NamedTuple):
    """A record as it was read; `timestamp` in ms since 1970."""

    offset: int
    key: bytes | None
    value: bytes | None
    headers: tuple[tuple[str, bytes], ...]
    timestamp: int


class Output(NamedTuple):
    """A record to be written; value None deletes the key in a compacted topic."""

    topic: str
    partition: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes]] = ()


class Writes(NamedTuple):
    """What a step brought about: outputs, and changed states by changelog key (None: gone)."""

    outputs: list[Output]
    changes: list[tuple[bytes, bytes | None]]


class Processor(Protocol):
    """What one owned partition does with its records. Plain functions of what was read: no I/O, no clock."""

    def restore(self, key: bytes, value: bytes) -> None:
        """Takes the last value of a changelog key; in any order, all before the first `process`."""

    def process(self, records: Sequence[Record]) -> Turns[Writes]:
        """Takes the next records, in order, without a gap. Nothing else is asked of it before the last turn."""

    def poison(self, record: Record) -> Writes:
        """Takes, in place of `process`, a record that ends the process itself: it belongs to the dead letters."""

    def wake(self, now: float, *, caught_up: bool) -> Writes | None:
        """Called about every second between batches with the time (s since 1970); None: nothing to write.

        `caught_up`: all that could be read when it was last looked is processed.
        """


class Connection(NamedTuple):
    """Where the brokers are (`host:port,…`) and how to prove who we are, for Faust and for aiokafka."""

    brokers: str
    credentials: Any = None
    security: Mapping[str, Any] = {}

    def __repr__(self) -> str:
        return f"Connection({self.brokers!r})"  # the rest is secret

    def reader(self, **settings: Any) -> aiokafka.AIOKafkaConsumer:  # noqa: ANN401 - whatever aiokafka takes
        """A consumer of committed records that belongs to no group, not started yet.

        It begins at the beginning: to seek there may be overtaken by the reset that an assignment begins with.
        """
        usual = {"isolation_level": "read_committed", "enable_auto_commit": False, "auto_offset_reset": "earliest"}
        return aiokafka.AIOKafkaConsumer(bootstrap_servers=self.brokers, **usual, **self.security, **settings)


class TransactionWriter:
    """Writes for one owned partition, under its own transactional id; `places` are the partitions it may write to."""

    def __init__(
        self, connection: Connection, transactional_id: str, timeout: float, places: Collection[tuple[str, int]] = ()
    ) -> None:
        self._connection = connection
        self._id = transactional_id
        self._timeout = timeout
        self._places = places
        self._producer: Any = None

    async def fence(self) -> None:
        """Ends whatever an earlier owner left open, and refuses it from now on.

        Raises aiokafka's KafkaError, or TimeoutError after a minute.
        """
        await asyncio.wait_for(self._fence(), FENCE_SECONDS)

    async def _fence(self) -> None:
        self._producer = aiokafka.AIOKafkaProducer(
            bootstrap_servers=self._connection.brokers,
            transactional_id=self._id,
            transaction_timeout_ms=int(self._timeout * 1000),
            request_timeout_ms=REQUEST_TIMEOUT_MS,
            max_batch_size=MAX_BATCH_BYTES,
            **self._connection.security,
        )
        await self._producer.start()
        await self._clear()

    async def _clear(self) -> None:
        """Ends what brokers hold open though their coordinator has forgotten it, and no timeout ends.

        A coordinator that finds no leader for a partition leaves out the mark that ends a transaction there. A later
        mark of the same producer, even that of a transaction without records, stands in for it.
        """
        if self._places:
            await self._producer.begin_transaction()
            for place in self._places:
                self._producer._txn_manager.maybe_add_partition_to_txn(aiokafka.TopicPartition(*place))  # noqa: SLF001 - only sending records does it in public
            await self._producer.abort_transaction()

    async def commit(self, outputs: Iterable[Output]) -> None:
        """Writes all in one transaction; when it returns, they are there for every reader.

        Raises aiokafka's KafkaError: nothing is written, or it cannot be known; the caller must not go on.
        """
        await self._producer.begin_transaction()
        waiting = [
            await self._producer.send_batch(batch, topic, partition=partition)
            for topic, partition, batch in self._batches(outputs)
        ]
        await asyncio.gather(*waiting)
        await self._producer.commit_transaction()

    def _batches(self, outputs: Iterable[Output]) -> list[tuple[str, int, Any]]:
        now = int(time.time() * 1000)
        filled: dict[tuple[str, int], list[Any]] = {}
        for topic, partition, key, value, named in outputs:
            batches, headers = filled.setdefault((topic, partition), []), list(named)
            if not batches or batches[-1].append(timestamp=now, key=key, value=value, headers=headers) is None:
                batches.append(batch := self._producer.create_batch())
                batch.append(timestamp=now, key=key, value=value, headers=headers)  # the first always fits
        # The first batch of every partition before the second of any: a partition takes one at a time, and
        # partitions that are named together join the transaction in one request.
        layers = zip_longest(*filled.values())
        return [
            (topic, partition, batch)
            for layer in layers
            for (topic, partition), batch in zip(filled, layer, strict=True)
            if batch is not None
        ]

    async def close(self) -> None:
        """Lets the connections go. An open transaction stays open until the next owner's fence or its timeout."""
        if self._producer is not None:
            await asyncio.wait({asyncio.ensure_future(self._producer.stop())}, timeout=CLOSE_SECONDS)
