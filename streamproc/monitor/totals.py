"""A partition's totals: each customer counts with the figures of their last look, taken out before put in anew."""

from collections.abc import Iterable, Sequence

from msgspec.structs import replace

from streamproc.core import experience as xp
from streamproc.core.events import Complaint, Contact, CustomerEvent, Purchase
from streamproc.core.holdout import Arm
from streamproc.core.lifecycle import Stage
from streamproc.core.population import Histogram
from streamproc.core.satisfaction import content_of
from streamproc.core.value import Segment
from streamproc.monitor.blame import add_losses
from streamproc.monitor.effects import Effect, Totals, Unseen, Verdict
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
        tables = ((whole.stages, part.stages), (whole.grades, part.grades), (whole.segments, part.segments))
        for mine, theirs in (*tables, (whole.seen, part.seen), (whole.lost, part.lost)):
            for name, count in theirs.items():
                mine[name] = mine.get(name, 0) + count
        add_losses(whole.losses, part.losses)
        add_losses(whole.silent_losses, part.silent_losses)
        whole.dealing.add(part.dealing)
        whole.equity += part.equity
        whole.at_risk += part.at_risk
        whole.open_warnings += part.open_warnings
        _add_bonds(whole, part)
        for name, arm in part.arms.items():
            whole.arms.setdefault(name, Arm()).add(arm)
    return whole


def recount(totals: Totals, before: Stage | None, decisions: Decisions, now: Counted | None) -> None:
    """Takes the customer's old figures out and puts today's in (both in place).

    `before` is the stage the totals hold the customer under, None for one not counted yet. The lost count by stage
    alone.
    """
    if now is not None:
        now.graded = bool(now.grade and now.service and now.service[xp.SURVEYS])
    if before is not decisions.stage:
        if before is not None:
            _step(totals.stages, before.code, -1)
        _step(totals.stages, decisions.stage.code, 1)
    old = decisions.counted
    if old == now:
        return
    if now is None and old is not None and old.grade and decisions.stage is Stage.LOST:
        _step(totals.lost, old.grade, 1)
    if old is not None and now is not None:
        _exchange(totals, old, now)
    elif old is not None:
        _count(totals, old, -1)
    elif now is not None:
        _count(totals, now, 1)
    decisions.counted = now


def count_told(totals: Totals, decisions: Decisions) -> None:
    """Counts a customer's open warning from now on, for people have been told of it (both in place)."""
    told, known = decisions.told_warning(), decisions.counted
    if told is not None and known is not None:
        recount(totals, decisions.stage, decisions, replace(known, warned=True, at_risk=told.expected_loss))


def _exchange(totals: Totals, old: Counted, now: Counted) -> None:
    """The usual case, in which the money of the year stayed the same and only the risk moved."""
    if _bulk(old) != _bulk(now):
        _count(totals, old, -1)
        _count(totals, now, 1)
        return
    totals.equity += now.lifetime_value - old.lifetime_value
    totals.at_risk += now.at_risk - old.at_risk
    totals.open_warnings += now.warned - old.warned


def _bulk(one: Counted) -> tuple[object, ...]:
    return (
        one.contribution, one.revenue, one.grade, one.segment,
        one.first_day, one.breadth, one.service, one.unhappy, one.graded,
    )  # fmt: skip


def _add_bonds(whole: Totals, part: Totals) -> None:
    whole.first_days += part.first_days
    whole.breadth += part.breadth
    whole.broad += part.broad
    whole.unhappy += part.unhappy
    add_service(whole, part.service, 1)
    for grade, sums in part.content.items():
        _add_content(whole, grade, sums, 1)


def _add_content(totals: Totals, grade: str, sums: Sequence[int], sign: int) -> None:
    before = totals.content.get(grade, [0] * len(sums))
    after = [a + sign * b for a, b in zip(before, sums, strict=True)]
    if any(after):
        totals.content[grade] = after
    else:
        totals.content.pop(grade, None)


def add_service(totals: Totals, sums: list[int], sign: int) -> None:
    """Adds sums of the service, or takes them out again with `sign` -1 (in place)."""
    if sums:
        before = totals.service or [0] * len(sums)
        after = [a + sign * b for a, b in zip(before, sums, strict=True)]
        totals.service = after if any(after) else []


SEGMENTS = tuple(Segment)
"""In the order in which `Counted` numbers them: others may only follow."""

STREAMS: dict[type, str] = {Purchase: "purchases", Complaint: "complaints", Contact: "contacts"}


def count_seen(totals: Totals, events: Iterable[CustomerEvent]) -> None:
    """Counts events that were applied in time, or late within the allowed lateness (in place)."""
    for event in events:
        if (stream := STREAMS.get(type(event))) is not None:
            _step(totals.seen, stream, 1)


def count_verdicts(totals: Totals, effects: Iterable[Effect]) -> None:
    """Counts the verdicts of those for whom an arm was drawn (in place), whether anybody was told or not."""
    for effect in effects:
        told = effect.effect if isinstance(effect, Unseen) else effect
        if isinstance(told, Verdict) and told.arm is not None:
            heard = told.told or told.arm == "holdout"  # the silent arm is one of its own
            for name in (told.arm, f"{told.arm}/{told.band}"):
                totals.arms.setdefault(name, Arm()).count(told.stake, told.cost, kept=not told.right, told=heard)


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
    totals.first_days += sign * counted.first_day
    totals.breadth += sign * counted.breadth
    totals.broad += sign * (counted.breadth > 0)
    totals.unhappy += sign * counted.unhappy
    add_service(totals, counted.service, sign)
    if counted.graded:
        _add_content(totals, counted.grade, content_of(counted.service), sign)
    if counted.grade:
        _step(totals.grades, counted.grade, sign)
    if counted.segment:
        _step(totals.segments, SEGMENTS[counted.segment - 1].value, sign)


def _step(table: dict[str, int], name: str, by: int) -> None:
    count = table.get(name, 0) + by
    if count:
        table[name] = count
    else:
        table.pop(name, None)
