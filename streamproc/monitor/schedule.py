"""When a customer is due although nothing happened: silence must be seen.

The rule kept here: due times are a function of the state alone, and midnights, but for when somebody should have a
warning; each lies after the visit it follows.
Examples are taken, and labels told, on days of the customer's own, `example_step` apart: one visit serves both.
"""

from collections.abc import Iterator

from streamproc.core.facts import Facts
from streamproc.core.lifecycle import Stage, StageRules, next_change
from streamproc.core.time import DAY, FOREVER, ceil_to, today_of
from streamproc.monitor.state import CustomerState
from streamproc.scoring.examples import example_step

LONGEST_STEP_DAYS = 30
WAITING_STEP_DAYS = 3
FORGET_AFTER_DAYS = 390  # the last 365-day bucket is empty by then: nothing changes any more
RECENT_GAPS = 8


def first_due(state: CustomerState, other: int) -> int | None:
    """When (µs) the customer is due first: for the look the state names, or for an `other` visit (0: for none)."""
    look = state.decisions.next_look
    return (min(look, other) if other else look) if look else other or None


def usual_gap(facts: Facts, horizon_days: int) -> int:
    """Days between purchases, by the last of them; a third of the horizon for a buyer of one day."""
    recent = facts.recent
    days = recent.day
    if 0 in recent.count:  # of some days all orders were cancelled
        days = [day for day, count in zip(days, recent.count, strict=True) if count]
    gaps = min(len(days) - 1, RECENT_GAPS)
    if gaps < 1:
        return max(1, horizon_days // 3)
    return max(1, (days[-1] - days[-1 - gaps]) // gaps)


def next_silence_look(facts: Facts, today: int, horizon_days: int) -> int | None:
    """The next day to look at the silence: once it is a quarter over the usual gap, then at steps of half of it.

    The first is at a third of the horizon at the latest, so that one who buys seldom is seen before being lost; steps
    are at least a day and at most 30; none once a year's buckets have emptied.
    """
    last = facts.last_day()
    silent = today - last
    if last < 0 or silent > FORGET_AFTER_DAYS:
        return None
    recency = max(1, min(-(-usual_gap(facts, horizon_days) * 5 // 4), horizon_days // 3))
    while recency <= silent:
        recency += min(LONGEST_STEP_DAYS, recency // 2 or 1)
    return last + recency


def next_example(phase: int, step: int, day: int) -> int:
    """The first of the customer's example days (day % step == phase) after `day`."""
    return day + (phase - day - 1) % step + 1


def next_example_or_label(state: CustomerState, at: int, horizon_days: int, lateness: int, phase: int) -> int:
    """The midnight (µs) of the next example day, if the customer will still be active then; else of the first label's.

    Their example days are `phase` modulo the step; 0: never.
    """
    facts, decisions = state.facts, state.decisions
    step = example_step(horizon_days, lateness)
    if facts.n_days and decisions.stage < Stage.LOST:
        day = next_example(phase, step, at // DAY)
        if day - 1 - facts.last_day() <= horizon_days:
            return day * DAY
    if not decisions.pending:
        return 0
    first = decisions.pending[0]
    known = -(-(first.at + first.horizon * DAY + lateness) // DAY)
    return next_example(phase, step, max(known - 1, at // DAY)) * DAY


def next_look(state: CustomerState, at: int, horizon_days: int, rules: StageRules) -> int:
    """When (µs, after `at`) a look is due though nothing happens, 0 for never."""
    look = _next_silence(state, at, horizon_days, rules)
    for episode in state.decisions.episodes:
        verdict = max(ceil_to(episode.by_when, DAY), first_midnight_after(at))  # it may wait for a broken feed
        look = verdict if not look or verdict < look else look
    if state.decisions.episodes or state.decisions.quiet_until() > at:
        for other in _told_times(state, at):
            look = other if not look or other < look else look
    return look


def _told_times(state: CustomerState, at: int) -> Iterator[int]:
    """The midnights that end a silence about the customer, and when somebody should have the open warning.

    Of one that waits there must be fresh figures, whenever it goes out.
    """
    decisions = state.decisions
    for told in (decisions.snoozed_until, decisions.muted_until):
        if at < told < FOREVER:
            yield ceil_to(told, DAY)
    episode = decisions.open_warning()
    if episode is not None and episode.raised and episode.due_at:
        yield episode.due_at if episode.due_at > at else first_midnight_after(at)
    waiting = decisions.unraised()
    if waiting is not None:
        passed = (at - waiting.raised_at // DAY * DAY) // DAY
        yield (at // DAY + WAITING_STEP_DAYS - passed % WAITING_STEP_DAYS) * DAY


def _next_silence(state: CustomerState, at: int, horizon_days: int, rules: StageRules) -> int:
    change = next_change(state.facts, at, horizon_days, rules)
    look = 0 if change is None else ceil_to(change, DAY)
    if state.decisions.stage < Stage.LOST:  # a lost customer has no figures that could go stale
        silence = next_silence_look(state.facts, today_of(at), horizon_days)
        if silence is not None:  # the midnight that ends a day sees it as today
            look = min(look, (silence + 1) * DAY) if look else (silence + 1) * DAY
    return look


def first_midnight_after(at: int) -> int:
    """The first midnight (µs) after `at`."""
    return (at // DAY + 1) * DAY
