"""The tables of a data folder's one file, and how it is opened."""

import sqlite3
from pathlib import Path

FILE = "streamproc.db"
SCHEMA_VERSION = 1

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
CREATE TABLE IF NOT EXISTS dead_letters (
    id INTEGER PRIMARY KEY, key TEXT NOT NULL UNIQUE, reason TEXT NOT NULL, field TEXT NOT NULL, detail TEXT NOT NULL,
    source TEXT NOT NULL, row INTEGER NOT NULL, offset INTEGER NOT NULL, raw BLOB NOT NULL, redriven TEXT
);
CREATE TABLE IF NOT EXISTS counts (
    name TEXT NOT NULL, label TEXT NOT NULL, n INTEGER NOT NULL, PRIMARY KEY (name, label)
);
"""


class StoreError(Exception):
    """The data folder cannot be used; the message says why and what to do."""


def connect(folder: Path, *, readonly: bool = False) -> sqlite3.Connection:
    """A connection to the folder's file. Raises StoreError where it cannot be opened or is of a newer version."""
    path = folder / FILE
    if readonly and not path.exists():
        raise StoreError(f"no data in {folder}: start with `streamproc run FILE --data {folder}`")
    try:
        if not readonly:
            folder.mkdir(parents=True, exist_ok=True)
        mode = "ro" if readonly else "rwc"
        db = sqlite3.connect(
            f"file:{path}?mode={mode}", uri=True, isolation_level=None, check_same_thread=False, timeout=10
        )
        if not readonly:
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            db.execute("PRAGMA wal_autocheckpoint = 4000")
            _prepare(db, folder)
        db.execute("PRAGMA cache_size = -65536")
    except (sqlite3.Error, OSError) as error:
        raise StoreError(f"cannot open {path}: {error}") from error
    else:
        return db


def _prepare(db: sqlite3.Connection, folder: Path) -> None:
    (version,) = db.execute("PRAGMA user_version").fetchone()
    if version > SCHEMA_VERSION:
        raise StoreError(
            f"{folder} was written by a newer streamproc (schema {version}, this one knows {SCHEMA_VERSION}): upgrade"
        )
    if version < SCHEMA_VERSION:
        db.executescript(TABLES)
        db.execute(f"PRAGMA user_version = {SCHEMA_VERSION}")
