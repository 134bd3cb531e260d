"""A data folder in a test: filled by a runner, looked into table by table."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

from streamproc.adapters.embedded.runner import Arrival, Runner, batches
from streamproc.adapters.embedded.schema import connect
from streamproc.core.control import Setup

SETUP = Setup(at=0, horizon_days=60)

TABLES = ("journal", "states", "waiting", "feed", "warnings", "dead_letters", "models")
"""What must be the same whatever befell the process that wrote it. (Counts of repeats may grow, and the trainer's
own state is told by the models it makes.)"""


@contextmanager
def running(folder: Path, *, partitions: int = 1) -> Iterator[tuple[sqlite3.Connection, Runner]]:
    """A connection to a folder, and its writer."""
    with closing(connect(folder)) as db:
        yield db, Runner(db, SETUP, partitions=partitions)


def fill(folder: Path, arrivals: Sequence[Arrival], *, batch: int = 500, end: bool = True) -> None:
    """Takes arrivals into a folder as `run FILE --exit-when-done` does."""
    with running(folder) as (_, runner):
        for some in batches(arrivals, batch):
            runner.take(some)
        if end:
            runner.end_of_data()


def contents(folder: Path, tables: Sequence[str] = TABLES) -> dict[str, list[tuple[Any, ...]]]:
    """All rows of the tables, in order."""
    with closing(connect(folder, readonly=True)) as db:
        return {table: db.execute(f"SELECT * FROM {table} ORDER BY 1").fetchall() for table in tables}
