"""The feed of a data folder, as the contract asks for it; a reference for other homes of the feed."""

import sqlite3
from collections.abc import Iterable, Sequence
from typing import Self

from streamproc.adapters.embedded import feed, queries
from streamproc.adapters.embedded.schema import TABLES
from streamproc.desk.feed import OPEN_STATES, Counts, Line, Order
from streamproc.desk.report import WarningNow
from streamproc.desk.warning import Entry


class SqliteFeed:
    """A feed in SQLite; in memory unless a connection is given."""

    def __init__(self, db: sqlite3.Connection | None = None) -> None:
        self._db = db or sqlite3.connect(":memory:", isolation_level=None)
        self._db.executescript(TABLES)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._db.close()

    def write(self, entries: Sequence[Entry]) -> None:
        self._db.execute("BEGIN")
        feed.write(self._db, entries)
        self._db.execute("COMMIT")

    def warnings(
        self,
        *,
        open_only: bool = False,
        customers: Iterable[str] | None = None,
        limit: int | None = None,
        order: Order = "newest_first",
        after: str | None = None,
    ) -> list[WarningNow]:
        return queries.warnings(
            self._db, open_only=open_only, customers=customers, limit=limit, order=order, after=after
        )

    def warning(self, warning_id: str) -> WarningNow | None:
        return queries.warning(self._db, warning_id)

    def life_of(self, warning_id: str) -> tuple[Entry, ...]:
        return queries.life_of(self._db, warning_id)

    def counts(self) -> Counts:
        states = self._db.execute("SELECT state, count(*) FROM warnings GROUP BY state")
        verdicts = self._db.execute(
            "SELECT iif(verdict, 'right', 'wrong'), count(*) FROM warnings WHERE verdict IS NOT NULL GROUP BY verdict"
        )
        severities = self._db.execute(
            f"SELECT severity, count(*) FROM warnings WHERE state IN {OPEN_STATES} GROUP BY severity"
        )
        return Counts(dict(states), dict(verdicts), dict(severities))

    def last(self) -> int:
        (number,) = self._db.execute("SELECT coalesce(max(seq), 0) FROM feed").fetchone()
        return int(number)

    def lines(self, after: int, limit: int) -> list[Line]:
        rows = self._db.execute("SELECT seq, body FROM feed WHERE seq > ? ORDER BY seq LIMIT ?", (after, limit))
        return [Line(seq, body) for seq, body in rows]
