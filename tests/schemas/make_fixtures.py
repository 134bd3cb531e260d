"""Writes the fixtures of schema version 1.

`python -m tests.schemas.make_fixtures` is run before a format is released, and never again for that version: what
it wrote then is what later programs must still read. The simulator's fixed seed makes it repeatable.
"""

import sqlite3
import tempfile
from pathlib import Path

from streamproc.simulate import Shop
from tests.schemas.shop import run_shop

FOLDER = Path(__file__).parent / "fixtures" / "v1"
SHOP = Shop(customers=30, days=320, seed=4)
STATES = 5


def lines(db: sqlite3.Connection, query: str) -> bytes:
    return b"".join(bytes(body) + b"\n" for (body,) in db.execute(query))


def write_fixtures(folder: Path) -> None:
    """Writes the journal and the feed of a small shop, its last snapshot, a warning, and some states."""
    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory() as scratch:
        db = run_shop(SHOP, Path(scratch))
        files = {
            "journal.jsonl": lines(db, "SELECT body FROM journal ORDER BY seq"),
            "feed.jsonl": lines(db, "SELECT body FROM feed ORDER BY seq"),
            "snapshot.json": lines(db, "SELECT body FROM models ORDER BY seq DESC LIMIT 1"),
            "warning.json": lines(db, "SELECT body FROM warnings ORDER BY raised_at LIMIT 1"),
        }
        largest = "SELECT body FROM states ORDER BY length(body) DESC, customer LIMIT ?"
        states = [body for (body,) in db.execute(largest, (STATES,))]
        db.close()
    for name, content in files.items():
        (folder / name).write_bytes(content)
    for number, body in enumerate(states, 1):
        (folder / f"state-{number}.msgpack").write_bytes(body)


if __name__ == "__main__":
    write_fixtures(FOLDER)
    print(*sorted(path.name for path in FOLDER.iterdir()), sep="\n")
