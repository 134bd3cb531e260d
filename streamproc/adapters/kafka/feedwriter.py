"""Copies the warnings topic into the feed's store, and catches up whenever the store was away or set back.

The rules kept here:
- the position is the store's own, asked for anew after every interruption and once a second while nothing comes: one
  that was restored from an older copy, or emptied, is filled up from where it stands;
- whatever the store says, this waits and tries again; what ends it is a position that the topic does not have: to go on
  would be to lose lines, or to mix two topics in one feed;
- before the first line is written, the record at the position is compared with the store's: a topic that was made anew
  is known by it even where it has outgrown the position.
"""

import asyncio
import logging
from collections.abc import Sequence
from typing import Any, NoReturn

import aiokafka
from aiokafka.errors import KafkaError, KafkaTimeoutError, OffsetOutOfRangeError
from msgspec import Struct

from streamproc.adapters.kafka.transactions import Connection
from streamproc.desk.feed import FeedAwayError, FeedMovedError, FeedStore, Numbered, Place, line_in

log = logging.getLogger(__name__)

MOST_RECORDS = 500
"""Written at once."""

IDLE_MS = 1_000
"""How long the next record is waited for before the store is asked where it stands."""

FIRST_WAIT, LONGEST_WAIT = 0.1, 5.0
"""Seconds before the next attempt; each wait is twice the one before."""


class FeedPositionError(Exception):
    """The topic does not hold what comes after the store's position; the message says why and what to do."""


class FeedStatus(Struct):
    """How the writer is doing. `redis_up`: the store took the last it was given, or stood where it should.

    `lag` counts records that can be read and are not in the feed (None: not known yet), `unreadable` those that hold
    no line; `trouble` is what is wrong just now, empty if nothing is.
    """

    redis_up: bool = False
    lag: int | None = None
    written: int = 0
    unreadable: int = 0
    trouble: str = ""


class FeedWriter:
    """Writes one topic's only partition to one store."""

    def __init__(self, connection: Connection, topic: str, store: FeedStore) -> None:
        self.status = FeedStatus()
        self._connection = connection
        self._partition = aiokafka.TopicPartition(topic, 0)
        self._store = store
        self._at: int | None = None  # the offset of the last record that the store has
        self._passed = 0  # what comes next in the topic, behind the ends of transactions
        self._wait = FIRST_WAIT

    @property
    def position(self) -> int | None:
        """The offset of the last record that the store has, None while it is empty or was not asked."""
        return self._at

    async def run(self) -> NoReturn:
        """Writes until it is cancelled. Raises FeedPositionError, and KafkaError where trying again is no use."""
        while True:
            consumer = self._consumer()
            try:
                await consumer.start()
                consumer.assign([self._partition])
                while True:
                    await self._follow(consumer)
            except KafkaError as error:
                # Out of range: the next look at the topic's ends says why.
                if not (error.retriable or isinstance(error, KafkaTimeoutError | OffsetOutOfRangeError)):
                    raise
                await self._pause(f"Kafka: {error!r}")
            finally:
                await consumer.stop()

    def _consumer(self) -> aiokafka.AIOKafkaConsumer:
        return aiokafka.AIOKafkaConsumer(
            bootstrap_servers=self._connection.brokers,
            isolation_level="read_committed",
            enable_auto_commit=False,
            auto_offset_reset="none",
            **self._connection.security,
        )

    async def _follow(self, consumer: aiokafka.AIOKafkaConsumer) -> None:
        """Writes from where the store stands until it is away, or stands elsewhere."""
        try:
            place = await self._store.place()
            await self._seek(consumer, place)
            if place is not None:
                await self._know_again(consumer, place)
            while True:
                await self._copy(consumer)
        except FeedMovedError:
            log.info("the feed stands elsewhere than it was left; going on from there")
            await self._rest()
        except FeedAwayError as error:
            self.status.redis_up = False
            await self._measure(consumer)
            await self._pause(str(error))

    # ----------------------------------------------------------------------------------------- where to begin

    async def _seek(self, consumer: aiokafka.AIOKafkaConsumer, place: Place | None) -> None:
        """Goes to the record at the place, or behind it where that one is gone. Raises FeedPositionError."""
        begin, end = await self._ends(consumer)
        self._at, self._passed = (None, 0) if place is None else (place.offset, place.offset + 1)
        if place is None:
            if begin:
                raise FeedPositionError(
                    f"the feed is empty and {self._topic} begins at {begin}: earlier warnings are gone. "
                    f"To begin there without them: {self._store.skipping_to(begin)}"
                )
            consumer.seek(self._partition, 0)
            return
        if place.offset + 1 < begin:
            raise self._cut_off()
        if place.offset + 1 > end:
            raise self._another(f"ends at {end}")
        consumer.seek(self._partition, max(begin, place.offset))

    async def _know_again(self, consumer: aiokafka.AIOKafkaConsumer, place: Place) -> None:
        """Passes the record at the place, where the topic still has it. Raises FeedPositionError if it is another."""
        if await consumer.position(self._partition) > place.offset:
            return
        while not (records := await self._next(consumer, 1)):
            await self._still_there()
        [record] = records
        if record.offset != place.offset or place.body not in (None, record.value):
            raise self._another("holds something else there")

    async def _ends(self, consumer: aiokafka.AIOKafkaConsumer) -> tuple[int, int]:
        begins = await consumer.beginning_offsets([self._partition])
        ends = await consumer.end_offsets([self._partition])  # read_committed: the last stable offsets
        return begins[self._partition], ends[self._partition]

    @property
    def _topic(self) -> str:
        return str(self._partition.topic)

    def _cut_off(self) -> FeedPositionError:
        return FeedPositionError(
            f"the feed is at {self._at}, and what came next in {self._topic} is gone: warnings are missing. "
            f"To build the feed anew from what is left: {self._store.emptying()}"
        )

    def _another(self, why: str) -> FeedPositionError:
        return FeedPositionError(
            f"the feed is at {self._at}, but {self._topic} {why}: it is not the topic that the feed was written from. "
            f"To build the feed anew from this one: {self._store.emptying()}"
        )

    # ------------------------------------------------------------------------------------------------ copying

    async def _copy(self, consumer: aiokafka.AIOKafkaConsumer) -> None:
        """Writes what comes next. Raises FeedMovedError, FeedAwayError."""
        records = await self._next(consumer, MOST_RECORDS)
        if records:
            numbered = [Numbered(r.offset, r.value or b"", line_in(r.value)) for r in records]
            written = await self._store.write(self._at, numbered)
            self._note(numbered, written)
        else:
            await self._still_there()
        self._well()
        self._passed = await consumer.position(self._partition)
        stable = consumer.last_stable_offset(self._partition)
        if stable is not None:
            self.status.lag = max(0, stable - self._passed)

    async def _next(self, consumer: aiokafka.AIOKafkaConsumer, most: int) -> Sequence[Any]:
        found = await consumer.getmany(self._partition, timeout_ms=IDLE_MS, max_records=most)
        records: Sequence[Any] = found.get(self._partition, ())
        return records

    async def _still_there(self) -> None:
        place = await self._store.place()
        if (None if place is None else place.offset) != self._at:
            raise FeedMovedError

    def _note(self, numbered: Sequence[Numbered], written: int) -> None:
        self._at = numbered[-1].offset
        unreadable = [record.offset for record in numbered if record.entry is None]
        if unreadable:
            log.error("records of %s that hold no line of the feed: offsets %s", self._topic, unreadable[:10])
        self.status.unreadable += len(unreadable)
        self.status.written += written

    def _well(self) -> None:
        if not self.status.redis_up or self.status.trouble:
            log.info("the feed is written, from %s on", self._passed)
        self._wait = FIRST_WAIT
        self.status.redis_up, self.status.trouble = True, ""

    async def _pause(self, why: str) -> None:
        if not self.status.trouble:
            log.warning("the feed waits: %s", why)
        self.status.trouble = why
        await self._rest()

    async def _rest(self) -> None:
        await asyncio.sleep(self._wait)
        self._wait = min(2 * self._wait, LONGEST_WAIT)

    async def _measure(self, consumer: aiokafka.AIOKafkaConsumer) -> None:
        """What waits while nothing can be written; unknown until the store has once said where it stands."""
        _, end = await self._ends(consumer)
        if self.status.lag is not None or self._passed:
            self.status.lag = max(0, end - self._passed)
