"""Work in turns: a generator that gives way now and then, for others of its process, and ends with a value."""

from collections.abc import Generator
from typing import TypeVar, cast

T = TypeVar("T")

Turns = Generator[None, None, T]


def whole(turns: Turns[T]) -> T:
    """All of the work at once."""
    while True:
        try:
            next(turns)
        except StopIteration as end:
            return cast("T", end.value)
