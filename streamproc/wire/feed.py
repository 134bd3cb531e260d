"""What a feed sends: the user-facing events of the four streams, as JSON at the edge.

Times are RFC 3339 text with an offset, or epoch numbers; money is a decimal number or a decimal string in the
currency named beside it. Unknown fields are ignored, and null is as good as absent. The bounds stated here are
held while decoding; what a time, an amount and a currency are beyond their type is for intake to judge. JSON
Schemas of these types are the published contract.
"""

from typing import Annotated

from msgspec import Meta, Struct

from streamproc.core.events import (
    ComplaintStatus,
    CustomerKind,
    DeskAction,
    Direction,
    Purpose,
    RecoveryStep,
    WarningOutcome,
)

Id = Annotated[str, Meta(min_length=1, max_length=256)]
"""An identifier: 1 to 256 bytes of UTF-8 (the bytes are counted by intake, the characters here)."""

Word = Annotated[str, Meta(max_length=256)]
"""A short name or code: category, channel, region."""

Currency = Annotated[str, Meta(pattern=r"^[A-Za-z]{3}(?!\n)$")]
"""An ISO 4217 code; the case does not matter. (A bare `$` would let a line end follow.)"""

Moment = str | int | float
"""RFC 3339 text, or an epoch number in seconds, milliseconds or microseconds (told apart by size)."""

Money = str | int | float
"""An amount: a number, or plain decimal text (`-12.50`: no exponent, blank or separator)."""

Share = Annotated[float, Meta(ge=0.0, le=1.0)]
OneToFive = Annotated[int, Meta(ge=1, le=5)]
ZeroToTen = Annotated[float, Meta(ge=0.0, le=10.0)]
Seconds = Annotated[float, Meta(ge=0.0, le=1e10)]
Pieces = Annotated[float, Meta(ge=-1e9, le=1e9)]
Count = Annotated[int, Meta(ge=0, le=2**31 - 1)]
Version = Annotated[int, Meta(ge=1, le=1)]

Scalar = Word | float | bool | None
MAX_DETAIL = 64
Text = Annotated[str, Meta(max_length=100_000)]


class FeedEvent(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """The envelope every customer event shares. `schema_version` 1 is the only one there is.

    `fixed_service_cost` is what serving the customer costs in a period of 30 days.
    """

    customer_id: Id
    occurred_at: Moment
    event_id: Id | None = None
    schema_version: Version | None = None
    customer_kind: CustomerKind | None = None
    strategic: Share | None = None
    fixed_service_cost: Money | None = None
    currency: Currency | None = None


class FeedPurchase(FeedEvent, kw_only=True, frozen=True, omit_defaults=True):
    """One order, or one return: of kind `return`, or with an amount (without one, a quantity) below zero."""

    order_id: Id | None = None
    amount: Money | None = None
    unit_price: Money | None = None
    quantity: Pieces | None = None
    lines: Count | None = None
    revision: Count | None = None
    cancelled: bool | None = None
    status: Word | None = None
    cost: Money | None = None
    list_amount: Money | None = None
    reward_amount: Money | None = None
    category: Word | None = None
    channel: Word | None = None
    deliberation_s: Seconds | None = None
    region: Word | None = None
    dealer_id: Id | None = None
    contract_until: Moment | None = None


class FeedComplaint(FeedEvent, kw_only=True, frozen=True, omit_defaults=True):
    """One step in a complaint's life."""

    complaint_id: Id
    status: ComplaintStatus
    category: Word | None = None
    severity: OneToFive | None = None
    channel: Word | None = None
    valid: bool | None = None
    owner: Id | None = None
    resolution_score: OneToFive | None = None
    text: Text | None = None


class FeedContact(FeedEvent, kw_only=True, frozen=True, omit_defaults=True):
    """One touch between customer and firm."""

    direction: Direction
    contact_id: Id | None = None
    channel: Word | None = None
    purpose: Purpose | None = None
    result: Word | None = None
    perceived: ZeroToTen | None = None
    expected: ZeroToTen | None = None
    wait_s: Seconds | None = None
    competitor: bool | None = None
    referral: bool | None = None
    staff_id: Id | None = None
    text: Text | None = None


class FeedCustomerFact(FeedEvent, kw_only=True, frozen=True, omit_defaults=True):
    """What the firm knows of one customer: the id it is an alias of, its owner, whether to contact it."""

    alias_of: Id | None = None
    owner: Id | None = None
    do_not_contact: bool | None = None


class FeedDeskStep(FeedEvent, kw_only=True, frozen=True, omit_defaults=True):
    """What somebody at the desk did about a warning; `cost` is what the offer cost."""

    action: DeskAction
    by: Id
    warning_id: Id | None = None
    complaint_id: Id | None = None
    recovery: RecoveryStep | None = None
    to: Id | None = None
    until: Moment | None = None
    outcome: WarningOutcome | None = None
    cost: Money | None = None
    text: Text | None = None


class FeedFirmFact(Struct, kw_only=True, frozen=True, omit_defaults=True):
    """What the firm knows for everybody from `occurred_at` on; `fact` is one of FIRM_FACTS.

    Without `fact`, `kind` is that one. Beside `fact`, `kind` may only repeat it or name the stream (`fact`,
    `facts`, `firm_fact`): whatever else it said of the fact would be lost, so such an event is refused.
    A currency_rate has the currency code as `subject` and reporting units a unit as `value`. Members beside
    these, and those under `detail`, are kept as they are: texts of up to 256 characters, numbers, true, false
    and null, at most MAX_DETAIL of them.
    """

    occurred_at: Moment
    fact: Word | None = None
    kind: Word | None = None
    event_id: Id | None = None
    schema_version: Version | None = None
    subject: Id | None = None
    value: Annotated[float, Meta(ge=-1e15, le=1e15)] | None = None
    detail: dict[str, Scalar] | None = None


class FeedHead(Struct):
    """What tells the stream of an event: a word, or else the id field that only this stream has.

    Of these fields it matters only whether they say something: their types are checked with the event's.
    """

    stream: str | None = None
    kind: str | None = None
    type: str | None = None
    fact: str | None = None
    order_id: object = None
    complaint_id: object = None
    contact_id: object = None
    alias_of: object = None
    do_not_contact: object = None
    owner: object = None
    status: object = None
    severity: object = None
    direction: object = None


FIRM_FACTS = frozenset(
    (
        "currency_rate",
        "dealer_region",
        "holiday",
        "list_price",
        "marketing",
        "mute",
        "outage",
        "product",
        "staff_left",
        "working_hours",
    )
)
"""The kinds of fact that hold for everybody."""

AnyFeedEvent = FeedPurchase | FeedComplaint | FeedContact | FeedCustomerFact | FeedDeskStep | FeedFirmFact
