"""Files → items in order of event time: the journal's records and the refusals, each with its bytes and place."""

import heapq
import tempfile
from collections.abc import Iterator, Sequence
from pathlib import Path

from msgspec import Struct

from streamproc.adapters.sources.errors import SourceError
from streamproc.adapters.sources.files import Entry, FileSource, Progress
from streamproc.adapters.sources.spill import OVERHEAD, external_sort
from streamproc.intake.intake import Draft
from streamproc.intake.journal import JournalEvent
from streamproc.intake.refusal import Position, Refusal

RUN_BYTES = 64 << 20
"""Memory that sorting one file may take, roughly: about 80,000 records."""


class Item(Struct, frozen=True, gc=False):
    """What became of one record of a source: the journal's record or a refusal, the original bytes, the place."""

    outcome: JournalEvent | Refusal
    raw: bytes
    position: Position


def sorted_items(
    sources: Sequence[FileSource], now: int, *, progress: Progress | None = None, run_bytes: int = RUN_BYTES
) -> Iterator[Item]:
    """The records of all files by event time; at one instant the firm's facts first, then by file and record.

    A refused record comes where the record before it in its file does. `now` is the wall clock (µs), against
    which the future is judged. Raises SourceError, after all that was readable, for a damaged file.
    """
    broken: list[SourceError] = []
    streams = [_until_broken(in_time(source, now, progress, run_bytes), broken) for source in sources]
    if len(streams) == 1:
        yield from _finished(sources[0], streams[0])
    else:
        tagged = [_tagged(number, stream) for number, stream in enumerate(streams)]
        for number, entry in heapq.merge(*tagged, key=_order):
            yield _finish(sources[number], entry)
    if broken:
        raise SourceError("\n".join(str(error) for error in broken))


def in_time(source: FileSource, now: int, progress: Progress | None, run_bytes: int) -> Iterator[Entry]:
    """The records of one file by (time, rank, record number), with bounded memory.

    A small file is kept and sorted; of a large one a first pass finds out whether it is in order already, and is it
    not, it is sorted on disk. Raises SourceError after what was readable of a damaged file.
    """
    kept: list[Entry] | None = []
    size = 0
    ordered, last = True, (0, 0)
    broken: list[SourceError] = []
    for entry in _until_broken(source.entries(now, "check", progress), broken):
        key = entry[:2]
        ordered = ordered and key >= last
        last = key
        if kept is not None:
            kept.append(entry)
            size += len(entry[4]) + OVERHEAD
            kept = kept if size <= run_bytes else None
        elif not ordered:
            break
    if kept is not None:
        if not ordered:
            kept.sort(key=lambda entry: entry[:3])
        yield from kept
        if broken:
            raise broken[0]
    elif ordered:
        yield from source.entries(now, "read", progress)
    else:
        yield from _sorted_on_disk(source, now, progress, run_bytes)


def _sorted_on_disk(
    source: FileSource, now: int, progress: Progress | None, run_bytes: int
) -> Iterator[Entry]:
    broken: list[SourceError] = []
    entries = _until_broken(source.entries(now, "sort", progress), broken)
    try:
        with tempfile.TemporaryDirectory(prefix="streamproc-sort-") as folder:
            for at, rank, row, offset, raw in external_sort(
                (e[:5] for e in entries), Path(folder), run_bytes
            ):
                draft = source.open_raw(raw, now)
                if draft is not None:
                    yield at, rank, row, offset, raw, draft
    except OSError as error:
        raise SourceError(
            f"{source.path} cannot be sorted on disk: {error}; TMPDIR names another folder"
        ) from error
    if broken:
        raise broken[0]


def _until_broken(entries: Iterator[Entry], broken: list[SourceError]) -> Iterator[Entry]:
    """The entries up to a SourceError, which is kept for later."""
    try:
        yield from entries
    except SourceError as error:
        broken.append(error)


def _tagged(number: int, entries: Iterator[Entry]) -> Iterator[tuple[int, Entry]]:
    return ((number, entry) for entry in entries)


def _order(tagged: tuple[int, Entry]) -> tuple[int, int]:
    return tagged[1][:2]


def _finished(source: FileSource, entries: Iterator[Entry]) -> Iterator[Item]:
    return (_finish(source, entry) for entry in entries)


def _finish(source: FileSource, entry: Entry) -> Item:
    _, _, row, offset, raw, draft = entry
    position = Position(source.name, row, offset)
    if isinstance(draft, Draft):
        return Item(source.intake.finish(draft, raw, position), raw, position)
    return Item(draft, raw, position)
