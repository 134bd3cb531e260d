"""Backups: a data folder's one file, copied while it is in use, and put back."""

import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from pathlib import Path

from streamproc.adapters.embedded.schema import FILE, SCHEMA_VERSION, StoreError, uri_of, version_of

Progress = Callable[[int, int], None]
"""Called with pages done and pages in all."""

PAGES = 4_000

PART = f"{FILE}.part"
"""A backup on its way into the folder; what is found there was broken off."""


def copy_out(db: sqlite3.Connection, target: Path, progress: Progress) -> None:
    """Copies the folder behind `db`, as of one instant, into a file of its own. Raises StoreError where that fails."""
    part = target.with_name(target.name + ".part")
    try:
        target.parent.mkdir(parents=True, exist_ok=True)
        part.unlink(missing_ok=True)
        with closing(sqlite3.connect(part, isolation_level=None)) as copy, _one_state(db):
            db.backup(copy, pages=PAGES, progress=lambda _status, left, total: progress(total - left, total))
            copy.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        check(part)
        part.replace(target)
    except (OSError, sqlite3.Error) as error:
        raise StoreError(f"cannot write the backup {target}: {error}") from error
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def _one_state(db: sqlite3.Connection) -> Iterator[None]:
    """Holds on to what is committed now: a copy starts over at every commit of another process, and might never end."""
    db.execute("BEGIN")
    db.execute("SELECT 1 FROM journal LIMIT 1").fetchone()
    try:
        yield
    finally:
        db.execute("COMMIT")


def check(path: Path) -> None:
    """Raises StoreError where the file is no sound data folder's file, or a newer program's."""
    try:
        with closing(sqlite3.connect(uri_of(path, "mode=ro"), uri=True)) as db:
            version = version_of(db)
            problems = [text for (text,) in db.execute("PRAGMA quick_check(3)")]
            db.execute("SELECT 1 FROM journal LIMIT 1")
    except sqlite3.Error as error:
        raise StoreError(f"{path} is no backup of a data folder: {error}") from error
    if version > SCHEMA_VERSION:
        raise StoreError(f"{path} was written by a newer streamproc (schema {version}): upgrade")
    if problems != ["ok"]:
        raise StoreError(f"{path} is damaged: {'; '.join(problems)}")


def put_back(backup: Path, folder: Path) -> None:
    """Makes the backup the folder's data, in place of what was there; the folder must be locked.

    Raises StoreError where the backup is not sound, the folder cannot be written, or somebody reads it just now.
    """
    check(backup)
    part = folder / PART
    try:
        part.touch(0o600 if (folder / FILE).exists() else 0o666)
        shutil.copyfile(backup, part)
        with flushed(part):
            if (folder / FILE).exists():
                keep_rights(part, folder / FILE)
                with suppress(sqlite3.Error):  # it may be the damaged one: what its log holds is of no use then
                    settle_log(folder / FILE)
            for log in (f"{FILE}-wal", f"{FILE}-shm"):
                (folder / log).unlink(missing_ok=True)
        part.replace(folder / FILE)
        with flushed(folder):
            pass
    except OSError as error:
        raise StoreError(f"cannot restore into {folder}: {error}") from error
    finally:
        part.unlink(missing_ok=True)


def keep_rights(path: Path, old: Path) -> None:
    """Gives a file the owner and the rights of the one whose place it is to take, as far as we may."""
    known = old.stat()
    with suppress(PermissionError):
        os.chown(path, known.st_uid, known.st_gid)
    path.chmod(known.st_mode & 0o7777)


def settle_log(path: Path) -> None:
    """Takes a file's log into it, so that it is whole without. Raises sqlite3.Error; StoreError while somebody reads.

    A log that is deleted, or left beside another file, is data lost, or in the wrong place.
    """
    with closing(sqlite3.connect(path, isolation_level=None)) as db:
        try:
            (mode,) = db.execute("PRAGMA journal_mode = DELETE").fetchone()
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY:
                raise
            mode = "busy"
    if mode != "delete":
        raise StoreError(f"somebody reads {path.parent} just now: nothing was changed; try again")


@contextmanager
def flushed(path: Path) -> Iterator[None]:
    """Whatever is in the file, or the folder, is on the disk before it goes on; and again behind it."""
    handle = os.open(path, os.O_RDONLY)
    try:
        os.fsync(handle)
        yield
        os.fsync(handle)
    finally:
        os.close(handle)
