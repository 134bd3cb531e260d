"""What the desk did about a warning, as people and other systems read it."""

from collections.abc import Callable
from typing import Final, Literal

from msgspec import Struct

from streamproc.core.time import FOREVER, to_text
from streamproc.monitor.effects import StepTaken

StepKind = Literal["claimed", "snoozed", "handed_over", "noted", "closed", "muted", "unmuted", "overdue", "refused"]

KINDS: Final[dict[str, StepKind]] = {
    "claim": "claimed",
    "snooze": "snoozed",
    "hand_over": "handed_over",
    "note": "noted",
    "outcome": "closed",
    "mute": "muted",
    "unmute": "unmuted",
    "overdue": "overdue",
}
"""What a step that was done is called."""


class CareText(Struct, frozen=True, kw_only=True):
    """How a warning stands with the desk after its last step: whose it is, until when it sleeps, how it went.

    `cost` of the offer in units of the currency; `overdue`: nobody had it when somebody should have.
    """

    claimed_by: str | None = None
    snoozed_until: str | None = None
    outcome: str | None = None
    cost: str | None = None
    overdue: bool = False


class DeskText(Struct, frozen=True, kw_only=True):
    """One step as it was asked for: its event, who, to whom, until when, the words. `refused`: why it was not done."""

    action: str
    event_id: str
    by: str | None = None
    to: str | None = None
    until: str | None = None
    text: str | None = None
    refused: str | None = None


def kind_of(step: StepTaken) -> StepKind:
    """What the feed's line of a step is called."""
    return "refused" if step.refused else KINDS[step.action]


def care_of(step: StepTaken, money: Callable[[int], str]) -> CareText:
    """How the warning stands with the desk after the step, whether it was done or refused."""
    care = step.care
    return CareText(
        claimed_by=care.claimed_by or None,
        snoozed_until=_until(care.snoozed_until),
        outcome=care.outcome or None,
        cost=money(care.cost) if care.outcome else None,
        overdue=care.overdue,
    )


def asked(step: StepTaken) -> DeskText:
    """The step as it was asked for."""
    return DeskText(
        action=step.action,
        event_id=step.event_id,
        by=step.by or None,
        to=step.to,
        until=_until(step.until or 0),
        text=step.text,
        refused=step.refused,
    )


def _until(at: int) -> str | None:
    return to_text(at) if 0 < at < FOREVER else None
