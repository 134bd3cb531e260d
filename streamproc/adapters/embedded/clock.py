"""How event time moves: which ticks are written, and that each record's answers follow it.

`run` and `backtest` share this, so that the same events lead to the same ticks in both.
"""

from collections.abc import Callable, Iterator

import msgspec

from streamproc.adapters.embedded.pipeline import Pipeline, Step
from streamproc.core.control import JournalRecord, Tick
from streamproc.core.time import DAY, HOUR, SECOND, ceil_to, first_tick_after

REPLAY_GRID = HOUR
LIVE_GRID = SECOND


class Progress(msgspec.Struct):
    """Where the journal's writer stands: `clock` the last tick, `read` the largest event time taken in (µs)."""

    clock: int = 0
    read: int = 0
    mode: str = "event"
    live: bool = False
    announced: tuple[int, int, int] | None = None
    grades: tuple[int, int, int] | None = None


class Clock:
    """Writes the ticks that are due. `write` appends a record and applies it."""

    def __init__(self, progress: Progress, pipeline: Pipeline, write: Callable[[JournalRecord], None]) -> None:
        self._progress = progress
        self._pipeline = pipeline
        self._write = write

    @property
    def _grid(self) -> int:
        return LIVE_GRID if self._progress.mode == "wall" else REPLAY_GRID

    def read(self, at: int) -> None:
        """An event of `at` (µs) is about to be taken in: in event mode time moves as far as that says."""
        if self._progress.mode == "event" and at > self._progress.read:
            if not self._progress.read:
                self._progress.clock = at // DAY * DAY
            self._progress.read = at
            self._advance(at // self._grid * self._grid)

    def end_of_data(self) -> None:
        """Event mode: all that was read has its tick."""
        if self._progress.read:
            self._advance(first_tick_after(self._progress.read, self._grid))

    def advance_to(self, at: int) -> None:
        """Moves time to `at` (µs), tick by tick where there is work: the way of the wall clock and of a last cut."""
        if not self._progress.read:  # time begins today, not in 1970
            self._progress.clock = max(self._progress.clock, at // DAY * DAY - DAY)
        self._progress.read = max(self._progress.read, at)
        self._advance(at // self._grid * self._grid)

    def _advance(self, to: int) -> None:
        while (at := self._next_tick()) <= to:
            self._progress.clock = at
            self._write(Tick(at=at, grades=self._pipeline.desk.news()))

    def _next_tick(self) -> int:
        """The next grid point at which something waits; every midnight sums up the day."""
        midnight = (self._progress.clock // DAY + 1) * DAY
        work = self._pipeline.next_work()
        if work is None or work >= midnight:
            return midnight
        return max(ceil_to(work, self._grid), first_tick_after(self._progress.clock, self._grid))


def settle(pipeline: Pipeline, record: JournalRecord) -> Iterator[tuple[JournalRecord, Step]]:
    """Applies a record, then all that is answered, in the journal's order; each with what it brought about."""
    queue = [record]
    while queue:
        record = queue.pop(0)
        step = pipeline.apply(record)
        yield record, step
        queue += step.records
