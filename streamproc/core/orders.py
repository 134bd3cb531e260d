"""The last purchase days of a customer, with their orders: what rhythm is computed from and corrections are judged by.

The rule kept here: whatever the order of arrival, the same set of order events leaves the same days. An order's
time is the earliest of its revisions, its figures are those of the highest revision; the 32 latest days stay.
"""

from bisect import bisect_left

from msgspec import Struct
from msgspec.structs import replace

DAYS_KEPT = 32
ORDERS_KEPT_A_DAY = 16
SECONDS_A_DAY = 86_400


class Order(Struct, array_like=True, frozen=True):
    """One order as far as a later correction needs it: `key` hashes its id, `at` is in seconds."""

    key: int
    at: int
    revision: int = 0
    cancelled: bool = False
    amount: int | None = None
    lines: int = 0
    cost: int | None = None
    list_amount: int | None = None

    def day(self) -> int:
        """The UTC day of the order."""
        return self.at // SECONDS_A_DAY


class RecentDays(Struct, array_like=True):
    """Parallel columns, ascending by day; at most 32 days, each with at most 16 orders told apart.

    `count`, `amount` and `lines` are sums over the day's live orders, those beyond the first sixteen of
    the day included; `overflow` counts these: they cannot be corrected any more. A day may hold cancelled
    orders only (count 0).
    """

    day: list[int] = []
    count: list[int] = []
    amount: list[int] = []
    lines: list[int] = []
    orders: list[list[Order]] = []
    overflow: int = 0

    def last_at(self) -> int | None:
        """Seconds of the last live purchase, None without one."""
        for orders, count in zip(reversed(self.orders), reversed(self.count), strict=True):
            if count:
                return max((o.at for o in orders if not o.cancelled), default=orders[-1].at)
        return None

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


def _precedence(order: Order) -> tuple[int, bool, int, int, int, int]:
    # At equal revision a cancellation wins, then the larger figures: any fixed rule does, so long as it is one.
    money = -1 if order.amount is None else order.amount
    return order.revision, order.cancelled, money, order.lines, order.cost or -1, order.list_amount or -1


def put(recent: RecentDays, order: Order) -> Change:
    """Takes an order, or a revision of one, into the recent days (in place) and says what changed."""
    known = _find(recent, order.key)
    if known is None:
        live = not order.cancelled
        gained = _insert(recent, order)
        return Change(None, order if live else None, gained)
    joined = join(known, order)
    if joined == known:
        return UNCHANGED
    gained = _remove(recent, known) + _insert(recent, joined)
    return Change(None if known.cancelled else known, None if joined.cancelled else joined, gained)


def live_days(recent: RecentDays) -> int:
    """How many of the kept days hold a live order."""
    return sum(1 for count in recent.count if count)


def put_overflow(recent: RecentDays, other: RecentDays) -> None:
    """Adds to the days (in place) what `other` summed up beyond the orders it tells apart."""
    for day, count, amount, lines, orders in zip(
        other.day, other.count, other.amount, other.lines, other.orders, strict=True
    ):
        live = [o for o in orders if not o.cancelled]
        at = bisect_left(recent.day, day)
        if count > len(live) and at < len(recent.day) and recent.day[at] == day:
            recent.count[at] += count - len(live)
            recent.amount[at] += amount - sum(o.amount or 0 for o in live)
            recent.lines[at] += lines - sum(o.lines for o in live)
    recent.overflow += other.overflow


def _find(recent: RecentDays, key: int) -> Order | None:
    for orders in reversed(recent.orders):
        for order in orders:
            if order.key == key:
                return order
    return None


def _insert(recent: RecentDays, order: Order) -> int:
    day = order.day()
    at = bisect_left(recent.day, day)
    if at == len(recent.day) or recent.day[at] != day:
        recent.day.insert(at, day)
        for column in (recent.count, recent.amount, recent.lines):
            column.insert(at, 0)
        recent.orders.insert(at, [])
    orders = recent.orders[at]
    orders.append(order)
    if len(orders) > 1:
        orders.sort(key=lambda o: (o.at, o.key))
    if len(orders) > ORDERS_KEPT_A_DAY:  # the earliest stay, whatever came first
        orders.pop()
        recent.overflow += 1
    gained = 0
    if not order.cancelled:
        gained = 1 if recent.count[at] == 0 else 0
        recent.count[at] += 1
        recent.amount[at] += order.amount or 0
        recent.lines[at] += order.lines
    if len(recent.day) > DAYS_KEPT:
        for old in (recent.day, recent.count, recent.amount, recent.lines, recent.orders):
            del old[0]
    return gained


def _remove(recent: RecentDays, order: Order) -> int:
    at = bisect_left(recent.day, order.day())
    recent.orders[at].remove(order)
    if order.cancelled:
        gained = 0
    else:
        recent.count[at] -= 1
        recent.amount[at] -= order.amount or 0
        recent.lines[at] -= order.lines
        gained = -1 if recent.count[at] == 0 else 0
    if not recent.orders[at] and recent.count[at] == 0:
        for column in (recent.day, recent.count, recent.amount, recent.lines, recent.orders):
            del column[at]
    return gained
