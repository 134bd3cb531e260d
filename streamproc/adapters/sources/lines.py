"""Bytes → lines → records of a table or of JSON Lines, each with its offset and its own bytes."""

import csv
from collections import deque
from collections.abc import Iterator
from typing import BinaryIO

from msgspec import Struct

from streamproc.adapters.sources.errors import SourceError
from streamproc.intake.refusal import MAX_BODY, Refusal

Line = tuple[int, bytes]
"""Byte offset, and the bytes without the line feed."""

MAX_CONTINUED = 1 << 16
"""Bytes a record with line ends inside quotes may have. Past it the quote counts as never closed."""

_DELIMITERS = ",;\t|"


def read_lines(stream: BinaryIO) -> Iterator[Line]:
    """The lines of a stream. One over MAX_BODY bytes is cut just past it, and so seen to be too large."""
    offset = 0
    readline = stream.readline
    while line := readline(MAX_BODY + 2):
        start = offset
        offset += len(line)
        if line[-1] == 10:  # noqa: PLR2004  a line feed
            yield start, line[:-1]
            continue
        kept = line[: MAX_BODY + 1]
        while line and line[-1] != 10:  # noqa: PLR2004
            line = readline(MAX_BODY)
            offset += len(line)
        yield start, kept


class Dialect(Struct, frozen=True):
    """How a table is written: the delimiter and the encoding of its text."""

    delimiter: str = ","
    encoding: str = "utf-8"

    def split(self, raw: bytes) -> list[str] | Refusal:
        """The cells of one record."""
        if len(raw) > MAX_BODY:
            return Refusal("too_large", "", f"more than {MAX_BODY} bytes")
        try:
            text = raw.decode(self.encoding)
        except UnicodeDecodeError:
            if self.encoding == "utf-8":
                return Refusal("not_utf8", "", "set encoding in a mapping")
            return Refusal("bad_row", "", f"not {self.encoding} text")
        if '"' not in text:
            return text.removesuffix("\r").split(self.delimiter)
        record = Quoted(self)
        record.take(iter(((0, raw),)))
        return record.cells if record.closed else Refusal("bad_row", "", record.problem)


class Quoted:
    """One record with quotes in it, which may go on over line ends.

    Read by the csv module, strictly: text after a closing quote is a mistake, for the quote may have opened
    rows before, and those between would be lost.
    """

    def __init__(self, dialect: Dialect) -> None:
        self._dialect = dialect
        self._used: list[Line] = []
        self.cells: list[str] = []
        self.closed = True
        self.problem = "a quote is not closed"

    def take(self, lines: Iterator[Line]) -> list[Line]:
        """Read as many lines as the record has; returns them, `closed` tells whether they make a record."""
        try:
            self.cells = next(csv.reader(self._feed(lines), delimiter=self._dialect.delimiter, strict=True))
        except (csv.Error, UnicodeDecodeError) as error:
            if self.closed:
                self.closed, self.problem = False, f"not a CSV record: {error}"[:100]
        return self._used

    def _feed(self, lines: Iterator[Line]) -> Iterator[str]:
        size = 0
        for line in lines:
            self._used.append(line)
            size += len(line[1])
            if size > MAX_CONTINUED and len(self._used) > 1:
                break
            yield line[1].decode(self._dialect.encoding) + "\n"
        self.closed = False  # asked for another line, and there is none


def frame_rows(lines: Iterator[Line], dialect: Dialect) -> Iterator[Line]:
    """The records of a table, blank lines left out. A quote that is never closed spoils its own line only."""
    returned: deque[Line] = deque()

    def pending() -> Iterator[Line]:
        while True:
            if returned:
                yield returned.popleft()
            elif (line := next(lines, None)) is not None:
                yield line
            else:
                return

    for line in pending():
        offset, raw = line
        if b'"' not in raw:
            if raw.strip():
                yield line
            continue
        record = Quoted(dialect)
        used = record.take(_chain(line, pending()))
        if record.closed:
            yield offset, b"\n".join(raw for _, raw in used)
        else:
            returned.extendleft(reversed(used[1:]))
            yield line


def _chain(first: Line, rest: Iterator[Line]) -> Iterator[Line]:
    yield first
    yield from rest


def not_blank(lines: Iterator[Line]) -> Iterator[Line]:
    """The lines with anything in them."""
    return (line for line in lines if line[1].strip())


def sniff(lines: Iterator[Line], encoding: str, name: str) -> tuple[Dialect, list[str], Iterator[Line]]:
    """The dialect of a table, its header (the first line that is not blank), and the records after it.

    Raises SourceError if there is no readable header.
    """
    first = next((line for line in lines if line[1].strip()), None)
    if first is None:
        raise SourceError(f"{name} is empty: a header line with the column names is expected")
    try:
        bare = "".join(first[1].decode(encoding).split('"')[::2])
    except UnicodeDecodeError:
        raise SourceError(f'{name} is not {encoding}: save it as UTF-8, or say encoding = "..." in a mapping') from None
    dialect = Dialect(max(_DELIMITERS, key=bare.count), encoding)
    records = frame_rows(_chain(first, lines), dialect)
    header = dialect.split(next(records)[1])
    if isinstance(header, Refusal):
        raise SourceError(f"{name} has no readable header line: {header.detail or header.reason}")
    return dialect, [cell.strip().removeprefix("\ufeff") for cell in header], records
