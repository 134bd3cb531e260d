"""How many warnings a day go out: those that save most; the others wait, and are reconsidered every day.

The rules kept here: a warning saves what one as likely to leave is known to be kept by it, of what is at stake, less
the offer; as long as nothing is known of that, what counts is the expected loss. What waits is weighed by the latest
figures; while its segment or its likeliest cause is muted, it goes on waiting. Of a warning that has not gone out the
feed is told nothing; one that ends while it waits has never been there for anybody.
"""

from collections.abc import Set as AbstractSet
from typing import NamedTuple

from msgspec import Struct, field
from msgspec.structs import replace

from streamproc.core.firm import Firm
from streamproc.core.holdout import Band, Saving, band_of
from streamproc.core.time import day_of
from streamproc.monitor.effects import EpisodeChanged, StepTaken, Verdict, WouldWarn
from streamproc.monitor.steps import muted_at

WAITING_KEPT = 300
"""How many would-warns wait, those that save most; the others are let go and never go out."""

SILENT_KEPT = 10_000
"""Of how many warnings that wait no more it is known that they did not go out, the latest ones."""


class Capacity(Struct):
    """`a_day` 0: any number goes out. `sent` went out on `day`; `waiting` have not, those that save most first.

    `silent` are the ids of those that have not and wait no more, oldest first; `savings` is what is known of what
    warnings bring, by band; empty: nothing. `mutes` are what the firm said of segments and causes of which nobody is to
    be warned.
    """

    a_day: int = 0
    day: int = 0
    sent: int = 0
    waiting: list[WouldWarn] = []
    silent: list[str] = []
    savings: dict[Band, Saving] = {}
    mutes: Firm = field(default_factory=Firm)

    def urgency(self, would: WouldWarn) -> tuple[int, int, str]:
        """What would-warns are sorted by: those that save most first, among these the one with the least time."""
        saving = self.savings.get(band_of(would.figures.log_odds))
        worth = would.figures.expected_loss if saving is None else saving.of(would.figures.stake)
        return -worth, would.by_when, would.id

    def ready(self, at: int) -> list[WouldWarn]:
        """Those that wait, but for whom it is muted at `at` (µs) to warn of."""
        mutes = muted_at(self.mutes, at)
        return [would for would in self.waiting if not (mutes and _is_muted(would, mutes))]


def _is_muted(would: WouldWarn, mutes: AbstractSet[str]) -> bool:
    likeliest = f"cause:{would.causes[0].cause}" if would.causes else ""
    return f"segment:{would.figures.segment}" in mutes or likeliest in mutes


class Sorted(NamedTuple):
    """Which would-warns go out at a tick, and which have begun to wait."""

    out: list[WouldWarn]
    held: list[WouldWarn]


def sort_out(capacity: Capacity, at: int, fresh: list[WouldWarn], taken: int = 0) -> Sorted:
    """Answers a tick's would-warns (in place); the first tick of a day reconsiders those that wait.

    `taken` of the day's places go to something else.
    """
    day = day_of(at)
    dawn = day > capacity.day
    if dawn:
        capacity.day, capacity.sent = day, 0
    capacity.sent += taken
    if not capacity.a_day:
        out = [*capacity.ready(at), *fresh]
        release(capacity, {would.id for would in out})
        return Sorted(out, [])
    asking = sorted([*capacity.ready(at), *fresh] if dawn else fresh, key=capacity.urgency)
    free = max(0, capacity.a_day - capacity.sent)
    out, rest = asking[:free], asking[free:]
    capacity.sent += len(out)
    new = {would.id for would in fresh}
    held = [would for would in rest if would.id in new]
    release(capacity, {would.id for would in out})
    ranked = sorted([*capacity.waiting, *held], key=capacity.urgency)
    capacity.waiting = ranked[:WAITING_KEPT]
    _stay_silent(capacity, [would.id for would in ranked[WAITING_KEPT:]])
    return Sorted(out, held)


def release(capacity: Capacity, ids: AbstractSet[str]) -> None:
    """These wait no more (in place), for they go out."""
    capacity.waiting = [would for would in capacity.waiting if would.id not in ids]
    _forget(capacity, ids)


def weigh_anew(capacity: Capacity, would: WouldWarn) -> None:
    """One that waits, as a later look found it, takes the place of what was known of it (in place)."""
    capacity.waiting = [would if known.id == would.id else known for known in capacity.waiting]


def now_out(would: WouldWarn, at: int) -> WouldWarn:
    """The would-warn as it goes out at `at` (µs): people have as long for it as if it had just come up."""
    return replace(would, at=at, due_at=would.due_at + at - would.at if would.due_at else 0)


def is_silent(capacity: Capacity, change: EpisodeChanged | Verdict | StepTaken) -> bool:
    """Whether the feed is to be told nothing of this, for the warning has not gone out; notes what it means (in place).

    One that recovered, was lost or withdrawn waits no more.
    """
    waits = any(would.id == change.id for would in capacity.waiting)
    if not waits and change.id not in capacity.silent:
        return False
    ended = isinstance(change, Verdict) or (isinstance(change, EpisodeChanged) and change.change != "escalated")
    if ended:
        release(capacity, {change.id})
    if isinstance(change, EpisodeChanged) and change.change in {"recovered", "lost"}:  # there will be a verdict
        _stay_silent(capacity, [change.id])
    return True


def _stay_silent(capacity: Capacity, ids: list[str]) -> None:
    """These wait no more, and have not gone out (in place)."""
    capacity.silent = [*capacity.silent, *ids][-SILENT_KEPT:]


def _forget(capacity: Capacity, ids: AbstractSet[str]) -> None:
    if ids:
        capacity.silent = [name for name in capacity.silent if name not in ids]
