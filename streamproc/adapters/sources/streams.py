"""A stream as a source (standard input): JSON Lines or CSV, each record as and when it comes."""

import io
import select
from collections.abc import Callable, Iterator
from itertools import chain
from typing import BinaryIO

from streamproc.adapters.sources.errors import SourceError
from streamproc.adapters.sources.files import Item, format_of, mapping_for
from streamproc.adapters.sources.lines import Dialect, Line, not_blank, read_lines, sniff
from streamproc.intake.columns import describe
from streamproc.intake.intake import Intake, Settings
from streamproc.intake.journal import JournalEvent
from streamproc.intake.mapping import Mapping
from streamproc.intake.rates import Rates
from streamproc.intake.refusal import Position, Refusal

_MAGIC = (b"\x1f\x8b", b"\x28\xb5\x2f\xfd", b"PAR1")


class Pipe(io.RawIOBase):
    """A pipe, terminal or file by its number, that calls `idle` before it waits for input that is not there yet.

    To be read through a BufferedReader, which asks here only once all it was given is used: whoever makes lists of
    records hands over what they have, and so holds nothing back while nothing comes. Raises SourceError where the
    number is of no open file.
    """

    def __init__(self, number: int, idle: Callable[[], None], name: str = "stdin") -> None:
        try:
            self._file = io.FileIO(number, closefd=False)
        except OSError as error:
            raise SourceError(f"{name} cannot be read: {error.strerror}") from error
        self._idle = idle

    def readable(self) -> bool:
        """Yes."""
        return True

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]  # by BufferedReader
        """What is there by now, at least a byte; 0 at the end."""
        if not select.select([self._file], [], [], 0)[0]:
            self._idle()
        return self._file.readinto(buffer) or 0


class StreamSource:
    """A stream of records. Reading the first line, which tells the format, waits for it.

    `disorder` is how far (µs) an event was behind the latest one before it, at most. Raises SourceError if
    the stream is empty, packed, or a table without customer or time.
    """

    def __init__(
        self,
        stream: BinaryIO,
        rates: Rates,
        *,
        mapping: Mapping | None = None,
        settings: Settings | None = None,
        name: str = "stdin",
    ) -> None:
        self.name = name
        self.mapping = mapping or Mapping()
        self.header: list[str] | None = None
        self.disorder = 0
        self._dialect = Dialect()
        lines = not_blank(read_lines(stream))
        first = next(lines, None)
        if first is None:
            raise SourceError(f"{name} is empty")
        if first[1].startswith(_MAGIC):
            raise SourceError(f"{name} is packed: unpack it on the way, as with zcat FILE | streamproc run -")
        self._records: Iterator[Line] = chain((first,), lines)
        if format_of(first[1], name) == "csv":
            self._dialect, self.header, self._records = sniff(self._records, self.mapping.encoding, name)
            self.mapping = mapping_for(self.header, mapping, name)
        if self.mapping.orders == "sum":
            raise SourceError(f'{name}: orders = "sum" needs all lines of an order together: read a file instead')
        self.intake = Intake(rates, self.mapping, self.header, settings)

    @property
    def description(self) -> list[str]:
        """How each column is read and which are ignored; one line for a JSON feed."""
        return ["JSON Lines: our field names"] if self.header is None else describe(self.mapping, self.header)

    def items(self, clock: Callable[[], int]) -> Iterator[Item]:
        """The records as they come; `clock` is the wall clock (µs). Raises SourceError if reading fails."""
        latest = 0
        try:
            for row, (offset, raw) in enumerate(self._records, start=1):
                position = Position(self.name, row, offset)
                outcome = self._take(raw, position, clock())
                if outcome is None:
                    continue
                if not isinstance(outcome, Refusal):
                    latest = max(latest, outcome.at)
                    self.disorder = max(self.disorder, latest - outcome.at)
                yield Item(outcome, raw, position)
        except OSError as error:
            raise SourceError(f"{self.name}: reading failed: {error}") from error

    def _take(self, raw: bytes, position: Position, now: int) -> JournalEvent | Refusal | None:
        if self.header is None:
            return self.intake.take(raw, position, now)
        cells = self._dialect.split(raw)
        return cells if isinstance(cells, Refusal) else self.intake.take_row(cells, position, now)
