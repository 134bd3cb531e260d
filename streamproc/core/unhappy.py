"""Unhappy and silent (不满意但不抱怨): a customer with unresolved contacts, poor answers or returns, and no complaint.

The rule kept here: what shows discontent counts for some weeks, and only since the customer last was content (an answer
as good as expected, a question solved) or complained; a complaint is not silent, whoever complained has been heard.
"""

from typing import Literal

from msgspec import Struct

from streamproc.core.buckets import COMPLAINT, CONTACT_IN, CONTACT_OUT
from streamproc.core.facts import SOLVED, UNSOLVED, Facts, Touch
from streamproc.core.orders import SECONDS_A_DAY

SignName = Literal["unresolved", "poor", "falling", "unanswered", "return"]


class UnhappyRules(Struct, frozen=True):
    """Signs of the last `window_days` count, without a complaint for `quiet_days`; at `enough` points it is told.

    An answer is poor where less than `poor` of what was expected was perceived, falling where its share is `fell` below
    that of the answer before. Returns count together at the most `returns_at_most`. Somebody should have spoken to the
    customer within `answer_days`.
    """

    window_days: int = 90
    quiet_days: int = 182
    poor: float = 0.9
    fell: float = 0.2
    unresolved: int = 2
    poor_answer: int = 2
    falling: int = 1
    unanswered: int = 1
    returned: int = 1
    returns_at_most: int = 1
    enough: int = 2
    answer_days: int = 7


DEFAULT_RULES = UnhappyRules()


class Sign(Struct, frozen=True):
    """One sign of discontent: the second it was seen, and its event (empty where it is not kept)."""

    name: SignName
    at: int
    event_id: str
    points: int


class Discontent(Struct, frozen=True):
    """The signs that count, in order of time; `enough` says that a person should hear of it."""

    signs: tuple[Sign, ...] = ()
    points: int = 0
    enough: bool = False


CONTENT = Discontent()


def discontent(facts: Facts, today: int, rules: UnhappyRules = DEFAULT_RULES) -> Discontent:
    """What shows on the day `today` that the customer is unhappy and silent."""
    if not may_be(facts, today, rules):
        return CONTENT
    since = (today - rules.window_days) * SECONDS_A_DAY
    signs: list[Sign] = []
    share: float | None = None
    for touch in facts.contacts:
        now = _share(touch)
        if _is_content(touch, now):
            signs.clear()
        elif touch.at >= since:
            signs += _signs_of(touch, now, share, rules)
        share = share if now is None else now
    content_at = max((t.at for t in facts.contacts if _is_content(t, _share(t))), default=0)
    back = [r for r in facts.returns if not r.cancelled and r.at >= max(since, content_at)]
    signs += [Sign("return", r.at, r.event_id, rules.returned) for r in back[-rules.returns_at_most :]]
    signs.sort(key=lambda s: (s.at, s.name))
    points = sum(s.points for s in signs)
    return Discontent(tuple(signs), points, enough=points >= rules.enough)


def may_be(facts: Facts, today: int, rules: UnhappyRules = DEFAULT_RULES) -> bool:
    """Whether there is anything to look at: a few comparisons, for most customers one."""
    last = facts.kind_last
    if last and last[COMPLAINT] > today - rules.quiet_days:
        return False
    since = today - rules.window_days
    if last and max(last[CONTACT_IN], last[CONTACT_OUT]) >= since:
        return True
    return bool(facts.returns) and facts.returns[-1].at >= since * SECONDS_A_DAY


def is_content_since(facts: Facts, day: int) -> bool:
    """Whether the customer was content with a contact on that day or later."""
    since = day * SECONDS_A_DAY
    return any(touch.at >= since and _is_content(touch, _share(touch)) for touch in facts.contacts)


def _share(touch: Touch) -> float | None:
    return touch.perceived / touch.expected if touch.perceived >= 0 and touch.expected > 0 else None


def _is_content(touch: Touch, share: float | None) -> bool:
    if share is not None:
        return share >= 1
    return not touch.outward and touch.result in SOLVED


def _signs_of(touch: Touch, share: float | None, before: float | None, rules: UnhappyRules) -> list[Sign]:
    signs = []
    if not touch.outward and touch.result in UNSOLVED:
        asked = touch.result == "unresolved"
        name: SignName = "unresolved" if asked else "unanswered"
        signs.append(Sign(name, touch.at, touch.event_id, rules.unresolved if asked else rules.unanswered))
    if share is not None and share < rules.poor:
        signs.append(Sign("poor", touch.at, touch.event_id, rules.poor_answer))
    if share is not None and before is not None and share <= before - rules.fell:
        signs.append(Sign("falling", touch.at, touch.event_id, rules.falling))
    return signs
