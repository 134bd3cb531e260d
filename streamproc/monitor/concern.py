"""The life of a service warning: raised once for a customer who is unhappy and silent, and over when that is over.

It has no probability and gets no verdict: it stands beside the churn warning, which it neither opens nor ends.
"""

from collections.abc import Callable

from streamproc.core.buckets import COMPLAINT
from streamproc.core.facts import Facts
from streamproc.core.ids import short_id
from streamproc.core.time import DAY, day_of, today_of
from streamproc.core.unhappy import Discontent, discontent, is_content_since, may_be
from streamproc.monitor.decide import Context, bars_of_contact
from streamproc.monitor.effects import EpisodeChange, EpisodeChanged, Why
from streamproc.monitor.state import Concern, Decisions


def settle_concern(
    customer_id: str, facts: Facts, decisions: Decisions, context: Context, is_muted: Callable[[], bool]
) -> tuple[list[EpisodeChanged], Discontent | None]:
    """Ends the open service warning where it is over, or opens one; what was told, and the signs of a new one.

    Decisions are updated in place. Most customers cost a few comparisons; `is_muted` tells, where it comes to that,
    whether the customer's segment or likeliest cause is.
    """
    concern, at = decisions.concern, context.at
    today = today_of(at)
    if concern is None and not may_be(facts, today):
        return [], None
    cooldown = context.policy.cooldown_days * DAY
    found = discontent(facts, today)
    if concern is not None and not concern.ended_at:
        if facts.says("do_not_contact") is True:
            return [_end(customer_id, concern, at, "withdrawn", "do_not_contact")], None
        return ([] if found.enough else [_over(customer_id, facts, concern, at)]), None
    if concern is not None:
        if at < concern.ended_at + cooldown:
            return [], None
        decisions.concern = None
    silenced = at < decisions.quiet_until() or decisions.is_silent_arm()
    barred = silenced or any(speaks for speaks, _ in bars_of_contact(facts, context.policy, at))
    if not found.enough or barred or is_muted():
        return [], None
    decisions.concern = Concern(id=f"s-{short_id(customer_id, str(at))}", raised_at=at)
    return [], found


def _over(customer_id: str, facts: Facts, concern: Concern, at: int) -> EpisodeChanged:
    raised = day_of(concern.raised_at)
    if facts.kind_last and facts.kind_last[COMPLAINT] >= raised:
        return _end(customer_id, concern, at, "recovered", "complained")
    if is_content_since(facts, raised):
        return _end(customer_id, concern, at, "recovered", "content")
    return _end(customer_id, concern, at, "withdrawn", "faded")


def end_concern(
    customer_id: str, decisions: Decisions, at: int, change: EpisodeChange, why: Why
) -> list[EpisodeChanged]:
    """Ends the open service warning, if there is one, of a customer who is lost or turned out to be another."""
    concern = decisions.concern
    if concern is None or concern.ended_at:
        return []
    return [_end(customer_id, concern, at, change, why)]


def _end(customer_id: str, concern: Concern, at: int, change: EpisodeChange, why: Why) -> EpisodeChanged:
    concern.ended_at = at
    return EpisodeChanged(id=concern.id, customer_id=customer_id, at=at, change=change, why=why)
