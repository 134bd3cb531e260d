"""A journal event back to what a feed sends: JSON after schemas/, from which intake makes the same event again.

So rows of a table, whatever their columns, reach Kafka as events that need no mapping any more. Amounts are in the
reporting currency then, and what the feed called its own is not told.
"""

from decimal import Decimal
from functools import partial
from typing import Any, assert_never

import msgspec
from msgspec import Struct

from streamproc.core.events import Complaint, Contact, CustomerFact, DeskStep, FirmFact, Purchase
from streamproc.core.time import to_text
from streamproc.intake.journal import JournalEvent
from streamproc.intake.money import digits_of

STREAM_OF: dict[type[Struct], str] = {
    Purchase: "purchases",
    Complaint: "complaints",
    Contact: "contacts",
    CustomerFact: "facts",
    DeskStep: "facts",
    FirmFact: "facts",
}
RETURN = "return:"
MONEY = ("amount", "cost", "list_amount", "reward_amount", "fixed_service_cost")


def feed_body(event: JournalEvent, currency: str) -> bytes:
    """The event as one JSON object; `currency` is the reporting currency, which its amounts are in."""
    members: dict[str, Any] = msgspec.to_builtins(event)
    members["occurred_at"] = to_text(members.pop("at"))
    for name in ("type", "source"):
        members.pop(name, None)
    match event:
        case Purchase():
            members |= {"kind": "purchase", **_purchase(event)}
        case Complaint():
            members["kind"] = "complaint"
        case Contact():
            members["kind"] = "contact"
        case CustomerFact():
            members["kind"] = "customer_fact"
        case DeskStep():
            members["kind"] = "desk_step"
            if event.until is not None:
                members["until"] = to_text(event.until)
        case FirmFact():
            members["fact"] = members.pop("kind")
        case _:
            assert_never(event)
    members.pop("returned", None)
    _in_currency(members, currency)
    return msgspec.json.encode(members)


def _purchase(event: Purchase) -> dict[str, Any]:
    """What intake tells a return by: its kind where it stands apart from its order, else the sign of a revision."""
    told: dict[str, Any] = {}
    if event.contract_until is not None:
        told["contract_until"] = to_text(event.contract_until)
    if not event.returned:
        return told
    own = event.order_id == event.event_id
    if event.revision and not own and not event.order_id.startswith(RETURN):
        return told if event.amount is not None else {**told, "quantity": -event.quantity}
    return {**told, "kind": "return", "order_id": None if own else event.order_id.removeprefix(RETURN)}


def _in_currency(members: dict[str, Any], currency: str) -> None:
    """Minor units become decimals, exactly, with their currency beside them."""
    shift = partial(Decimal.scaleb, other=-digits_of(currency))
    money = {name: f"{shift(Decimal(members[name])):f}" for name in MONEY if name in members}
    members.pop("currency", None)
    members |= money
    if money:
        members["currency"] = currency
