"""The embedded runtime's one writer: takes what arrives in batches, moves time, commits each batch whole.

The rule kept here: journal, states, feed, dead letters and the trainer's inbox change in one transaction; after a
crash the process goes on from the last commit, and the same arrivals lead to the same journal.
"""

import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Sequence
from typing import Literal, Protocol, TypeVar

import msgspec

from streamproc.adapters.embedded import alerts, feed, imports
from streamproc.adapters.embedded.clock import STALE_AFTER, Clock, Progress, settle
from streamproc.adapters.embedded.deadletters import DeadLetter, of_effect, of_refusal
from streamproc.adapters.embedded.deadletters import write as write_dead_letters
from streamproc.adapters.embedded.journal import Journal, check_core, read
from streamproc.adapters.embedded.models import pinned
from streamproc.adapters.embedded.pipeline import Pipeline, Step, next_training, trainer_config
from streamproc.adapters.embedded.schema import StoreError
from streamproc.adapters.embedded.states import StateTable
from streamproc.adapters.embedded.timings import Timings
from streamproc.core.alerts import Alert
from streamproc.core.control import (
    ClockMode,
    Forget,
    JournalRecord,
    ModelSnapshot,
    PlaybookChange,
    PolicyChange,
    Setup,
    Tick,
)
from streamproc.core.events import CustomerEvent, FirmFact
from streamproc.core.ids import mark_of
from streamproc.core.playbook import Playbook
from streamproc.core.policy import Policy
from streamproc.core.time import SECOND
from streamproc.desk.counts import tally_line
from streamproc.desk.desk import Desk
from streamproc.desk.warning import Entry, money_of
from streamproc.intake.refusal import Position, Refusal
from streamproc.monitor.counts import stream_of, tally
from streamproc.monitor.effects import DeadLettered
from streamproc.monitor.partition import Meta, Partition
from streamproc.scoring.examples import Example, Sighting
from streamproc.trainer.state import without
from streamproc.trainer.trainer import Refused, Trainer

T = TypeVar("T")
FAILURES_A_BATCH = 100
FAILED = frozenset({"apply_failed", "look_failed"})
"""Why a record that came into the journal is a dead letter, where that is the program's fault."""

IDLE_COMMIT = 5 * SECOND
"""How far (µs) the wall clock may go on before an idle run keeps that it did."""


class TooManyFailuresError(Exception):
    """So many records of one batch failed inside the core that something else must be wrong."""


class Arrival(Protocol):
    """What a source delivers: a journal record or a refusal, the original bytes, where they stood."""

    @property
    def outcome(self) -> CustomerEvent | FirmFact | Refusal:
        """The record, or why there is none."""
        ...

    @property
    def raw(self) -> bytes:
        """The bytes as they came."""
        ...

    @property
    def position(self) -> Position:
        """Where they stood."""
        ...


class Taken(msgspec.Struct):
    """How a batch went: of each arrival whether it was new to the journal, a repeat, or refused."""

    statuses: list[Literal["new", "repeat", "refused"]] = []


class Runner:
    """Takes arrivals into a data folder's journal and applies them. Not for use by two threads at once.

    `stale_after` (µs): see Clock. Raises StoreError where the folder was begun with another number of partitions, or by
    a program of newer rules.
    """

    def __init__(
        self, db: sqlite3.Connection, setup: Setup, *, partitions: int = 1, stale_after: int = STALE_AFTER
    ) -> None:
        check_core(next((numbered.record for numbered in read(db, 0, 1)), setup))
        self._db = db
        self.journal = Journal(db)
        self.progress = _load(db, "progress", Progress) or Progress(partitions=partitions)
        if self.progress.partitions != partitions:
            raise StoreError(
                f"the folder was begun with {self.progress.partitions} partitions, not {partitions}, "
                "and that may not change"
            )
        self._tables = [StateTable(db, n) for n in range(partitions)]
        waiting = [_decoded(body, list[CustomerEvent]) for (body,) in db.execute("SELECT body FROM waiting")]
        self.pipeline = Pipeline(
            [Partition(n, table, _load(db, f"partition:{n}", Meta)) for n, table in enumerate(self._tables)],
            self._desk(setup),
            _load_trainer(db, setup),
        )
        self.pipeline.pinned = pinned(db) is not None
        for events in waiting:
            self.pipeline.partition_for(events[0].customer_id).resume_waiting(events)
        self._training_days = trainer_config(setup).training_days
        self._kept_at = 0
        self.timings = Timings()
        self._clock = Clock(self.progress, self.pipeline, self._write, stale_after)
        self._new_batch()
        self._sources: set[str] = set()
        if not self.journal.last:
            self._begin(setup)

    def _begin(self, setup: Setup) -> None:
        """An empty journal's first records."""
        self._write(setup)
        self._write(PolicyChange(at=0, policy=Policy()))  # a later program's defaults are not this journal's
        self.commit()

    def _desk(self, setup: Setup) -> Desk:
        """The desk as it was left; a folder of an earlier version kept its grades alone."""
        money, stands = money_of(setup), self.progress
        return _load(self._db, "desk", Desk) or Desk(money, stands.live, stands.announced, stands.grades)

    def _new_batch(self) -> None:
        self._entries: list[Entry] = []
        self._alerts: list[Alert] = []
        self._refused: list[DeadLetter] = []
        self._dead: list[DeadLetter] = []
        self._counts: Counter[tuple[str, str]] = Counter()
        self._inbox: list[list[Example | Sighting]] = []
        self._models: list[tuple[ModelSnapshot | Refused, int]] = []
        self._trained = False
        self._failures = 0

    # --------------------------------------------------------------------------------------- arrivals

    def take(self, arrivals: Sequence[Arrival]) -> Taken:
        """One batch: appended, applied, and committed when this returns."""
        taken, began = Taken(), time.perf_counter()
        known = self.journal.known(a.outcome.event_id for a in arrivals if not isinstance(a.outcome, Refusal))
        for arrival in arrivals:
            outcome = arrival.outcome
            if isinstance(outcome, Refusal):
                self._refused.append(of_refusal(outcome, arrival.raw, arrival.position))
                taken.statuses.append("refused")
            elif self._is_forgotten(outcome):
                self._counts["refused", "forgotten"] += 1
                taken.statuses.append("repeat")
            elif outcome.event_id in known:
                self._counts["events", "repeat"] += 1
                taken.statuses.append("repeat")
            else:
                known.add(outcome.event_id)
                self._event(outcome)
                taken.statuses.append("new")
        self.commit()
        self.timings.batches.observe(time.perf_counter() - began)
        return taken

    def _event(self, record: CustomerEvent | FirmFact) -> None:
        self._clock.read(record)
        self._counts["events", stream_of(record)] += 1
        number = self.journal.last + 1
        self._write(record)
        if record.source not in self._sources:
            self._sources.add(record.source)
            self._note_import(record.source, number)

    def _note_import(self, source: str, number: int) -> None:
        imports.note(self._db, source, number)

    # ------------------------------------------------------------------------------------------- time

    def end_of_data(self, now: int | None = None) -> None:
        """Event mode: all that was read has its tick, none of them after `now` (µs); commits."""
        self._clock.end_of_data(now)
        self.commit()

    def advance_to(self, at: int) -> None:
        """Moves time to `at` (µs), tick by tick where there is work, and commits: the wall clock's way.

        Where nothing happened, that time went on is kept now and then: a commit costs a write to the disk.
        """
        self._clock.advance_to(at)
        if self._db.in_transaction or not 0 <= at - self._kept_at < IDLE_COMMIT:
            self.commit()
            self._kept_at = at

    def set_mode(self, mode: ClockMode) -> None:
        """Writes how time moves from now on, and commits."""
        self.progress.mode, self.progress.live = mode.mode, mode.live
        self._write(mode)
        self.commit()

    def set_policy(self, policy: Policy) -> None:
        """Writes a policy where it differs from the one in force, and commits."""
        if self.pipeline.partitions[0].meta.policy != policy:
            self._write(PolicyChange(at=self.progress.clock, policy=policy))
            self.commit()

    def set_playbook(self, playbook: Playbook) -> None:
        """Writes a playbook where it differs from the one in force, and commits."""
        if self.pipeline.desk.playbook != playbook:
            self._write(PlaybookChange(at=self.progress.clock, playbook=playbook))
            self.commit()

    def set_model(self, record: ModelSnapshot) -> None:
        """Writes a model that was pinned or rolled back to, and commits."""
        self._write(record)
        self.commit()

    def forget(self, customers: frozenset[str], at: int) -> None:
        """Keeps nothing of these customers but the marks of their ids; what the tables hold is the caller's to delete.

        What happened to them before `at` (µs) is not taken again. The caller commits.
        """
        for customer_id in sorted(customers):
            mark = Forget(at=at, who=mark_of(customer_id))
            self._write(mark)
            self._alerts += self.pipeline.apply(msgspec.structs.replace(mark, customer_id=customer_id)).alerts
        trainer = self.pipeline.trainer
        if trainer is not None:
            config = trainer.config
            self.pipeline.trainer = Trainer(config, without(trainer.dump(), config, customers))
            self._trained = True
            self._inbox.clear()

    # ---------------------------------------------------------------------------------------- records

    def _is_forgotten(self, record: CustomerEvent | FirmFact) -> bool:
        if isinstance(record, FirmFact):
            return False
        return self.pipeline.partition_for(record.customer_id).is_forgotten(record)

    def _write(self, record: JournalRecord) -> None:
        """Appends a record, applies it, and does the same with what is answered."""
        if not self._db.in_transaction:
            self._db.execute("BEGIN IMMEDIATE")
        for done, step in settle(self.pipeline, record):
            self.journal.append(done, arrived=done is record)
            self._note(step, done)

    def _note(self, step: Step, record: JournalRecord) -> None:
        if isinstance(record, ModelSnapshot):
            self._models.append((record, self.journal.last))
        if step.refused is not None:
            self._models.append((step.refused, self.journal.last))
        trained = isinstance(record, Tick) and record.at == next_training(record.at - 1, self._training_days)
        if trained:  # the trainer's own state, kept at the commit, holds all it was given by then
            self._trained = True
            self._inbox.clear()
        self._entries += step.entries
        for line in step.entries:
            tally_line(self._counts, line)
        self._alerts += step.alerts
        given: list[Example | Sighting] = [e for e in step.effects if isinstance(e, Example | Sighting)]
        if given and not self._trained:
            self._inbox.append(given)
        for effect in step.effects:
            tally(self._counts, effect)
            if isinstance(effect, DeadLettered):
                self._dead.append(of_effect(effect, self.journal.last))
                self._failures += effect.reason in FAILED
        if self._failures > FAILURES_A_BATCH:
            raise TooManyFailuresError(
                f"{self._failures} records of one batch failed inside the core; nothing of the batch was kept. "
                "Look at `streamproc dead-letters list` and at the last change of the program."
            )

    # ----------------------------------------------------------------------------------------- commit

    def commit(self) -> None:
        """Writes all since the last commit in one transaction."""
        db, began = self._db, time.perf_counter()
        if not db.in_transaction:
            db.execute("BEGIN IMMEDIATE")
        try:
            self.journal.flush()
            for table, partition in zip(self._tables, self.pipeline.partitions, strict=True):
                table.flush()
                _keep(db, f"partition:{partition.number}", partition.meta)
                self._keep_waiting(partition)
            feed.write(db, self._entries)
            alerts.write(db, self._alerts)
            for reason in write_dead_letters(db, self._refused):  # a file that is read again refuses nothing new
                self._counts["refused", reason] += 1
            write_dead_letters(db, self._dead)
            self._keep_counts()
            self._keep_trainer()
            self.progress.announced, self.progress.grades = self.pipeline.desk.announced, self.pipeline.desk.grades
            _keep(db, "progress", self.progress)
            _keep(db, "desk", self.pipeline.desk)
            db.execute("COMMIT")
        except BaseException:
            db.rollback()
            raise
        self.timings.commits.observe(time.perf_counter() - began)
        for table in self._tables:
            table.trim()
        self._new_batch()

    def _keep_waiting(self, partition: Partition) -> None:
        for customer_id, events in partition.waiting_changes().items():
            if events:
                self._db.execute(
                    "INSERT OR REPLACE INTO waiting VALUES (?, ?)", (customer_id, msgspec.msgpack.encode(events))
                )
            else:
                self._db.execute("DELETE FROM waiting WHERE customer = ?", (customer_id,))

    def _keep_counts(self) -> None:
        self._db.executemany(
            "INSERT INTO counts VALUES (?, ?, ?) ON CONFLICT (name, label) DO UPDATE SET n = n + excluded.n",
            [(name, label, n) for (name, label), n in self._counts.items() if n],
        )

    def _keep_trainer(self) -> None:
        trainer = self.pipeline.trainer
        if self._trained and trainer is not None:
            self._db.execute("DELETE FROM trainer_inbox")
            self._db.execute("INSERT OR REPLACE INTO meta VALUES ('trainer', ?)", (trainer.dump(),))
        if self._inbox:
            self._db.execute("INSERT INTO trainer_inbox (body) VALUES (?)", (msgspec.msgpack.encode(self._inbox),))
        for made, seq in self._models:
            refused = made.reason if isinstance(made, Refused) else None
            snapshot = made.snapshot if isinstance(made, ModelSnapshot) else msgspec.json.encode(made.snapshot)
            known = msgspec.json.decode(snapshot, type=_Named)
            self._db.execute(
                "INSERT INTO models VALUES (?, ?, ?, ?, ?)", (seq, known.id, made.at, refused, bytes(snapshot))
            )


class _Named(msgspec.Struct):
    id: str


def _load_trainer(db: sqlite3.Connection, setup: Setup) -> Trainer:
    row = db.execute("SELECT body FROM meta WHERE key = 'trainer'").fetchone()
    trainer = Trainer(trainer_config(setup), row[0] if row else None)
    for (body,) in db.execute("SELECT body FROM trainer_inbox ORDER BY seq"):
        for given in _decoded(body, list[list[Example | Sighting]]):
            trainer.absorb(given)  # a tick's at a time, as they came
    return trainer


def _load(db: sqlite3.Connection, key: str, kind: type[T]) -> T | None:
    row = db.execute("SELECT body FROM meta WHERE key = ?", (key,)).fetchone()
    return None if row is None else _decoded(row[0], kind)


def _decoded(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.msgpack.decode(body, type=kind)
    except msgspec.MsgspecError as error:
        raise StoreError(
            f"the data folder holds what this version cannot read ({error}): use the version that wrote it, "
            "restore a backup, or read the sources into another folder"
        ) from error


def _keep(db: sqlite3.Connection, key: str, value: msgspec.Struct) -> None:
    db.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (key, msgspec.msgpack.encode(value)))


def batches(arrivals: Iterable[Arrival], size: int) -> Iterable[list[Arrival]]:
    """The arrivals in lists of at most `size`."""
    batch: list[Arrival] = []
    for arrival in arrivals:
        batch.append(arrival)
        if len(batch) == size:
            yield batch
            batch = []
    if batch:
        yield batch
