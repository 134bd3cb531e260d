"""When a customer is due although nothing happened: silence must be seen.

The rule kept here: due times are midnights and a function of the state alone; each lies after the visit it follows.
"""

from typing import NamedTuple

from streamproc.core.facts import Facts
from streamproc.core.lifecycle import Stage, next_change
from streamproc.core.time import DAY, ceil_to, today_of
from streamproc.monitor.state import CustomerState

LONGEST_STEP_DAYS = 30
FORGET_AFTER_DAYS = 390  # the last 365-day bucket is empty by then: nothing changes any more
RECENT_GAPS = 8


class Due(NamedTuple):
    """Midnights (µs) at which a customer is due: for a look, and for an example or a label only. 0: never."""

    look: int
    other: int

    def first(self) -> int | None:
        """The earlier of the two, None for never."""
        if self.look and self.other:
            return min(self.look, self.other)
        return self.look or self.other or None


def usual_gap(facts: Facts, horizon_days: int) -> int:
    """Days between purchases, by the last of them; a third of the horizon for a buyer of one day."""
    days = facts.recent.day
    gaps = min(len(days) - 1, RECENT_GAPS)
    if not gaps:
        return max(1, horizon_days // 3)
    return max(1, (days[-1] - days[-1 - gaps]) // gaps)


def next_silence_look(facts: Facts, today: int, horizon_days: int) -> int | None:
    """The next day to look at the silence: once it is a quarter over the usual gap, then at steps of half of it.

    The first is at a third of the horizon at the latest, so that one who buys seldom is seen before being lost; steps
    are at least a day and at most 30; none once a year's buckets have emptied.
    """
    last = facts.last_day()
    if last < 0 or today - last > FORGET_AFTER_DAYS:
        return None
    recency = max(1, min(-(-usual_gap(facts, horizon_days) * 5 // 4), horizon_days // 3))
    while last + recency <= today:
        recency += min(LONGEST_STEP_DAYS, max(1, recency // 2))
    return last + recency


def next_example(phase: int, step: int, day: int) -> int:
    """The first of the customer's example days (day % step == phase) after `day`."""
    return day + (phase - day - 1) % step + 1


def due_after(state: CustomerState, at: int, horizon_days: int, lateness: int, example_day: int) -> Due:
    """When the customer is due next after a visit at `at` (µs).

    `example_day` is the customer's next example day; it counts while the customer will still be active then.
    """
    facts, decisions = state.facts, state.decisions
    look = other = 0
    if facts.n_days:
        look = _next_look(state, at, horizon_days)
        if decisions.stage < Stage.LOST and example_day - 1 - facts.last_day() <= horizon_days:
            other = example_day * DAY
    for episode in decisions.episodes:
        verdict = max(ceil_to(episode.by_when, DAY), first_midnight_after(at))  # it may wait for a broken feed
        look = verdict if not look or verdict < look else look
    if decisions.pending:
        first = decisions.pending[0]
        matured = max(ceil_to(first.at + first.horizon * DAY + lateness, DAY), first_midnight_after(at))
        other = matured if not other or matured < other else other
    return Due(look, other)


def _next_look(state: CustomerState, at: int, horizon_days: int) -> int:
    change = next_change(state.facts, at, horizon_days)
    look = 0 if change is None else ceil_to(change, DAY)
    if state.decisions.stage < Stage.LOST:  # a lost customer has no figures that could go stale
        silence = next_silence_look(state.facts, today_of(at), horizon_days)
        if silence is not None:  # the midnight that ends a day sees it as today
            look = min(look, (silence + 1) * DAY) if look else (silence + 1) * DAY
    return look


def first_midnight_after(at: int) -> int:
    """The first midnight (µs) after `at`."""
    return (at // DAY + 1) * DAY
