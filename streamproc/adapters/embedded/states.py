"""Customer states in SQLite, with a bounded cache: the `States` of an embedded partition.

The rule kept here: writes stay in memory until `flush`, which the runner calls inside the batch's transaction (a
query for due customers may call it earlier, inside the same one).
"""

import sqlite3

CACHED = 100_000

_UPSERT = (
    "INSERT INTO states (customer, partition, due, body) VALUES (?, ?, ?, ?) "
    "ON CONFLICT (customer) DO UPDATE SET due = excluded.due, body = excluded.body"
)


class StateTable:
    """The states of one partition. `due` times are counted, so that the earliest is known without a query."""

    def __init__(self, db: sqlite3.Connection, partition: int, cached: int = CACHED) -> None:
        self._db = db
        self._partition = partition
        self._cached = cached
        self._cache: dict[str, tuple[bytes, int | None]] = {}
        self._dirty: set[str] = set()
        self._dues: dict[int, int] = dict(
            db.execute(
                "SELECT due, count(*) FROM states WHERE partition = ? AND due IS NOT NULL GROUP BY due", (partition,)
            )
        )
        self._earliest = min(self._dues, default=None)

    def get(self, customer_id: str) -> bytes | None:
        """The customer's state, None for one never put."""
        entry = self._entry(customer_id)
        return None if entry is None else entry[0]

    def _entry(self, customer_id: str) -> tuple[bytes, int | None] | None:
        entry = self._cache.get(customer_id)
        if entry is None:
            row: tuple[bytes, int | None] | None = self._db.execute(
                "SELECT body, due FROM states WHERE customer = ?", (customer_id,)
            ).fetchone()
            if row is not None:
                entry = self._cache[customer_id] = row
        return entry

    def put(self, customer_id: str, body: bytes, due: int | None) -> None:
        """Keeps a state; `due` None: nothing will happen by itself."""
        self._unschedule(customer_id)
        if due is not None:
            self._dues[due] = self._dues.get(due, 0) + 1
            if self._earliest is None or due < self._earliest:
                self._earliest = due
        self._cache[customer_id] = (body, due)
        self._dirty.add(customer_id)

    def _unschedule(self, customer_id: str) -> None:
        old = self._entry(customer_id)
        if old is None or old[1] is None:
            return
        left = self._dues[old[1]] - 1
        if left:
            self._dues[old[1]] = left
        else:
            del self._dues[old[1]]
            if old[1] == self._earliest:
                self._earliest = min(self._dues, default=None)

    def drop(self, customer_id: str) -> None:
        """Keeps nothing of the customer, inside the transaction that is open."""
        self._unschedule(customer_id)
        self._cache.pop(customer_id, None)
        self._dirty.discard(customer_id)
        self._db.execute("DELETE FROM states WHERE customer = ?", (customer_id,))

    def due(self, at: int) -> list[str]:
        """The customers due at or before `at` (µs)."""
        earliest = self.next_due()
        if earliest is None or earliest > at:
            return []
        self.flush()
        rows = self._db.execute("SELECT customer FROM states WHERE partition = ? AND due <= ?", (self._partition, at))
        return [customer for (customer,) in rows]

    def next_due(self) -> int | None:
        """The earliest due time (µs)."""
        return self._earliest

    def flush(self) -> None:
        """Writes what changed, inside the transaction that is open."""
        rows = []
        for customer_id in sorted(self._dirty):
            body, due = self._cache[customer_id]
            rows.append((customer_id, self._partition, due, body))
        self._db.executemany(_UPSERT, rows)
        self._dirty.clear()

    def trim(self) -> None:
        """Lets go of the states cached longest where there are more than the bound; call after `flush`."""
        excess = len(self._cache) - self._cached
        if excess > 0:
            for customer_id in list(self._cache)[:excess]:
                del self._cache[customer_id]
