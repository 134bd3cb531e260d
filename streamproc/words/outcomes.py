"""Why a look came out as it did, as a sentence with the rule's numbers."""

from collections.abc import Callable

from streamproc.words.language import Words
from streamproc.words.shapes import Answer, Rule


def outcome_said(words: Words, answer: Answer) -> str:
    """The sentence for an outcome; empty where there was no look."""
    if answer.outcome is None or answer.rule is None:
        return ""
    return _SAID[answer.outcome](words, answer.rule)


def _no_purchase(words: Words, _rule: Rule) -> str:
    return words.say("Has not bought yet, so there is nothing to lose.")


def _already_lost(words: Words, _rule: Rule) -> str:
    return words.say("Is lost already: a warning would come too late.")


def _feed_stale(words: Words, _rule: Rule) -> str:
    return words.say("The purchases feed lags behind: silence cannot be told from a broken feed.")


def _episode_open(words: Words, rule: Rule) -> str:
    return words.say(
        "A warning is open already; it ends when the customer buys or the risk falls below {clear}.",
        clear=words.share(rule.clear_at),
    )


def _below_threshold(words: Words, rule: Rule) -> str:
    if rule.probability is None or rule.probability < rule.raise_at:
        threshold = _raise(words, rule)
        return words.say("The risk, {risk}, is below {threshold}.", risk=_risk(words, rule), threshold=threshold)
    silent, least = rule.silent_days or 0, rule.least_silent_days or 0.0
    if silent < least or rule.expected_loss is None:
        return words.say(
            "The risk is {risk}, but the last purchase was only {days} ago; a warning needs {least}.",
            risk=_risk(words, rule),
            days=words.days(silent),
            least=words.days(least),
        )
    return words.say(
        "The risk is {risk}, but the expected loss, {loss}, is below {least}.",
        risk=_risk(words, rule),
        loss=words.money(rule.expected_loss, rule.currency),
        least=words.money(rule.minimum_expected_loss, rule.currency),
    )


def _minimum_evidence(words: Words, rule: Rule) -> str:
    return words.say(
        "Bought on {days} so far; warnings need {least}.",
        days=words.days(rule.purchase_days),
        least=words.days(rule.minimum_purchase_days),
    )


def _hysteresis(words: Words, rule: Rule) -> str:
    return words.say(
        "The risk, {risk}, has not been below {clear} since the last warning, nor did a purchase come.",
        risk=_risk(words, rule),
        clear=words.share(rule.clear_at),
    )


def _cooldown(words: Words, rule: Rule) -> str:
    return words.say(
        "A warning ended lately; the next is possible from {time} on.", time=_time(words, rule.cooldown_until)
    )


def _recent_contact(words: Words, rule: Rule) -> str:
    return words.say(
        "The firm tried to keep the customer on {date}; for {days} that is given time to work.",
        date=_time(words, rule.last_retention_contact),
        days=words.days(rule.recent_contact_days),
    )


def _do_not_contact(words: Words, _rule: Rule) -> str:
    return words.say("The customer may not be contacted.")


def _model_not_trusted(words: Words, rule: Rule) -> str:
    return words.say(
        "The model rests on {n} customers only; it is trusted from {least} on.",
        n=words.number(rule.customers_fitted),
        least=words.number(rule.minimum_customers_fitted),
    )


def _bleeding(words: Words, _rule: Rule) -> str:
    return words.say("The customer costs more than they bring: no effort is spent on keeping them.")


def _contacted_enough(words: Words, _rule: Rule) -> str:
    return words.say("The firm has been in touch as often as it may lately.")


def _snoozed(words: Words, rule: Rule) -> str:
    return words.say("The desk let the warning sleep until {time}.", time=_time(words, rule.snoozed_until))


def _muted(words: Words, rule: Rule) -> str:
    if rule.muted_until is None:
        return words.say("Muted: of this customer, segment or cause nobody is warned for now.")
    return words.say("Muted until {time}.", time=_time(words, rule.muted_until))


def _holdout(words: Words, rule: Rule) -> str:
    return words.say(
        "The risk, {risk}, reached {threshold}, but the customer is among those watched in silence, "
        "to measure what warnings bring.",
        risk=_risk(words, rule),
        threshold=_raise(words, rule),
    )


def _would_warn(words: Words, rule: Rule) -> str:
    return words.say(
        "The risk, {risk}, reached {threshold}, and nothing spoke against a warning.",
        risk=_risk(words, rule),
        threshold=_raise(words, rule),
    )


def _risk(words: Words, rule: Rule) -> str:
    return "–" if rule.probability is None else words.probability(rule.probability)


def _raise(words: Words, rule: Rule) -> str:
    return words.share(rule.raise_at)


def _time(words: Words, when: str | None) -> str:
    return "–" if when is None else words.moment(when)


_SAID: dict[str, Callable[[Words, Rule], str]] = {
    "no_purchase_yet": _no_purchase,
    "already_lost": _already_lost,
    "feed_stale": _feed_stale,
    "episode_open": _episode_open,
    "below_threshold": _below_threshold,
    "minimum_evidence": _minimum_evidence,
    "hysteresis": _hysteresis,
    "cooldown": _cooldown,
    "recent_contact": _recent_contact,
    "do_not_contact": _do_not_contact,
    "model_not_trusted": _model_not_trusted,
    "bleeding_segment": _bleeding,
    "contacted_enough": _contacted_enough,
    "snoozed": _snoozed,
    "muted": _muted,
    "holdout": _holdout,
    "would_warn": _would_warn,
}
