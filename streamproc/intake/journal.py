"""Feed events → journal records: money in minor units of the reporting currency, times in microseconds.

A return has a name of its own: its order_id is `return:` and what the feed said, because the same order
number on a return does not correct the order. A return is one by kind, or by an amount below zero (without an
amount, by a quantity below zero); a revision of an order stays that order whatever its sign. Its amount is
negative, its quantity the pieces that came back (positive).
"""

from decimal import Decimal
from operator import attrgetter
from typing import assert_never

from msgspec import Struct
from msgspec.structs import replace

from streamproc.core.events import Complaint, Contact, CustomerFact, DeskAction, DeskStep, FirmFact, Purchase
from streamproc.core.hours import read_day, read_hours
from streamproc.intake.mapping import Mapping
from streamproc.intake.money import EXACT, digits_of, to_decimal, to_minor
from streamproc.intake.rates import Rates
from streamproc.intake.refusal import Refusal
from streamproc.intake.times import Times
from streamproc.wire.feed import (
    AnyFeedEvent,
    FeedComplaint,
    FeedContact,
    FeedCustomerFact,
    FeedDeskStep,
    FeedEvent,
    FeedFirmFact,
    FeedPurchase,
    Money,
)

JournalEvent = Purchase | Complaint | Contact | CustomerFact | DeskStep | FirmFact
"""What intake appends to the journal."""

MAX_TEXT = 4000
"""Characters kept of a free text, where texts are kept at all."""

NEEDED: dict[DeskAction, tuple[str, ...]] = {
    "claim": ("warning_id",),
    "snooze": ("warning_id", "until"),
    "hand_over": ("warning_id", "to"),
    "note": ("warning_id", "text"),
    "outcome": ("warning_id", "outcome"),
    "mute": (),
    "unmute": (),
    "recover": ("complaint_id", "recovery"),
}
"""What an action at the desk cannot be without."""

_CANCELLED = frozenset(("cancelled", "canceled", "void", "voided"))
_MONEY_FIELDS = ("amount", "cost", "list_amount", "reward_amount", "fixed_service_cost")
_NOT_BELOW_ZERO = frozenset(("cost", "fixed_service_cost"))
_get_money = attrgetter(*_MONEY_FIELDS)


class Stamp(Struct, frozen=True):
    """What an event is called, when it was (µs), where it came from, and whether its kind was `return`."""

    event_id: str
    at: int
    source: str
    returned: bool = False


class Scribe:
    """Writes the feed events of one source as journal records.

    `keep_text` keeps free texts (they are personal: off unless said). The rates are shared between sources.
    """

    def __init__(self, mapping: Mapping, rates: Rates, times: Times, *, keep_text: bool = False) -> None:
        self._rates = rates
        self._times = times
        self._currency = (mapping.currency or rates.reporting).upper()
        self._units: dict[str | None, tuple[str, int]] = {}
        self._minor_digits = mapping.minor_digits
        self._inverted = mapping.amounts == "inverted"
        self._order_rows = mapping.orders == "rows"
        self._keep_text = keep_text

    def write(self, event: AnyFeedEvent, stamp: Stamp) -> JournalEvent | Refusal:
        """The journal record of a feed event, or why there is none. A currency rate is learned on the way."""
        match event:
            case FeedPurchase():
                return self._purchase(event, stamp)
            case FeedComplaint():
                return self._complaint(event, stamp)
            case FeedContact():
                return self._contact(event, stamp)
            case FeedCustomerFact():
                return self._customer_fact(event, stamp)
            case FeedDeskStep():
                return self._desk_step(event, stamp)
            case FeedFirmFact():
                return self._firm_fact(event, stamp)
            case _:
                assert_never(event)

    def _minor(self, amount: Money, currency: str | None, at: int, field: str) -> int | Refusal:
        """Minor units in the reporting currency."""
        code, digits = self._units.get(currency) or self._unit(currency)
        exact = to_decimal(amount, field)
        if isinstance(exact, Refusal):
            return exact
        minor = to_minor(exact, digits, field)
        if field in _NOT_BELOW_ZERO and isinstance(minor, int) and exact < 0:
            return Refusal("out_of_range", field, "below 0")
        if code == self._rates.reporting or not isinstance(minor, int):
            return minor
        return self._rates.convert(minor, code, at)

    def _unit(self, currency: str | None) -> tuple[str, int]:
        """The code and minor digits of what a feed calls a currency (of three letters: few)."""
        code = (currency or self._currency).upper()
        unit = (code, digits_of(code) if self._minor_digits is None else self._minor_digits)
        self._units[currency] = unit
        return unit

    def _money_of(self, event: FeedPurchase, at: int) -> list[int | None] | Refusal:
        """What `_MONEY_FIELDS` names, in that order; None where the feed says nothing."""
        money: list[int | None] = []
        for field, amount in zip(_MONEY_FIELDS, _get_money(event), strict=True):
            if amount is None:
                money.append(None)
                continue
            minor = self._minor(amount, event.currency, at, field)
            if not isinstance(minor, int):
                return minor
            money.append(minor)
        return money

    def _service_cost(self, event: FeedEvent, at: int) -> int | Refusal | None:
        cost = event.fixed_service_cost
        return None if cost is None else self._minor(cost, event.currency, at, "fixed_service_cost")

    def _purchase(self, event: FeedPurchase, stamp: Stamp) -> Purchase | Refusal:
        if event.unit_price is not None and event.amount is None:
            paid = _amount_of(event.unit_price, event.quantity)
            if isinstance(paid, Refusal):
                return paid
            event = replace(event, amount=paid)
        money = self._money_of(event, stamp.at)
        if not isinstance(money, list):
            return money
        amount, cost, list_amount, reward_amount, service_cost = money
        until = None if event.contract_until is None else self._times.parse(event.contract_until)
        if isinstance(until, Refusal):
            return Refusal(until.reason, "contract_until", until.detail)
        if until is not None and until < 0:
            return Refusal("out_of_range", "contract_until", "before 1970")
        if amount is not None and self._inverted:
            amount = -amount
        below_zero = amount < 0 if amount is not None else (event.quantity or 0.0) < 0.0
        if amount is not None and stamp.returned:
            amount = -abs(amount)
        apart = stamp.returned or (below_zero and not event.revision)
        return Purchase(
            event_id=stamp.event_id,
            customer_id=event.customer_id,
            at=stamp.at,
            source=stamp.source,
            customer_kind=event.customer_kind,
            strategic=event.strategic,
            order_id=self._order_id(event.order_id, stamp.event_id, apart=apart),
            amount=amount,
            returned=stamp.returned or below_zero,
            quantity=1.0 if event.quantity is None else abs(event.quantity),
            lines=event.lines,
            revision=event.revision or 0,
            cancelled=bool(event.cancelled) or (event.status or "").lower() in _CANCELLED,
            category=event.category,
            channel=event.channel,
            deliberation_s=event.deliberation_s,
            region=event.region,
            dealer_id=event.dealer_id,
            contract_until=until,
            currency=event.currency,
            cost=cost,
            list_amount=list_amount,
            reward_amount=reward_amount,
            fixed_service_cost=service_cost,
        )

    def _order_id(self, order_id: str | None, event_id: str, *, apart: bool) -> str:
        """The journal's order id: apart from the purchase for a return, of its own where rows are orders."""
        if order_id is None:
            return event_id
        named = f"return:{order_id}" if apart else order_id
        return f"{named}#{event_id}" if self._order_rows else named

    def _complaint(self, event: FeedComplaint, stamp: Stamp) -> Complaint | Refusal:
        service = self._service_cost(event, stamp.at)
        if isinstance(service, Refusal):
            return service
        return Complaint(
            event_id=stamp.event_id,
            customer_id=event.customer_id,
            at=stamp.at,
            source=stamp.source,
            customer_kind=event.customer_kind,
            strategic=event.strategic,
            fixed_service_cost=service,
            complaint_id=event.complaint_id,
            status=event.status,
            category=event.category,
            severity=event.severity,
            channel=event.channel,
            valid=event.valid,
            owner=event.owner,
            resolution_score=event.resolution_score,
            text=self._text(event.text),
        )

    def _contact(self, event: FeedContact, stamp: Stamp) -> Contact | Refusal:
        service = self._service_cost(event, stamp.at)
        if isinstance(service, Refusal):
            return service
        return Contact(
            event_id=stamp.event_id,
            customer_id=event.customer_id,
            at=stamp.at,
            source=stamp.source,
            customer_kind=event.customer_kind,
            strategic=event.strategic,
            fixed_service_cost=service,
            contact_id=event.contact_id or stamp.event_id,
            direction=event.direction,
            channel=event.channel,
            purpose=event.purpose,
            result=event.result,
            perceived=event.perceived,
            expected=event.expected,
            wait_s=event.wait_s,
            competitor=event.competitor,
            referral=event.referral,
            staff_id=event.staff_id,
            text=self._text(event.text),
        )

    def _customer_fact(self, event: FeedCustomerFact, stamp: Stamp) -> CustomerFact | Refusal:
        service = self._service_cost(event, stamp.at)
        if isinstance(service, Refusal):
            return service
        if event.alias_of == event.customer_id:
            return Refusal("bad_value", "alias_of", "a customer is no alias of itself")
        return CustomerFact(
            event_id=stamp.event_id,
            customer_id=event.customer_id,
            at=stamp.at,
            source=stamp.source,
            customer_kind=event.customer_kind,
            strategic=event.strategic,
            fixed_service_cost=service,
            alias_of=event.alias_of,
            owner=event.owner,
            do_not_contact=event.do_not_contact,
        )

    def _desk_step(self, event: FeedDeskStep, stamp: Stamp) -> DeskStep | Refusal:
        """What the action needs is there. Its text is kept: it is the desk's own word, not a customer's."""
        for field in NEEDED[event.action]:
            if getattr(event, field) is None:
                return Refusal("missing_field", field, "this action needs it")
        until = None if event.until is None else self._times.parse(event.until)
        if isinstance(until, Refusal):
            return Refusal(until.reason, "until", until.detail)
        if until is not None and until < 0:
            return Refusal("out_of_range", "until", "before 1970")
        cost = None if event.cost is None else self._minor(event.cost, event.currency, stamp.at, "cost")
        service = self._service_cost(event, stamp.at)
        if isinstance(cost, Refusal):
            return cost
        if isinstance(service, Refusal):
            return service
        return DeskStep(
            event_id=stamp.event_id,
            customer_id=event.customer_id,
            at=stamp.at,
            source=stamp.source,
            customer_kind=event.customer_kind,
            strategic=event.strategic,
            fixed_service_cost=service,
            action=event.action,
            by=event.by,
            warning_id=event.warning_id,
            complaint_id=event.complaint_id,
            recovery=event.recovery,
            to=event.to,
            until=until,
            outcome=event.outcome,
            cost=cost,
            text=None if event.text is None else event.text[:MAX_TEXT],
        )

    def _firm_fact(self, event: FeedFirmFact, stamp: Stamp) -> FirmFact | Refusal:
        fact = FirmFact(
            event_id=stamp.event_id,
            at=stamp.at,
            kind=event.fact or event.kind or "",
            subject=event.subject,
            value=event.value,
            detail=event.detail or {},
            source=stamp.source,
        )
        return self._rates.learn(fact) or _unread(fact) or fact

    def _text(self, text: str | None) -> str | None:
        return text[:MAX_TEXT] if text and self._keep_text else None


def _unread(fact: FirmFact) -> Refusal | None:
    """Why nothing could be made of a fact about days and hours."""
    try:
        if fact.kind == "working_hours":
            read_hours(fact.detail)
        elif fact.kind == "holiday":
            read_day(fact.subject, fact.detail)
    except ValueError as error:
        return Refusal("bad_value", "fact", str(error))
    return None


def _amount_of(unit_price: Money, quantity: float | None) -> str | Refusal:
    """Unit price × pieces (one where no quantity is said), as decimal text."""
    price = to_decimal(unit_price, "unit_price")
    if isinstance(price, Refusal):
        return price
    return format(EXACT.multiply(price, Decimal(repr(1.0 if quantity is None else quantity))), "f")
