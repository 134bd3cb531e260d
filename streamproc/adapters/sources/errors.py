"""The one exception of this room."""


class SourceError(Exception):
    """A source cannot be read (any further). The message says what is wrong and what to do about it."""
