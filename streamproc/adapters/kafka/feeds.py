"""How the firm's feeds stand by the clock: which holds time back and by how much, which has been silent for long.

Two different troubles. A source that is not read to its end holds time, for what it still has is older than what comes
now. A feed that is read to its end and brings nothing holds none: time passes it, and what it brings later is late.
"""

from collections.abc import Collection, Iterator, Mapping
from typing import NamedTuple

from streamproc.adapters.kafka.clock import ClockState, Mode, Source, holds, stale_since, those_that_count
from streamproc.core.time import HOUR, SECOND, to_text

WORTH_SAYING = HOUR
"""By how much (µs) time must be held until it is said: a source that is read at full speed is behind, too."""


class Watched(NamedTuple):
    """What is looked at: the sources that time waits for, the feeds (topics) that are missed when silent, after µs."""

    mode: Mode
    expected: frozenset[str]
    feeds: Collection[str]
    stale_after: int


class Standing(NamedTuple):
    """Times in µs. `behind`: how far the last tick is behind the wall, 0 where time does not follow it.

    `holds`: by how much each source holds time back, 0 for one that is read to its end. `read`: how far each feed is.
    `stale`: the feeds that have been silent for long, and up to when they are read. `deaf_since`: up to when purchases
    are known, where silence is not taken for silence any more, else 0.
    """

    clock: int
    behind: int
    holds: Mapping[str, int]
    read: Mapping[str, int]
    stale: Mapping[str, int]
    deaf_since: int


def standing(state: ClockState, watched: Watched, now: float) -> Standing:
    """How the feeds stand now (s since 1970)."""
    wall = int(now * SECOND)
    known = those_that_count(state.sources, watched.expected, now)
    sources = {name: known.get(name, Source()) for name in sorted(watched.expected | known.keys())}
    ends = max((source.read for source in sources.values()), default=0)
    front = wall if watched.mode == "wall" else ends
    read = {feed: max((s.read for s in _of(feed, sources)), default=0) for feed in watched.feeds}
    here = wall if watched.mode == "wall" else state.clock
    return Standing(
        clock=state.clock,
        behind=max(0, wall - state.clock) if watched.mode == "wall" and state.clock else 0,
        holds={
            name: max(0, front - (s.read or state.clock or front)) if holds(s, watched.mode, now) else 0
            for name, s in sources.items()
        },
        read=read,
        stale={
            feed: at
            for feed, at in read.items()
            if at and here - at > watched.stale_after and all(s.caught_up for s in _of(feed, sources))
        },
        deaf_since=stale_since(state, state.clock, watched.stale_after),
    )


def _of(feed: str, sources: Mapping[str, Source]) -> list[Source]:
    return [source for name, source in sources.items() if name.rpartition("/")[0] == feed]


class Crier:
    """Says each change once: what began, and that it is over."""

    def __init__(self) -> None:
        self._held = False
        self._stale: Mapping[str, int] = {}
        self._deaf = False

    def news(self, now: Standing) -> Iterator[str]:
        """What has changed since the call before."""
        yield from self._of_time(now)
        for feed in now.stale.keys() - self._stale.keys():
            yield f"{feed} has brought nothing since {to_text(now.stale[feed])}: time goes on without it"
        for feed in self._stale.keys() - now.stale.keys():
            yield f"{feed} brings events again, up to {to_text(now.read[feed])}; what time has passed is late"
        if bool(now.deaf_since) != self._deaf:
            yield (
                f"no purchases since {to_text(now.deaf_since)}: until there are, silence is not taken for silence"
                if now.deaf_since
                else "there are purchases again: silence counts"
            )
        self._stale, self._deaf = now.stale, bool(now.deaf_since)

    def _of_time(self, now: Standing) -> Iterator[str]:
        source = max(now.holds, key=lambda name: now.holds[name], default="")
        held = bool(source) and now.holds[source] > WORTH_SAYING
        if held and not self._held:
            many = sum(by > WORTH_SAYING for by in now.holds.values())
            hours = now.holds[source] / HOUR
            yield f"time waits for {source}, {hours:,.1f} h behind; sources that hold it by more than an hour: {many}"
        elif self._held and not held:
            yield "no source holds time back any more"
        self._held = held
