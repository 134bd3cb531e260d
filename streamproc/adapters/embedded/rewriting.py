"""A data folder made anew without some of what came into it, beside the old one; then put in its place in one step.

The rule kept here: the folder's file is the old one or the new one, whole. The new one is built in a folder of its own
within the folder, and takes the old one's name when all is in it.
"""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Any

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from streamproc.adapters.embedded import alerts, feed, queries
from streamproc.adapters.embedded.again import Again, Old, old_records
from streamproc.adapters.embedded.copies import flushed, keep_rights, settle_log
from streamproc.adapters.embedded.counts import carry
from streamproc.adapters.embedded.deadletters import JOURNAL
from streamproc.adapters.embedded.feed import RETOLD, UNTOLD
from streamproc.adapters.embedded.imports import Beginnings, imports
from streamproc.adapters.embedded.journal import note_unused
from streamproc.adapters.embedded.models import note_pin, pinned
from streamproc.adapters.embedded.schema import FILE, StoreError, connect, version_of
from streamproc.core.alerts import Alert, standing
from streamproc.core.time import to_text
from streamproc.desk.retraction import Standing, difference
from streamproc.desk.warning import Entry, Warning  # noqa: A004 - it is the domain's word

FOLDER = "streamproc-new"
"""Where a new file is built; what is found there was broken off."""

_WITHOUT_CARE = 1


class Rewritten(Struct, frozen=True, kw_only=True):
    """What a new journal came to: how many records were left out, the time (µs) then and now, what the feed is told."""

    left_out: int
    records: int
    clock_before: int
    clock: int
    lines: tuple[Entry, ...]


def rewrite(
    old: sqlite3.Connection,
    folder: Path,
    leave_out: Callable[[Old], bool],
    source: Callable[[str], bool],
    *,
    stale_after: int,
    done: Callable[[int], None],
    same_ticks: bool = False,
) -> Rewritten:
    """Builds the file of `folder` anew beside it, without the records to `leave_out`; `put_in_place` makes it count.

    Dead letters of a `source` that answers True are left out as well. `done` is told the number of the last record
    that is through; `same_ticks` see Again. Raises StoreError.
    """
    beginnings = Beginnings(imports(old))
    left_out = 0
    with _new_file(folder) as new:
        partitions = max(1, len(queries.metas(old)))
        again = Again(
            new, queries.the_setup(old), partitions=partitions, stale_after=stale_after, same_ticks=same_ticks
        )
        for page in old_records(old):
            for record in page:
                kept = not leave_out(record)
                left_out += record.given and not kept
                again.again(record, kept=kept, begins=beginnings.of(record.record, record.seq) if kept else None)
            again.commit()
            done(page[-1].seq)
        model = pinned(old)
        again.finish(pinned=model is not None)
        clock = again.progress.clock
        new.execute("BEGIN IMMEDIATE")
        note_pin(new, model)
        (records,) = new.execute("SELECT count(*) FROM journal").fetchone()
        if again.journal.last > records:
            note_unused(new, again.journal.last - records)
        lines = _told(old, new, to_text(clock), live=again.progress.live)
        _carry_over(old, new, source)
        carry(old, new)
        new.execute("COMMIT")
        new.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        return Rewritten(
            left_out=left_out,
            records=records,
            clock_before=queries.progress(old).clock,
            clock=clock,
            lines=tuple(lines),
        )


@contextmanager
def _new_file(folder: Path) -> Iterator[sqlite3.Connection]:
    """An empty file beside the folder's; what is there by half takes room on the disk, and is of no use."""
    drop(folder)
    try:
        (folder / FOLDER).mkdir(mode=0o700, parents=True)
        with closing(connect(folder / FOLDER)) as new:
            new.execute("PRAGMA synchronous = OFF")  # nothing counts before put_in_place, and that waits for the disk
            yield new
    except BaseException:
        drop(folder)
        raise


def drop(folder: Path) -> None:
    """Lets the new file go."""
    shutil.rmtree(folder / FOLDER, ignore_errors=True)


# ------------------------------------------------------------------------------------------------- the feed


def _told(old: sqlite3.Connection, new: sqlite3.Connection, at: str, *, live: bool) -> list[Entry]:
    """The feed as it was told, and the difference behind it; what a replay of the new journal gives lies beside it."""

    def raised_as(warning_id: str) -> Warning:
        (body,) = new.execute("SELECT body FROM warnings WHERE id = ?", (warning_id,)).fetchone()
        return msgspec.json.decode(body, type=Warning)

    lines = difference(_standings(old), _standings(new), raised_as, at, live=live)
    new.execute("INSERT INTO retold SELECT seq, customer, body FROM feed")
    _copy(old, new, "feed", "seq, warning_id, customer, at, kind, body")
    _copy(
        old, new, "warnings",
        "id, customer, raised_at, updated_at, state, severity, probability, expected_loss, verdict, history, body",
    )  # fmt: skip
    if version_of(old) > _WITHOUT_CARE:
        _copy(old, new, "care", "warning_id, body")
    feed.write(new, lines)
    (last,) = new.execute("SELECT coalesce(max(seq), 0) FROM feed").fetchone()
    new.execute("INSERT OR REPLACE INTO meta VALUES (?, ?)", (RETOLD, msgspec.msgpack.encode(last)))
    _tell_alerts(old, new, at)
    return lines


def _standings(db: sqlite3.Connection) -> dict[str, Standing]:
    query = "SELECT id, customer, state, severity, probability, expected_loss, verdict, history FROM warnings"
    return {
        name: Standing(
            customer_id=customer,
            state=state,
            severity=severity,
            probability=None if probability == UNTOLD else probability,
            expected_loss=loss,
            right=None if verdict is None else bool(verdict),
            history=bool(history),
        )
        for name, customer, state, severity, probability, loss, verdict, history in db.execute(query)
    }


def _tell_alerts(old: sqlite3.Connection, new: sqlite3.Connection, at: str) -> None:
    """The alerts as they were told; behind them the ends of those that are open no more, and those open only now."""
    then = [line for _, line in alerts.lines(old)]
    now = [line for _, line in alerts.lines(new)]
    new.execute("DELETE FROM alerts")
    alerts.write(new, then)
    alerts.write(new, alert_lines(then, now, at))


def alert_lines(then: list[Alert], now: list[Alert], at: str) -> Iterator[Alert]:
    """The lines that lead from the alerts that were told to those that are open now, said at the time `at`."""
    were = {line.id: line for line in standing(then, open_only=True)}
    are = {line.id: line for line in standing(now, open_only=True)}
    for name in sorted(were.keys() - are.keys()):
        yield replace(were[name], state="ended", at=at, ended_at=at)
    for name in sorted(are.keys() - were.keys()):
        yield replace(are[name], state="raised", at=at)


# ------------------------------------------------------------------------------------------------- the rest


def _carry_over(old: sqlite3.Connection, new: sqlite3.Connection, source: Callable[[str], bool]) -> None:
    """What intake refused, and counted as repeats; what the core refused is known anew, as is what was sent again."""
    columns = "id, key, reason, field, detail, source, row, offset, raw, redriven"
    made = new.execute(f"SELECT {columns} FROM dead_letters ORDER BY id").fetchall()  # noqa: S608 - our own words
    again = {
        (reason, bytes(raw)): when
        for reason, raw, when in old.execute(
            "SELECT reason, raw, redriven FROM dead_letters WHERE source = ? AND redriven IS NOT NULL", (JOURNAL,)
        )
    }
    new.execute("DELETE FROM dead_letters")
    kept = [
        row
        for row in old.execute(f"SELECT {columns} FROM dead_letters ORDER BY id")  # noqa: S608 - our own words
        if row[5] != JOURNAL and not source(row[5])
    ]
    new.executemany(f"INSERT INTO dead_letters ({columns}) VALUES ({_marks(10)})", kept)  # noqa: S608 - our own words
    new.executemany(
        f"INSERT INTO dead_letters ({columns}) VALUES (NULL, {_marks(9)})",  # noqa: S608 - our own words
        [(*row[1:9], again.get((row[2], bytes(row[8])))) for row in made],
    )
    new.executemany(
        "INSERT INTO counts VALUES ('refused', ?, 1) ON CONFLICT (name, label) DO UPDATE SET n = n + 1",
        [(row[2],) for row in kept],
    )
    for row in old.execute("SELECT name, label, n FROM counts WHERE name = 'events' AND label = 'repeat'"):
        new.execute("INSERT OR REPLACE INTO counts VALUES (?, ?, ?)", row)


def _copy(old: sqlite3.Connection, new: sqlite3.Connection, table: str, columns: str) -> None:
    """The old table in place of the new one."""
    rows: Iterator[Any] = old.execute(f"SELECT {columns} FROM {table}")  # noqa: S608 - our own words
    new.execute(f"DELETE FROM {table}")  # noqa: S608 - our own words
    marks = _marks(columns.count(",") + 1)
    new.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)  # noqa: S608 - our own words


def _marks(number: int) -> str:
    return ", ".join("?" * number)


# ------------------------------------------------------------------------------------------------- the file


def put_in_place(folder: Path, kept: str) -> Path:
    """Makes the new file the folder's, the old one stays beside it under the name `kept`; the folder must be locked.

    Raises StoreError where somebody reads the folder just now, or it cannot be written: then nothing has changed.
    """
    new, old = folder / FOLDER / FILE, folder / FILE
    try:
        settle_log(old)
        keep_rights(new, old)
        with flushed(new), flushed(old):
            try:
                os.link(old, folder / kept)
            except OSError:  # no two names for one file there
                shutil.copyfile(old, folder / kept)
        with flushed(folder / kept):
            new.replace(old)
        with flushed(folder):
            drop(folder)
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"cannot put the new file of {folder} in place: {error}; nothing was changed") from error
    return folder / kept
