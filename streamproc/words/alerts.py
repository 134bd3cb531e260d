"""An alert as a sentence with its evidence."""

from collections.abc import Callable

from streamproc.core.alerts import Alert, AlertKind
from streamproc.words.language import Words

_WORDS_OF = {"category": "cause", "kind": "complaint kind", "nature": "complaint nature"}
"""Whose terms the words of a tally are; of the others they are the feed's own."""


def alert_said(words: Words, alert: Alert) -> str:
    """What the alert says."""
    return _SAID[alert.kind](words, alert)


def _counted(words: Words, alert: Alert) -> dict[str, str]:
    """The figures of an alert that counts: how many, within how long, how many are usual."""
    figures = alert.figures
    return {
        "count": words.number(figures["count"]),
        "days": words.days(figures["days"]),
        "expected": words.number(round(figures["expected"], 1)),
    }


def _compared(words: Words, alert: Alert, written: Callable[[float], str]) -> dict[str, str]:
    """The figures of an alert that compares: what is now, what was before, how long ago."""
    figures = alert.figures
    return {"now": written(figures["now"]), "before": written(figures["before"]), "days": words.days(figures["days"])}


def _feed_silent(words: Words, alert: Alert) -> str:
    return words.say(
        "The feed {feed} is silent: nothing in {days}, where {expected} are usual.",
        feed=words.term("feed", alert.subject),
        days=words.days(alert.figures["days"]),
        expected=_counted(words, alert)["expected"],
    )


def _feed_odd(words: Words, alert: Alert) -> str:
    return words.say(
        "The feed {feed} brings too little: {count} in {days}, where {expected} are usual.",
        feed=words.term("feed", alert.subject),
        **_counted(words, alert),
    )


def _surge(words: Words, alert: Alert) -> str:
    tally, _, word = alert.subject.partition(":")
    return words.say(
        "Complaints surge ({tally}: {word}): {count} in {days}, where {expected} are usual.",
        tally=words.term("tally", tally),
        word=words.term(_WORDS_OF[tally], word) if tally in _WORDS_OF else word,
        **_counted(words, alert),
    )


def _churn(words: Words, alert: Alert) -> str:
    return words.say(
        "More customers of {grade} are lost than usual: {count} of {customers} in {days}, where {expected} are usual.",
        grade=words.term("grade", alert.subject),
        customers=words.number(alert.figures["customers"]),
        **_counted(words, alert),
    )


def _grave(words: Words, alert: Alert) -> str:
    return words.say(
        "A grave warning: large and middling customers are being lost, {count} of {customers} in {days}, "
        "where {expected} are usual.",
        customers=words.number(alert.figures["customers"]),
        **_counted(words, alert),
    )


def _shrinking(words: Words, alert: Alert) -> str:
    return words.say(
        "The base is shrinking: {now} active customers, {before} were there {days} ago.",
        **_compared(words, alert, words.number),
    )


def _concentrating(words: Words, alert: Alert) -> str:
    return words.say(
        "Revenue concentrates: the top 20 % bring {now} of it, {before} {days} ago.",
        **_compared(words, alert, words.share),
    )


def _cross_region(words: Words, alert: Alert) -> str:
    return words.say(
        "{dealer} sells across regions: {count} of {orders} orders went outside the assigned one, most to {region}.",
        dealer=alert.subject,
        count=words.number(alert.figures["count"]),
        orders=words.number(alert.figures["orders"]),
        region=alert.names["region"],
    )


def _price_gap(words: Words, alert: Alert) -> str:
    return words.say(
        "Prices of {category} are apart: {low} of the list price is paid in {cheap}, {high} in {dear}.",
        category=alert.subject,
        low=words.share(alert.figures["low"]),
        cheap=alert.names["cheap"],
        high=words.share(alert.figures["high"]),
        dear=alert.names["dear"],
    )


def _sliding(words: Words, alert: Alert) -> str:
    return words.say(
        "Satisfaction is sliding: {now} of what was expected, {before} {days} ago.",
        **_compared(words, alert, words.share),
    )


def _promise(words: Words, alert: Alert) -> str:
    names = alert.names
    values = {
        "promise": words.term("promise", names["promise"]),
        "complaint": names["complaint"],
        "customer": names["customer"],
        "owner": names["owner"],
        "due": words.moment(names["due"]),
    }
    if alert.severity == "medium":
        return words.say("{owner}: {promise} complaint {complaint} of {customer} by {due}.", **values)
    return words.say("{owner}: promise broken, to {promise} complaint {complaint} of {customer} by {due}.", **values)


def _cases_full(words: Words, alert: Alert) -> str:
    return words.say(
        "More complaints are open than the desk can watch: {count}; {let_go} that were open longest are not watched.",
        count=words.number(alert.figures["count"]),
        let_go=words.number(alert.figures["let_go"]),
    )


def _incident(words: Words, alert: Alert) -> str:
    names = alert.names
    return words.say(
        "Incident {id}: {count} customers about to leave for one cause, {cause} ({what} on {date}, {event}); "
        "{loss} may be lost.",
        id=alert.subject,
        count=words.number(alert.figures["count"]),
        cause=words.term("cause", names["cause"]),
        what=words.term("clue", names["sign"]),
        date=words.date(names["occurred_at"]),
        event=names["event"],
        loss=words.money(names["expected_loss"], names["currency"]),
    )


_SAID: dict[AlertKind, Callable[[Words, Alert], str]] = {
    "feed_silent": _feed_silent,
    "feed_odd": _feed_odd,
    "complaint_surge": _surge,
    "churn_rate": _churn,
    "churn_grave": _grave,
    "base_shrinking": _shrinking,
    "concentration_rising": _concentrating,
    "cross_region": _cross_region,
    "price_gap": _price_gap,
    "satisfaction_sliding": _sliding,
    "promise": _promise,
    "cases_full": _cases_full,
    "incident": _incident,
}
