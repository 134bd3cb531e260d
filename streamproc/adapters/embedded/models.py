"""The snapshots a data folder has seen: those that came into force, those refused, and whether one is pinned."""

import sqlite3

import msgspec

from streamproc.scoring.snapshot import Snapshot

PINNED_REASON = "pinned"
"""Why a snapshot made while another is pinned did not come into force."""


class KnownModel(msgspec.Struct, frozen=True, kw_only=True):
    """A snapshot and where it stands in the journal; `refused`: why it never came into force, None if it did."""

    seq: int
    id: str
    at: int
    refused: str | None
    snapshot: Snapshot


def models(db: sqlite3.Connection) -> list[KnownModel]:
    """All snapshots, oldest first; one that came into force more than once is there as often."""
    rows = db.execute("SELECT seq, id, at, refused, body FROM models ORDER BY seq")
    return [
        KnownModel(seq=seq, id=name, at=at, refused=refused, snapshot=msgspec.json.decode(body, type=Snapshot))
        for seq, name, at, refused, body in rows
    ]


def pinned(db: sqlite3.Connection) -> str | None:
    """The id of the snapshot that stays until it is unpinned, None without one."""
    row = db.execute("SELECT body FROM meta WHERE key = 'pinned'").fetchone()
    return None if row is None else bytes(row[0]).decode()


def note_pin(db: sqlite3.Connection, model_id: str | None) -> None:
    """Notes which snapshot is pinned (None: none any more), inside the transaction that is open."""
    if model_id is None:
        db.execute("DELETE FROM meta WHERE key = 'pinned'")
    else:
        db.execute("INSERT OR REPLACE INTO meta VALUES ('pinned', ?)", (model_id.encode(),))
