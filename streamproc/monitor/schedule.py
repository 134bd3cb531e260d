"""When a customer is due for a look although nothing happened: silence must be seen.

The rule kept here: due times are midnights and a function of the state alone; each lies after the look it follows.
"""

from streamproc.core.facts import Facts
from streamproc.core.lifecycle import Stage, next_change
from streamproc.core.time import DAY, ceil_to
from streamproc.monitor.state import CustomerState

LONGEST_STEP_DAYS = 30
FORGET_AFTER_DAYS = 390  # the last 365-day bucket is empty by then: nothing changes any more


def usual_gap(facts: Facts, horizon_days: int) -> int:
    """Days between purchases, by the last of them; a third of the horizon for a buyer of one day."""
    days = facts.recent.day[-9:]
    if len(days) == 1:
        return max(1, horizon_days // 3)
    return max(1, (days[-1] - days[0]) // (len(days) - 1))


def next_silence_look(facts: Facts, today: int, horizon_days: int) -> int | None:
    """The next day whose midnight looks at the silence: at the usual gap, then at steps half as long as the silence.

    Steps are at least a day and at most 30; none once a year's buckets have emptied.
    """
    last = facts.last_day()
    if last < 0 or today - last > FORGET_AFTER_DAYS:
        return None
    recency = usual_gap(facts, horizon_days)
    while last + recency <= today:
        recency += min(LONGEST_STEP_DAYS, max(1, recency // 2))
    return last + recency


def next_example(phase: int, step: int, day: int) -> int:
    """The first of the customer's example days (day % step == phase) after `day`."""
    return day + (phase - day - 1) % step + 1


def due_at(state: CustomerState, at: int, horizon_days: int, lateness: int, example_day: int) -> int | None:
    """The midnight (µs) after `at` at which the customer is due next, None where nothing will change by itself.

    `example_day` is the customer's next example day; it counts while the customer will still be active then.
    """
    facts, decisions = state.facts, state.decisions
    times: list[int] = []
    if facts.n_days and decisions.stage >= Stage.LOST:  # a lost customer has no figures that could go stale
        times += [ceil_to(t, DAY) for t in (next_change(facts, at, horizon_days),) if t is not None]
    elif facts.n_days:
        # A look at the midnight that ends day d sees d as today.
        silence = next_silence_look(facts, at // DAY - 1 if at % DAY == 0 else at // DAY, horizon_days)
        if silence is not None:
            times.append((silence + 1) * DAY)
        change = next_change(facts, at, horizon_days)
        if change is not None:
            times.append(ceil_to(change, DAY))
        if example_day - 1 - facts.last_day() <= horizon_days:
            times.append(example_day * DAY)
    times += [ceil_to(p.at + p.horizon * DAY + lateness, DAY) for p in decisions.pending[:1]]
    times += [ceil_to(e.by_when, DAY) for e in decisions.episodes]
    return min((t for t in times if t > at), default=None)
