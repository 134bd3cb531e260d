"""What the tests of the commands share: filling a folder, asking its database, reading what a command wrote."""

import sqlite3
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

import msgspec

from streamproc.adapters.embedded.runner import Runner, batches
from streamproc.adapters.embedded.schema import FILE, connect
from streamproc.adapters.sources import open_sources, sorted_items
from streamproc.core.control import Setup
from streamproc.intake.rates import Rates

PROGRAM = [sys.executable, "-c", "from streamproc.cli.main import app; app()"]


class Feeds:
    """A shop's files. `ALIAS` is another id of `OWN_ID`, as a fact says in the middle of its history."""

    ALIAS: ClassVar = "c0000013"
    OWN_ID: ClassVar = "c0000019"

    def __init__(self, paths: list[Path]) -> None:
        self.paths = paths


class Ran(NamedTuple):
    """How a command went."""

    code: int
    raw: bytes
    err: str

    @property
    def out(self) -> str:
        return self.raw.decode()

    @property
    def lines(self) -> list[Any]:
        """The JSON Lines on stdout."""
        return [msgspec.json.decode(line) for line in self.raw.splitlines()]


Cli = Callable[..., Ran]


def feed_into(folder: Path, paths: Sequence[Path], currency: str = "EUR") -> None:
    """Reads files into a folder as a run does, to their end."""
    with closing(connect(folder)) as db:
        runner = Runner(db, Setup(at=0, currency=currency))
        sources = open_sources(paths, Rates(currency))
        for batch in batches(sorted_items(sources, time.time_ns() // 1_000), 2_000):
            runner.take(batch)
        runner.end_of_data()


def asked(folder: Path, query: str, *values: object) -> list[Any]:
    """The rows of a query, a row of one column as that column."""
    with closing(sqlite3.connect(folder / FILE)) as db:
        rows = db.execute(query, values).fetchall()
    return [row[0] if len(row) == 1 else row for row in rows]


def changed(folder: Path, query: str, *values: object) -> None:
    """Changes the folder's database behind the program's back."""
    with closing(sqlite3.connect(folder / FILE)) as db, db:
        assert db.execute(query, values).rowcount > 0


def lines_of(events: Sequence[dict[str, object]]) -> bytes:
    return b"".join(msgspec.json.encode(event) + b"\n" for event in events)
