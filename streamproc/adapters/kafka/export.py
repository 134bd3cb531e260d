"""The journal in files: JSON Lines, each partition behind a line that says which one it is."""

import gzip
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from io import BufferedIOBase
from pathlib import Path

import msgspec
from msgspec import Struct

from streamproc.adapters.kafka.reading import Reader
from streamproc.adapters.kafka.reading_journal import Journal

PACKED = 6
"""How hard gzip tries."""


class Manifest(Struct, frozen=True, kw_only=True, tag="manifest", tag_field="type"):
    """The line before a partition's records: they lay at offsets from `begin` up to, but not including, `end`."""

    topic: str
    partition: int
    partitions: int
    begin: int
    end: int


class Part(Struct, frozen=True, kw_only=True):
    """A partition that was written: where, and how many records."""

    manifest: Manifest
    file: str
    records: int


def file_of(folder: Path, number: int) -> Path:
    """A partition's file in a folder of its own."""
    return folder / f"partition-{number:04}.jsonl.gz"


def export(journal: Journal, reader: Reader, target: Path, *, in_folder: bool) -> Iterator[Part | None]:
    """Writes the reader's partitions in order into one file, or each into its own of the folder `target`.

    Gives each partition that is written, and None now and then meanwhile. A file is there when all of it is. What the
    monitor could not take is left out. Raises OSError, kafka-python's KafkaError.
    """
    with ExitStack() as held:
        one = None if in_folder else held.enter_context(_written(target))
        for number in sorted(reader.spans):
            with ExitStack() as part:
                file = file_of(target, number) if in_folder else target
                to = one or part.enter_context(_written(file))
                span = reader.spans[number]
                manifest = Manifest(
                    topic=journal.topic, partition=number, partitions=len(journal.spans), begin=span.begin, end=span.end
                )
                to.write(msgspec.json.encode(manifest) + b"\n")
                records = 0
                for body in journal.bodies(reader, number):
                    to.write(body + b"\n")
                    records += 1
                    if records % 1_000 == 0:
                        yield None
            yield Part(manifest=manifest, file=str(file), records=records)


@contextmanager
def _written(file: Path) -> Iterator[BufferedIOBase]:
    """A file, packed where its name ends so, that takes its name when all is in it."""
    half = file.with_name(f"{file.name}.part")
    try:
        with gzip.open(half, "wb", PACKED) if file.suffix == ".gz" else half.open("wb") as to:
            yield to
        half.replace(file)
    finally:
        half.unlink(missing_ok=True)
