"""What the desk did about a customer's warning, taken up by the customer's own partition.

So two who claim at once are judged by the order of their steps in time, whichever worker reads them.
"""

from msgspec.structs import replace

from streamproc.core.events import DeskStep
from streamproc.core.firm import Firm
from streamproc.core.time import FOREVER, SECOND
from streamproc.monitor.effects import StepTaken
from streamproc.monitor.state import Care, Concern, Decisions, Episode

EVERYBODYS = frozenset(("note", "hand_over"))
"""What one may do about a warning that somebody else has."""


def take_step(decisions: Decisions, step: DeskStep, at: int) -> StepTaken | None:
    """Takes a step up at the tick `at` (µs; decisions in place), or refuses it; None: there is no such warning."""
    if step.action in {"mute", "unmute"}:
        until = FOREVER if step.until is None else step.until
        decisions.muted_until = until if step.action == "mute" else 0
        return _taken(step, at, decisions.open_warning(), None)
    if step.action == "recover":
        return _taken(step, at, None, None)
    episode = _warning(decisions, step.warning_id)
    if episode is None:
        return None
    care = episode.care or Care()
    holder = care.claimed_by
    over = bool(episode.ended_at) and step.action in {"claim", "snooze"}
    if over or (holder and holder != step.by and step.action not in EVERYBODYS):
        return _taken(step, at, episode, "ended" if over else "claimed")
    episode.care = care
    _act(decisions, care, step)
    return _taken(step, at, episode, None)


def _warning(decisions: Decisions, warning_id: str | None) -> Episode | Concern | None:
    """The warning of this id that somebody may know of."""
    if decisions.concern is not None and decisions.concern.id == warning_id:
        return decisions.concern
    return next((episode for episode in decisions.episodes if episode.id == warning_id and not episode.holdout), None)


def _act(decisions: Decisions, care: Care, step: DeskStep) -> None:
    if step.action == "hand_over":
        care.claimed_by = step.to or ""
    elif step.action != "note":
        care.claimed_by = step.by
    if step.action == "snooze":
        decisions.snoozed_until = care.snoozed_until = step.until or 0
    if step.action == "outcome":
        care.outcome, care.cost = step.outcome or "", step.cost or 0


def _taken(step: DeskStep, at: int, episode: Episode | Concern | None, refused: str | None) -> StepTaken:
    care = None if episode is None else episode.care
    return StepTaken(
        id="" if episode is None else episode.id,
        customer_id=step.customer_id,
        at=at,
        event_id=step.event_id,
        action=step.action,
        by=step.by,
        care=replace(care) if care is not None else Care(),
        refused=refused,
        to=step.to,
        until=step.until,
        text=step.text,
        complaint_id=step.complaint_id,
        recovery=step.recovery,
    )


def muted_at(firm: Firm, at: int) -> frozenset[str]:
    """The causes and segments of which nobody is to be warned at a tick (µs); of each, what was said last holds."""
    until = {note.subject: note.value for note in firm.of("mute") if note.at < at}
    return frozenset(name for name, seconds in until.items() if seconds is None or at < seconds * SECOND)
