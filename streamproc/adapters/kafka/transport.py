"""Faust's transport, delivering whole batches: one channel event per partition and fetch.

The rules it keeps:
- No fetch spans a rebalance. aiokafka's own wait does, and returns records of the next assignment.
- Nothing is delivered between the revocation of partitions and the end of their successor's recovery (`_open`).
- Each partition is delivered in order and without a gap: every event says what it follows.
- The position in the changelog is the truth; what is committed to the group only lets tools show the lag.
"""

import asyncio
import time
from collections.abc import Iterable, Mapping
from contextlib import suppress
from typing import Any, NamedTuple, cast

import aiokafka
from aiokafka.coordinator.assignors.range import RangePartitionAssignor
from aiokafka.errors import ConsumerStoppedError, KafkaError, OffsetOutOfRangeError
from aiokafka.structs import OffsetAndMetadata, TopicPartition
from faust.transport.drivers import aiokafka as driver
from faust.types import TP
from mode import Service

from streamproc.adapters.kafka.ownership import Bounds, Ownership, PositionError
from streamproc.adapters.kafka.topic_ids import topic_ids
from streamproc.adapters.kafka.transactions import Connection, Record
from streamproc.adapters.kafka.worker_exit import ExitCode, leave

FETCH_RECORDS = 5000
FETCH_BYTES = 2 << 20
FETCH_WAIT_MS = 1000
BUSY_WAIT_MS = 200
"""Where records came within the last second: a fetch that leaves out what is still to be taken must not hold it up."""
RETRY_MS = 300
"""A broker that is away is asked again so often."""
BUSY_SECONDS = 1.0
ID_TRIES = 20
POLL_SECONDS = 0.5
FULL_POLL_SECONDS = 0.02
"""How soon a partition that had no room for more is looked at again."""
PARK_SECONDS = 5.0
REBALANCE_SECONDS = 120.0
LAG_SECONDS = 2.0
REPORT_SECONDS = 2.0


class Fetched(NamedTuple):
    """The value of a channel event: records, and the position they follow on."""

    follows: int
    records: list[Record]


class Listener(driver.ConsumerRebalanceListener):
    """Ends the fetch under way as soon as a rebalance begins."""

    def on_partitions_revoked(self, revoked: Iterable[Any]) -> Any:  # noqa: ANN401 - as in Faust
        """Called in the consumer's thread."""
        cast("ConsumerThread", self._thread).interrupt()
        return super().on_partitions_revoked(revoked)


class ConsumerThread(driver.AIOKafkaConsumerThread):
    """aiokafka's consumer in its thread: read_committed, and no position but ours."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self._interrupted = asyncio.Event()
        self._brought = 0.0

    def _create_worker_consumer(self, *_: Any) -> Any:  # noqa: ANN401 - as in Faust
        app, conf = cast("Consumer", self.consumer), self.app.conf
        connection: Connection = app.ownership.connection
        return aiokafka.AIOKafkaConsumer(
            bootstrap_servers=connection.brokers,
            group_id=conf.id,
            partition_assignment_strategy=[RangePartitionAssignor],
            isolation_level="read_committed",
            enable_auto_commit=False,
            # A position that is not in the log is an error: nobody may choose another one silently.
            auto_offset_reset="none",
            max_poll_records=FETCH_RECORDS,
            max_partition_fetch_bytes=FETCH_BYTES,
            fetch_max_wait_ms=FETCH_WAIT_MS,
            retry_backoff_ms=RETRY_MS,
            session_timeout_ms=int(conf.broker_session_timeout * 1000),
            heartbeat_interval_ms=int(conf.broker_heartbeat_interval * 1000),
            rebalance_timeout_ms=int(conf.broker_rebalance_timeout * 1000),
            request_timeout_ms=int(conf.broker_request_timeout * 1000),
            **connection.security,
        )

    def interrupt(self) -> None:
        """Ends the fetch under way, with nothing."""
        self._interrupted.set()

    async def _fetch_records(self, consumer: Any, active_partitions: set[TP], *limits: Any, **named: Any) -> Any:  # noqa: ANN401
        subscriptions, fetcher = consumer._subscription, consumer._fetcher  # noqa: SLF001 - no public way
        if not self.consumer.flow_active or subscriptions.reassignment_in_progress:
            await asyncio.sleep(FULL_POLL_SECONDS)
            return {}
        if consumer._closed or fetcher._closed:  # noqa: SLF001
            raise ConsumerStoppedError
        self._interrupted.clear()
        with subscriptions.fetch_context():
            fetch = asyncio.ensure_future(fetcher.fetched_records(active_partitions, *limits, **named))
            interrupted = asyncio.ensure_future(self._interrupted.wait())
            await asyncio.wait({fetch, interrupted}, return_when=asyncio.FIRST_COMPLETED)
            interrupted.cancel()
        self._pace(fetcher, brought=fetch.done() and fetch.exception() is None and bool(fetch.result()))
        if fetch.done():
            return {} if subscriptions.reassignment_in_progress else fetch.result()
        fetch.cancel()
        return {}

    def _pace(self, fetcher: Any, *, brought: bool) -> None:  # noqa: ANN401 - aiokafka's
        now = time.monotonic()
        if brought:
            self._brought = now
        busy = now - self._brought < BUSY_SECONDS
        fetcher._fetch_max_wait_ms = BUSY_WAIT_MS if busy else FETCH_WAIT_MS  # noqa: SLF001 - no public way

    async def seek_all(self, positions: Mapping[TP, int]) -> None:
        """Sets the positions, as far as the partitions are still ours."""
        await self.call_thread(self._seek_all, positions)

    async def _seek_all(self, positions: Mapping[TP, int]) -> None:
        consumer = self._ensure_consumer()
        mine = consumer.assignment()
        for partition, position in positions.items():
            if partition in mine:
                consumer.seek(partition, position)

    async def bounds(self) -> Bounds:
        """Where the logs of the assigned partitions begin, and their last stable offsets."""
        return cast("Bounds", await self.call_thread(self._bounds))

    async def _bounds(self) -> Bounds:
        consumer = self._ensure_consumer()
        mine = list(consumer.assignment())
        begin, end = await asyncio.gather(consumer.beginning_offsets(mine), consumer.end_offsets(mine))
        return {tuple(partition): (begin[partition], end[partition]) for partition in mine}

    async def topic_ids(self) -> dict[str, str]:
        """The ids of the topics as they are now, as far as the brokers tell. Raises aiokafka's KafkaError."""
        spec = cast("Consumer", self.consumer).ownership.spec
        return cast("dict[str, str]", await self.call_thread(self._topic_ids, (*spec.topics, spec.changelog)))

    async def _topic_ids(self, topics: Iterable[str]) -> dict[str, str]:
        return await topic_ids(self._ensure_consumer()._client, topics)  # noqa: SLF001 - no public way

    async def unread(self) -> dict[TP, int]:
        """Records between the last fetched one and the last stable offset, control records not counted."""
        return cast("dict[TP, int]", await self.call_thread(self._unread))

    async def _unread(self) -> dict[TP, int]:
        consumer = self._ensure_consumer()
        end = await consumer.end_offsets(list(consumer.assignment()))
        assigned = consumer._subscription.subscription  # noqa: SLF001 - position() would wait
        if assigned is None or assigned.assignment is None:  # a rebalance began meanwhile
            return {}
        states = {partition: assigned.assignment.state_value(partition) for partition in end}
        return {TP(*p): end[p] - state.position for p, state in states.items() if state and state.has_valid_position}

    async def report(self, positions: Mapping[TP, int]) -> None:
        """Shows the positions to whoever looks at the group."""
        offsets = {TopicPartition(*tp): OffsetAndMetadata(position, "") for tp, position in positions.items()}
        await self.call_thread(self._ensure_consumer().commit, offsets)


class Consumer(driver.Consumer):
    """Brings what was fetched to the owned partitions, and them through rebalances."""

    RebalanceListener = Listener
    _thread: ConsumerThread

    def __init__(self, *args: Any, **kwargs: Any) -> None:  # noqa: ANN401 - as in Faust
        super().__init__(*args, **kwargs)
        self.ownership: Ownership = cast("Any", self.app).ownership
        self._open = False
        self._read: dict[TP, int] = {}
        self._reported: dict[TP, int] = {}
        self._parked = asyncio.Event()
        self._parked.set()
        self._loading: asyncio.Task[None] | None = None

    def _new_consumer_thread(self) -> ConsumerThread:
        return ConsumerThread(self, loop=self.loop, beacon=self.beacon)

    # ------------------------------------------------------------------------------------- ownership

    async def on_partitions_revoked(self, revoked: set[TP]) -> None:
        """Finishes the batches in hand; what was fetched beyond them is dropped and read again."""
        await self._close()
        await super().on_partitions_revoked(revoked)

    async def _close(self) -> None:
        self.stop_flow()
        self._open = False
        if self._loading is not None:
            self._loading.cancel()
        try:
            await asyncio.wait_for(self._parked.wait(), PARK_SECONDS)
        except TimeoutError:
            leave(ExitCode.REBALANCE, "a fetch did not stop for a rebalance")
        await self.ownership.pause()

    async def on_partitions_assigned(self, assigned: set[TP], generation_id: int = 0) -> None:
        """Fences here, where no heartbeat is sent; reads back in a task."""
        member = self._thread._ensure_consumer()._coordinator.member_id  # noqa: SLF001 - no public way
        try:
            await self.ownership.take([(tp.topic, tp.partition) for tp in assigned], generation_id, member)
        except Exception as error:  # noqa: BLE001 - aiokafka would log it, and go on with what is not ours
            leave(ExitCode.TAKEOVER, f"cannot lock the earlier owner out: {error!r}")
        await super().on_partitions_assigned(assigned, generation_id)
        self._loading = asyncio.create_task(self._load())

    async def _load(self) -> None:
        try:
            ids = await self._ids()  # before the bounds: a topic made anew in between is then another
            await self.ownership.recover(await self._thread.bounds(), ids)
            self._read = {TP(*tp): owned.position for tp, owned in self.ownership.owned.items()}
            await self._thread.seek_all(self._read)
            self.ownership.resume()
            self._open = True
        except PositionError as error:
            leave(ExitCode.POSITION, str(error))
        except Exception as error:  # noqa: BLE001 - nothing unexpected may be survived: see leave()
            if not self.app.should_stop:
                leave(ExitCode.TAKEOVER, f"cannot read the state back: {error!r}")

    async def _ids(self) -> dict[str, str]:
        for _ in range(ID_TRIES):
            with suppress(KafkaError):
                return await self._thread.topic_ids()
            await asyncio.sleep(RETRY_MS / 1000)
        return await self._thread.topic_ids()

    async def on_stop(self) -> None:
        """Finishes, and lets the next owner have everything at once."""
        await self._close()
        await self._report()
        await self.ownership.release()
        await super().on_stop()

    # -------------------------------------------------------------------------------------- delivery

    def accept(self, generation: int, tp: TP, fetched: Fetched) -> None:
        """Hands a channel event to its partition, if it is of this assignment."""
        owned = self.ownership.owned.get((tp.topic, tp.partition))
        if self._open and generation == self.app.consumer_generation_id and owned is not None:
            owned.accept(fetched.follows, fetched.records)

    async def _drain_messages(self, fetcher: Any) -> None:  # noqa: ANN401 - as in Faust
        try:
            while not (self._stopped.is_set() or fetcher._stopped.is_set()):  # noqa: SLF001 - as in Faust
                await self._drain_once()
        except (asyncio.CancelledError, ConsumerStoppedError):
            if not self.app.should_stop:
                raise
        except OffsetOutOfRangeError as error:
            leave(ExitCode.POSITION, self._lost(*error.args))
        finally:
            self._parked.set()

    def _lost(self, positions: Mapping[TP, int]) -> str:
        places = ", ".join(f"{topic}-{number} at our position {at}" for (topic, number), at in positions.items())
        return (
            f"the log no longer holds {places}: records are lost to us, or the topic was made anew. "
            f"{self.ownership.mended(positions)}"
        )

    def _delivering(self) -> bool:
        return self._open and self.flow_active and not self.app.rebalancing

    async def _drain_once(self) -> None:
        if not self._delivering():
            self._parked.set()
            await asyncio.sleep(FULL_POLL_SECONDS)
            return
        self._parked.clear()
        generation = self.app.consumer_generation_id
        owned = self.ownership.owned
        room = {TP(*tp) for tp, partition in owned.items() if not partition.full}
        if not room:
            await asyncio.sleep(FULL_POLL_SECONDS if owned else POLL_SECONDS)
            return
        patience = POLL_SECONDS if len(room) == len(owned) else FULL_POLL_SECONDS
        for partition, records in (await self._getmany(room, patience)).items():
            if not self._delivering() or self.app.consumer_generation_id != generation:
                return  # dropped: whoever owns the partition next starts at its committed position
            await self._deliver(TP(*partition), records)

    async def _deliver(self, tp: TP, consumed: list[Any]) -> None:
        records = [Record(r.offset, r.key, r.value, r.headers, r.timestamp) for r in consumed]
        message = self._to_message(tp, consumed[-1])
        message.key, message.value = None, cast("Any", Fetched(self._read[tp], records))
        await self.wait_first(self.callback(message), self.suspend_flow.wait())
        self._read[tp] = records[-1].offset + 1

    # ------------------------------------------------------------------------- what Faust asks besides

    async def perform_seek(self) -> None:
        """Nothing to do: positions are set when recovery ends."""

    async def verify_all_partitions_active(self) -> None:
        """Nothing to do: Liveness judges it."""

    async def commit(self, *_: Any, **__: Any) -> bool:  # noqa: ANN401 - as in Faust
        """Shows our positions to tools."""
        if self._open:
            await self._report()
        return True

    async def _report(self) -> None:
        positions = {TP(*tp): owned.position for tp, owned in self.ownership.owned.items() if owned.restored}
        changed = {tp: position for tp, position in positions.items() if position != self._reported.get(tp)}
        if changed:
            with suppress(KafkaError, TimeoutError):  # whether it succeeds matters to nobody
                await asyncio.wait_for(self._thread.report(changed), REPORT_SECONDS)
                self._reported = positions

    @Service.task
    async def _watch(self) -> None:
        since = seen = time.monotonic()
        while not self.should_stop:
            await self.sleep(1.0)
            now = time.monotonic()
            if not self.app.rebalancing:
                since = now
            elif now - since > REBALANCE_SECONDS:
                leave(ExitCode.REBALANCE, f"a rebalance has not ended for {REBALANCE_SECONDS:.0f} s")
            if self._open and now - seen > LAG_SECONDS:
                seen = now
                with suppress(KafkaError, TimeoutError, OSError):
                    self._observe(await self._thread.unread())
                    await self._know_again()

    async def _know_again(self) -> None:
        try:
            self.ownership.know(await self._thread.topic_ids())
        except PositionError as error:
            leave(ExitCode.POSITION, str(error))

    def _observe(self, unread: Mapping[TP, int]) -> None:
        liveness = self.ownership.liveness
        owned = {TP(*tp): partition for tp, partition in self.ownership.owned.items()}
        for tp, partition in owned.items():
            if tp in unread:
                partition.look(unread[tp])
        liveness.observe(
            {
                tuple(tp): (partition.position, unread.get(tp, 0) + max(0, partition.expected - partition.position))
                for tp, partition in owned.items()
            },
            held={tuple(tp) for tp, partition in owned.items() if partition.held},
        )
        if liveness.stalled:
            self.log.error("no progress for %.0f s, with %d records to read", liveness.idle_seconds, liveness.lag)


class Transport(driver.Transport):
    """Faust's driver with our consumer."""

    Consumer = Consumer
