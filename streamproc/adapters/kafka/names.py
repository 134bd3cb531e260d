"""What the topics are called."""

from typing import NamedTuple

BEGINNING = "beginning"
"""Behind the prefix, the transactional id of whoever begins the journal: of two, one is fenced off."""


class Names(NamedTuple):
    """The topics of one installation: all that are ours begin with `prefix`."""

    prefix: str = "streamproc."

    @property
    def journal(self) -> str:
        """The truth: every event and every control record, by customer."""
        return f"{self.prefix}journal"

    @property
    def examples(self) -> str:
        """What the monitor hands to the trainer."""
        return f"{self.prefix}examples"

    @property
    def desk_inbox(self) -> str:
        """What intake and monitor hand to the desk."""
        return f"{self.prefix}desk-inbox"

    @property
    def warnings(self) -> str:
        """The feed's lines, for Redis and for other systems."""
        return f"{self.prefix}warnings"

    @property
    def alerts(self) -> str:
        """The lines of the alerts, for those who run the shop."""
        return f"{self.prefix}alerts"

    @property
    def dead_letters(self) -> str:
        """What was refused, byte for byte."""
        return f"{self.prefix}dead-letters"

    @property
    def progress(self) -> str:
        """How far intake has read the firm's topics."""
        return f"{self.prefix}progress"

    def changelog(self, processor: str) -> str:
        """The compacted topic that holds a processor's state."""
        return f"{self.prefix}{processor}-changelog"
