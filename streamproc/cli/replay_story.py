"""What a replay reads: a journal, and the feed that it brought about then."""

import sqlite3
from collections.abc import Iterator
from typing import Protocol

from streamproc.adapters.embedded import queries
from streamproc.adapters.embedded.feed import retelling
from streamproc.adapters.embedded.journal import Numbered, read
from streamproc.adapters.embedded.replay import Replay, Replayed
from streamproc.desk.warning import Money, money_of


class Story(Protocol):
    """A journal and its feed, wherever they are kept.

    `total` and `done` tell how far the journal is read, in whatever it is counted.
    """

    money: Money
    partitions: int
    total: int

    @property
    def done(self) -> int:
        """How much was read."""

    def steps(self, again: Replay) -> Iterator[Replayed]:
        """The journal applied again from its first record on."""

    def stored(self, reached: int, wait: float) -> bytes | None:
        """The feed's next line, None if it has no further one up to the tick `reached` (µs), nor gets one meanwhile."""


class FolderStory:
    """A data folder's, over any number of partitions. Raises StoreError where nothing was ever read into it."""

    def __init__(self, db: sqlite3.Connection, partitions: int) -> None:
        self.money = money_of(queries.the_setup(db))
        self.partitions = partitions
        (self.total,) = db.execute("SELECT coalesce(max(seq), 0) FROM journal").fetchone()
        self.done = 0
        self._db = db
        self._feed = retelling(db)

    def steps(self, again: Replay) -> Iterator[Replayed]:
        """The folder's journal applied again."""
        return again.run(self._counted())

    def _counted(self) -> Iterator[Numbered]:
        for numbered in read(self._db, 0, self.total):
            self.done = numbered.seq
            yield numbered

    def stored(self, reached: int, wait: float) -> bytes | None:  # noqa: ARG002 - the whole feed is one commit's
        """The feed's next line."""
        return next(self._feed, None)
