"""What one app of the worker owns: fence, read back, process, release."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from typing import NamedTuple

from streamproc.adapters.kafka.changelog import Past, Slot, read_back
from streamproc.adapters.kafka.liveness import Liveness
from streamproc.adapters.kafka.ownership_partition import OwnedPartition, Pace
from streamproc.adapters.kafka.transactions import Connection, Processor, TransactionWriter
from streamproc.adapters.kafka.worker_exit import ExitCode, leave

log = logging.getLogger(__name__)

BATCH_SECONDS = 8.0
"""How long the batch in hand may take when partitions are given up: SIGTERM promises ten seconds in all."""

TopicPartition = tuple[str, int]
Bounds = Mapping[TopicPartition, tuple[int, int]]


class AppSpec(NamedTuple):
    """One app: what it reads, where its state is kept, who processes.

    `shared`: all owned partitions keep their state in the changelog's only partition; otherwise each in the
    changelog partition of its own number. `transaction_timeout` in s.
    """

    name: str
    topics: tuple[str, ...]
    changelog: str
    processor: Callable[[str, int], Processor]
    shared: bool = False
    transaction_timeout: float = 20.0


class PositionError(Exception):
    """A topic does not hold what comes next: it was shortened or made anew."""


def start_position(partition: TopicPartition, past: Past, bounds: tuple[int, int]) -> int:
    """Where to go on: at the position found, or where the log begins if there is none. Raises PositionError."""
    name, (begin, end) = f"{partition[0]}-{partition[1]}", bounds
    if past.position is None:
        return begin
    if past.position < begin:
        raise PositionError(f"{name} begins at {begin}, after our position {past.position}: records are lost to us")
    if past.position > end:
        raise PositionError(f"{name} ends at {end}, before our position {past.position}: the topic was made anew")
    return past.position


class Ownership:
    """The partitions of one app, from rebalance to rebalance."""

    def __init__(self, spec: AppSpec, connection: Connection, prefix: str, pace: Pace) -> None:
        self.spec = spec
        self.liveness = Liveness(spec.name)
        self.owned: dict[TopicPartition, OwnedPartition] = {}
        self.connection = connection
        self._prefix = prefix
        self._pace = pace
        self._generation = 0
        self._member = ""
        self._closing: list[asyncio.Task[None]] = []

    async def pause(self) -> None:
        """Finishes the batches in hand; drops the rest."""
        self.liveness.recovered = False
        ended = await asyncio.gather(*(p.pause(BATCH_SECONDS) for p in self.owned.values()))
        if not all(ended):
            leave(ExitCode.BATCH, f"a batch did not end within {BATCH_SECONDS:.0f} s")

    async def release(self) -> None:
        """Finishes, and gives up the right to write."""
        await self.pause()
        await asyncio.gather(*self._closing, *(p.close() for p in self.owned.values()))
        self.owned = {}

    async def take(self, assigned: Iterable[TopicPartition], generation: int, member: str) -> None:
        """Fences what is new; what stays keeps its state. Quick, as no heartbeat is sent meanwhile.

        A partition that stayed through two generations, one of them without us, may have had another owner
        in between: it counts as new.
        """
        if self._member not in ("", member):
            leave(ExitCode.FENCED, f"the group {self.spec.name} went on without this process")
        follows = generation == self._generation + 1
        self._generation, self._member = generation, member
        before = self.owned
        kept = {tp: p for tp, p in before.items() if follows and p.restored}
        self.owned = {tp: kept.get(tp) or self._new(tp) for tp in sorted(assigned)}
        self._closing = [asyncio.create_task(p.close()) for tp, p in before.items() if self.owned.get(tp) is not p]
        await asyncio.gather(*(p.fence() for p in self.owned.values() if not p.restored))
        self.liveness.assigned = True
        self.liveness.touch()

    def _new(self, partition: TopicPartition) -> OwnedPartition:
        topic, number = partition
        spec = self.spec
        slot = Slot(spec.changelog, 0, f"{topic}/{number}/".encode()) if spec.shared else Slot(spec.changelog, number)
        name = f"{self._prefix}{spec.name}.{topic}.{number}"
        writer = TransactionWriter(self.connection, name, spec.transaction_timeout)
        return OwnedPartition(slot, spec.processor(topic, number), writer, self._pace)

    async def recover(self, bounds: Bounds) -> None:
        """Reads back the state of what is new. Raises PositionError, ChangelogError, aiokafka's KafkaError."""
        fresh = {tp: p for tp, p in self.owned.items() if not p.restored}
        began = time.monotonic()
        if fresh:
            pasts = await read_back(self.connection, [p.slot for p in fresh.values()], self.liveness.touch)
            for tp, partition in fresh.items():
                past = pasts.pop(partition.slot)
                await partition.restore(past, start_position(tp, past, bounds[tp]))
        log.info(
            "%s owns %s, of these new %s, read back in %.2f s",
            self.spec.name,
            list(self.owned),
            list(fresh),
            time.monotonic() - began,
        )

    def resume(self) -> None:
        """Everything owned goes to work."""
        pace = self._pace.among(len(self.owned))
        for partition in self.owned.values():
            partition.resume(pace)
        self.liveness.recovered = True
        self.liveness.touch()
