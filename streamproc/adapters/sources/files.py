"""One file as a source: its format found out, its columns understood, its records in their order."""

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from streamproc.adapters.sources.errors import SourceError
from streamproc.adapters.sources.lines import Dialect, Line, frame_rows, not_blank, read_lines, sniff
from streamproc.adapters.sources.opening import BROKEN, Opened, why_broken
from streamproc.adapters.sources.parquet import ParquetTable
from streamproc.intake.columns import describe, infer_mapping
from streamproc.intake.intake import Intake, Order, Settings
from streamproc.intake.journal import JournalEvent
from streamproc.intake.mapping import Mapping, MappingProblem
from streamproc.intake.rates import Rates
from streamproc.intake.refusal import Position, Refusal

Format = Literal["csv", "jsonl", "parquet"]

Record = tuple[int, int, bytes]
"""The number of a record from 1, its byte offset, its bytes."""

Progress = Callable[[str, int, int], None]
"""Called with a phase ("check", "sort", "read"), the bytes of the file done and in all."""

_SUFFIXES: dict[str, Format] = {
    ".csv": "csv",
    ".tsv": "csv",
    ".jsonl": "jsonl",
    ".ndjson": "jsonl",
    ".parquet": "parquet",
    ".pq": "parquet",
}
_PACKED = frozenset((".gz", ".zst", ".zstd"))
_REPORT_EVERY = 4096

_decode_cells = msgspec.json.Decoder(list[str]).decode


class Item(Struct, frozen=True, gc=False):
    """What became of one record: the journal's record or a refusal, the original bytes, the place."""

    outcome: JournalEvent | Refusal
    raw: bytes
    position: Position


class FileSource:
    """A file whose records can be read as often as needed.

    `name` is the file's name without its folder, `intake` what turns its records into the journal's,
    `description` says line by line how it is read. Raises SourceError if that cannot be found out.
    """

    def __init__(
        self,
        path: Path,
        rates: Rates,
        *,
        mapping: Mapping | None = None,
        settings: Settings | None = None,
        name: str | None = None,
    ) -> None:
        self.path = path
        self.name = name or path.name
        self.format: Format = find_format(path)
        self.mapping = mapping or Mapping()
        self._dialect = Dialect(encoding=self.mapping.encoding)
        self.header: list[str] | None = self._read_header()
        if self.header is not None:
            self.mapping = mapping_for(self.header, mapping, str(path))
        self.intake = Intake(rates, self.mapping, self.header, settings)

    @property
    def description(self) -> list[str]:
        """How each column is read and which are ignored; one line for a JSON feed."""
        if self.header is None:
            return ["JSON Lines: our field names"]
        return describe(self.mapping, self.header)

    def records(self, phase: str = "read", progress: Progress | None = None) -> Iterator[Record]:
        """The file's records in the order of the file, blank lines left out.

        Raises SourceError after the last readable record if the file is damaged or cut off.
        """
        return ((row, *line) for row, line in enumerate(self._lines(phase, progress), start=1))

    def peek(self, raw: bytes, now: int) -> Order | None:
        """Where a record belongs in time, None if it has no usable time."""
        if self.format == "jsonl":
            return self.intake.peek(raw, now)
        cells = self._split(raw)
        return None if isinstance(cells, Refusal) else self.intake.peek_row(cells, now)

    def take(self, record: Record, now: int, at: int | None = None) -> Item | None:
        """What becomes of a record; None for a kind that is skipped. `at` is its time where `peek` has told it."""
        row, offset, raw = record
        position = Position(self.name, row, offset)
        outcome: JournalEvent | Refusal | None
        if self.format == "jsonl":
            outcome = self.intake.take(raw, position, now, at=at)
        else:
            cells = self._split(raw)
            outcome = cells if isinstance(cells, Refusal) else self.intake.take_row(cells, position, now, at=at)
        return None if outcome is None else Item(outcome, raw, position)

    def _split(self, raw: bytes) -> list[str] | Refusal:
        return _decode_cells(raw) if self.format == "parquet" else self._dialect.split(raw)

    def _lines(self, phase: str, progress: Progress | None) -> Iterator[Line]:
        if self.format == "parquet":
            yield from self._parquet_records(phase, progress)
            return
        opened = Opened(self.path)
        try:
            lines = read_lines(opened.stream)
            records = frame_rows(lines, self._dialect) if self.format == "csv" else not_blank(lines)
            if self.format == "csv":
                next(records)  # the header
            for number, record in enumerate(records):
                yield record
                if progress is not None and number % _REPORT_EVERY == 0:
                    progress(phase, opened.read_bytes(), opened.size)
            if progress is not None:
                progress(phase, opened.size, opened.size)
        except BROKEN as error:
            raise SourceError(f"{self.path}: {why_broken(error)}; what was readable has been read") from error
        finally:
            opened.close()

    def _parquet_records(self, phase: str, progress: Progress | None) -> Iterator[Line]:
        table = ParquetTable(self.path)
        size = self.path.stat().st_size
        try:
            for number, raw in enumerate(table.rows()):
                yield 0, raw
                if progress is not None and number % _REPORT_EVERY == 0:
                    progress(phase, size * number // max(1, table.count), size)
            if progress is not None:
                progress(phase, size, size)
        except BROKEN as error:
            raise SourceError(f"{self.path}: {why_broken(error)}; what was readable has been read") from error
        finally:
            table.close()

    def _read_header(self) -> list[str] | None:
        """The column names of a table, None for a JSON feed; finds out the delimiter on the way."""
        if self.format == "jsonl":
            return None
        if self.format == "parquet":
            table = ParquetTable(self.path)
            table.close()
            return table.header
        opened = Opened(self.path)
        try:
            self._dialect, header, _ = sniff(read_lines(opened.stream), self._dialect.encoding, str(self.path))
        except BROKEN as error:
            raise SourceError(f"{self.path}: {why_broken(error)}") from error
        finally:
            opened.close()
        return header


def find_format(path: Path) -> Format:
    """The format of a file: by its name's ending, else by how its content begins. Raises SourceError."""
    endings = [ending.lower() for ending in path.suffixes if ending.lower() not in _PACKED]
    if endings and endings[-1] in _SUFFIXES:
        return _SUFFIXES[endings[-1]]
    opened = Opened(path)
    try:
        head = opened.stream.read(4096)
    except BROKEN as error:
        raise SourceError(f"{path}: {why_broken(error)}") from error
    finally:
        opened.close()
    return format_of(head, str(path))


def format_of(head: bytes, name: str) -> Format:
    """The format of what begins with `head`. Raises SourceError if it is none of ours."""
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()
    if head.startswith(b"PAR1"):
        return "parquet"
    if start.startswith(b"{"):
        return "jsonl"
    if start.startswith(b"["):
        raise SourceError(f"{name} is one JSON array: write one event a line, as with: jq -c '.[]' {name}")
    if not start or b"\0" in start:
        what = "is not a text we know" if start else "is empty"
        raise SourceError(f"{name} {what}: CSV, JSON Lines or Parquet is expected, in UTF-8, plain, gzip or zstd")
    return "csv"


def mapping_for(header: Sequence[str], mapping: Mapping | None, name: str) -> Mapping:
    """The full mapping of a table. Raises SourceError where customer or time cannot be found."""
    found = infer_mapping(header, mapping)
    if isinstance(found, MappingProblem):
        raise SourceError(f"{name}: {found}")
    return found


def open_source(
    path: Path, rates: Rates, *, mapping: Mapping | None = None, settings: Settings | None = None
) -> FileSource:
    """The file as a source. Raises SourceError with what to do about it."""
    return FileSource(path, rates, mapping=mapping, settings=settings)


def open_sources(
    paths: Sequence[Path], rates: Rates, *, mapping: Mapping | None = None, settings: Settings | None = None
) -> list[FileSource]:
    """Several files that share the rates; files of one name are told apart by number (`orders.csv~2`)."""
    seen: dict[str, int] = {}
    sources = []
    for path in paths:
        seen[path.name] = seen.get(path.name, 0) + 1
        name = path.name if seen[path.name] == 1 else f"{path.name}~{seen[path.name]}"
        sources.append(FileSource(path, rates, mapping=mapping, settings=settings, name=name))
    return sources
