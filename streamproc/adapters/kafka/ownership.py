"""What one app of the worker owns: fence, read back, process, release."""

import asyncio
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from typing import Any, NamedTuple

from streamproc.adapters.kafka.changelog import Past, Slot, read_back
from streamproc.adapters.kafka.liveness import Liveness
from streamproc.adapters.kafka.ownership_partition import OwnedPartition, Pace
from streamproc.adapters.kafka.transactions import TRANSACTION_SECONDS, Connection, Processor, TransactionWriter
from streamproc.adapters.kafka.worker_exit import ExitCode, leave

log = logging.getLogger(__name__)

BATCH_SECONDS = 8.0
"""How long the batch in hand may take when partitions are given up: SIGTERM promises ten seconds in all."""

RESTORED = (
    "Restore it from a copy that was made when no worker ran any more; then `streamproc topics go-on {topic}` takes it "
    "for the lost one. Without a copy begin anew under another prefix (STREAMPROC_KAFKA__PREFIX)"
)
TopicPartition = tuple[str, int]
Bounds = Mapping[TopicPartition, tuple[int, int]]


class AppSpec(NamedTuple):
    """One app: what it reads, where its state is kept, who processes.

    `shared`: all owned partitions keep their state in the changelog's only partition; otherwise each in the
    changelog partition of its own number. `mending` says what is to be done where the log does not hold what comes
    next: {place} in it is the topic's partition. `writes` are the partitions of its outputs.
    `held` tells of a processor whether its next batch must wait now (s since 1970).
    `wake`: its processors are woken every so many s, if not as often as others.
    `changelog_id` is the brokers' id of the changelog that the journal began with, empty where it is not known.
    """

    name: str
    topics: tuple[str, ...]
    changelog: str
    processor: Callable[[str, int], Processor]
    shared: bool = False
    mending: str = ""
    writes: tuple[TopicPartition, ...] = ()
    changelog_id: str = ""
    held: Callable[[Any, float], bool] | None = None
    wake: float | None = None


class PositionError(Exception):
    """A topic does not hold what comes next, or what was before: it was shortened or made anew."""


def start_position(partition: TopicPartition, past: Past, bounds: tuple[int, int], topic_id: str | None = None) -> int:
    """Where to go on: at the position found, or where the log begins if there is none. Raises PositionError.

    `topic_id` is that of the topic as it is now, None where the brokers do not tell.
    """
    name, (begin, end) = f"{partition[0]}-{partition[1]}", bounds
    if past.position is None:
        return begin
    if past.topic and topic_id and past.topic != topic_id:
        raise PositionError(f"{name} is not what our position {past.position} is in: the topic was made anew")
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
        self._pace = pace if spec.wake is None else pace._replace(wake=spec.wake)
        self._generation = 0
        self._member = ""
        self._closing: list[asyncio.Task[None]] = []
        self._ids: Mapping[str, str] = {}

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
        self.liveness.rebalances += 1
        self.liveness.touch()

    def _new(self, partition: TopicPartition) -> OwnedPartition:
        topic, number = partition
        spec = self.spec
        slot = Slot(spec.changelog, 0, f"{topic}/{number}/".encode()) if spec.shared else Slot(spec.changelog, number)
        name = f"{self._prefix}{spec.name}.{topic}.{number}"
        places = {(slot.topic, slot.partition), *spec.writes}
        writer = TransactionWriter(self.connection, name, TRANSACTION_SECONDS, sorted(places))
        processor = spec.processor(topic, number)
        held = None if spec.held is None else partial(spec.held, processor)
        return OwnedPartition(slot, processor, writer, self._pace, self.liveness, held)

    def mended(self, places: Iterable[TopicPartition]) -> str:
        """What the operator is to do where what comes next in these places is gone."""
        return "; ".join(self.spec.mending.format(place=f"{topic}/{number}") for topic, number in places)

    def know(self, ids: Mapping[str, str]) -> None:
        """Takes the ids of the topics as they are now. Raises PositionError where one was made anew meanwhile."""
        anew = [topic for topic, known in self._ids.items() if ids.get(topic, known) != known]
        if anew:
            raise PositionError(f"made anew while it was read: {', '.join(anew)}; a start says what is to be done")
        self._ids = {**self._ids, **ids}

    async def recover(self, bounds: Bounds, ids: Mapping[str, str]) -> None:
        """Reads back the state of what is new; `ids` are those of the topics as they are now.

        Raises PositionError, ChangelogError, aiokafka's KafkaError.
        """
        self.know(ids)
        fresh = {tp: p for tp, p in self.owned.items() if not p.restored}
        began = time.monotonic()
        if fresh:
            pasts = await read_back(self.connection, [p.slot for p in fresh.values()], self.liveness.touch)
            for tp, partition in fresh.items():
                past = pasts.pop(partition.slot)
                self._check_changelog(past, ids)
                try:
                    start = start_position(tp, past, bounds[tp], ids.get(tp[0]))
                except PositionError as error:
                    raise PositionError(f"{error}. {self.mended([tp])}") from error
                await partition.restore(past, start, ids.get(tp[0]))
        if fresh:
            self.liveness.recoveries.observe(time.monotonic() - began)
        log.info(
            "%s owns %s, of these new %s, read back in %.2f s",
            self.spec.name,
            list(self.owned),
            list(fresh),
            time.monotonic() - began,
        )

    def _check_changelog(self, past: Past, ids: Mapping[str, str]) -> None:
        """Raises PositionError where the changelog is neither that of the beginning nor taken for it."""
        name, began = self.spec.changelog, self.spec.changelog_id
        now = ids.get(name, began)
        if began and now not in (began, past.taken):
            raise PositionError(
                f"{name} is not the topic that the journal began with: it was made anew, and the state is not in it. "
                f"{RESTORED.format(topic=name)}"
            )

    def resume(self) -> None:
        """Everything owned goes to work."""
        pace = self._pace.among(len(self.owned))
        for partition in self.owned.values():
            partition.resume(pace)
        self.liveness.recovered = True
        self.liveness.touch()
