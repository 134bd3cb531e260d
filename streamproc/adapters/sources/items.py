"""Files → items in order of event time, whatever the order in the files, with bounded memory."""

import heapq
import tempfile
from collections.abc import Iterator, Sequence
from operator import itemgetter
from pathlib import Path

from streamproc.adapters.sources.errors import SourceError
from streamproc.adapters.sources.files import FileSource, Item, Progress, Record
from streamproc.adapters.sources.spill import OVERHEAD, Key, external_sort
from streamproc.core.events import Purchase
from streamproc.intake.lines import Line, add_line, first_line, line_of
from streamproc.intake.refusal import Refusal

RUN_BYTES = 64 << 20
"""Memory that putting one file in order may take, roughly: about 150,000 records."""

UNDATED = 2
"""The rank of a record without a usable time: after all others of the instant."""

_order_in_file = itemgetter(0, 1, 2)


def sorted_items(
    sources: Sequence[FileSource], now: int, *, progress: Progress | None = None, run_bytes: int = RUN_BYTES
) -> Iterator[Item]:
    """The records of all files by event time; at one instant the firm's facts first, then by file and record.

    A record without a usable time comes after those of the instant that the one before it in its file has. `now`
    is the wall clock (µs), against which the future is judged. Raises SourceError, after all that was readable,
    for a damaged file.
    """
    broken: list[SourceError] = []
    streams = [_until_broken(in_time(source, now, progress, run_bytes), broken) for source in sources]
    if len(streams) == 1:
        merged = ((0, key) for key in streams[0])
    else:
        merged = heapq.merge(*map(_tagged, range(len(streams)), streams), key=lambda tagged: tagged[1][:2])
    taken = (
        sources[number].take((row, offset, raw), now, None if rank == UNDATED else at)
        for number, (at, rank, row, offset, raw) in merged
    )
    items = (item for item in taken if item is not None)
    sums = {source.name for source in sources if source.mapping.orders == "sum"}
    yield from _summed(items, sums) if sums else items
    if broken:
        raise SourceError("\n".join(str(error) for error in broken))


def in_time(source: FileSource, now: int, progress: Progress | None, run_bytes: int) -> Iterator[Key]:
    """The records of one file by (time, rank, record number), with bounded memory.

    A small file is kept and sorted; of a large one a first pass finds out whether it is in order already, and
    if it is not, it is sorted on disk. Raises SourceError after what was readable of a damaged file.
    """
    kept: list[Key] = []
    room = run_bytes
    ordered, last = True, (0, 0)
    broken: list[SourceError] = []
    for key in _until_broken(_keys(source, source.records("check", progress), now), broken):
        order = key[:2]
        ordered = ordered and order >= last
        last = order
        if room > 0:
            kept.append(key)
            room -= len(key[4]) + OVERHEAD
        elif kept:
            kept.clear()
        elif not ordered:
            break
    if room > 0:
        if not ordered:
            kept.sort(key=_order_in_file)
        yield from kept
    elif ordered:
        kept.clear()
        broken.clear()  # the second pass meets it again
        yield from _keys(source, source.records("read", progress), now)
    else:
        kept.clear()
        broken.clear()
        yield from _sorted_on_disk(source, now, progress, run_bytes)
    if broken:
        raise broken[0]


def _keys(source: FileSource, records: Iterator[Record], now: int) -> Iterator[Key]:
    """The records with their place in time."""
    at = 0
    peek = source.peek
    for row, offset, raw in records:
        order = peek(raw, now)
        if order is None:
            yield at, UNDATED, row, offset, raw
        else:
            at, rank = order
            yield at, rank, row, offset, raw


def _sorted_on_disk(source: FileSource, now: int, progress: Progress | None, run_bytes: int) -> Iterator[Key]:
    broken: list[SourceError] = []
    keys = _until_broken(_keys(source, source.records("sort", progress), now), broken)
    try:
        with tempfile.TemporaryDirectory(prefix="streamproc-sort-") as folder:
            yield from external_sort(keys, Path(folder), run_bytes)
    except OSError as error:
        where = "TMPDIR names another folder"
        raise SourceError(f"{source.path} cannot be sorted on disk: {error}; {where}") from error
    if broken:
        raise broken[0]


def _until_broken(entries: Iterator[Key], broken: list[SourceError]) -> Iterator[Key]:
    """The entries up to a SourceError, which is kept for later."""
    try:
        yield from entries
    except SourceError as error:
        broken.append(error)


def _summed(items: Iterator[Item], sums: set[str]) -> Iterator[Item]:
    """The items, the lines of an order made one where their source says so.

    An order stands where its first line does, all lines' bytes with it; the orders of one instant are held
    together.
    """
    held: dict[Line, Item] = {}
    at = 0
    for item in items:
        purchase = item.outcome
        if not isinstance(purchase, Refusal) and purchase.at != at:
            yield from held.values()
            held.clear()
            at = purchase.at
        if not isinstance(purchase, Purchase) or item.position.source not in sums:
            yield item
            continue
        order = line_of(purchase)
        first = held.get(order)
        if first is None:
            held[order] = Item(first_line(purchase), item.raw, item.position)
        elif isinstance(first.outcome, Purchase):
            held[order] = Item(add_line(first.outcome, purchase), first.raw + b"\n" + item.raw, first.position)
    yield from held.values()


def _tagged(number: int, keys: Iterator[Key]) -> Iterator[tuple[int, Key]]:
    return ((number, key) for key in keys)
