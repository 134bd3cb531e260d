"""What is known of a customer: facts that do not depend on the order in which events arrived.

The rule kept here: the same set of events leaves the same facts, in any order and with repeats, as long as what
was kept could judge them; and `merge` of two customers' facts is the facts of all their events.
"""

from typing import Literal

from msgspec import Struct

from streamproc.core import buckets as b
from streamproc.core import complaints as life
from streamproc.core import experience as xp
from streamproc.core import orders
from streamproc.core.events import Complaint, Contact, CustomerEvent, CustomerFact, DeskStep, Event, Purchase
from streamproc.core.ids import hash32, hash_name
from streamproc.core.time import SECOND, day_of

CONTACTS_KEPT = 8
RETURNS_KEPT = 8
COMPLAINTS_GONE_KEPT = 64

ASKS = frozenset({"support", "inquiry"})
"""Purposes of an inward contact that wants an answer."""

SOLVED = frozenset({"resolved", "saved"})
UNSOLVED = frozenset({"unresolved", "no_answer"})
ENDS = SOLVED | UNSOLVED
"""Results that tell how it ended."""

OWNERS = frozenset({"owner", "owner_before"})
"""What is said of whose the customer is."""

Taken = Literal["taken", "repeat", "too_old"]
"""What became of an event: taken into the facts, known already, or older than all that can be judged."""


class Latest(Struct, array_like=True, frozen=True):
    """A value that the latest event wins: `at` in µs. Ties go to the larger value, so order does not matter."""

    at: int
    value: str | float | bool


class Touch(Struct, array_like=True, frozen=True):
    """One contact as far as later looks need it; `at` in seconds.

    `perceived` and `expected` in tenths of a point, `wait_s` in seconds (-1: not told), `staff` is the `hash_name` of
    its id (0: none). `event_id` is kept where the contact is evidence of something: a competitor, no solution, less
    than was expected; else it is empty.
    """

    at: int
    key: int
    purpose: str | None = None
    result: str | None = None
    outward: bool = False
    competitor: bool = False
    perceived: int = -1
    expected: int = -1
    wait_s: int = -1
    staff: int = 0
    referral: bool = False
    event_id: str = ""

    def kinds(self) -> list[int]:
        """The bucket kinds the contact counts as."""
        kinds = [b.CONTACT_OUT if self.outward else b.CONTACT_IN]
        if self.result in UNSOLVED and not self.outward:
            kinds.append(b.UNRESOLVED)
        if self.purpose == "cancellation":
            kinds.append(b.CANCELLATION)
        if self.competitor:
            kinds.append(b.COMPETITOR)
        return kinds

    def told(self) -> list[int] | None:
        """What the contact adds to the sums of the service, None for nothing."""
        asked = not self.outward and self.purpose in ASKS and self.result in ENDS
        return xp.told(self.perceived, self.expected, self.wait_s, solved=self.result in SOLVED if asked else None)

    def precedence(self) -> tuple[str | int, ...]:
        """By what one of two versions of a contact wins: the later one, else by any fixed rule."""
        return (
            self.at, self.purpose or "", self.result or "", self.outward, self.competitor,
            self.perceived, self.expected, self.wait_s, self.staff, self.referral, self.event_id,
        )  # fmt: skip


class Return(Struct, array_like=True, frozen=True):
    """One return, for corrections: as Order, but an order may have several.

    Of what is told of an order's returns the highest revision counts. Told of it, each time and amount is a return of
    its own, unless the revision was cancelled. `event_id` is empty where an earlier version kept none.
    """

    at: int
    key: int
    revision: int = 0
    cancelled: bool = False
    amount: int = 0
    event_id: str = ""

    def rank(self) -> tuple[int, bool]:
        """By what one of two versions of an order's returns wins; of equal rank both stand."""
        return self.revision, self.cancelled


class Facts(Struct, array_like=True):
    """All that is kept of one customer's events.

    `n_days` counts distinct purchase days, `n_orders` the orders that stand, `first_day` is the first of them (-1:
    none). `said` holds by name what the latest event said: kind, strategic, fixed_service_cost, owner, owner_before
    (the latest other one), do_not_contact, contract_until, channel, category, region, dealer_id, competitor.
    `evidence` holds by stream the id of the latest event that cancelled nothing. `kind_last` is the last day of
    complaints and contacts by bucket kind (what can be taken back, returns and discounts, is not in it).
    `terminated_at` is in µs (to the second), 0 without a termination; `known_at` is the first event's time.
    `experience` holds what the contacts told of the service, `complaints_gone` the keys of complaints let go.
    """

    recent: orders.RecentDays
    buckets: b.Buckets
    n_days: int = 0
    n_orders: int = 0
    first_day: int = -1
    known_at: int = 0
    terminated_at: int = 0
    kind_last: list[int] = []
    returns: list[Return] = []
    complaints: list[life.ComplaintFile] = []
    contacts: list[Touch] = []
    said: dict[str, Latest] = {}
    evidence: dict[str, Latest] = {}
    experience: xp.Experience = {}
    complaints_gone: list[int] = []

    def says(self, name: str) -> str | float | bool | None:
        """What the latest event that spoke of `name` said, None if none did."""
        latest = self.said.get(name)
        return None if latest is None else latest.value

    def last_purchase(self) -> int | None:
        """µs of the last purchase (to the second), None without one."""
        return self.recent.last * SECOND if self.n_days else None

    def last_return_day(self) -> int:
        """The day of the last return that stands, -1 without one."""
        return max((day_of(r.at * SECOND) for r in self.returns if not r.cancelled), default=-1)

    def last_day(self) -> int:
        """The day of the last purchase, -1 without one."""
        last = self.last_purchase()
        return -1 if last is None else day_of(last)


def new_facts() -> Facts:
    """The facts of a customer nobody has heard of."""
    return Facts(orders.RecentDays(), b.Buckets())


def take(facts: Facts, event: CustomerEvent) -> Taken:
    """Takes one event into the facts (in place: the caller owns the copy)."""
    taken: Taken = "taken"
    match event:
        case Purchase(returned=True):
            taken = _take_return(facts, event)
        case Purchase():
            taken = _take_purchase(facts, event)
        case Complaint():
            _take_complaint(facts, event)
        case Contact():
            taken = _take_contact(facts, event)
        case CustomerFact():
            if event.owner is not None:
                _put_owner(facts.said, Latest(event.at, event.owner))
            _say(facts, "do_not_contact", event.at, event.do_not_contact)
        case DeskStep():
            return taken  # what people did about a warning says nothing of the customer
    if taken != "too_old":
        _take_envelope(facts, event)
    return taken


def _take_envelope(facts: Facts, event: Event) -> None:
    if not facts.known_at or event.at < facts.known_at:
        facts.known_at = event.at
    _say(facts, "kind", event.at, event.customer_kind)
    _say(facts, "strategic", event.at, event.strategic)
    _say(facts, "fixed_service_cost", event.at, event.fixed_service_cost)


def _say(facts: Facts, name: str, at: int, value: str | float | bool | None) -> None:  # noqa: FBT001 - some are flags
    if value is not None:
        _put_latest(facts.said, name, at, value)


def _put_latest(table: dict[str, Latest], name: str, at: int, value: str | float | bool) -> None:  # noqa: FBT001
    old = table.get(name)
    if old is None or at > old.at or (at == old.at and str(value) > str(old.value)):
        table[name] = Latest(at, value)


def _put_owner(said: dict[str, Latest], *news: Latest) -> None:
    """Of all owners told of the one told of last, and the other one told of last before."""
    told: dict[str | float | bool, Latest] = {}
    for latest in (said.get("owner"), said.get("owner_before"), *news):
        if latest is not None and (latest.value not in told or latest.at > told[latest.value].at):
            told[latest.value] = latest
    ordered = sorted(told.values(), key=lambda latest: (latest.at, str(latest.value)), reverse=True)
    said.update(zip(("owner", "owner_before"), ordered, strict=False))


def _point_to(facts: Facts, stream: str, event: Purchase) -> None:
    """Evidence is what somebody can be shown: what takes an order back is none."""
    if not event.cancelled:
        _put_latest(facts.evidence, stream, event.at, event.event_id)


def _saw(facts: Facts, kind: int, day: int) -> None:
    if not facts.kind_last:
        facts.kind_last = [-1] * b.KINDS
    facts.kind_last[kind] = max(facts.kind_last[kind], day)


def _take_purchase(facts: Facts, event: Purchase) -> Taken:
    day = day_of(event.at)
    if facts.recent.too_old(day):
        return "too_old"
    order = orders.Order(
        event.at // SECOND, hash32(event.order_id), event.revision, event.cancelled,
        event.amount, event.lines or 0, event.cost, event.list_amount, _way_of(event),
    )  # fmt: skip
    _point_to(facts, "purchases", event)
    _say(facts, "contract_until", event.at, event.contract_until)
    _say(facts, "channel", event.at, event.channel)
    _say(facts, "category", event.at, event.category)
    _say(facts, "region", event.at, event.region)
    _say(facts, "dealer_id", event.at, event.dealer_id)
    change = orders.put(facts.recent, order)
    if change is orders.UNCHANGED:
        return "repeat"
    apply_change(facts, change)
    return "taken"


def _way_of(event: Purchase) -> orders.Way | None:
    """How the order came about; None where nothing of it was told, as one that was kept before could tell nothing."""
    chosen = event.deliberation_s
    deliberation = -1 if chosen is None else min(int(chosen), orders.LONGEST_DELIBERATION_S)
    rewarded = bool(event.reward_amount)
    if deliberation < 0 and not (rewarded or event.region or event.dealer_id or event.category):
        return None
    return orders.Way(
        deliberation, rewarded, hash_name(event.region), hash_name(event.dealer_id), hash_name(event.category)
    )


def apply_change(facts: Facts, change: orders.Change) -> None:
    """Books what `orders.put` changed: sums, purchase days and the first of them (in place)."""
    if change.removed is not None:
        _book(facts, change.removed, -1)
    if change.added is not None:
        _book(facts, change.added, 1)
        day = change.added.day()
        if facts.first_day < 0 or day < facts.first_day:
            facts.first_day = day
    facts.n_days += change.days_gained
    _settle_first_day(facts)


def _settle_first_day(facts: Facts) -> None:
    if facts.n_days > orders.DAYS_KEPT:
        return
    if facts.n_days == orders.live_days(facts.recent):  # all are at hand, so a cancelled first order moves it
        recent = facts.recent
        facts.first_day = next((day for day, n in zip(recent.day, recent.count, strict=True) if n), -1)


def _book(facts: Facts, order: orders.Order, sign: int) -> None:
    amount, day = order.amount, order.day()
    if amount is None:  # what it cost says nothing without what it brought
        facts.buckets.add(day, b.Sums(1), sign)
    else:
        cheap = order.below_list()
        if cheap:
            facts.buckets.count(day, b.DISCOUNTED, sign)
        cost, costed = (0, 0) if order.cost is None else (order.cost, amount)
        listed = 0 if order.list_amount is None else amount
        facts.buckets.add(day, b.Sums(1, amount, 0, cost, costed, listed, amount if cheap else 0), sign)
    facts.n_orders += sign


def _take_return(facts: Facts, event: Purchase) -> Taken:
    new = Return(
        event.at // SECOND, hash32(event.order_id), event.revision, event.cancelled, abs(event.amount or 0),
        event.event_id,
    )  # fmt: skip
    _point_to(facts, "returns", event)
    return _put_return(facts, new)


def _put_return(facts: Facts, new: Return) -> Taken:
    known = [r for r in facts.returns if r.key == new.key]  # all of one rank
    if known and new.rank() != known[0].rank():
        if new.rank() < known[0].rank():
            return "repeat"
        facts.returns = [r for r in facts.returns if r.key != new.key]
        for old in known:
            _book_return(facts, old, -1)
    elif (same := next((r for r in known if (r.at, r.amount) == (new.at, new.amount)), None)) is not None:
        if new.event_id > same.event_id:  # told anew: any fixed rule does
            facts.returns[facts.returns.index(same)] = new
        return "repeat"
    elif len(facts.returns) == RETURNS_KEPT and new.at < facts.returns[0].at:
        return "too_old"
    facts.returns.append(new)
    facts.returns.sort(key=lambda r: (r.at, r.key, r.amount))
    del facts.returns[:-RETURNS_KEPT]
    _book_return(facts, new, 1)
    return "taken"


def _book_return(facts: Facts, item: Return, sign: int) -> None:
    if item.cancelled:
        return
    day = day_of(item.at * SECOND)
    facts.buckets.count(day, b.RETURN, sign)
    facts.buckets.add(day, b.Sums(returned=item.amount), sign)


def _take_complaint(facts: Facts, event: Complaint) -> None:
    key = hash32(event.complaint_id)
    if key not in facts.complaints_gone:
        known = {key, *(file.key for file in facts.complaints)}
        before, now = life.take_step(facts.complaints, event)
        if before != now:
            if before is not None:
                _uncount_complaint(facts, before)
            facts.buckets.count(day_of(now * SECOND), b.COMPLAINT)
        _let_go(facts, known)
    _saw(facts, b.COMPLAINT, day_of(event.at))
    _put_latest(facts.evidence, "complaints", event.at, event.event_id)


def _let_go(facts: Facts, known: set[int]) -> None:
    """Notes which of the complaints known are kept no longer: what still comes of them is no new complaint."""
    known.difference_update(file.key for file in facts.complaints)
    if known:
        facts.complaints_gone = sorted({*facts.complaints_gone, *known})[-COMPLAINTS_GONE_KEPT:]


def _uncount_complaint(facts: Facts, began: int) -> None:
    facts.buckets.count(day_of(began * SECOND), b.COMPLAINT, -1)


def _take_contact(facts: Facts, event: Contact) -> Taken:
    touch = _touch_of(event)
    if len(facts.contacts) == CONTACTS_KEPT and touch.at < facts.contacts[0].at:
        return "too_old"
    for kind in touch.kinds():
        _saw(facts, kind, day_of(event.at))
    _put_latest(facts.evidence, "contacts", event.at, event.event_id)
    _say(facts, "competitor", event.at, event.competitor)
    return _put_contact(facts, touch)


def _touch_of(event: Contact) -> Touch:
    perceived, expected = _tenths(event.perceived), _tenths(event.expected)
    wait_s = -1 if event.wait_s is None else min(int(event.wait_s), xp.LONGEST_WAIT_S)
    speaks = bool(event.competitor) or event.result in UNSOLVED or 0 <= perceived < expected
    return Touch(
        event.at // SECOND, hash32(event.contact_id), event.purpose, event.result,
        event.direction == "out", bool(event.competitor),
        perceived, expected, wait_s, hash_name(event.staff_id), bool(event.referral),
        event.event_id if speaks else "",
    )  # fmt: skip


def _tenths(points: float | None) -> int:
    return -1 if points is None else round(points * 10)


def _put_contact(facts: Facts, touch: Touch) -> Taken:
    """A contact told twice stands as it was told last."""
    known = next((t for t in facts.contacts if t.key == touch.key), None)
    if known is not None:
        if touch.precedence() <= known.precedence():
            return "repeat"
        facts.contacts.remove(known)
        _count_contact(facts, known, -1)
        if _ended(known) == facts.terminated_at // SECOND:
            facts.terminated_at = max(map(_ended, facts.contacts), default=0) * SECOND
    _count_contact(facts, touch, 1)
    facts.terminated_at = max(facts.terminated_at, _ended(touch) * SECOND)
    facts.contacts.append(touch)
    facts.contacts.sort(key=lambda t: (t.at, t.key))
    del facts.contacts[:-CONTACTS_KEPT]
    return "taken"


def _ended(touch: Touch) -> int:
    """The second at which the contact ended the relationship, 0 if it did not."""
    return touch.at if touch.result == "terminated" else 0


def _count_contact(facts: Facts, touch: Touch, sign: int) -> None:
    day = day_of(touch.at * SECOND)
    for kind in touch.kinds():
        facts.buckets.count(day, kind, sign)
    told = touch.told()
    if told is not None:
        xp.book(facts.experience, day, told, sign)


def merge(facts: Facts, other: Facts) -> None:
    """Takes another id's facts into this one's (in place): what both hold is counted once.

    Purchase days older than the 32 kept cannot be compared: where both ids bought on such a day it counts twice.
    """
    facts.buckets.merge(other.buckets)
    xp.merge(facts.experience, other.experience)
    facts.n_orders += other.n_orders
    _merge_orders(facts, other)
    for item in other.returns:
        _book_return(facts, item, -1)  # the buckets hold it already
        if _put_return(facts, item) == "too_old":
            _book_return(facts, item, 1)  # as of one id from the start: counted, and kept no longer
    _merge_complaints(facts, other)
    _merge_contacts(facts, other)
    known = [at for at in (facts.known_at, other.known_at) if at]
    facts.known_at = min(known, default=0)
    for kind, day in enumerate(other.kind_last):
        if day >= 0:
            _saw(facts, kind, day)
    for mine, theirs in ((facts.said, other.said), (facts.evidence, other.evidence)):
        for name, latest in theirs.items():
            if name in OWNERS:
                _put_owner(mine, latest)
            else:
                _put_latest(mine, name, latest.at, latest.value)


def _merge_complaints(facts: Facts, other: Facts) -> None:
    known = {file.key for file in (*facts.complaints, *other.complaints)}
    known.update(facts.complaints_gone, other.complaints_gone)
    theirs = _still_kept(facts, other.complaints, facts.complaints_gone)
    facts.complaints = _still_kept(facts, facts.complaints, other.complaints_gone)
    for heard in life.merge_files(facts.complaints, theirs):
        _uncount_complaint(facts, heard)
    _let_go(facts, known)


def _still_kept(facts: Facts, files: list[life.ComplaintFile], gone: list[int]) -> list[life.ComplaintFile]:
    """Those of one id's complaints that the other has not let go; the others were counted by both."""
    for file in files:
        if file.key in gone:
            _uncount_complaint(facts, file.opened_at())
    return [file for file in files if file.key not in gone]


def _merge_contacts(facts: Facts, other: Facts) -> None:
    if all(_ended(touch) != other.terminated_at // SECOND for touch in other.contacts):  # by one that is kept no longer
        facts.terminated_at = max(facts.terminated_at, other.terminated_at)
    for touch in other.contacts:
        _count_contact(facts, touch, -1)  # as with the returns
        _put_contact(facts, touch)


def _merge_orders(facts: Facts, other: Facts) -> None:
    facts.n_days += other.n_days - orders.live_days(other.recent)
    facts.first_day = min((d for d in (facts.first_day, other.first_day) if d >= 0), default=-1)
    for order in other.recent.known():
        change = orders.put(facts.recent, order)
        if change.added == order and change.removed is None:
            facts.n_days += change.days_gained  # news: the merged buckets hold it already
            continue
        if not order.cancelled:
            _book(facts, order, -1)
        apply_change(facts, change)
    orders.put_overflow(facts.recent, other.recent)
    _settle_first_day(facts)
