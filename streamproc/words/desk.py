"""How a warning stands with those who work on it, in words."""

from typing import Protocol

from streamproc.words.language import Words


class Care(Protocol):
    """What the desk did about a warning."""

    @property
    def claimed_by(self) -> str | None:
        """Whose it is."""
        ...

    @property
    def outcome(self) -> str | None:
        """How it went."""
        ...

    @property
    def overdue(self) -> bool:
        """Whether nobody had it when somebody should have."""
        ...


def standing_said(words: Words, state: str, care: Care | None) -> str:
    """The state, and how it went, or whose the warning is."""
    said = words.term("state", state)
    if care is None:
        return said
    if care.outcome is not None:
        return words.say("{state}, closed: {outcome}", state=said, outcome=words.term("warning outcome", care.outcome))
    if care.claimed_by is not None:
        return words.say("{state}, {who} has it", state=said, who=care.claimed_by)
    return words.say("{state}, overdue", state=said) if care.overdue else said
