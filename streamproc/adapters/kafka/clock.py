"""The cluster's clock: which ticks are due, from what intake has read and what the monitors have left to do.

Time is the least of what the sources that are behind have read; where all are read to their end it is the wall's (mode
`wall`), or ends where the data ends (mode `event`). Only the desk's owner has a clock, so ticks have one order.
"""

from typing import Literal

from msgspec import Struct

from streamproc.core.time import DAY, HOUR, SECOND, ceil_to, first_tick_after

MINUTE = 60 * SECOND
QUIET = 3.0
"""Seconds without news after which a source that is read to its end holds time no longer, in mode `event`."""

Mode = Literal["wall", "event"]


class Source(Struct):
    """One partition of the firm's topics as intake told it last; `heard` is when (s, wall) it last brought events."""

    read: int = 0
    caught_up: bool = False
    purchases: bool = False
    heard: float = 0.0


class ClockState(Struct):
    """What the clock remembers; times in µs.

    `clock` is the last tick. `first` and `last` bound the events appended that no tick has passed, 0: none. `left`:
    somebody is due at the next tick, whenever that is. `told` is what midnights' ticks have told of `read`.
    """

    clock: int = 0
    sources: dict[str, Source] = {}
    first: int = 0
    last: int = 0
    left: bool = False
    told: dict[str, int] = {}


def see(state: ClockState, source: str, news: Source, first: int, last: int) -> None:
    """Intake has read on (in place); `first` and `last` bound the events it appended, 0: none."""
    if not first:
        news.heard = state.sources[source].heard if source in state.sources else 0.0
    state.sources[source] = news
    if first:
        state.first = min(state.first or first, first)
        state.last = max(state.last, last)


def target(state: ClockState, expected: frozenset[str], mode: Mode, now: float) -> int | None:
    """How far (µs) time may go by now (s since 1970); None while a source of `expected` has not been heard of."""
    if not expected <= state.sources.keys():
        return None
    behind = [s.read for s in state.sources.values() if not s.caught_up]
    wall = int(now * SECOND)
    if mode == "wall":
        return min([*behind, wall])
    recent = [s.read for s in state.sources.values() if s.caught_up and s.read and now - s.heard < QUIET]
    if behind or recent:
        return min(behind + recent)
    ends = max((s.read for s in state.sources.values()), default=0)
    return first_tick_after(ends, HOUR) if ends else None


def grid(upto: int, mode: Mode, now: float) -> int:
    """The step between ticks (µs): the further behind the wall, the longer, for a backlog has more to do than time."""
    if mode == "event":
        return HOUR
    behind = int(now * SECOND) - upto
    return HOUR if behind > 2 * HOUR else MINUTE if behind > 2 * MINUTE else SECOND


def next_tick(state: ClockState, upto: int, step: int) -> int | None:
    """The first grid point after the clock at which there is work, or a day ends; None: none up to `upto`."""
    if not state.clock:
        state.clock = (state.first or upto) // DAY * DAY
    after = first_tick_after(state.clock, step)
    at = (state.clock // DAY + 1) * DAY
    if state.left:
        at = min(at, after)
    if state.first:
        at = min(at, max(ceil_to(state.first + 1, step), after))
    return at if at <= upto else None


def ticked(state: ClockState, at: int) -> None:
    """Time has reached `at` (in place)."""
    state.clock, state.left = at, False
    if state.first and state.last < at:
        state.first = state.last = 0
    elif state.first:
        state.first = max(state.first, at)


def news(state: ClockState, at: int) -> dict[str, int]:
    """How far the sources are read, at a midnight, where that changed since the one before (in place)."""
    if at % DAY:
        return {}
    fresh = {name: s.read for name, s in sorted(state.sources.items()) if state.told.get(name, 0) != s.read}
    state.told.update(fresh)
    return fresh


def stale_since(state: ClockState, at: int, after: int) -> int:
    """How far (µs) purchases are read where that is longer than `after` ago, else 0; the source furthest on counts."""
    latest = max((s.read for s in state.sources.values() if s.purchases), default=at)
    return latest if at - latest > after else 0
