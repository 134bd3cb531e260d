"""The cluster's clock: which ticks are due, from what intake has read and what the monitors have left to do.

Time is the least of what the sources that are behind have read; where all are read to their end it is the wall's (mode
`wall`), or ends where the data ends (mode `event`). Only the desk's owner has a clock, so ticks have one order.
"""

from bisect import bisect_right
from collections.abc import Iterable, Mapping
from itertools import accumulate, pairwise
from typing import Literal

from msgspec import Struct, msgpack

from streamproc.core.time import DAY, FOREVER, HOUR, SECOND, ceil_to, first_tick_after

MINUTE = 60 * SECOND
QUIET = 3.0
"""Seconds without news after which a source that is read to its end holds time no longer, in mode `event`."""

SIGN_OF_LIFE = 600.0
"""Seconds after which intake tells again how far a source is read, though nothing has changed."""

AHEAD = HOUR
"""How much further (µs) than the slowest a source may be read; it may overshoot by a batch."""

GONE = 1800.0
"""Seconds without a word after which nobody can be reading a source: its last word, that it had no more, is void."""

Mode = Literal["wall", "event"]


class Source(Struct):
    """One partition of the firm's topics as intake told it last.

    `heard` is when (s, wall) it last brought events, `told` when anything was said of it; 0 where that is not known.
    """

    read: int = 0
    caught_up: bool = False
    purchases: bool = False
    heard: float = 0.0
    told: float = 0.0


class ClockState(Struct):
    """What the clock remembers; times in µs.

    `clock` is the last tick. `left`: somebody is due at the next tick, whenever that is. `told` is what midnights'
    ticks have told of `read`. `bought` is how far an imported past's purchases are known, 0 without one: it is no
    source, for nobody reads it on and time does not wait for it.
    """

    clock: int = 0
    sources: dict[str, Source] = {}
    left: bool = False
    told: dict[str, int] = {}
    bought: int = 0


class Work:
    """Instants (µs) by which a tick is due, for there are events before them that none has passed; ascending."""

    def __init__(self, instants: Iterable[int] = ()) -> None:
        self._instants = sorted(instants)

    @property
    def first(self) -> int | None:
        """The earliest."""
        return self._instants[0] if self._instants else None

    def add(self, instants: Iterable[int]) -> None:
        """Takes more in."""
        self._instants = sorted({*self._instants, *instants})

    def passed(self, at: int) -> None:
        """A tick at `at` was written."""
        del self._instants[: bisect_right(self._instants, at)]

    def encoded(self) -> bytes:
        """The instants, each as the seconds since the one before: a past of years is thousands of them."""
        seconds = [instant // SECOND for instant in self._instants]
        return msgpack.encode([b - a for a, b in pairwise([0, *seconds])])


def work_in(body: bytes) -> Work:
    """What `Work.encoded` gave."""
    return Work(second * SECOND for second in accumulate(msgpack.decode(body, type=list[int])))


def due_by(times: Iterable[int]) -> list[int]:
    """When ticks are due for events of these times (µs): to the second for the newest hour, for older to the hour."""
    times = list(times)
    recent = max(times, default=0) - HOUR
    return sorted({first_tick_after(at, SECOND if at >= recent else HOUR) for at in times})


def see(state: ClockState, source: str, news: Source, *, brought: bool) -> None:
    """Intake has spoken (in place): just now, as `news.heard` says, and it `brought` events or did not."""
    news.told = news.heard
    if not brought:
        news.heard = state.sources[source].heard if source in state.sources else 0.0
    state.sources[source] = news


def target(state: ClockState, expected: frozenset[str], mode: Mode, now: float) -> int | None:
    """How far (µs) time may go by now (s since 1970).

    None while a source of `expected` has not been heard of, or may have anything in it, being unread.
    """
    if not expected <= state.sources.keys():
        return None
    sources = those_that_count(state.sources, expected, now).values()
    behind = [s.read for s in sources if holds(s, mode, now)]
    wall = int(now * SECOND)
    if 0 in behind:
        return None
    if mode == "wall":
        return min([*behind, wall])
    recent = [s.read for s in sources if s.caught_up and s.read and now - s.heard < QUIET]
    if behind or recent:
        return min(behind + recent)
    ends = max((s.read for s in sources), default=0)
    return first_tick_after(ends, HOUR) if ends else None


def those_that_count(sources: Mapping[str, Source], expected: frozenset[str], now: float) -> dict[str, Source]:
    """The sources that are to be read, and others that somebody reads all the same: no topic that was given up."""
    return {name: s for name, s in sources.items() if name in expected or now - s.told <= GONE}


def holds(source: Source, mode: Mode, now: float) -> bool:
    """Whether time waits for a source now (s since 1970): it has more to be read, or nobody can be reading it."""
    gone = mode == "wall" and source.told and now - source.told > GONE
    return not source.caught_up or bool(gone)


def ahead(sources: Mapping[str, Source], expected: frozenset[str], name: str, mode: Mode, now: float) -> int:
    """How far (µs) the source `name` may be read by now (s since 1970), for the others that time waits for.

    0 while one of these may have anything in it: it was not heard of, or is unread.
    """
    others = dict.fromkeys(expected, Source()) | those_that_count(sources, expected, now)
    return min(
        (s.read and s.read + AHEAD for source, s in others.items() if source != name and holds(s, mode, now)),
        default=FOREVER,
    )


def grid(upto: int, mode: Mode, now: float) -> int:
    """The step between ticks (µs): the further behind the wall, the longer, for a backlog has more to do than time.

    An outage of a day is made up for minute by minute all the same: a tick holds up its partition while it lasts.
    """
    if mode == "event":
        return HOUR
    behind = int(now * SECOND) - upto
    return HOUR if behind > 2 * DAY else MINUTE if behind > 2 * MINUTE else SECOND


def next_tick(state: ClockState, work: Work, upto: int, step: int, due: int | None = None) -> int | None:
    """The first grid point after the clock at which there is work, or a day ends; None: none up to `upto`.

    `due` (µs) is when the desk waits for a tick; where one was written since then, that will do.
    """
    if not state.clock:
        state.clock = ((work.first or upto) - 1) // DAY * DAY
    after = first_tick_after(state.clock, step)
    at = (state.clock // DAY + 1) * DAY
    if state.left:
        at = min(at, after)
    if work.first is not None:
        at = min(at, max(ceil_to(work.first, step), after))
    if due is not None and due > state.clock:
        at = min(at, ceil_to(due, step))
    return at if at <= upto else None


def ticked(state: ClockState, work: Work, at: int) -> None:
    """Time has reached `at` (in place)."""
    state.clock, state.left = at, False
    work.passed(at)


def news(state: ClockState, at: int) -> dict[str, int]:
    """How far the sources are read, at a midnight, where that changed since the one before (in place)."""
    if at % DAY:
        return {}
    fresh = {name: s.read for name, s in sorted(state.sources.items()) if state.told.get(name, 0) != s.read}
    state.told.update(fresh)
    return fresh


def stale_since(state: ClockState, at: int, after: int) -> int:
    """How far (µs) purchases are known where that is longer than `after` ago, else 0; the source furthest on counts."""
    known = [s.read for s in state.sources.values() if s.purchases]
    latest = max([*known, state.bought]) if known or state.bought else at
    return latest if at - latest > after else 0
