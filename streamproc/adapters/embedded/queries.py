"""Questions to a data folder, read only: warnings, a customer's report, why there was no warning, the base at a glance.

What is said of one customer is computed by running that customer's journal records again, never stored twice.
"""

import json
import sqlite3
from collections.abc import Iterable, Sequence
from typing import Literal, TypeVar

import msgspec

from streamproc.adapters.embedded.journal import read_customer
from streamproc.adapters.embedded.replay import Replay, all_ids, setup_of
from streamproc.adapters.embedded.runner import PINNED, Progress
from streamproc.adapters.embedded.schema import StoreError
from streamproc.core.control import Disposition, Setup, Tick
from streamproc.core.population import Histogram, concentration
from streamproc.core.time import to_text
from streamproc.desk.report import (
    Current,
    CustomerReport,
    Rule,
    RunningModel,
    Shares,
    Summary,
    Thresholds,
    Trail,
    WarningNow,
    Whose,
    WhyAnswer,
    customer_report,
    rule_of,
    why_looked,
)
from streamproc.desk.warning import Entry, Money, State
from streamproc.intake.money import digits_of
from streamproc.monitor.effects import Looked, WouldWarn
from streamproc.monitor.partition import Meta, new_meta
from streamproc.monitor.state import CustomerState
from streamproc.monitor.totals import merged

T = TypeVar("T")

Order = Literal["newest_first", "most_at_stake"]

OPEN_STATES = ("raised", "escalated")

_ORDERS: dict[Order, str] = {
    "newest_first": "raised_at DESC, id",
    "most_at_stake": "CAST(expected_loss AS REAL) DESC, raised_at DESC, id",
}
_COLUMNS = "body, state, updated_at, severity, probability, expected_loss, verdict"
_DECODE_WARNING = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode


class _Standing(msgspec.Struct):
    """What a warning's row adds to its body."""

    state: State
    updated_at: str
    current: Current
    verdict: bool | None


def the_setup(db: sqlite3.Connection) -> Setup:
    """The folder's set-up. Raises StoreError where nothing was ever read into it."""
    setup = setup_of(db)
    if setup is None:
        raise StoreError("the folder holds no journal yet: start with `streamproc run FILE`")
    return setup


def money_of(setup: Setup) -> Money:
    """How the set-up's currency is written."""
    return Money(setup.currency, digits_of(setup.currency))


# ------------------------------------------------------------------------------------------------ warnings


def warnings(
    db: sqlite3.Connection,
    *,
    open_only: bool = False,
    customers: Iterable[str] | None = None,
    limit: int | None = None,
    order: Order = "newest_first",
) -> list[WarningNow]:
    """Warnings as they stand, at most `limit`; of some `customers` only, where they are given."""
    where, given = ["TRUE"], []
    if open_only:
        where.append(f"state IN {OPEN_STATES}")
    if customers is not None:
        where.append("customer IN (SELECT value FROM json_each(?))")
        given.append(json.dumps(list(customers)))
    query = f"SELECT {_COLUMNS} FROM warnings WHERE {' AND '.join(where)} ORDER BY {_ORDERS[order]} LIMIT ?"  # noqa: S608 - only our own words
    return [_now(row) for row in db.execute(query, (*given, -1 if limit is None else limit))]


def warning(db: sqlite3.Connection, warning_id: str) -> WarningNow | None:
    """One warning as it stands, None if there is none of this id."""
    row = db.execute(f"SELECT {_COLUMNS} FROM warnings WHERE id = ?", (warning_id,)).fetchone()  # noqa: S608 - as above
    return None if row is None else _now(row)


def _now(row: tuple[bytes, State, str, str, float, str, int | None]) -> WarningNow:
    body, state, updated_at, severity, probability, expected_loss, verdict = row
    current = Current(severity=severity, probability=probability, expected_loss=expected_loss)
    standing = _Standing(state, updated_at, current, None if verdict is None else bool(verdict))
    added = _DECODE_WARNING(msgspec.json.encode(standing))
    return msgspec.json.decode(msgspec.json.encode({**_DECODE_WARNING(body), **added}), type=WarningNow)


def life_of(db: sqlite3.Connection, warning_id: str) -> tuple[Entry, ...]:
    """The feed's lines of one warning."""
    rows = db.execute("SELECT body FROM feed WHERE warning_id = ? ORDER BY seq", (warning_id,))
    return tuple(msgspec.json.decode(body, type=Entry) for (body,) in rows)


# ------------------------------------------------------------------------------------------- one customer


def known(db: sqlite3.Connection, customer_id: str) -> bool:
    """Whether the journal holds a record of this id."""
    return db.execute("SELECT 1 FROM journal WHERE customer = ? LIMIT 1", (customer_id,)).fetchone() is not None


def report(db: sqlite3.Connection, customer_id: str) -> CustomerReport | None:
    """The customer's report as of the clock, None for an id the journal has no record of.

    An alias' own report says where it was `forwarded_to`; the report of that id has the facts of both.
    """
    if not known(db, customer_id):
        return None
    money = money_of(the_setup(db))
    replay, trail = Replay(money), Trail()
    for replayed in replay.run(read_customer(db, [customer_id])):
        trail.take(replayed.effects)
    partition = replay.pipeline.partitions[0]
    ids = all_ids(db, customer_id)
    state = partition.state_of(customer_id) or _untouched()
    whose = Whose(
        customer_id=customer_id,
        aliases=ids[1:],
        clock=partition.meta.clock,
        next_due=replay.pipeline.next_work(),
    )
    return customer_report(whose, trail, state, warnings(db, customers=ids), money)


