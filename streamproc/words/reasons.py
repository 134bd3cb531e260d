"""Reasons as sentences: what is so, which way it pushes the risk and how hard, and what changed since the last look."""

from collections.abc import Callable, Sequence
from math import exp
from typing import NamedTuple, TypeVar

from streamproc.core.value import DEFAULT_RULES
from streamproc.words.language import Words
from streamproc.words.shapes import Reason, Risk, Standing, Value

R = TypeVar("R", bound=Reason)

STRONG, CLEAR, SLIGHT = 1.0, 0.3, 0.05
"""Log-odds from which a push is called strong, clear, slight; less hardly moves the risk."""


class Said(NamedTuple):
    """A reason in words: its term, what is so, how it pushes, what changed; `text` is all of it in one sentence."""

    term: str
    fact: str
    effect: str
    change: str
    text: str


def reason_said(words: Words, reason: Reason, standing: Standing, value: Value) -> Said:
    """The sentence of one reason of a look."""
    fact = _FACTS[reason.reason](words, reason, standing, value)
    effect, change = _effect(words, reason.log_odds), _change(words, reason.change)
    text = words.say("{fact}: {effect}; {change}.", fact=fact, effect=effect, change=change)
    return Said(words.term("group", reason.reason), fact, effect, change, text)


def main_reasons(reasons: Sequence[R], at_most: int = 3) -> list[R]:
    """The reasons that raise the risk most, heaviest first; what holds for everybody is no reason for this customer.

    Silence and rhythm say the same to a person (so long ago, against the usual gap): the heavier speaks for both.
    """
    raising = sorted((r for r in reasons if r.log_odds >= SLIGHT and r.reason != "level"), key=lambda r: -r.log_odds)
    gaps = [r for r in raising if r.reason in ("silence", "rhythm")]
    return [r for r in raising if r not in gaps[1:]][:at_most]


def money_notes(words: Words, value: Value) -> list[str]:
    """What must be said beside amounts: that costs are assumed, or that no money is known."""
    if not value.measured:
        return [words.say("The data holds no amounts: what is at stake cannot be told.")]
    if value.assumed:
        share = words.share(DEFAULT_RULES.assumed_cost_share)
        return [words.say("Costs are not stated for all purchases; {share} of revenue is assumed there.", share=share)]
    return []


def model_note(words: Words, risk: Risk) -> str:
    """Which model speaks."""
    if risk.speaks == "prior":
        return words.say("The risk rests on the buying pattern alone: no outcome corrects it so far.")
    if risk.speaks == "blend":
        return words.say("The risk rests on the buying pattern, corrected by the few outcomes known so far.")
    return words.say("The risk rests on the buying pattern, corrected by what became of customers like this.")


def _effect(words: Words, log_odds: float) -> str:
    if abs(log_odds) < SLIGHT:
        return words.say("hardly moves the risk")
    odds = words.factor(exp(log_odds))
    return _raises(words, log_odds, odds) if log_odds > 0 else _lowers(words, -log_odds, odds)


def _raises(words: Words, size: float, odds: str) -> str:
    if size >= STRONG:
        return words.say("raises the risk strongly (odds × {odds})", odds=odds)
    if size >= CLEAR:
        return words.say("raises the risk clearly (odds × {odds})", odds=odds)
    return words.say("raises the risk slightly (odds × {odds})", odds=odds)


def _lowers(words: Words, size: float, odds: str) -> str:
    if size >= STRONG:
        return words.say("lowers the risk strongly (odds × {odds})", odds=odds)
    if size >= CLEAR:
        return words.say("lowers the risk clearly (odds × {odds})", odds=odds)
    return words.say("lowers the risk slightly (odds × {odds})", odds=odds)


def _change(words: Words, change: float | None) -> str:
    if change is None:
        return words.say("first look")
    if abs(change) < SLIGHT:
        return words.say("unchanged since the last look")
    odds = words.factor(exp(change))
    if change > 0:
        return words.say("up since the last look (× {odds})", odds=odds)
    return words.say("down since the last look (× {odds})", odds=odds)


# ------------------------------------------------------------------------------------- what is so, by group

Fact = Callable[[Words, Reason, Standing, Value], str]


def _level(words: Words, _reason: Reason, _standing: Standing, _value: Value) -> str:
    return words.say("How likely customers are to leave in general just now")


def _silence(words: Words, _reason: Reason, standing: Standing, _value: Value) -> str:
    recency, gap = standing.recency_days, standing.usual_gap_days
    if recency <= 0:
        return words.say("Bought on this very day")
    if gap is None:
        return words.say("Last bought {days} ago, on the only day of purchase so far", days=words.days(recency))
    return words.say(
        "Last bought {days} ago; usually buys every {gap}", days=words.days(recency), gap=words.days(_round(gap))
    )


def _frequency(words: Words, _reason: Reason, standing: Standing, _value: Value) -> str:
    orders = words.count("{n} order", "{n} orders", standing.orders)
    if standing.orders == standing.purchase_days:
        return words.say("Has placed {orders} so far", orders=orders)
    return words.say("Has placed {orders} on {days} so far", orders=orders, days=words.days(standing.purchase_days))


def _newness(words: Words, _reason: Reason, standing: Standing, _value: Value) -> str:
    age = round((standing.usual_gap_days or 0.0) * (standing.purchase_days - 1)) + standing.recency_days
    return words.say("First bought about {days} ago", days=words.days(age))


def _trend(words: Words, _reason: Reason, standing: Standing, _value: Value) -> str:
    last, usual = standing.last_gap_days, standing.usual_gap_days
    if last is None or usual is None or standing.purchase_days <= 2:  # noqa: PLR2004 - of two days the one gap is both
        return words.say("The latest gaps between purchases, against earlier ones")
    return words.say(
        "The latest gaps between purchases, the last one {days}, against {gap} on average",
        days=words.days(last),
        gap=words.days(_round(usual)),
    )


def _rhythm(words: Words, reason: Reason, standing: Standing, _value: Value) -> str:
    gap = standing.usual_gap_days
    if gap is None:
        return words.say("Too few purchases to tell a rhythm")
    over, raises = standing.recency_days - round(gap), reason.log_odds >= 0
    if (over > 0) is not raises:  # being overdue lowers no risk, being in time raises none: the rhythm itself does
        return words.say("Usually buys every {gap}", gap=words.days(_round(gap)))
    if over > 0:
        return words.say("{days} past the usual gap of {gap}", days=words.days(over), gap=words.days(_round(gap)))
    return words.say("Still within the usual gap of {gap}", gap=words.days(_round(gap)))


def _money(words: Words, reason: Reason, standing: Standing, value: Value) -> str:
    if not value.measured:
        return words.say("The data holds no amounts")
    amount, trend = words.money(value.revenue_a_year, value.currency), standing.spend_trend
    if trend is None or (trend < 1.0) is not (reason.log_odds >= 0):  # more spent raises no risk: the level does
        return words.say("Bought for {amount} in the last year", amount=amount)
    return words.say(
        "Bought for {amount} in the last year, in its second half {share} of what it was in the first",
        amount=amount,
        share=words.share(trend),
    )


def _basket(words: Words, _reason: Reason, standing: Standing, _value: Value) -> str:
    n = round(standing.orders / max(standing.purchase_days, 1), 1)
    orders = words.count("{n} order", "{n} orders", n)
    if standing.articles_a_day is None:
        return words.say("On a day of purchase places {orders} on average", orders=orders)
    articles = words.count("{n} article", "{n} articles", standing.articles_a_day)
    return words.say("On a day of purchase places {orders} on average, of {articles}", orders=orders, articles=articles)


def _returns(words: Words, reason: Reason, _standing: Standing, _value: Value) -> str:
    if not reason.evidence:
        return words.say("No goods were returned")
    return words.say("Goods were returned, last on {date}", date=words.date(reason.evidence[0].occurred_at))


def _complaints(words: Words, reason: Reason, _standing: Standing, _value: Value) -> str:
    if not reason.evidence:
        return words.say("No complaint is known")
    return words.say("There were complaints, last news on {date}", date=words.date(reason.evidence[0].occurred_at))


def _contacts(words: Words, reason: Reason, _standing: Standing, _value: Value) -> str:
    if not reason.evidence:
        return words.say("No contact is known")
    return words.say("There were contacts, the last on {date}", date=words.date(reason.evidence[0].occurred_at))


def _discounts(words: Words, _reason: Reason, standing: Standing, _value: Value) -> str:
    if standing.discount_share is None:
        return words.say("No list price is known of the last year's purchases")
    share = words.share(standing.discount_share)
    return words.say("Of the last year's purchases with a known list price, {share} was bought below it", share=share)


def _round(gap: float) -> float:
    return gap if gap < 3 else round(gap)  # noqa: PLR2004 - below three days the decimals matter


_FACTS: dict[str, Fact] = {
    "level": _level,
    "silence": _silence,
    "frequency": _frequency,
    "newness": _newness,
    "trend": _trend,
    "rhythm": _rhythm,
    "money": _money,
    "basket": _basket,
    "returns": _returns,
    "complaints": _complaints,
    "contacts": _contacts,
    "discounts": _discounts,
}
