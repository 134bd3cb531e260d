"""How event time moves: which ticks are written, and that each record's answers follow it.

`run` and `backtest` share this, so that the same events lead to the same ticks in both.
"""

from collections.abc import Callable, Iterator

import msgspec

from streamproc.adapters.embedded.pipeline import Pipeline, Step
from streamproc.core.control import JournalRecord, Tick
from streamproc.core.events import CustomerEvent, FirmFact, Purchase
from streamproc.core.time import DAY, HOUR, SECOND, ceil_to, first_tick_after
from streamproc.monitor.counts import feed_of

REPLAY_GRID = HOUR
LIVE_GRID = SECOND
STALE_AFTER = 72 * HOUR
"""How far (µs) the sources of purchases may lag behind the clock until silence is no longer taken for silence."""


MOST_SOURCES = 256
"""Sources remembered: whoever exports a file a day brings a new one every day."""


class Progress(msgspec.Struct):
    """Where the journal's writer stands: `clock` the last tick, `read` the largest event time taken in (µs).

    `newest` holds the largest event time of each feed, `sources` that of each source, `told` the one the last
    midnight's tick told, `purchases_from` those that ever brought a purchase. Once there are more than MOST_SOURCES,
    the quarter that is read least far is forgotten, but never the one of purchases that is read furthest: it tells
    whether silence may be taken for silence. A source that comes again counts as a new one.
    """

    clock: int = 0
    read: int = 0
    sources: dict[str, int] = {}
    told: dict[str, int] = {}
    purchases_from: set[str] = set()
    partitions: int = 1
    mode: str = "event"
    live: bool = False
    announced: tuple[int, int, int] | None = None
    grades: tuple[int, int, int] | None = None
    newest: dict[str, int] = {}


class Clock:
    """Writes the ticks that are due. `write` appends a record and applies it."""

    def __init__(
        self,
        progress: Progress,
        pipeline: Pipeline,
        write: Callable[[JournalRecord], None],
        stale_after: int = STALE_AFTER,
    ) -> None:
        self._progress = progress
        self._pipeline = pipeline
        self._write = write
        self._stale_after = stale_after

    @property
    def _grid(self) -> int:
        return LIVE_GRID if self._progress.mode == "wall" else REPLAY_GRID

    def see(self, record: CustomerEvent | FirmFact) -> None:
        """A record is the next one of its source: the source works, and is read as far as that."""
        sources, newest, feed = self._progress.sources, self._progress.newest, feed_of(record)
        newest[feed] = max(record.at, newest.get(feed, 0))
        known = record.source in sources
        sources[record.source] = max(record.at, sources.get(record.source, 0))
        if isinstance(record, Purchase):
            self._progress.purchases_from.add(record.source)
        if not known and len(sources) > MOST_SOURCES:
            _forget(self._progress)

    def read(self, record: CustomerEvent | FirmFact) -> None:
        """A record is about to be taken in: in event mode time moves as far as that says."""
        self.see(record)
        progress, at = self._progress, record.at
        if progress.mode == "event" and at > progress.read:
            if not progress.read:
                progress.clock = at // DAY * DAY
            progress.read = at
            self._advance(at // self._grid * self._grid)

    def end_of_data(self, now: int | None = None) -> None:
        """Event mode: all that was read has its tick.

        Data that ends in this very hour (`now`, µs, where the wall clock is known) is ticked on the live grid at its
        end: a tick at the full hour would be ahead of the wall clock, and what comes until then would come late.
        """
        if not self._progress.read:
            return
        end = first_tick_after(self._progress.read, self._grid)
        if now is not None and end > now:
            self._advance(min(now // LIVE_GRID * LIVE_GRID, end), LIVE_GRID)
        else:
            self._advance(end)

    def advance_to(self, at: int) -> None:
        """Moves time to `at` (µs), tick by tick where there is work: the way of the wall clock and of a last cut."""
        if not self._progress.read:  # time begins today, not in 1970
            self._progress.clock = max(self._progress.clock, at // DAY * DAY - DAY)
        self._progress.read = max(self._progress.read, at)
        self._advance(at // self._grid * self._grid)

    def _advance(self, to: int, grid: int | None = None) -> None:
        grid = grid or self._grid
        while to > self._progress.clock and (at := self._next_tick(grid)) <= to:
            self._progress.clock = at
            since = self._stale_since(at)
            stale = ("purchases",) if since else ()
            grades = self._pipeline.desk.news()
            self._write(Tick(at=at, progress=self._news(at), stale=stale, stale_since=since, grades=grades))

    def _news(self, at: int) -> dict[str, int]:
        """How far the sources are read, where that changed since the midnight before."""
        progress = self._progress
        if at % DAY:
            return {}
        news = {source: read for source, read in sorted(progress.sources.items()) if progress.told.get(source) != read}
        progress.told.update(news)
        return news

    def _stale_since(self, at: int) -> int:
        """How far (µs) the purchases are read where that is too long ago, else 0.

        A source that is read further, whatever it brings, shows that it works; the one furthest on counts.
        """
        latest = max((self._progress.sources[source] for source in self._progress.purchases_from), default=at)
        return latest if at - latest > self._stale_after else 0

    def _next_tick(self, grid: int) -> int:
        """The next grid point at which something waits; every midnight sums up the day."""
        midnight = (self._progress.clock // DAY + 1) * DAY
        work = self._pipeline.next_work()
        if work is None or work >= midnight:
            return midnight
        return max(ceil_to(work, grid), first_tick_after(self._progress.clock, grid))


def _forget(progress: Progress) -> None:
    """Forgets a quarter of the sources, see Progress; not just one: the next record may be of that again."""

    def furthest_last(source: str) -> tuple[int, str]:
        return progress.sources[source], source

    purchases = max(progress.purchases_from & progress.sources.keys(), key=furthest_last, default=None)
    in_order = sorted(progress.sources.keys() - {purchases}, key=furthest_last)
    for source in in_order[: len(progress.sources) - MOST_SOURCES * 3 // 4]:
        del progress.sources[source]
        progress.told.pop(source, None)
        progress.purchases_from.discard(source)


def settle(pipeline: Pipeline, record: JournalRecord) -> Iterator[tuple[JournalRecord, Step]]:
    """Applies a record, then all that is answered, in the journal's order; each with what it brought about."""
    queue = [record]
    while queue:
        record = queue.pop(0)
        step = pipeline.apply(record)
        yield record, step
        queue += step.records
