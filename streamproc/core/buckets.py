"""Thirty-day buckets of integer sums: what was bought, returned and said, as far back as a year.

Sums do not depend on the order of arrival, so buckets of two customers merge by adding.
"""

from bisect import bisect_left

from msgspec import Struct

BUCKET_DAYS = 30
BUCKETS_KEPT = 14

RETURN, COMPLAINT, CONTACT_IN, UNRESOLVED, CANCELLATION, COMPETITOR, CONTACT_OUT, DISCOUNTED = range(8)
"""Indices into a bucket's `kinds`: events beside purchases that are counted."""

KINDS = 8


class Sums(Struct, array_like=True):
    """Integer sums of one period; money in minor units.

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
    kinds: list[int] = []

    def add(self, other: "Sums", sign: int = 1) -> None:
        """Adds another period's sums, or takes them out again (`sign` -1), in place."""
        self.orders += sign * other.orders
        self.revenue += sign * other.revenue
        self.returned += sign * other.returned
        self.cost += sign * other.cost
        self.costed += sign * other.costed
        self.listed += sign * other.listed
        self.discounted += sign * other.discounted
        for kind, count in enumerate(other.kinds):
            self.count(kind, sign * count)

    def count(self, kind: int, by: int = 1) -> None:
        """Counts an event of a kind (one of the indices above)."""
        if by:
            if not self.kinds:
                self.kinds = [0] * KINDS
            self.kinds[kind] += by

    def kind(self, kind: int) -> int:
        """How many events of the kind were counted."""
        return self.kinds[kind] if self.kinds else 0


class Buckets(Struct, array_like=True):
    """The sums by bucket number (day // 30), ascending, and in `older` all that lies before the kept ones."""

    number: list[int] = []
    sums: list[Sums] = []
    older: Sums | None = None

    def at(self, day: int) -> Sums:
        """The sums of the day's bucket, made where there is none yet; folds what became too old."""
        number = day // BUCKET_DAYS
        if self.number and self.number[-1] == number:
            return self.sums[-1]
        if self.number and number <= self.number[-1] - BUCKETS_KEPT:
            return self._older()
        i = bisect_left(self.number, number)
        if i == len(self.number) or self.number[i] != number:
            self.number.insert(i, number)
            self.sums.insert(i, Sums())
            self._fold()
        return self.sums[i] if i < len(self.sums) and self.number[i] == number else self.at(day)

    def _older(self) -> Sums:
        if self.older is None:
            self.older = Sums()
        return self.older

    def _fold(self) -> None:
        while self.number[0] <= self.number[-1] - BUCKETS_KEPT:
            self._older().add(self.sums[0])
            del self.number[0], self.sums[0]

    def merge(self, other: "Buckets") -> None:
        """Adds all of another customer's sums, in place."""
        for number, sums in zip(other.number, other.sums, strict=True):
            self.at(number * BUCKET_DAYS).add(sums)
        if other.older is not None:
            self._older().add(other.older)

    def window(self, first: int, last: int) -> Sums:
        """The sums of the buckets numbered `first` to `last`, both included."""
        total = Sums()
        for number, sums in zip(self.number, self.sums, strict=True):
            if first <= number <= last:
                total.add(sums)
        return total


class Window(Struct, frozen=True):
    """Sums over a span that ends today (or `back` days ago), at the resolution of a bucket: `days` were covered."""

    sums: Sums
    days: int

    def a_period(self, figure: int, period: int = BUCKET_DAYS) -> float:
        """The figure per `period` days."""
        return figure * period / self.days


def last_days(buckets: Buckets, today: int, full: int) -> Window:
    """The current bucket, as far as it has come, and the `full` whole buckets before it."""
    current = today // BUCKET_DAYS
    return Window(buckets.window(current - full, current), full * BUCKET_DAYS + today % BUCKET_DAYS + 1)


def days_before(buckets: Buckets, today: int, skip: int, full: int) -> Window:
    """The `full` whole buckets before the window of `last_days(buckets, today, skip)`."""
    last = today // BUCKET_DAYS - skip - 1
    return Window(buckets.window(last - full + 1, last), full * BUCKET_DAYS)
