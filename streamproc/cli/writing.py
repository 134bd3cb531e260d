"""A data folder held for writing by a command that is no run."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import NamedTuple

from streamproc.adapters.embedded import queries
from streamproc.adapters.embedded.lock import writer_lock
from streamproc.adapters.embedded.runner import Runner
from streamproc.adapters.embedded.schema import FILE, StoreError, connect
from streamproc.core.control import Setup


class Held(NamedTuple):
    """The folder's one writer, as the folder was begun."""

    db: sqlite3.Connection
    setup: Setup
    runner: Runner


@contextmanager
def writing(folder: Path) -> Iterator[Held]:
    """The folder, locked. Raises StoreError where there is none, or another process runs on it."""
    if not (folder / FILE).exists():
        raise StoreError(f"no data in {folder}: start with `streamproc run FILE --data {folder}`")
    with writer_lock(folder), closing(connect(folder)) as db:
        setup = queries.the_setup(db)
        partitions = len(queries.metas(db))
        yield Held(db, setup, Runner(db, setup, partitions=partitions))
