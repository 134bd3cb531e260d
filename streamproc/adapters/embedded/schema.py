"""The tables of a data folder's one file, and how it is opened."""

import sqlite3
from pathlib import Path
from urllib.parse import quote

FILE = "streamproc.db"
SCHEMA_VERSION = 3

_PRIMARY = 0xFF
"""The bits of SQLite's error code that name the kind of trouble."""

TABLES = """
CREATE TABLE IF NOT EXISTS journal (
    seq INTEGER PRIMARY KEY,   -- the order of everything
    customer TEXT,             -- NULL: for every partition
    event_id TEXT,             -- unique for ever; NULL: a control record, or forwarded by an alias
    body BLOB NOT NULL
);
CREATE UNIQUE INDEX IF NOT EXISTS journal_event ON journal (event_id) WHERE event_id IS NOT NULL;
CREATE INDEX IF NOT EXISTS journal_customer ON journal (customer, seq) WHERE customer IS NOT NULL;
CREATE INDEX IF NOT EXISTS journal_control ON journal (seq) WHERE customer IS NULL;
CREATE TABLE IF NOT EXISTS states (
    customer TEXT PRIMARY KEY,
    partition INTEGER NOT NULL,
    due INTEGER,               -- µs; NULL: nothing will happen by itself
    body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS states_due ON states (partition, due) WHERE due IS NOT NULL;
CREATE TABLE IF NOT EXISTS waiting (customer TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS meta (key TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS trainer_inbox (seq INTEGER PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS models (
    seq INTEGER PRIMARY KEY, id TEXT NOT NULL, at INTEGER NOT NULL, refused TEXT, body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS feed (
    seq INTEGER PRIMARY KEY, warning_id TEXT NOT NULL, customer TEXT NOT NULL, at TEXT NOT NULL,
    kind TEXT NOT NULL, body BLOB NOT NULL
);
CREATE TABLE IF NOT EXISTS warnings (
    id TEXT PRIMARY KEY, customer TEXT NOT NULL, raised_at TEXT NOT NULL, updated_at TEXT NOT NULL,
    state TEXT NOT NULL, severity TEXT NOT NULL, probability REAL NOT NULL, expected_loss TEXT NOT NULL,
    verdict INTEGER, history INTEGER NOT NULL, body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS warnings_customer ON warnings (customer);
CREATE INDEX IF NOT EXISTS warnings_state ON warnings (state);
CREATE TABLE IF NOT EXISTS care (warning_id TEXT PRIMARY KEY, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS alerts (
    seq INTEGER PRIMARY KEY, alert_id TEXT NOT NULL, at TEXT NOT NULL, body BLOB NOT NULL
);
CREATE INDEX IF NOT EXISTS alerts_id ON alerts (alert_id);
CREATE TABLE IF NOT EXISTS dead_letters (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, reason TEXT NOT NULL, field TEXT NOT NULL, detail TEXT NOT NULL,
    source TEXT NOT NULL, row INTEGER NOT NULL, offset INTEGER NOT NULL, raw BLOB NOT NULL, redriven TEXT
);
CREATE TABLE IF NOT EXISTS imports (
    seq INTEGER PRIMARY KEY,   -- of the first record that a run took in from the source
    source TEXT NOT NULL, at TEXT NOT NULL
);
CREATE TABLE IF NOT EXISTS retold (seq INTEGER PRIMARY KEY, customer TEXT NOT NULL, body BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS counts (
    name TEXT NOT NULL, label TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (name, label)
);
"""

KEPT_LETTERS = "CREATE INDEX IF NOT EXISTS dead_letters_kept ON dead_letters (redriven) WHERE redriven IS NULL"
"""Or whoever counts them reads all bytes of all. It came without a new version: an earlier program minds it as well."""


class StoreError(Exception):
    """The data folder cannot be used; the message says why and what to do."""


class NewerFolderError(StoreError):
    """The data folder was written by a newer streamproc."""


def connect(folder: Path, *, readonly: bool = False, follow: bool = False) -> sqlite3.Connection:
    """A connection to the folder's file. Raises StoreError where it cannot be opened, NewerFolderError.

    A folder that may not be written can be read all the same, see `_opened_to_read`; but not `follow`ed while nobody
    writes to it: of a writer that begins later nothing would be seen.
    """
    path = folder / FILE
    if readonly and not path.exists():
        raise StoreError(f"no data in {folder}: start with `streamproc run FILE --data {folder}`")
    try:
        if readonly:
            db = _opened_to_read(path, follow=follow)
            _check_version(db, folder)
        else:
            folder.mkdir(parents=True, exist_ok=True)
            db = _opened(path, "mode=rwc")
            _check_version(db, folder)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA wal_autocheckpoint = 4000")
            _prepare(db)
        db.execute("PRAGMA cache_size = -65536")
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"cannot open {path}: {error}; `streamproc doctor --data {folder}` looks for the cause") from (
            error
        )
    else:
        return db


def uri_of(path: Path, how: str) -> str:
    """A file's name for SQLite, with the parameters of how it is opened; `?` and `#` in names are no parameters."""
    return f"file:{quote(str(path))}?{how}"


def _opened(path: Path, how: str) -> sqlite3.Connection:
    return sqlite3.connect(uri_of(path, how), uri=True, isolation_level=None, check_same_thread=False, timeout=10)


def _opened_to_read(path: Path, *, follow: bool) -> sqlite3.Connection:
    """A connection that writes nothing, also where nothing may be written.

    SQLite reads a file with a write-ahead log by way of the log and its index beside it, and makes both where they are
    missing: it cannot in a folder that may not be written. An empty log or none means that all is in the file itself
    and nobody writes to it, so it may be read as one that does not change (`immutable`). A log with something in it but
    without its index holds commits that only one who may write can bring to light: passing over them would be a lie.
    Raises StoreError in that case, and where there is nothing to `follow`.
    """
    db = _opened(path, "mode=ro")
    try:
        db.execute("PRAGMA user_version").fetchone()  # the first look opens the log
    except sqlite3.Error as error:
        db.close()
        if error.sqlite_errorcode & _PRIMARY not in (sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY):
            raise
        log = path.with_name(f"{path.name}-wal")
        if log.exists() and log.stat().st_size:
            raise StoreError(
                f"{path.parent} may not be written, and its last commits lie in {log.name}, which only somebody "
                f"who may write there can read: run `streamproc status --data {path.parent}` once as the owner, "
                "or copy the folder and name the copy with --data"
            ) from error
        if follow:
            raise StoreError(
                f"nobody writes to {path.parent}, and this process may not: there is nothing to follow before "
                f"`streamproc run --data {path.parent}` runs"
            ) from error
        return _opened(path, "mode=ro&immutable=1")
    return db


def _check_version(db: sqlite3.Connection, folder: Path) -> None:
    """Raises NewerFolderError where the tables may mean what this program does not know."""
    version = version_of(db)
    if version > SCHEMA_VERSION:
        db.close()
        raise NewerFolderError(
            f"{folder} was written by a newer streamproc (schema {version}, this one knows {SCHEMA_VERSION}): upgrade"
        )


def version_of(db: sqlite3.Connection) -> int:
    """The version of the tables, 0 where there are none yet."""
    (version,) = db.execute("PRAGMA user_version").fetchone()
    return int(version)


def _prepare(db: sqlite3.Connection) -> None:
    if version_of(db) < SCHEMA_VERSION:
        db.executescript(TABLES)
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
    db.execute(KEPT_LETTERS)
