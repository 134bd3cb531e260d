"""What to do about a warning: a row by segment, a line by cause, and the ties that the segment may be offered. Data.

The rule kept here: the segment's row says how it is treated and which ties it is worth; the line of the likely cause
adds its steps, of those that offer a tie only the ones the row allows. A bleeding customer is offered none.
"""

from collections.abc import Iterator, Sequence
from typing import Annotated, Final, Literal, NamedTuple

import msgspec
from msgspec import Meta, Struct

from streamproc.core.causes import CAUSES, Cause
from streamproc.core.events import RECOVERY_STEPS
from streamproc.core.ids import short_id
from streamproc.core.time import HOUR, to_text
from streamproc.core.value import Segment, Tier

Tie = Literal["financial", "social", "structural"]
"""What binds the customer, weakest first: benefits, personal attention, what a competitor cannot easily copy."""

UNKNOWN: Final = "unknown"
"""The line for a customer whose cause is not known, and the row for one whose segment is not."""

FOLLOWED: Final = 2
"""Causes whose lines are followed, the strongest."""

SECOND_AT_LEAST: Final = 0.6
"""A second cause's line is followed where its strength is at least this share of the first's."""

Name = Annotated[str, Meta(pattern=r"^[a-z][a-z0-9_]{0,39}$")]
Text = Annotated[str, Meta(min_length=1, max_length=300)]
Hours = Annotated[int, Meta(ge=1, le=24 * 365)]


class Texts(Struct, frozen=True, forbid_unknown_fields=True):
    """One text in both languages."""

    en: Text
    zh: Text


class Step(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """Something to do: who (a role of the playbook's) by when, in hours after the warning; `tie`: which it offers."""

    id: Name
    en: Text
    zh: Text
    role: Name
    within_hours: Hours
    tie: Tie | None = None


class Row(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """How a segment is treated: the stance, the ties it may be offered, and steps taken whatever the cause."""

    stance: Texts
    ties: tuple[Tie, ...]
    steps: tuple[Step, ...]


class Line(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What a cause adds. `recovery`: the seven steps belong to it, whether or not there was a complaint."""

    steps: tuple[Step, ...]
    recovery: bool = False


class Playbook(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True, omit_defaults=True):
    """The whole: rows by segment (and `unknown`), lines by cause (and `unknown`), the seven steps, names of roles.

    `tiers` may add steps that move a customer up the pyramid; a playbook without them says what it always said.
    """

    version: Annotated[int, Meta(ge=1, le=1)]
    name: Text
    roles: dict[Name, Texts]
    segments: dict[str, Row]
    causes: dict[str, Line]
    recovery: tuple[Step, ...]
    tiers: dict[str, Line] = {}


class StepText(Struct, frozen=True, kw_only=True):
    """Something to do, in both languages: whose it is, until when, by which row or line of the playbook (`origin`)."""

    origin: str
    id: str
    en: str
    zh: str
    role: str
    role_en: str
    role_zh: str
    due_by: str
    tie: str | None = None


class Do(NamedTuple):
    """A step that a warning asks for: where it is from (`segment.average`), who does it, until when (µs)."""

    origin: str
    step: Step
    role: Texts
    due: int


def steps_for(
    playbook: Playbook, segment: str | None, causes: Sequence[Cause], at: int, tier: str | None = None
) -> list[Do]:
    """What to do about a warning raised at `at` (µs): the row's steps, the lines', then what moves the tier up."""
    row_name = segment or UNKNOWN
    row = playbook.segments[row_name]
    found = [(f"segment.{row_name}", step) for step in row.steps]
    followed = [cause.cause for cause in causes if cause.strength >= SECOND_AT_LEAST * causes[0].strength][:FOLLOWED]
    for name in followed or (UNKNOWN,):
        found += [(f"cause.{name}", step) for step in playbook.causes[name].steps]
    if row_name != Segment.BLEEDING and _needs_recovery(playbook, causes):
        found += [("recovery", step) for step in playbook.recovery]
    if tier in playbook.tiers:
        found += [(f"tier.{tier}", step) for step in playbook.tiers[tier].steps]
    return [
        Do(origin, step, playbook.roles[step.role], at + step.within_hours * HOUR)
        for origin, step in found
        if step.tie is None or step.tie in row.ties
    ]


def step_text(do: Do) -> StepText:
    """A step for people and other systems."""
    step, role = do.step, do.role
    return StepText(
        origin=do.origin, id=step.id, en=step.en, zh=step.zh, role=step.role, role_en=role.en, role_zh=role.zh,
        due_by=to_text(do.due), tie=step.tie,
    )  # fmt: skip


def _needs_recovery(playbook: Playbook, causes: Sequence[Cause]) -> bool:
    """Whether the likeliest cause is one that was complained of, or whose line asks for the seven steps."""
    if not causes:
        return False
    complained = any(clue.stream == "complaints" for clue in causes[0].clues)
    return complained or playbook.causes[causes[0].cause].recovery


def digest(playbook: Playbook) -> str:
    """A short hash of all that is in it."""
    return short_id(msgspec.json.encode(playbook).decode())


def problems(playbook: Playbook) -> list[str]:
    """What is wrong with a playbook that is well-formed: parts missing or unknown, roles nobody named."""
    found = [
        *_parts("segments", playbook.segments, {*map(str, Segment), UNKNOWN}),
        *_parts("causes", playbook.causes, {*CAUSES, UNKNOWN}),
        *(f"tiers.{name}: there is no such thing" for name in sorted(playbook.tiers.keys() - {*map(str, Tier)})),
    ]
    told = tuple(step.id for step in playbook.recovery)
    if told != RECOVERY_STEPS:
        found.append(f"recovery: the seven steps are {', '.join(RECOVERY_STEPS)}, in this order")
    for place, steps in _lists(playbook):
        ids = [step.id for step in steps]
        found += [f"{place}: the step {name} is there twice" for name in sorted({i for i in ids if ids.count(i) > 1})]
        found += [
            f"{place}.{step.id}: no role {step.role} under [roles]" for step in steps if step.role not in playbook.roles
        ]
    bleeding = playbook.segments.get(Segment.BLEEDING)
    if bleeding is not None and (bleeding.ties or any(step.tie for step in bleeding.steps)):
        found.append("segments.bleeding: one who costs more than they bring is offered no tie (ties = [])")
    return found


def _parts(place: str, found: dict[str, Row] | dict[str, Line], wanted: set[str]) -> list[str]:
    missing = [f"{place}.{name} is missing" for name in sorted(wanted - found.keys())]
    return missing + [f"{place}.{name}: there is no such thing" for name in sorted(found.keys() - wanted)]


def _lists(playbook: Playbook) -> Iterator[tuple[str, tuple[Step, ...]]]:
    for name, row in playbook.segments.items():
        yield f"segments.{name}", row.steps
    for name, line in playbook.causes.items():
        yield f"causes.{name}", line.steps
    for name, line in playbook.tiers.items():
        yield f"tiers.{name}", line.steps
    yield "recovery", playbook.recovery
