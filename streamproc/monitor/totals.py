"""A partition's totals: each customer counts with the figures of their last look, taken out before put in anew."""

from streamproc.core.lifecycle import Stage
from streamproc.core.population import Histogram
from streamproc.monitor.effects import Figures, Totals
from streamproc.monitor.state import Counted, Decisions


def new_totals() -> Totals:
    """The totals of an empty partition."""
    return Totals(Histogram(), Histogram())


def merged(parts: list[Totals]) -> Totals:
    """The totals of all partitions together."""
    whole = new_totals()
    for part in parts:
        whole.contribution.merge(part.contribution)
        whole.revenue.merge(part.revenue)
        for mine, theirs in ((whole.stages, part.stages), (whole.grades, part.grades)):
            for name, count in theirs.items():
                mine[name] = mine.get(name, 0) + count
        whole.equity += part.equity
        whole.at_risk += part.at_risk
        whole.open_warnings += part.open_warnings
    return whole


def recount(totals: Totals, before: Stage | None, decisions: Decisions, figures: Figures | None) -> None:
    """Takes the customer's old figures out and puts today's in (both in place).

    `before` is the stage the totals hold the customer under, None for one not counted yet. Those permanently lost
    leave the base; the lost stay in it without value.
    """
    old = decisions.counted
    if before is not None:
        _step(totals.stages, before.code, -1)
    _step(totals.stages, decisions.stage.code, 1)
    if old is not None:
        _count(totals, old, -1)
    decisions.counted = None
    if figures is not None and decisions.stage < Stage.LOST:
        episode = decisions.open_episode()
        decisions.counted = Counted(
            figures.contribution,
            figures.revenue,
            figures.lifetime_value,
            figures.expected_loss if episode is not None else 0,
            episode is not None,
            figures.grade or "",
        )
        _count(totals, decisions.counted, 1)


def forget(totals: Totals, stage: Stage, decisions: Decisions) -> None:
    """Takes a customer out who goes on under another id (in place)."""
    _step(totals.stages, stage.code, -1)
    if decisions.counted is not None:
        _count(totals, decisions.counted, -1)
        decisions.counted = None


def _count(totals: Totals, counted: Counted, sign: int) -> None:
    totals.contribution.add(counted.contribution, sign)
    totals.revenue.add(counted.revenue, sign)
    totals.equity += sign * counted.lifetime_value
    totals.at_risk += sign * counted.at_risk
    totals.open_warnings += sign * counted.warned
    if counted.grade:
        _step(totals.grades, counted.grade, sign)


def _step(table: dict[str, int], name: str, by: int) -> None:
    count = table.get(name, 0) + by
    if count:
        table[name] = count
    else:
        table.pop(name, None)
