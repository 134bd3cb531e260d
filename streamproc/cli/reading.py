"""A data folder as the page and the metrics ask for it: read only, by several threads, beside the one writer."""

import contextlib
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path
from queue import Empty, LifoQueue
from threading import Lock

from streamproc.adapters.embedded import alerts, queries
from streamproc.adapters.embedded.pipeline import trainer_config
from streamproc.adapters.embedded.schema import connect
from streamproc.adapters.metrics import Base, Model, Seen
from streamproc.adapters.web.ports import Asked, Drawn, Position
from streamproc.cli.home import FolderHome
from streamproc.cli.record import record_drawn, record_in
from streamproc.core.alerts import Alert, standing
from streamproc.core.policy import Severity
from streamproc.desk.feed import OPEN_STATES, Line
from streamproc.desk.record import Record
from streamproc.desk.report import CustomerReport, Summary, WarningNow, WhyAnswer
from streamproc.trainer.trainer import Trainer
from streamproc.trainer.watch import Record as Judged
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
        self._trainer = b""
        self._record: Judged | None = None

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

    def alerts(self) -> list[Alert]:
        """The open alerts, the newest first."""
        with self._open() as db:
            return standing((alert for _, alert in alerts.lines(db)), open_only=True)

    def record(self, since: int) -> Record:
        """How the warnings raised from then on (µs) fared."""
        with self._open() as db:
            return record_in(FolderHome(db), since)

    def record_page(self, language: Language) -> Drawn:
        """The record of all warnings, with charts."""
        with self._open() as db:
            return record_drawn(FolderHome(db), language)

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

    def seen(self, waiting: int) -> Seen:
        """All that one scrape shows; `waiting` is the inbox's depth."""
        with self._open() as db:
            summary, progress = queries.summary(db), queries.progress(db)
            query = f"SELECT severity, count(*) FROM warnings WHERE state IN {OPEN_STATES} GROUP BY severity"  # noqa: S608 - our own words
            severities = dict(db.execute(query))
            record = self._judged(db)
        return Seen(
            counts={(name, label): n for name, labels in summary.counts.items() for label, n in labels.items()},
            clock=progress.clock,
            read=progress.read,
            now=time.time_ns() // 1_000,
            wall=progress.mode == "wall",
            waiting=waiting,
            dead_letters=summary.dead_letters,
            open_warnings={severity.code: severities.get(severity.code, 0) for severity in Severity},
            base=Base(
                summary.currency,
                summary.stages,
                summary.grades,
                float(summary.customer_equity),
                float(summary.value_at_risk),
            ),
            snapshot=summary.model.id,
            speaks=summary.model.speaks,
            models={} if record is None else _models(record),
            drifts={} if record is None else record.drifts,
        )

    def _judged(self, db: sqlite3.Connection) -> Judged | None:
        """How our model and the challenger stood at the last training; computed once for each."""
        row = db.execute("SELECT body FROM meta WHERE key = 'trainer'").fetchone()
        if row is None:
            return None
        with self._lock:
            if row[0] != self._trainer:
                self._record = Trainer(trainer_config(queries.the_setup(db)), row[0]).record().standing
                self._trainer = row[0]
            return self._record


def _models(record: Judged) -> dict[str, Model]:
    stands = {"ours": record.ours, "challenger": record.challenger}
    return {who: Model(s.log_loss, s.auc, s.brier, s.calibration_error) for who, s in stands.items() if s is not None}
