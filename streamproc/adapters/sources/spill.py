"""Sorting more than fits in memory: sorted runs in temporary files, merged as they are read back."""

import heapq
import struct
from collections.abc import Iterable, Iterator
from operator import itemgetter
from pathlib import Path

Key = tuple[int, int, int, int, bytes]
"""What is sorted, by its first three: at (µs), rank, record number, byte offset, original bytes."""

OVERHEAD = 320
"""Bytes Python needs for a record beside its text, roughly."""

FAN_IN = 64
"""Files read at once while merging; more runs than that are merged in several passes."""

_HEAD = struct.Struct("<qBQQI")
_order = itemgetter(0, 1, 2)


def external_sort(records: Iterable[Key], folder: Path, run_bytes: int) -> Iterator[Key]:
    """The records in order of (at, rank, record number), with about `run_bytes` of memory.

    The folder holds the runs; whoever made it removes it. Raises OSError if it is full.
    """
    runs: list[Path] = []
    for run in _runs(records, run_bytes):
        runs.append(folder / f"run-{len(runs)}")
        _write(run, runs[-1])
    number = len(runs)
    while len(runs) > FAN_IN:
        merged = folder / f"run-{number}"
        number += 1
        _write(_merge(runs[:FAN_IN]), merged)
        for path in runs[:FAN_IN]:
            path.unlink()
        runs = [*runs[FAN_IN:], merged]
    yield from _merge(runs)


def _runs(records: Iterable[Key], run_bytes: int) -> Iterator[list[Key]]:
    run: list[Key] = []
    size = 0
    for record in records:
        run.append(record)
        size += len(record[4]) + OVERHEAD
        if size >= run_bytes:
            run.sort(key=_order)
            yield run
            run, size = [], 0
    if run:
        run.sort(key=_order)
        yield run


def _write(run: Iterable[Key], path: Path) -> None:
    with path.open("wb") as file:
        for at, rank, row, offset, raw in run:
            file.write(_HEAD.pack(at, rank, row, offset, len(raw)))
            file.write(raw)


def _read(path: Path) -> Iterator[Key]:
    with path.open("rb") as file:
        while head := file.read(_HEAD.size):
            at, rank, row, offset, size = _HEAD.unpack(head)
            yield at, rank, row, offset, file.read(size)


def _merge(runs: Iterable[Path]) -> Iterator[Key]:
    return heapq.merge(*map(_read, runs), key=_order)
