"""Sorts more entries than memory holds: by ranges of time, on disk once there are too many.

Entries are bytes that sort by time first (`records.entry`). Their order is a function of their content alone:
it does not matter in which order customers were simulated.
"""

from collections.abc import Iterable, Iterator
from contextlib import ExitStack
from tempfile import TemporaryFile
from typing import IO, Self

from streamproc.simulate.records import entry_at

_RANGES = 64
_HELD = 200_000


class Spool:
    """Takes entries in any order, gives them back sorted; a context, for what lies on disk.

    Holds some `held` entries in memory while taking, and one of 64 ranges of [opens, ends) (µs) while giving.
    """

    def __init__(self, opens: int, ends: int, held: int = _HELD) -> None:
        self._opens = opens
        self._width = max(1, -(-(ends - opens) // _RANGES))
        self._held = held
        self._count = 0
        self._ranges: list[list[bytes]] = [[] for _ in range(_RANGES)]
        self._files: dict[int, IO[bytes]] = {}
        self._stack = ExitStack()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self._stack.close()

    def take(self, entries: Iterable[bytes]) -> None:
        """Add entries; none may hold a newline or lie outside the range."""
        opens, width, ranges = self._opens, self._width, self._ranges
        for packed in entries:
            ranges[(entry_at(packed) - opens) // width].append(packed)
            self._count += 1
        if self._count > self._held:
            self._spill()

    def _spill(self) -> None:
        for number, entries in enumerate(self._ranges):
            if entries:
                if number not in self._files:
                    self._files[number] = self._stack.enter_context(TemporaryFile())  # noqa: SIM115  the stack's
                self._files[number].write(b"\n".join(entries) + b"\n")
                entries.clear()
        self._count = 0

    def give(self) -> Iterator[bytes]:
        """All entries, sorted. Each is given once: a second call gives nothing."""
        for number, entries in enumerate(self._ranges):
            if (file := self._files.pop(number, None)) is not None:
                file.seek(0)
                entries.extend(file.read().split(b"\n")[:-1])
                file.close()
            entries.sort()
            yield from entries
            entries.clear()
