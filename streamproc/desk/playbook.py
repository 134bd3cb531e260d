"""A playbook's file (TOML) read and checked: a person edits it, so all that is wrong is said at once, and where."""

import tomllib

import msgspec

from streamproc.core.playbook import Playbook, problems


class PlaybookError(Exception):
    """The playbook cannot be used; the message names every fault that can be told."""


def read_playbook(text: str) -> Playbook:
    """The playbook that a TOML text states. Raises PlaybookError."""
    try:
        raw = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise PlaybookError(f"the playbook is no TOML: {error}") from error
    try:
        playbook = msgspec.convert(raw, Playbook)
    except msgspec.ValidationError as error:
        raise PlaybookError(f"the playbook cannot be used:\n  {error}") from error
    found = problems(playbook)
    if found:
        raise PlaybookError("the playbook cannot be used:\n" + "\n".join(f"  {problem}" for problem in found))
    return playbook
