"""Thirty-day buckets of integer sums: what was bought, returned and said, as far back as a year.

Sums do not depend on the order of arrival, so buckets of two customers merge by adding. They are kept as columns:
a window's sum is the sum of a slice.
"""

from bisect import bisect_left

from msgspec import Struct

BUCKET_DAYS = 30
BUCKETS_KEPT = 14

RETURN, COMPLAINT, CONTACT_IN, UNRESOLVED, CANCELLATION, COMPETITOR, CONTACT_OUT, DISCOUNTED = range(8)
"""Indices into a bucket's counts: events beside purchases that are counted."""

KINDS = 8


class Sums(Struct, array_like=True, frozen=True):
    """Integer sums; money in minor units.

    `revenue` and `returned` (a positive figure) are what was bought and sent back; `cost` is the stated cost of
    `costed` revenue; `listed` revenue is that with a known list price, `discounted` the part of it bought below.
    """

    orders: int = 0
    revenue: int = 0
    returned: int = 0
    cost: int = 0
    costed: int = 0
    listed: int = 0
    discounted: int = 0


NOTHING = Sums()


class Buckets(Struct, array_like=True):
    """Columns by bucket number (day // 30), ascending; `older` sums all that lies before the kept buckets.

    `kinds` holds the counts of the buckets in which anything was counted.
    """

    number: list[int] = []
    orders: list[int] = []
    revenue: list[int] = []
    returned: list[int] = []
    cost: list[int] = []
    costed: list[int] = []
    listed: list[int] = []
    discounted: list[int] = []
    kinds: dict[int, list[int]] = {}
    older: Sums = NOTHING

    def add(self, day: int, sums: Sums, sign: int = 1) -> None:
        """Adds sums to the day's bucket, or takes them out again with `sign` -1 (in place)."""
        self._add_to(day // BUCKET_DAYS, sums, sign)

    def _add_to(self, number: int, sums: Sums, sign: int) -> None:
        if self.number and number <= self.number[-1] - BUCKETS_KEPT:
            self.older = _added(self.older, sums, sign)
            return
        i = self._place(number)
        self.orders[i] += sign * sums.orders
        self.revenue[i] += sign * sums.revenue
        self.returned[i] += sign * sums.returned
        self.cost[i] += sign * sums.cost
        self.costed[i] += sign * sums.costed
        self.listed[i] += sign * sums.listed
        self.discounted[i] += sign * sums.discounted
        if sign < 0:
            self._tidy(i)

    def count(self, day: int, kind: int, by: int = 1) -> None:
        """Counts an event of a kind (one of the indices above), or takes it out again (in place)."""
        number = day // BUCKET_DAYS
        if not self.number or number > self.number[-1] - BUCKETS_KEPT:
            self._place(number)
            counts = self.kinds.get(number)
            if counts is None:
                counts = self.kinds[number] = [0] * KINDS
            counts[kind] += by
            if not any(counts):
                del self.kinds[number]
                self._tidy(self.since(number))

    def _tidy(self, i: int) -> None:
        """Lets go of a bucket from which all was taken out: it must not tell that there ever was something."""
        if self.number[i] not in self.kinds and not any(column[i] for column in self.columns()):
            del self.number[i]
            for column in self.columns():
                del column[i]

    def columns(self) -> tuple[list[int], ...]:
        """The columns in the order of Sums."""
        return self.orders, self.revenue, self.returned, self.cost, self.costed, self.listed, self.discounted

    def _place(self, number: int) -> int:
        """The index of the bucket, made where there is none; folds what became too old."""
        i = bisect_left(self.number, number)
        if i == len(self.number) or self.number[i] != number:
            self.number.insert(i, number)
            for column in self.columns():
                column.insert(i, 0)
            while self.number[0] <= self.number[-1] - BUCKETS_KEPT:
                self.older = _added(self.older, Sums(*(column.pop(0) for column in self.columns())))
                self.kinds.pop(self.number.pop(0), None)
                i -= 1
        return i

    def merge(self, other: "Buckets") -> None:
        """Adds all of another customer's sums (in place)."""
        for number, *sums in zip(other.number, *other.columns(), strict=True):
            self._add_to(number, Sums(*sums), 1)
        for number, counts in other.kinds.items():
            for kind, count in enumerate(counts):
                if count:
                    self.count(number * BUCKET_DAYS, kind, count)
        self.older = _added(self.older, other.older)

    def since(self, number: int) -> int:
        """The index of the first bucket numbered `number` or later."""
        return bisect_left(self.number, number)

    def window(self, first: int, last: int) -> Sums:
        """The sums of the buckets numbered `first` to `last`, both included."""
        i, j = bisect_left(self.number, first), bisect_left(self.number, last + 1)
        if i == j:
            return NOTHING
        return Sums(
            sum(self.orders[i:j]),
            sum(self.revenue[i:j]),
            sum(self.returned[i:j]),
            sum(self.cost[i:j]),
            sum(self.costed[i:j]),
            sum(self.listed[i:j]),
            sum(self.discounted[i:j]),
        )


def _added(a: Sums, b: Sums, sign: int = 1) -> Sums:
    return Sums(
        a.orders + sign * b.orders,
        a.revenue + sign * b.revenue,
        a.returned + sign * b.returned,
        a.cost + sign * b.cost,
        a.costed + sign * b.costed,
        a.listed + sign * b.listed,
        a.discounted + sign * b.discounted,
    )


YEAR_BUCKETS = 12
"""Whole buckets beside the current one that stand for the last 365 days."""

HALF_YEAR_BUCKETS = 5
"""Whole buckets beside the current one that stand for the last 180 days."""


def covered_days(today: int, full: int) -> int:
    """How many days the current bucket, as far as it has come, and the `full` whole ones before it cover."""
    return full * BUCKET_DAYS + today % BUCKET_DAYS + 1


def last_year(buckets: Buckets, today: int) -> Sums:
    """The sums of the last 365 days, at the resolution of a bucket: 361 to 390 days."""
    current = today // BUCKET_DAYS
    return buckets.window(current - YEAR_BUCKETS, current)
