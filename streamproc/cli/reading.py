"""A data folder as the page and the metrics ask for it: read only, by several threads, beside the one writer."""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, LifoQueue
from threading import Lock

from streamproc.adapters.embedded import alerts, counts, queries
from streamproc.adapters.embedded.pipeline import trainer_config
from streamproc.adapters.embedded.schema import connect
from streamproc.adapters.embedded.timings import Timings
from streamproc.adapters.metrics import Judged, Seen, Time
from streamproc.adapters.web.ports import Asked, Drawn, Position
from streamproc.cli.figures import base_of, desk_of, judged_of, kept_in, partitions_in, rules_of
from streamproc.cli.home import FolderHome
from streamproc.cli.record import record_drawn, record_in
from streamproc.cli.reporting import Reporter
from streamproc.core.alerts import Alert, standing
from streamproc.desk.feed import Line
from streamproc.desk.record import Record
from streamproc.desk.report import CustomerReport, Summary, WarningNow, WhyAnswer
from streamproc.desk.warning import Entry, money_of
from streamproc.trainer.trainer import Trainer
from streamproc.words import Language

CACHE_KIB = 8_192
"""Of each connection: questions are few and small."""


class FolderReader:
    """Answers from a data folder. Raises StoreError where there is none."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._idle: LifoQueue[sqlite3.Connection] = LifoQueue()
        # The number tells a change only to the connection that asks always.
        self._watching = connect(folder, readonly=True)
        self._lock = Lock()
        self._reporter = Reporter(folder)
        self._trainer = b""
        self._standing: Judged | None = None

    @contextlib.contextmanager
    def _open(self) -> Iterator[sqlite3.Connection]:
        """A connection of one's own, seeing one commit throughout."""
        try:
            db = self._idle.get_nowait()
        except Empty:
            db = connect(self._folder, readonly=True)
            db.execute(f"PRAGMA cache_size = -{CACHE_KIB}")
        try:
            db.execute("BEGIN")
            yield db
        finally:
            db.rollback()
            self._idle.put(db)

    def close(self) -> None:
        """Closes the connections; nobody may be asking any more."""
        self._reporter.close()
        self._watching.close()
        while not self._idle.empty():
            self._idle.get_nowait().close()

    # ---------------------------------------------------------------------------------------- warnings

    def warnings(self, asked: Asked) -> list[WarningNow]:
        """Warnings as they stand."""
        with self._open() as db:
            return queries.warnings(
                db,
                open_only=asked.open_only,
                customers=None if asked.customer is None else [asked.customer],
                limit=asked.limit,
                order=asked.order,
                after=asked.after,
            )

    def warning(self, warning_id: str) -> WarningNow | None:
        """One warning as it stands."""
        with self._open() as db:
            return queries.warning(db, warning_id)

    # ------------------------------------------------------------------------------- customers, the base

    def customer(self, customer_id: str) -> CustomerReport | None:
        """All that is known of one customer."""
        with self._open() as db:
            return queries.report(db, customer_id)

    def why(self, customer_id: str, at: int | None) -> WhyAnswer:
        """Why there was, or was no, warning at that time (µs; None: now)."""
        with self._open() as db:
            return queries.why(db, customer_id, at)

    def summary(self) -> Summary:
        """The whole base at a glance."""
        with self._open() as db:
            return queries.summary(db)

    def life_of(self, warning_id: str) -> tuple[Entry, ...]:
        """The feed's lines of one warning."""
        with self._open() as db:
            return queries.life_of(db, warning_id)

    def alerts(self, *, open_only: bool = True) -> list[Alert]:
        """The alerts' last lines, the newest first."""
        with self._open() as db:
            return standing((alert for _, alert in alerts.lines(db)), open_only=open_only)

    def record(self, since: int) -> Record:
        """How the warnings raised from then on (µs) fared."""
        with self._open() as db:
            return record_in(FolderHome(db), since)

    def record_page(self, language: Language) -> Drawn:
        """The record of all warnings, with charts."""
        with self._open() as db:
            return record_drawn(FolderHome(db), language)

    def report_page(self, language: Language) -> Drawn | None:
        """The firm at a glance."""
        return self._reporter.page(language, self.position().clock)

    def position(self) -> Position:
        """How far time has come."""
        with self._open() as db:
            progress = queries.progress(db)
        return Position(progress.clock, progress.read, progress.mode == "wall")

    # -------------------------------------------------------------------------------------------- feed

    def version(self) -> int:
        """Another number whenever something was committed since."""
        with self._lock:
            (number,) = self._watching.execute("PRAGMA data_version").fetchone()
        return int(number)

    def last(self) -> int:
        """The number of the feed's last line, 0 where there is none."""
        with self._open() as db:
            (number,) = db.execute("SELECT coalesce(max(seq), 0) FROM feed").fetchone()
        return int(number)

    def lines(self, after: int, limit: int) -> list[Line]:
        """At most `limit` lines of the feed numbered above `after`, in order."""
        with self._open() as db:
            rows = db.execute("SELECT seq, body FROM feed WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit))
            return [Line(seq, body) for seq, body in rows]

    # ----------------------------------------------------------------------------------------- metrics

    def seen(self, waiting: int, timings: Timings) -> Seen:
        """All that one scrape shows; `waiting` is the inbox's depth, `timings` are the writer's."""
        with self._open() as db:
            money, progress = money_of(queries.the_setup(db)), queries.progress(db)
            metas, desk = partitions_in(db, progress), queries.desk(db)
            return Seen(
                counts=counts.ever(db),
                time=Time(progress.clock, progress.read, time.time_ns() // 1_000, progress.mode == "wall"),
                waiting=waiting,
                newest=progress.newest,
                batches={"run": timings.batches},
                transactions={"run": timings.commits},
                kept=kept_in(db, self._folder, progress),
                base=base_of({number: meta.totals for number, meta in metas.items()}, money),
                ruled=rules_of(metas[0]) if metas else None,
                judged=self._judged(db),
                desk=None if desk is None else desk_of(desk),
            )

    def _judged(self, db: sqlite3.Connection) -> Judged | None:
        """How our model and the challenger stood at the last training; computed once for each."""
        row = db.execute("SELECT body FROM meta WHERE key = 'trainer'").fetchone()
        if row is None:
            return None
        with self._lock:
            if row[0] != self._trainer:
                self._standing = judged_of(Trainer(trainer_config(queries.the_setup(db)), row[0]).record())
                self._trainer = row[0]
            return self._standing
