"""Is an app of the worker alive? Stalled is: something to read, and no progress for a minute."""

import time
from collections.abc import Callable, Collection, Hashable, Mapping
from typing import NamedTuple

from streamproc.core.durations import Durations

STALL_SECONDS = 60.0


class Progress(NamedTuple):
    """Of one owned partition: committed position, records behind the last stable offset, since when (monotonic s)."""

    position: int
    lag: int
    behind_since: float | None


class Liveness:
    """What is known of one app. Changed by the app's own loop alone; any thread may read.

    `batches` are timed from their begin to their commit, `transactions` alone, `recoveries` as far as they read back
    something; `rebalances` counts what was assigned.
    """

    def __init__(self, app: str, clock: Callable[[], float] = time.monotonic) -> None:
        self.app = app
        self.assigned = False
        self.recovered = False
        self.held: Collection[Hashable] = frozenset()
        """The partitions that wait for slower ones, as last seen."""
        self.batches, self.transactions, self.recoveries = Durations(), Durations(), Durations()
        self.rebalances = 0
        self._clock = clock
        self._touched = clock()
        self._partitions: Mapping[Hashable, Progress] = {}

    @property
    def partitions(self) -> Mapping[Hashable, Progress]:
        """The owned partitions, as last seen."""
        return self._partitions

    @property
    def ready(self) -> bool:
        """Assigned, and what is assigned is read back. No partition at all is ready, too."""
        return self.assigned and self.recovered

    @property
    def idle_seconds(self) -> float:
        """Since the last sign of progress: a partition that moved, a step of reading back, a rebalance."""
        return self._clock() - self._touched

    @property
    def lag(self) -> int:
        """Records that can be read and are not yet processed, in all owned partitions."""
        return sum(p.lag for p in self._partitions.values())

    @property
    def stalled(self) -> bool:
        """True if a partition has had something to read for a minute and its position did not move."""
        now = self._clock()
        return any(
            p.behind_since is not None and now - p.behind_since > STALL_SECONDS for p in self._partitions.values()
        )

    def touch(self) -> None:
        """Notes a sign of progress."""
        self._touched = self._clock()

    def observe(self, seen: Mapping[Hashable, tuple[int, int]], held: Collection[Hashable] = ()) -> None:
        """Takes (position, lag) of every owned partition; one that moved, or is `held` back, is not behind yet."""
        now = self._clock()
        fresh: dict[Hashable, Progress] = {}
        for partition, (position, lag) in seen.items():
            before = self._partitions.get(partition)
            waiting = before is not None and before.position == position and before.behind_since is not None
            waiting = waiting and partition not in held
            since = before.behind_since if before is not None and waiting else now
            if before is None or before.position != position:
                self._touched = now
            fresh[partition] = Progress(position, lag, since if lag > 0 else None)
        self._partitions = fresh
        self.held = frozenset(held)
