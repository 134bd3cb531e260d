"""Questions to a data folder, read only: warnings, a customer's report, why there was no warning, the base at a glance.

What is said of one customer is computed by running that customer's journal records again, never stored twice.
"""

# ruff: noqa: S608 - all pieces of the queries are our own; values go in as parameters

import json
import sqlite3
from collections.abc import Iterable, Iterator
from typing import TypeVar

import msgspec

from streamproc.adapters.embedded import customers
from streamproc.adapters.embedded.clock import Progress
from streamproc.adapters.embedded.feed import UNTOLD
from streamproc.adapters.embedded.journal import Numbered, read_customer, read_own
from streamproc.adapters.embedded.models import pinned
from streamproc.adapters.embedded.replay import Replay, setup_of
from streamproc.adapters.embedded.schema import StoreError, version_of
from streamproc.core.control import Setup
from streamproc.desk.desk import Desk
from streamproc.desk.feed import OPEN_STATES, Order, Standing, as_it_stands
from streamproc.desk.glance import Counted, Time, glance
from streamproc.desk.report import Current, CustomerReport, Summary, WarningNow, WhyAnswer
from streamproc.desk.warning import Entry, State, money_of
from streamproc.monitor.partition import Meta

T = TypeVar("T")

_KEYS: dict[Order, tuple[str, ...]] = {
    "newest_first": ("raised_at", "id"),
    "most_at_stake": ("CAST(expected_loss AS REAL)", "raised_at", "id"),
}
"""What warnings are sorted by, descending."""

_COLUMNS = "body, state, updated_at, severity, probability, expected_loss, verdict, "
_CARE = "(SELECT body FROM care WHERE warning_id = warnings.id)"
_EARLIER = 1
"""The last version of the tables without what the desk did."""


def the_setup(db: sqlite3.Connection) -> Setup:
    """The folder's set-up. Raises StoreError where nothing was ever read into it."""
    setup = setup_of(db)
    if setup is None:
        raise StoreError("the folder holds no journal yet: start with `streamproc run FILE`")
    return setup


# ------------------------------------------------------------------------------------------------ warnings


def warnings(
    db: sqlite3.Connection,
    *,
    open_only: bool = False,
    customers: Iterable[str] | None = None,
    limit: int | None = None,
    order: Order = "newest_first",
    after: str | None = None,
) -> list[WarningNow]:
    """Warnings as they stand: open ones, of some customers, at most `limit` behind the warning `after` in the order."""
    where, given = ["TRUE"], []
    keys = ", ".join(_KEYS[order])
    if open_only:
        where.append(f"state IN {OPEN_STATES}")
    if customers is not None:
        where.append("customer IN (SELECT value FROM json_each(?))")
        given.append(json.dumps(list(customers)))
    if after is not None:
        where.append(f"({keys}) < (SELECT {keys} FROM warnings WHERE id = ?)")
        given.append(after)
    order_by = ", ".join(f"{key} DESC" for key in _KEYS[order])
    query = f"SELECT {_columns(db)} FROM warnings WHERE {' AND '.join(where)} ORDER BY {order_by} LIMIT ?"
    return [_now(row) for row in db.execute(query, (*given, -1 if limit is None else limit))]


def warning(db: sqlite3.Connection, warning_id: str) -> WarningNow | None:
    """One warning as it stands, None if there is none of this id."""
    row = db.execute(f"SELECT {_columns(db)} FROM warnings WHERE id = ?", (warning_id,)).fetchone()
    return None if row is None else _now(row)


def _columns(db: sqlite3.Connection) -> str:
    """What a warning as it stands is read from; one who only reads may find a folder as an earlier version left it."""
    return _COLUMNS + ("NULL" if version_of(db) <= _EARLIER else _CARE)


def _now(row: tuple[bytes, State, str, str, float, str, int | None, bytes | None]) -> WarningNow:
    body, state, updated_at, severity, probability, expected_loss, verdict, care = row
    told_risk = None if probability == UNTOLD else probability
    current = Current(severity=severity, probability=told_risk, expected_loss=expected_loss)
    told = msgspec.Raw(b"null" if care is None else care)
    judged = None if verdict is None else bool(verdict)
    return as_it_stands(body, Standing(state, updated_at, current, judged, told))


def life_of(db: sqlite3.Connection, warning_id: str) -> tuple[Entry, ...]:
    """The feed's lines of one warning."""
    rows = db.execute("SELECT body FROM feed WHERE warning_id = ? ORDER BY seq", (warning_id,))
    return tuple(msgspec.json.decode(body, type=Entry) for (body,) in rows)


# ------------------------------------------------------------------------------------------- one customer


class FolderPast:
    """A data folder's journal and feed, as questions about one customer need them."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def setup(self) -> Setup:
        """The folder's set-up. Raises StoreError where nothing was ever read into it."""
        return the_setup(self._db)

    def clock(self) -> int:
        """How far time has come (µs)."""
        return progress(self._db).clock

    def known(self, customer_id: str) -> bool:
        """Whether the journal holds a record of this id."""
        query = "SELECT 1 FROM journal WHERE customer = ? LIMIT 1"
        return self._db.execute(query, (customer_id,)).fetchone() is not None

    def records(self, customer_id: str) -> Iterator[Numbered]:
        """The customer's records and those for everybody, in order."""
        return read_customer(self._db, [customer_id])

    def own(self, customer_id: str) -> Iterator[Numbered]:
        """The customer's records alone."""
        return read_own(self._db, customer_id)

    def warnings(self, customer_ids: Iterable[str]) -> list[WarningNow]:
        """These customers' warnings, the newest first."""
        return warnings(self._db, customers=customer_ids)

    def life_of(self, warning_id: str) -> tuple[Entry, ...]:
        """The feed's lines of one warning."""
        return life_of(self._db, warning_id)


def report(db: sqlite3.Connection, customer_id: str) -> CustomerReport | None:
    """The customer's report as of the clock, None for an id the journal has no record of."""
    return customers.report(FolderPast(db), customer_id)


def why(db: sqlite3.Connection, customer_id: str, at: int | None = None) -> WhyAnswer:
    """Why the last look at or before `at` (µs; None: the clock) came out as it did."""
    return customers.why(FolderPast(db), customer_id, at)


def state_again(db: sqlite3.Connection, customer_id: str) -> bytes | None:
    """The encoded state that the customer's records give when they are applied again."""
    replay = Replay(money_of(the_setup(db)))
    for _ in replay.run(read_customer(db, [customer_id])):
        pass
    return replay.states[0].get(customer_id)


# ------------------------------------------------------------------------------------------------ the base


def progress(db: sqlite3.Connection) -> Progress:
    """Where the runner stood at its last commit."""
    row = db.execute("SELECT body FROM meta WHERE key = 'progress'").fetchone()
    return Progress() if row is None else _decoded(row[0], Progress)


def desk(db: sqlite3.Connection) -> Desk | None:
    """The desk as it was at the last commit, None where an older version made that."""
    row = db.execute("SELECT body FROM meta WHERE key = 'desk'").fetchone()
    return None if row is None else _decoded(row[0], Desk)


def metas(db: sqlite3.Connection) -> list[Meta]:
    """What each partition remembered at the last commit."""
    rows = db.execute("SELECT body FROM meta WHERE key LIKE 'partition:%' ORDER BY key")
    return [_decoded(body, Meta) for (body,) in rows]


def _decoded(body: bytes, kind: type[T]) -> T:
    try:
        return msgspec.msgpack.decode(body, type=kind)
    except msgspec.DecodeError as error:
        raise StoreError(
            f"what was kept at the last commit cannot be read ({error}): was it written by another streamproc? "
            "`streamproc version` tells this one's"
        ) from error


def summary(db: sqlite3.Connection) -> Summary:
    """The whole base at a glance. Raises StoreError where nothing was ever read into the folder."""
    stands = progress(db)
    counted = Counted(
        records=_one(db, "SELECT coalesce(max(seq), 0) FROM journal"),
        warnings=dict(db.execute("SELECT state, count(*) FROM warnings GROUP BY state ORDER BY state")),
        verdicts=_verdicts(db),
        dead_letters=_one(db, "SELECT count(*) FROM dead_letters WHERE redriven IS NULL"),
        counts=_counts(db),
    )
    time = Time(stands.clock, stands.mode, stands.live)
    return glance(the_setup(db), metas(db), time, counted, pinned=pinned(db) is not None)


def _one(db: sqlite3.Connection, query: str) -> int:
    (number,) = db.execute(query).fetchone()
    return int(number)


def _verdicts(db: sqlite3.Connection) -> dict[str, int]:
    rows = db.execute("SELECT verdict, count(*) FROM warnings WHERE verdict IS NOT NULL GROUP BY verdict")
    return {"right" if right else "wrong": n for right, n in rows}


def _counts(db: sqlite3.Connection) -> dict[str, dict[str, int]]:
    counts: dict[str, dict[str, int]] = {}
    for name, label, number in db.execute("SELECT name, label, n FROM counts ORDER BY name, label"):
        counts.setdefault(name, {})[label] = number
    return counts
