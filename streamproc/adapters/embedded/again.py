"""A journal made anew from what came into another: all that was answered then is answered again.

The rules kept here: events, facts, policies, playbooks and how time moves are read from the old journal; ticks,
dispositions and what aliases hand over are made anew. So time ends where what is left of the data ends. Models are
those that were in force, behind the same ticks: whoever is untouched by what is left out keeps every warning and its
id. The trainer learns anew, and what it comes to is in force from the end on.
"""

import sqlite3
from collections import deque
from collections.abc import Iterator
from typing import NamedTuple

import msgspec
from msgspec.structs import replace

from streamproc.adapters.embedded.clock import REPLAY_GRID
from streamproc.adapters.embedded.imports import Import, note
from streamproc.adapters.embedded.pipeline import Step
from streamproc.adapters.embedded.runner import Runner
from streamproc.adapters.embedded.schema import StoreError
from streamproc.core.control import (
    CORE_VERSION,
    ClockMode,
    Disposition,
    Handover,
    JournalRecord,
    ModelSnapshot,
    Setup,
    Tick,
)
from streamproc.core.events import CustomerEvent, FirmFact
from streamproc.wire.journal import DecodeFailure, decode

PAGE = 2_000
"""Records between two commits."""


class Old(NamedTuple):
    """A record of the old journal: its number, whether it came from outside or was set, the record."""

    seq: int
    given: bool
    record: JournalRecord


def old_records(db: sqlite3.Connection) -> Iterator[list[Old]]:
    """The journal in pages. Raises StoreError at a record that cannot be read."""
    query = "SELECT seq, event_id IS NOT NULL OR customer IS NULL, body FROM journal WHERE seq > ? ORDER BY seq LIMIT ?"
    after = 0
    while rows := db.execute(query, (after, PAGE)).fetchall():
        yield [Old(seq, bool(given), _read(seq, body)) for seq, given, body in rows]
        after = rows[-1][0]


def _read(seq: int, body: bytes) -> JournalRecord:
    record = decode(body)
    if isinstance(record, DecodeFailure):
        raise StoreError(f"journal record {seq} cannot be read ({record.why}): restore the folder from a backup")
    return record


class Again(Runner):
    """Takes an old journal's records, those left out too, into an empty folder; `commit` is the caller's.

    `same_ticks`: they stand where they stood, as in a cluster's journal, whose time was not moved by what was read.
    """

    def __init__(
        self, db: sqlite3.Connection, setup: Setup, *, partitions: int, stale_after: int, same_ticks: bool = False
    ) -> None:
        super().__init__(db, setup, partitions=partitions, stale_after=stale_after)
        self._same_ticks = same_ticks
        self._ahead = deque[ModelSnapshot]()
        self._tick = 0
        self._read_then = 0
        self._first: tuple[JournalRecord, Import] | None = None
        self._last = 0
        self._dropped = False
        self.pipeline.pinned = True  # what the trainer makes on the way is held back

    def _begin(self, setup: Setup) -> None:
        """Nothing: the old journal's first records are this one's."""

    def again(self, old: Old, *, kept: bool, begins: Import | None) -> None:
        """Takes the old journal's next record; `begins`: it is the first that is left of this import."""
        record = old.record
        if isinstance(record, Tick) and self._same_ticks:
            self.progress.clock = self.progress.read = record.at
            self._write(replace(record, grades=self.pipeline.desk.news()))
        elif isinstance(record, Tick):
            self._tick = self._last = record.at
            if self.progress.mode == "wall":
                self._clock.advance_to(record.at)
        elif not old.given or isinstance(record, Disposition | Handover):
            return
        elif isinstance(record, ModelSnapshot):
            self._ahead.append(record)
            self._put_in_force()
        elif isinstance(record, CustomerEvent | FirmFact):
            self._catch_up(record.at)
            self._read_then = max(self._read_then, record.at)
            self._dropped = self._dropped or not kept
            if kept:
                self._take(record, begins)
        else:
            self._catch_up()
            self._set(record)

    def _catch_up(self, reading: int = 0) -> None:
        """Event mode: moves time as the end of the data did, if that is what brought the last tick.

        Reading an event at `reading` (µs) moves time to the full hour before it, and it follows in the journal.
        """
        if self.progress.mode != "event" or not self._tick or self._same_ticks:
            return
        reached = max(self._read_then, reading) // REPLAY_GRID * REPLAY_GRID
        if self._tick % REPLAY_GRID or self._tick > reached:
            self._clock.end_of_data(self._tick)
        self._tick = 0

    def finish(self, *, pinned: bool) -> None:
        """The last of the old journal's time; then the model that the trainer came to, unless people `pinned` another.

        So what was learned from records that are left out is in force no more.
        """
        self._catch_up()
        if self._dropped and self.progress.mode == "event" and not self._same_ticks:
            self._clock.end_of_data(self._last)
        self.pipeline.pinned = pinned
        trainer = self.pipeline.trainer
        running = self.pipeline.partitions[0].meta.snapshot
        if not pinned and trainer is not None and trainer.running.at and trainer.running.id != running.id:
            body = msgspec.Raw(msgspec.json.encode(trainer.running))
            super()._write(ModelSnapshot(at=self.progress.clock, snapshot=body))
        self.commit()

    def _take(self, record: CustomerEvent | FirmFact, begins: Import | None) -> None:
        if begins is None or begins.begun is None:
            self._sources.add(record.source)
        else:
            self._sources.discard(record.source)
            self._first = record, begins
        if self._same_ticks:
            self._write(record)
        else:
            self._event(record)

    def _note_import(self, source: str, number: int) -> None:
        if self._first is not None:
            _, begins = self._first
            note(self._db, source, max(number, begins.number), begins.begun)

    def _set(self, record: JournalRecord) -> None:
        if isinstance(record, ClockMode):
            self.progress.mode, self.progress.live = record.mode, record.live
        self._write(replace(record, core_version=CORE_VERSION) if isinstance(record, Setup) else record)

    def _write(self, record: JournalRecord) -> None:
        if self._first is not None and record is self._first[0]:
            # An import keeps its number: who asks twice for one to be taken back must not be given the one behind it.
            self.journal.last = max(self.journal.last, self._first[1].number - 1)
        super()._write(record)
        if isinstance(record, Tick):
            self._put_in_force()

    def _put_in_force(self) -> None:
        """The models whose tick has come; those whose tick never comes again are never in force."""
        while self._ahead and self._ahead[0].at <= self.progress.clock:
            super()._write(self._ahead.popleft())

    def _note(self, step: Step, record: JournalRecord) -> None:
        if step.refused is not None:
            step = step._replace(refused=None)
        super()._note(step, record)
