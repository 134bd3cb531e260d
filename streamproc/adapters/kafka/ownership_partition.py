"""One owned partition: a task that turns fetched records into batches, and batches into transactions."""

import asyncio
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import NamedTuple, cast

from aiokafka.errors import KafkaError, ProducerFenced

from streamproc.adapters.kafka.changelog import Past, Slot
from streamproc.adapters.kafka.liveness import Liveness
from streamproc.adapters.kafka.ownership_trial import killer
from streamproc.adapters.kafka.transactions import Processor, Record, TransactionWriter, Writes
from streamproc.adapters.kafka.worker_exit import ExitCode, leave
from streamproc.core.turns import Turns, whole

RESTORE_STEP = 10_000
FULL_BYTES = 4 << 20
TURN_SECONDS = 0.1
"""After so long a batch that is worked on gives way to whatever else the process has to do."""

HELD_SECONDS = 0.1
"""How soon it is looked again whether a batch that must wait still must."""

_WORKING = asyncio.Lock()
"""Whoever has it works on a batch: one in a process."""


class Pace(NamedTuple):
    """How batches are cut: at most so many records; `wake` every so many s.

    Small batches of a partition are at least `linger` s apart, and further apart where a process owns so many
    partitions that it would begin more than `rate` transactions a second.
    """

    records: int = 5000
    linger: float = 0.05
    wake: float = 1.0
    rate: float = 100.0

    def among(self, partitions: int) -> "Pace":
        """The pace of each of so many partitions."""
        return self._replace(linger=max(self.linger, partitions / self.rate))


class OwnedPartition:
    """A partition from takeover to release. One task does everything, so `process` and `wake` never overlap."""

    def __init__(
        self,
        slot: Slot,
        processor: Processor,
        writer: TransactionWriter,
        pace: Pace,
        liveness: Liveness,
        held: Callable[[float], bool] | None = None,
    ) -> None:
        self.slot = slot
        self.position = 0
        """The first offset whose effects are not committed."""
        self.expected = 0
        """The offset after the last record accepted."""
        self.restored = False
        self.held = False
        """Whether the next batch was made to wait when it was last looked."""
        self._processor = processor
        self._writer = writer
        self._held = held
        self._pace = pace
        self._liveness = liveness
        self._pending: list[Record] = []
        self._pending_bytes = 0
        self._changed = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._stopping = False
        self._suspect: int | None = None
        self._tried = False
        self._topic: str | None = None  # its id, still to be written down
        self._began = self._woken = 0.0
        self._end: int | None = None

    async def restore(self, past: Past, position: int, topic: str | None = None) -> None:
        """Takes the state back, and empties the past of it; goes on at `position` of the topic that has this id."""
        left = past.states
        while left:  # what is taken back is let go: a base is not in memory twice
            self._processor.restore(*left.popitem())
            if len(left) % RESTORE_STEP == 0:
                await asyncio.sleep(0)
        self.position, self._suspect, self.restored = position, past.suspect, True
        self._topic = topic if topic != past.topic else None

    def resume(self, pace: Pace) -> None:
        """Starts to work; records are accepted from `position` on."""
        self.expected, self._stopping, self._pace, self._end = self.position, False, pace, None
        self._drop()
        self._task = asyncio.create_task(self._run())

    async def pause(self, seconds: float) -> bool:
        """Finishes the batch in hand and drops what waits. False: it did not end in time."""
        self._stopping = True
        self._changed.set()
        done = True
        if self._task is not None:
            await asyncio.wait({self._task}, timeout=seconds)
            done = self._task.done()
        self._drop()
        return done

    def _drop(self) -> None:
        self._pending, self._pending_bytes = [], 0

    async def fence(self) -> None:
        """Locks the earlier owner out."""
        await self._writer.fence()

    async def close(self) -> None:
        """Gives up the right to write."""
        await self._writer.close()

    @property
    def full(self) -> bool:
        """True while a whole batch waits: no more should be fetched."""
        return len(self._pending) >= self._pace.records or self._pending_bytes >= FULL_BYTES

    def accept(self, follows: int, records: Sequence[Record]) -> None:
        """Takes fetched records; they must follow directly on what was accepted before."""
        if self._stopping:
            return
        if follows != self.expected:
            leave(ExitCode.POSITION, f"{self.slot} expected offset {self.expected}, was given what follows {follows}")
        self._pending += records
        self._pending_bytes += _size(records)
        self.expected = records[-1].offset + 1
        self._changed.set()

    def look(self, unread: int) -> None:
        """So many records are in the topic and not accepted yet."""
        self._end = self.expected + unread

    async def _run(self) -> None:
        try:
            while not self._stopping:
                now = asyncio.get_running_loop().time()
                if (delay := self._delay(now)) > 0:
                    await self._wait(delay)
                elif now >= self._woken + self._pace.wake:
                    await self._wake(now)
                else:
                    await self._batch(now)
        except ProducerFenced as error:
            leave(ExitCode.FENCED, f"another worker owns {self.slot}: {error!r}")
        except Exception as error:  # noqa: BLE001 - nothing unexpected may be survived: see leave()
            what = "Kafka" if isinstance(error, KafkaError) else "the processor"
            leave(ExitCode.BATCH, f"{self.slot} at {self.position}, {what}: {error!r}")

    def _delay(self, now: float) -> float:
        due = self._woken + self._pace.wake
        self.held = bool(self._pending) and self._held is not None and self._held(time.time())
        if self.held:
            due = min(due, now + HELD_SECONDS)
        elif self._pending:
            due = min(due, now if self.full else self._began + self._pace.linger)
        return due - now

    async def _wait(self, seconds: float) -> None:
        self._changed.clear()
        with suppress(TimeoutError):
            async with asyncio.timeout(seconds):
                await self._changed.wait()

    async def _wake(self, now: float) -> None:
        self._woken = now
        caught_up = not self._pending and self._end is not None and self.expected >= self._end
        writes = self._processor.wake(time.time(), caught_up=caught_up)
        if writes is not None:
            await self._commit(writes, self.position)

    async def _batch(self, now: float) -> None:
        self._began = now
        records, self._pending = self._pending[: self._pace.records], self._pending[self._pace.records :]
        self._pending_bytes = _size(self._pending)
        if not self._tried:
            records = await self._careful(records)
        if records:
            began = time.perf_counter()
            if await self._work(records):
                self._liveness.batches.observe(time.perf_counter() - began)
                self._tried = True

    async def _work(self, records: Sequence[Record]) -> bool:
        """Works on the records and commits what they bring about; False: it is to stop, and has not begun.

        One batch of a process is worked on at a time, so that a stop has no more than one to wait for; meanwhile
        others' transactions go on: what is open too long is given up.
        """
        async with _WORKING:
            if self._stopping:
                return False
            writes = await _in_turns(self._processor.process(records))
        await self._commit(writes, records[-1].offset + 1)
        return True

    async def _careful(self, records: list[Record]) -> list[Record]:
        """The first batch after a takeover: perhaps it ended the last owner's process. What is left to process.

        A mark in the changelog says that the batch at this position is being tried. Whoever finds it at the
        position where it has to go on knows that somebody died of this batch, or in it, and looks for the record.
        """
        if self._suspect != self.position:
            self._suspect = self.position
            await self._writer.commit([self.slot.mark(self.position)])
            return records
        index = await killer(lambda some: whole(self._processor.process(some)), records)
        if index is None:
            return records
        if index and not await self._work(records[:index]):
            return []
        await self._commit(self._processor.poison(records[index]), records[index].offset + 1)
        self._pending = records[index + 1 :] + self._pending
        self._pending_bytes = _size(self._pending)
        return []

    async def _commit(self, writes: Writes, position: int) -> None:
        outputs = self.slot.outputs(writes, position)
        if self._topic is not None:
            outputs.append(self.slot.read_from(self._topic))
        began = time.perf_counter()
        await self._writer.commit(outputs)
        self._liveness.transactions.observe(time.perf_counter() - began)
        self.position, self._topic = position, None


async def _in_turns(turns: Turns[Writes]) -> Writes:
    until = time.perf_counter() + TURN_SECONDS
    while True:
        try:
            next(turns)
        except StopIteration as end:
            return cast("Writes", end.value)
        if time.perf_counter() > until:
            await asyncio.sleep(0)
            until = time.perf_counter() + TURN_SECONDS


def _size(records: Iterable[Record]) -> int:
    return sum(len(record.value or b"") for record in records)
