"""A data folder's health: what is looked at, what was found, and the command that mends it."""

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Literal

from msgspec import Struct

from streamproc.adapters.embedded import queries
from streamproc.adapters.embedded.journal import read, unused_numbers
from streamproc.adapters.embedded.lock import holder
from streamproc.adapters.embedded.schema import FILE, NewerFolderError, StoreError, connect, version_of
from streamproc.core.time import SECOND, to_text
from streamproc.monitor.state import StateTooNewError, decode_state, encode_state

LEAST_FREE_BYTES = 200 << 20
AHEAD = 300 * SECOND
"""How far the journal's clock may be ahead of the wall's."""

SAMPLED_STATES = 200
SAMPLED_REPLAYS = 5
NEWEST_RECORDS = 10_000
ALL = os.R_OK | os.W_OK | os.X_OK


class Finding(Struct, frozen=True, kw_only=True):
    """One check: `ok`, a `note` (nothing is wrong), or a `fault` with what mends it."""

    check: str
    level: Literal["ok", "note", "fault"]
    detail: str
    mend: str = ""


def check_folder(folder: Path, now: int) -> Iterator[Finding]:
    """Looks at everything in turn; what needs what is broken already is left out. `now` is the wall clock (µs)."""
    yield from _place(folder)
    path = folder / FILE
    if not path.exists():
        yield _fault("data", f"there is no {FILE} in {folder}", f"streamproc run FILE --data {folder}")
        return
    if not os.access(folder, ALL):  # the fault found above; the data itself may be sound
        return
    if not os.access(path, os.R_OK | os.W_OK):
        yield _fault("data", f"{path} cannot be read and written", f"chmod u+rw {path}")
        return
    running = holder(folder)
    yield _note("process", f"process {running} is writing") if running else _ok("process", "nobody is writing")
    try:
        with closing(connect(folder, readonly=True)) as db:
            yield from _store(db, folder)
            yield from _content(db, folder, now)
    except NewerFolderError as error:
        yield _fault("schema", str(error), "upgrade streamproc")
    except (StoreError, sqlite3.DatabaseError) as error:
        yield _broken("database", str(error), folder)


def _place(folder: Path) -> Iterator[Finding]:
    if not folder.is_dir():
        yield _fault("folder", f"{folder} does not exist", f"streamproc run FILE --data {folder}")
        return
    if os.access(folder, ALL):
        yield _ok("folder", f"{folder} can be read and written")
    else:
        yield _fault("folder", f"{folder} cannot be written", f"chmod u+rwx {folder}")
    free = shutil.disk_usage(folder).free
    text = f"{free / (1 << 30):.1f} GiB free"
    if free < LEAST_FREE_BYTES:
        yield _fault("disk", text, f"free space on the disk of {folder}, or move the folder and use --data")
    else:
        yield _ok("disk", text)


def _store(db: sqlite3.Connection, folder: Path) -> Iterator[Finding]:
    yield _ok("schema", f"version {version_of(db)}")
    (mode,) = db.execute("PRAGMA journal_mode").fetchone()
    if mode == "wal":
        yield _ok("write-ahead log", "on")
    else:
        yield _note("write-ahead log", f"journal mode is {mode}; the next run turns it on")
    problems = [text for (text,) in db.execute("PRAGMA quick_check(3)")]
    if problems == ["ok"]:
        yield _ok("database", "quick_check found nothing")
    else:
        yield _broken("database", "; ".join(problems), folder)


def _content(db: sqlite3.Connection, folder: Path, now: int) -> Iterator[Finding]:
    db.execute("BEGIN")  # one state of the folder, whatever is committed meanwhile
    count, last = db.execute("SELECT count(*), coalesce(max(seq), 0) FROM journal").fetchone()
    missing = last - count - unused_numbers(db)
    if missing:
        yield _broken("journal", f"{missing} of {last} records are missing", folder)
        return
    try:
        newest = sum(1 for _ in read(db, max(0, last - NEWEST_RECORDS)))
        yield _ok("journal", f"{last} records; the newest {newest} can be read")
    except StoreError as error:
        yield _broken("journal", str(error), folder)
        return
    clock = queries.progress(db).clock
    if clock > now + AHEAD:
        yield _fault("clock", f"the journal is at {to_text(clock)}, after the wall clock", "set the system's clock")
    else:
        yield _ok("clock", f"the journal is at {to_text(clock)}")
    yield from _states(db, folder)


def _states(db: sqlite3.Connection, folder: Path) -> Iterator[Finding]:
    rows = db.execute("SELECT customer, body FROM states ORDER BY random() LIMIT ?", (SAMPLED_STATES,)).fetchall()
    try:
        for _, body in rows:
            decode_state(body)
    except (StateTooNewError, ValueError) as error:
        yield _broken("states", str(error), folder)
        return
    yield _ok("states", f"{len(rows)} of them can be read")
    sampled = min(len(rows), SAMPLED_REPLAYS)
    differing = sum(_comparable(queries.state_again(db, name)) != _comparable(body) for name, body in rows[:sampled])
    if differing:
        detail = f"of {sampled} customers, {differing} have another state than their records give"
        yield _fault("replay", detail, f"streamproc replay --data {folder}")
    else:
        yield _ok("replay", f"{sampled} customers' records give their states again")


def _comparable(body: bytes | None) -> bytes | None:
    """A state without what an earlier version did not keep: it is filled in only as customers are looked at."""
    if body is None:
        return None
    state = decode_state(body)
    state.decisions.counted = None
    for episode in state.decisions.episodes:
        episode.told_at = 0
    return encode_state(state)


def _ok(check: str, detail: str) -> Finding:
    return Finding(check=check, level="ok", detail=detail)


def _note(check: str, detail: str) -> Finding:
    return Finding(check=check, level="note", detail=detail)


def _fault(check: str, detail: str, mend: str) -> Finding:
    return Finding(check=check, level="fault", detail=detail, mend=mend)


def _broken(check: str, detail: str, folder: Path) -> Finding:
    return _fault(check, detail, f"streamproc restore BACKUP --force --data {folder}")
