"""Data folders with many customers, quickly: the encoded states of a few simulated ones, again under other ids."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from random import Random

import msgspec

from streamproc.adapters.embedded.runner import Runner
from streamproc.adapters.embedded.schema import connect
from streamproc.adapters.embedded.states import StateTable
from streamproc.core.events import Purchase
from streamproc.core.lifecycle import Stage
from streamproc.core.time import DAY, HOUR
from streamproc.monitor.effects import Totals
from streamproc.monitor.partition import Meta
from streamproc.monitor.state import decode_state, encode_state, is_alias
from streamproc.simulate import Shop
from tests.bench.embedded import fill
from tests.bench.harness import say
from tests.bench.shop import SETUP
from tests.monitor.shops import deliveries

DAYS = 731
"""So that the day measured, the one after, is none on which the model is trained."""

SHOP_SIZE = 3_000
DUE = 1_000
FLUSHED_EVERY = 50_000


class Crowd(msgspec.Struct, frozen=True):
    """A folder of `customers`; its clock stands a day before `at`, the midnight at which `due` of them are due."""

    folder: Path
    customers: int
    due: int
    at: int
    ids: list[str]
    copies: int

    def customer(self, number: int) -> str:
        """The id of a customer by number."""
        return f"{self.ids[number // self.copies]}-{number % self.copies}"

    def purchases(self, number: int, seed: int) -> Iterator[Purchase]:
        """Purchases of anybody, spread over the day that begins at `at`: at the next midnight others are due."""
        rng = Random(seed)
        for n in range(number):
            yield Purchase(
                event_id=f"b-{seed}-{n}",
                order_id=f"b-{seed}-{n}",
                customer_id=self.customer(rng.randrange(self.customers)),
                at=self.at + (seed * 11 * HOUR) + n * (11 * HOUR) // number,
                amount=rng.randrange(500, 20_000),
                source="bench",
            )


def base_folder(folder: Path, customers: int) -> Path:
    """A folder that has read a simulated shop, with all that a run leaves in it."""
    say(f"a shop of {customers:,} customers")
    shop = Shop(customers=customers, days=DAYS, seed=2)
    fill(folder, deliveries(shop))
    with closing(connect(folder)) as db:
        Runner(db, SETUP).advance_to(shop.ends)
    return folder


def crowd(base: Path, folder: Path, customers: int) -> Crowd:
    """A copy of the base folder with `customers` in the place of its own, of whom DUE at most are due at `at`."""
    say(f"a folder with {customers:,} customers")
    shutil.copytree(base, folder)
    with closing(connect(folder)) as db:
        db.execute("PRAGMA synchronous = OFF")
        states = [
            row
            for row in db.execute("SELECT customer, body, due FROM states ORDER BY customer").fetchall()
            if not is_alias(row[1])
        ]
        meta = msgspec.msgpack.decode(_meta(db), type=Meta)
        at = (meta.clock // DAY + 1) * DAY
        copies = -(-customers // len(states))
        due = min(DUE, customers // 10)
        made = Crowd(folder, customers, due, at, [customer for customer, _, _ in states], copies)
        db.execute("BEGIN")
        db.execute("DELETE FROM states")
        _multiply(db, made, states)
        meta.totals = _times(meta.totals, copies)
        db.execute("UPDATE meta SET body = ? WHERE key = 'partition:0'", (msgspec.msgpack.encode(meta),))
        db.execute("COMMIT")
        db.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    return made


def _meta(db: sqlite3.Connection) -> bytes:
    (body,) = db.execute("SELECT body FROM meta WHERE key = 'partition:0'").fetchone()
    return bytes(body)


def _multiply(db: sqlite3.Connection, made: Crowd, states: list[tuple[str, bytes, int | None]]) -> None:
    table = StateTable(db, 0)
    in_trade = [n for n, (_, body, _) in enumerate(states) if _in_trade(body)]
    due = {n * made.copies + k for k in range(made.copies) for n in in_trade}
    spread = sorted(n for n in due if n < made.customers)
    looked = set(spread[:: max(1, len(spread) // made.due)][: made.due])
    for number in range(made.customers):
        _, body, when = states[number // made.copies]
        if number in looked:
            table.put(made.customer(number), _due_at(body, made.at), made.at)
        else:
            table.put(made.customer(number), body, None if when is None else max(when, made.at + DAY))
        if number % FLUSHED_EVERY == 0:
            table.flush()
            table.trim()
    table.flush()


def _in_trade(body: bytes) -> bool:
    return Stage.FIRST_TIME <= decode_state(body).decisions.stage < Stage.LOST


def _due_at(body: bytes, at: int) -> bytes:
    state = decode_state(body)
    state.decisions.next_look = at
    return encode_state(state)


def _times(totals: Totals, copies: int) -> Totals:
    """The totals of so many like customers."""

    def more(table: dict[str, int]) -> dict[str, int]:
        return {name: n * copies for name, n in table.items()}

    for histogram in (totals.contribution, totals.revenue):
        histogram.count = {slot: n * copies for slot, n in histogram.count.items()}
        histogram.total = {slot: n * copies for slot, n in histogram.total.items()}
    return Totals(
        totals.contribution,
        totals.revenue,
        more(totals.stages),
        more(totals.grades),
        totals.equity * copies,
        totals.at_risk * copies,
        totals.open_warnings * copies,
    )
