"""One thing the firm did, or that befell it, that makes many leave at once: one incident with a list of them.

The rule kept here: whose likeliest cause rests on a fact of the firm's shares that fact; once INCIDENT_FROM of them are
to be warned of within AT_ONCE, they are an incident. Each stays a warning of its own, in the feed and in the record,
but the incident is one piece of work: it takes one of the day's places, and whoever joins it takes none.
"""

from collections.abc import Callable, Iterable, Sequence
from typing import NamedTuple

from msgspec import Struct

from streamproc.core.alerts import CUSTOMERS_NAMED, AlertSeverity, Finding
from streamproc.core.causes import Cause, Clue
from streamproc.core.ids import short_id
from streamproc.core.playbook import Playbook, StepText, step_text, steps_for
from streamproc.core.policy import Severity
from streamproc.core.time import DAY, to_text
from streamproc.monitor.effects import EpisodeChanged, WouldWarn

INCIDENT_FROM = 5
AT_ONCE = 14 * DAY

LEAST_STRENGTH = 0.4
"""Of a weaker cause too many are suspected: everybody buys something whose price was raised once."""

LEAST_SHARE = 0.5
"""A fact is what a cause rests on where its clue weighs at least so much of the cause's heaviest."""

INCIDENTS_KEPT = 16
"""Incidents open at once; while there are so many, others' warnings stand for themselves."""

LISTED = 250
"""Of an incident's open warnings, those with most to lose. The others are counted, and that until it is over."""

SOURCES_KEPT, MEMBERS_KEPT = 128, 4_000
"""Facts that some share, and open warnings of them all; beyond, the one that was shared last longest ago is let go."""

_SEVERITIES: dict[Severity, AlertSeverity] = {
    Severity.UNRATED: "medium",
    Severity.LOW: "low",
    Severity.MEDIUM: "medium",
    Severity.HIGH: "high",
    Severity.CRITICAL: "critical",
}


class Shared(NamedTuple):
    """A fact of the firm's that a cause rests on, and the cause."""

    subject: str
    cause: Cause
    clue: Clue


def shared(causes: Sequence[Cause]) -> Shared | None:
    """The fact of the firm's that the likeliest cause rests on, None where it rests on the customer's own events."""
    if not causes or causes[0].strength < LEAST_STRENGTH:
        return None
    first = causes[0]
    for clue in first.clues:
        if clue.stream == "facts" and clue.event_id and clue.weight >= LEAST_SHARE * first.clues[0].weight:
            return Shared(f"i-{short_id(first.cause, clue.event_id)}", first, clue)
    return None


class Member(Struct, array_like=True):
    """An open warning that went out: whose, when (µs), what is to be lost (minor units), how grave."""

    customer_id: str
    at: int
    loss: int
    severity: Severity


class Source(Struct):
    """What some share: the cause, the fact, the open warnings by id. `began` (µs) 0: they are no incident.

    `more` and `more_loss` are those beyond the ones listed.
    """

    cause: str
    sign: str
    event_id: str
    occurred_at: int
    last: int = 0
    began: int = 0
    members: dict[str, Member] = {}
    more: int = 0
    more_loss: int = 0
    steps: tuple[StepText, ...] = ()


class Incidents(Struct):
    """What is shared, by subject."""

    sources: dict[str, Source] = {}


class Gathered(NamedTuple):
    """The would-warns that go out as part of an incident, and how many incidents begin with them."""

    joined: list[WouldWarn]
    begun: int


def gather(incidents: Incidents, at: int, woulds: Iterable[WouldWarn], playbook: Playbook | None) -> Gathered:
    """Finds, among all who are to be warned of and those who wait to be, the parts of incidents (sources in place)."""
    asking: dict[str, list[WouldWarn]] = {}
    about: dict[str, Shared] = {}
    for would in woulds:
        found = shared(would.causes)
        if found is not None:
            asking.setdefault(found.subject, []).append(would)
            about[found.subject] = found
    joined: list[WouldWarn] = []
    begun = 0
    for subject in sorted(asking):
        source = incidents.sources.get(subject)
        if source is None or not source.began:
            if not _is_many(incidents, at, source, asking[subject]):
                continue
            source = source or incidents.sources.setdefault(subject, _source(about[subject]))
            source.began, source.steps = at, _steps(playbook, asking[subject], about[subject], at)
            begun += 1
        joined += asking[subject]
    return Gathered(joined, begun)


def _is_many(incidents: Incidents, at: int, source: Source | None, asking: list[WouldWarn]) -> bool:
    times = (
        [would.at for would in asking] + [m.at for m in source.members.values()] if source else [w.at for w in asking]
    )
    full = sum(other.began > 0 for other in incidents.sources.values()) >= INCIDENTS_KEPT
    return not full and sum(at - then < AT_ONCE for then in times) >= INCIDENT_FROM


def _steps(playbook: Playbook | None, asking: list[WouldWarn], found: Shared, at: int) -> tuple[StepText, ...]:
    """What the playbook says of the cause, by the segment of the one with most to lose."""
    if playbook is None:
        return ()
    largest = max(asking, key=lambda would: (would.figures.expected_loss, would.id))
    return tuple(map(step_text, steps_for(playbook, largest.figures.segment, (found.cause,), at)))


def _source(found: Shared) -> Source:
    clue = found.clue
    return Source(cause=found.cause.cause, sign=clue.sign, event_id=clue.event_id, occurred_at=clue.at)


def went_out(incidents: Incidents, woulds: Iterable[WouldWarn]) -> bool:
    """Notes those that went out (in place); whether an incident has more of them now."""
    grown = False
    for would in woulds:
        found = shared(would.causes)
        if found is None:
            continue
        source = incidents.sources.setdefault(found.subject, _source(found))
        source.last = would.at
        source.members[would.id] = Member(would.customer_id, would.at, would.figures.expected_loss, would.severity)
        if len(source.members) > LISTED:
            least = min(source.members, key=lambda name: (source.members[name].loss, name))
            source.more, source.more_loss = source.more + 1, source.more_loss + source.members.pop(least).loss
        grown = grown or source.began > 0
    _bound(incidents)
    return grown


def _bound(incidents: Incidents) -> None:
    sources = incidents.sources
    while len(sources) > SOURCES_KEPT or sum(len(source.members) for source in sources.values()) > MEMBERS_KEPT:
        del sources[min(sources, key=lambda name: (sources[name].began > 0, sources[name].last, name))]


def went_on(incidents: Incidents, change: EpisodeChanged) -> bool:
    """Notes that a warning escalated or ended (in place); whether it is part of an incident."""
    for subject, source in incidents.sources.items():
        member = source.members.get(change.id)
        if member is None:
            continue
        if change.change == "escalated":
            member.loss = member.loss if change.expected_loss is None else change.expected_loss
            member.severity = change.severity or member.severity
        else:
            del source.members[change.id]
            if not source.members:
                del incidents.sources[subject]
        return source.began > 0
    return False


def incident_findings(incidents: Incidents, money: str, text: Callable[[int], str]) -> list[Finding]:
    """The incidents there are, amounts written by `text` in the currency `money`."""
    return [_finding(subject, source, money, text) for subject, source in incidents.sources.items() if source.began]


def _finding(subject: str, source: Source, currency: str, text: Callable[[int], str]) -> Finding:
    ordered = sorted(source.members.values(), key=lambda member: (-member.loss, member.customer_id))
    return Finding(
        kind="incident",
        subject=subject,
        severity=_SEVERITIES[max(member.severity for member in ordered)],
        figures={"count": float(len(ordered) + source.more)},
        names={
            "cause": source.cause,
            "sign": source.sign,
            "event": source.event_id,
            "occurred_at": to_text(source.occurred_at),
            "expected_loss": text(source.more_loss + sum(member.loss for member in ordered)),
            "currency": currency,
        },
        customers=tuple(member.customer_id for member in ordered[:CUSTOMERS_NAMED]),
        steps=source.steps,
    )
