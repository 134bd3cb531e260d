"""What the tests of intake share: one clock, one place, records taken from JSON or from rows."""

from collections.abc import Mapping as Dict

import msgspec

from streamproc.core.events import Purchase
from streamproc.core.time import DAY
from streamproc.intake.columns import infer_mapping
from streamproc.intake.intake import Intake, Settings
from streamproc.intake.journal import JournalEvent
from streamproc.intake.mapping import Mapping, load_mapping
from streamproc.intake.rates import Rates
from streamproc.intake.refusal import Position, Refusal

NOW = 20_000 * DAY
"""The wall clock of the tests: 2024-10-04."""

HERE = Position("feed", 1)

ORDER: Dict[str, object] = {
    "event_id": "e1",
    "customer_id": "c1",
    "occurred_at": "2024-03-01T10:00:00Z",
    "order_id": "o1",
    "amount": 12.5,
    "currency": "EUR",
    "quantity": 2,
}
COMPLAINT: Dict[str, object] = {
    "event_id": "e2",
    "customer_id": "c1",
    "occurred_at": "2024-03-01T10:00:00Z",
    "complaint_id": "k1",
    "status": "opened",
}
CONTACT: Dict[str, object] = {
    "event_id": "e3",
    "customer_id": "c1",
    "occurred_at": "2024-03-01T10:00:00Z",
    "contact_id": "t1",
    "direction": "in",
}


def json_intake(toml: str = "", settings: Settings | None = None) -> Intake:
    return Intake(Rates("EUR"), mapping(toml), settings=settings)


def mapping(toml: str) -> Mapping:
    loaded = load_mapping(toml)
    assert isinstance(loaded, Mapping), loaded
    return loaded


def take(event: Dict[str, object] | bytes, toml: str = "") -> JournalEvent | Refusal | None:
    body = event if isinstance(event, bytes) else msgspec.json.encode(event)
    return json_intake(toml).take(body, HERE, NOW)


def order(**changes: object) -> JournalEvent | Refusal | None:
    return take({name: value for name, value in {**ORDER, **changes}.items() if value is not ...})


def purchase(**changes: object) -> Purchase:
    taken = order(**changes)
    assert isinstance(taken, Purchase), taken
    return taken


def refused(taken: object) -> Refusal:
    assert isinstance(taken, Refusal), taken
    return taken


def table(header: str, toml: str = "", settings: Settings | None = None) -> Intake:
    columns = header.split(",")
    found = infer_mapping(columns, mapping(toml))
    assert isinstance(found, Mapping), found
    return Intake(Rates("EUR"), found, columns, settings)


def take_row(header: str, row: str, toml: str = "") -> JournalEvent | Refusal | None:
    return table(header, toml).take_row(row.split(","), HERE, NOW)


def bought(header: str, row: str, toml: str = "") -> Purchase:
    taken = take_row(header, row, toml)
    assert isinstance(taken, Purchase), taken
    return taken
