"""What happened: the events of the four streams as the journal keeps them.

Money is integer minor units of the reporting currency, time integer microseconds UTC since the epoch. What a
feed left out is None and stays so: nothing is guessed here.
"""

from typing import Literal, get_args

from msgspec import Struct

ComplaintStatus = Literal["opened", "acknowledged", "resolved", "reopened", "withdrawn"]
Direction = Literal["in", "out"]
Purpose = Literal["support", "sales", "retention", "survey", "inquiry", "cancellation"]
CustomerKind = Literal["consumer", "business", "dealer"]
DeskAction = Literal["claim", "snooze", "hand_over", "note", "outcome", "mute", "unmute", "recover"]
RecoveryStep = Literal["apologise", "solve", "talk", "delight", "improve", "report_back", "follow_up"]
RECOVERY_STEPS: tuple[RecoveryStep, ...] = get_args(RecoveryStep)
"""The seven steps of service recovery, in their order."""

WarningOutcome = Literal["kept", "lost", "wrong_warning", "no_answer"]


class Event(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """The envelope: one thing that happened to one customer.

    `source` names the import the event came from. `customer_kind`, `strategic` (0-1) and `fixed_service_cost`
    are what the feed said of the customer at that time; `fixed_service_cost` is what serving the customer costs
    a period of 30 days, in minor units, not below zero.
    """

    event_id: str
    customer_id: str
    at: int
    source: str = ""
    customer_kind: CustomerKind | None = None
    strategic: float | None = None
    fixed_service_cost: int | None = None


class Purchase(Event, frozen=True, kw_only=True, omit_defaults=True, tag="purchase"):
    """One order, or one return (`returned`; its amount, where known, is negative).

    A later event with the same `order_id` and a higher `revision` replaces the earlier one; `cancelled` removes
    it. `amount` is None where the feed knows no money. `quantity` counts pieces, `lines` distinct articles.
    """

    order_id: str
    amount: int | None = None
    returned: bool = False
    quantity: float = 1.0
    lines: int | None = None
    revision: int = 0
    cancelled: bool = False
    cost: int | None = None
    list_amount: int | None = None
    reward_amount: int | None = None
    category: str | None = None
    channel: str | None = None
    deliberation_s: float | None = None
    region: str | None = None
    dealer_id: str | None = None
    contract_until: int | None = None
    currency: str | None = None  # what the feed said; amounts above are already in the reporting currency


class Complaint(Event, frozen=True, kw_only=True, omit_defaults=True, tag="complaint"):
    """One step in a complaint's life. `severity` 1-5; `valid` is the firm's finding (有效投诉)."""

    complaint_id: str
    status: ComplaintStatus
    category: str | None = None
    severity: int | None = None
    channel: str | None = None
    valid: bool | None = None
    owner: str | None = None
    resolution_score: int | None = None
    text: str | None = None


class Contact(Event, frozen=True, kw_only=True, omit_defaults=True, tag="contact"):
    """One touch between customer and firm, in either direction (接触点)."""

    contact_id: str
    direction: Direction
    channel: str | None = None
    purpose: Purpose | None = None
    result: str | None = None
    perceived: float | None = None
    expected: float | None = None
    wait_s: float | None = None
    competitor: bool | None = None
    referral: bool | None = None
    staff_id: str | None = None
    text: str | None = None


class CustomerFact(Event, frozen=True, kw_only=True, omit_defaults=True, tag="customer_fact"):
    """What the firm knows of one customer: an alias (this id is `alias_of`), an owner, do-not-contact."""

    alias_of: str | None = None
    owner: str | None = None
    do_not_contact: bool | None = None


class DeskStep(Event, frozen=True, kw_only=True, omit_defaults=True, tag="desk_step"):
    """What somebody (`by`) at the desk did about a customer's warning, or said of the customer.

    claim; snooze `until` (µs); hand_over `to`; note (`text`); outcome, with what the offer cost (minor units). mute and
    unmute name no warning: nobody is warned of the customer, `until` then, or until unmuted. recover ticks off one of
    the seven steps of service recovery for a complaint.
    """

    action: DeskAction
    by: str
    warning_id: str | None = None
    complaint_id: str | None = None
    recovery: RecoveryStep | None = None
    to: str | None = None
    until: int | None = None
    outcome: WarningOutcome | None = None
    cost: int | None = None
    text: str | None = None


class FirmFact(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type", tag="firm_fact"):
    """What the firm knows for everybody, from `at` on. It reaches every journal partition.

    `kind` says which: currency_rate (subject: currency code, value: reporting units a unit), staff_left, dealer_region,
    list_price, product, holiday, working_hours, marketing, outage, mute (subject: `segment:` or `cause:` and which one;
    value: until when, seconds since the epoch). `detail` holds the rest, as the feed gave it.
    """

    event_id: str
    at: int
    kind: str
    subject: str | None = None
    value: float | None = None
    detail: dict[str, str | float | bool | None] = {}
    source: str = ""


CustomerEvent = Purchase | Complaint | Contact | CustomerFact | DeskStep
"""An event that belongs to one customer's history."""
