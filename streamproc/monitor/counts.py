"""Counters of what happened, by name and label: bounded labels only, never a customer."""

from collections import Counter

from streamproc.core.causes import CAUSES
from streamproc.core.events import CustomerEvent, FirmFact, Purchase
from streamproc.core.time import SECOND
from streamproc.monitor.blame import UNKNOWN
from streamproc.monitor.effects import (
    ComplaintHeard,
    DeadLettered,
    Effect,
    Foretold,
    LateEvent,
    Looked,
    OfForgotten,
    Repeated,
    StepTaken,
    Transition,
)

Counts = Counter[tuple[str, str]]

OTHER = "other"
"""A category that is no cause of ours: a feed's own words are no label."""

ANSWERS = frozenset({"acknowledged", "resolved"})
"""Steps of a complaint whose time since it was opened is summed up."""


def tally(counts: Counts, effect: Effect) -> None:
    """Counts an effect (in place); of warnings people were told of, the feed's lines are counted."""
    match effect:
        case Looked(outcome=outcome):
            counts["looks", outcome] += 1
        case Transition(before=before, after=after, won_back=won_back):
            counts["transitions", f"{before.code}>{after.code}"] += 1
            counts["won_back", ""] += won_back
        case StepTaken(action=action, refused=refused):
            counts["steps", "refused" if refused else action] += 1
        case ComplaintHeard():
            _tally_complaint(counts, effect)
        case Foretold(lead=lead):
            counts["leads", ""] += 1
            counts["lead_seconds", ""] += lead // SECOND
        case LateEvent(too_late=too_late):
            counts["late", "too_late" if too_late else "late"] += 1
        case DeadLettered(reason=reason):
            counts["refused", reason] += 1
        case Repeated():
            counts["repeats", ""] += 1
        case OfForgotten():
            counts["refused", "forgotten"] += 1
        case _:
            pass


def _tally_complaint(counts: Counts, step: ComplaintHeard) -> None:
    label = f"{step.status}>{category_code(step.category)}"
    counts["complaints", label] += 1
    if step.status in ANSWERS:
        counts["complaint_seconds", label] += step.after // SECOND


def category_code(category: str | None) -> str:
    """A complaint's category as a label: one of the causes, `other`, or `unknown` where none was told."""
    if category is None:
        return UNKNOWN
    return category if category in CAUSES else OTHER


def stream_of(record: CustomerEvent | FirmFact) -> str:
    """What an event is counted under: purchase, return, complaint, contact, fact."""
    if isinstance(record, Purchase):
        return "return" if record.returned else "purchase"
    return type(record).__name__.lower().removeprefix("customer").removeprefix("firm")


FEEDS = {
    "purchase": "purchases",
    "return": "purchases",
    "complaint": "complaints",
    "contact": "contacts",
    "deskstep": "desk",
}


def feed_of(record: CustomerEvent | FirmFact) -> str:
    """Which feed brought it: purchases, complaints, contacts, facts, or the desk."""
    return FEEDS.get(stream_of(record), "facts")
