"""A playbook's file (TOML) read and checked: a person edits it, so all that is wrong is said at once, and where."""

import tomllib
from collections.abc import Iterator
from typing import Any

import msgspec

from streamproc.core.playbook import Line, Playbook, Row, Step, problems


class PlaybookError(Exception):
    """The playbook cannot be used; the message names every fault that can be told, each with its place."""


def read_playbook(text: str) -> Playbook:
    """The playbook that a TOML text states. Raises PlaybookError."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PlaybookError(f"the playbook is no TOML: {error}") from error
    try:
        playbook = msgspec.convert(raw, Playbook)
    except msgspec.ValidationError as error:
        raise _error(list(_faults(raw)) or [str(error)]) from error
    found = problems(playbook)
    if found:
        raise _error(found)
    return playbook


def _error(found: list[str]) -> PlaybookError:
    return PlaybookError("the playbook cannot be used:\n" + "\n".join(f"  {problem}" for problem in found))


def _faults(raw: dict[str, Any]) -> Iterator[str]:
    """The faults of rows, lines and steps, each looked at by itself: so its place can be named."""
    for part, kind in (("segments", Row), ("causes", Line), ("tiers", Line)):
        table = raw.get(part)
        for name, one in table.items() if isinstance(table, dict) else ():
            yield from _fault_of(f"{part}.{name}", one, kind)
    yield from _of_steps("recovery", raw.get("recovery"))


def _fault_of(place: str, one: object, kind: type[Row | Line]) -> Iterator[str]:
    steps = one.get("steps") if isinstance(one, dict) else None
    told = list(_of_steps(place, steps))
    yield from told
    try:
        msgspec.convert(one, kind)
    except msgspec.ValidationError as error:
        if not told:
            yield f"{place}: {error}"


def _of_steps(place: str, steps: object) -> Iterator[str]:
    for number, step in enumerate(steps if isinstance(steps, list) else (), 1):
        try:
            msgspec.convert(step, Step)
        except msgspec.ValidationError as error:
            yield f"{place}, step {number}: {error}"
