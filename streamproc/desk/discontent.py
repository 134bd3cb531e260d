"""Signs of discontent as people and other systems read them."""

from collections.abc import Sequence

from msgspec import Struct

from streamproc.core.time import SECOND, to_text
from streamproc.core.unhappy import Sign


class SignText(Struct, frozen=True, kw_only=True):
    """One sign of discontent; `event_id` None where the event is not kept."""

    sign: str
    at: str
    event_id: str | None


class DiscontentText(Struct, frozen=True, kw_only=True):
    """Whether the customer is unhappy and silent, and what shows it."""

    silent_and_unhappy: bool
    signs: tuple[SignText, ...]


def discontent_text(signs: Sequence[Sign], *, enough: bool) -> DiscontentText:
    """The signs for people."""
    told = tuple(SignText(sign=s.name, at=to_text(s.at * SECOND), event_id=s.event_id or None) for s in signs)
    return DiscontentText(silent_and_unhappy=enough, signs=told)
