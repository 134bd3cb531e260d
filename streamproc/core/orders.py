"""The last purchase days of a customer, with their orders: what rhythm is computed from and corrections are judged by.

The rule kept here: whatever the order of arrival, the same set of order events leaves the same days. An order's
time is the earliest of its revisions, its figures are those of the highest revision; the 32 latest days stay.
"""

from bisect import bisect_left, insort

import msgspec
from msgspec import Struct
from msgspec.structs import replace

DAYS_KEPT = 32
ORDERS_KEPT_A_DAY = 16
SECONDS_A_DAY = 86_400


class Way(Struct, array_like=True, frozen=True, gc=False, order=True):
    """How an order came about, as far as the feed told.

    Seconds taken to choose (-1: not told), whether part was paid with points or coupons, where and of what: hashes of
    the region's, the dealer's and the category's names (`hash_name`; 0: not told).
    """

    deliberation_s: int = -1
    rewarded: bool = False
    region: int = 0
    dealer: int = 0
    category: int = 0


NOT_TOLD = Way()
_UNTOLD = frozenset((0,))
LONGEST_DELIBERATION_S = 1_000_000_000


class Order(Struct, array_like=True, frozen=True, gc=False):
    """One order as far as a later correction needs it: `at` in seconds, `key` hashes its id, money in minor units.

    `way` is None where nothing of it was told.
    """

    at: int
    key: int
    revision: int = 0
    cancelled: bool = False
    amount: int | None = None
    lines: int = 0
    cost: int | None = None
    list_amount: int | None = None
    way: Way | None = None

    def day(self) -> int:
        """The UTC day of the order."""
        return self.at // SECONDS_A_DAY

    def below_list(self) -> bool:
        """Whether less was paid than the list price, as far as both are known."""
        return self.amount is not None and self.list_amount is not None and self.list_amount > self.amount


_ENCODE = msgspec.msgpack.Encoder().encode
_DECODE = msgspec.msgpack.Decoder(list[Order]).decode
_NO_ORDERS = msgspec.Raw(_ENCODE([]))


class RecentDays(Struct, array_like=True):
    """Parallel columns, ascending by day; at most 32 days, each with at most 16 orders told apart.

    `count`, `amount` and `lines` are sums over the day's live orders, those beyond the first sixteen of the day
    included; `overflow` counts these: they cannot be corrected any more. A day may hold cancelled orders only
    (count 0). `last` is the time (s) of the last live order, -1 without one. `orders` are encoded: a look needs none.
    `breadth` is the number of categories they were of, as far as it was told.
    """

    day: list[int] = []
    count: list[int] = []
    amount: list[int] = []
    lines: list[int] = []
    last: int = -1
    overflow: int = 0
    orders: msgspec.Raw = _NO_ORDERS
    breadth: int = 0

    def known(self) -> list[Order]:
        """The orders told apart, by (time, key)."""
        return _DECODE(self.orders)

    def too_old(self, day: int) -> bool:
        """Whether the day lies before all that is kept, so that a repeat could not be told from news."""
        return len(self.day) == DAYS_KEPT and day < self.day[0]


class Change(Struct, frozen=True):
    """What putting an order changed: the order counted no more, the one counted now, and purchase days gained."""

    removed: Order | None = None
    added: Order | None = None
    days_gained: int = 0


UNCHANGED = Change()


def join(a: Order, b: Order) -> Order:
    """Two versions of one order made one; commutative, associative, idempotent."""
    winner = max(a, b, key=_precedence)
    return winner if winner.at == (at := min(a.at, b.at)) else replace(winner, at=at)


def _precedence(order: Order) -> tuple[int, bool, int, int, int, int, Way]:
    # At equal revision a cancellation wins, then the larger figures: any fixed rule does, so long as it is one.
    money = -1 if order.amount is None else order.amount
    cost, listed = order.cost or -1, order.list_amount or -1
    return order.revision, order.cancelled, money, order.lines, cost, listed, order.way or NOT_TOLD


def put(recent: RecentDays, order: Order) -> Change:
    """Takes an order, or a revision of one, into the recent days (in place) and says what changed."""
    orders = recent.known()
    key = order.key
    known = next((o for o in orders if o.key == key), None)
    if known is None:
        change = Change(None, None if order.cancelled else order, _insert(recent, orders, order))
    else:
        joined = join(known, order)
        if joined == known:
            return UNCHANGED
        gained = _remove(recent, orders, known) + _insert(recent, orders, joined)
        change = Change(None if known.cancelled else known, None if joined.cancelled else joined, gained)
    recent.orders = msgspec.Raw(_ENCODE(orders))
    recent.last = next((o.at for o in reversed(orders) if not o.cancelled), -1)
    recent.breadth = len({o.way.category for o in orders if o.way is not None and not o.cancelled} - _UNTOLD)
    return change


def live_days(recent: RecentDays) -> int:
    """How many of the kept days hold a live order."""
    return len(recent.count) - recent.count.count(0)


def put_overflow(recent: RecentDays, other: RecentDays) -> None:
    """Adds to the days (in place) what `other` summed up beyond the orders it tells apart."""
    orders = other.known()
    for day, count, amount, lines in zip(other.day, other.count, other.amount, other.lines, strict=True):
        live = [o for o in orders if o.day() == day and not o.cancelled]
        at = bisect_left(recent.day, day)
        if count > len(live) and at < len(recent.day) and recent.day[at] == day:
            recent.count[at] += count - len(live)
            recent.amount[at] += amount - sum(o.amount or 0 for o in live)
            recent.lines[at] += lines - sum(o.lines for o in live)
    recent.overflow += other.overflow


def _insert(recent: RecentDays, orders: list[Order], order: Order) -> int:
    day = order.day()
    at = bisect_left(recent.day, day)
    if at == len(recent.day) or recent.day[at] != day:
        recent.day.insert(at, day)
        for column in (recent.count, recent.amount, recent.lines):
            column.insert(at, 0)
    insort(orders, order, key=_time_and_key)
    if len(orders) > ORDERS_KEPT_A_DAY:
        same_day = [o for o in orders if o.at // SECONDS_A_DAY == day]
        if len(same_day) > ORDERS_KEPT_A_DAY:  # the earliest stay, whatever came first
            orders.remove(same_day[-1])
            recent.overflow += 1
    gained = 0
    if not order.cancelled:
        gained = 1 if recent.count[at] == 0 else 0
        recent.count[at] += 1
        recent.amount[at] += order.amount or 0
        recent.lines[at] += order.lines
    if len(recent.day) > DAYS_KEPT:
        _drop_day(recent, 0)
        since = recent.day[0] * SECONDS_A_DAY
        orders[:] = [o for o in orders if o.at >= since]
    return gained


def _time_and_key(order: Order) -> tuple[int, int]:
    return order.at, order.key


def _remove(recent: RecentDays, orders: list[Order], order: Order) -> int:
    day = order.day()
    at = bisect_left(recent.day, day)
    orders.remove(order)
    gained = 0
    if not order.cancelled:
        recent.count[at] -= 1
        recent.amount[at] -= order.amount or 0
        recent.lines[at] -= order.lines
        gained = -1 if recent.count[at] == 0 else 0
    if recent.count[at] == 0 and all(o.day() != day for o in orders):
        _drop_day(recent, at)
    return gained


def _drop_day(recent: RecentDays, at: int) -> None:
    for column in (recent.day, recent.count, recent.amount, recent.lines):
        del column[at]
