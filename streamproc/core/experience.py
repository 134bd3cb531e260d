"""What a customer's contacts told of the service: 30-day sums of surveys, waits and answers.

The rule kept here: sums do not depend on the order of arrival and merge by adding; a contact is taken out again as it
was put in. Buckets exist only where something was told, the fourteen latest stay.
"""

from collections.abc import Sequence

from streamproc.core.buckets import BUCKET_DAYS, BUCKETS_KEPT

Experience = dict[int, list[int]]
"""By bucket number (day // 30) a list of the sums below; an empty bucket is left out."""

SURVEYS, PERCEIVED, EXPECTED, GAP_SQUARED, WAITS, WAITED, ASKED, SOLVED = range(8)
"""Indices into a bucket. Of contacts that told both: how many, the sums of what was perceived and expected (tenths of a
point), and of the squared difference; of those that told a wait: how many, and the seconds; inward questions with a
known end, and those solved."""

SUMS = 8
LONGEST_WAIT_S = 1_000_000
"""Waits are counted up to 11 days: what is longer is no wait but a broken clock."""


def told(perceived: int, expected: int, wait_s: int, *, solved: bool | None) -> list[int] | None:
    """What one contact adds; -1: not told. `solved` is None for what was no question, or one with no known end."""
    surveyed, waited = perceived >= 0 and expected > 0, wait_s >= 0  # of nothing expected there is no ratio
    if not (surveyed or waited or solved is not None):
        return None
    sums = [0] * SUMS
    if surveyed:
        sums[SURVEYS:WAITS] = 1, perceived, expected, (perceived - expected) ** 2
    if waited:
        sums[WAITS:ASKED] = 1, wait_s
    if solved is not None:
        sums[ASKED:SUMS] = 1, int(solved)
    return sums


def book(experience: Experience, day: int, sums: Sequence[int], sign: int = 1) -> None:
    """Adds sums to the day's bucket, or takes them out again with `sign` -1 (in place)."""
    _book(experience, day // BUCKET_DAYS, sums, sign)


def _book(experience: Experience, number: int, sums: Sequence[int], sign: int) -> None:
    latest = max(experience, default=number)
    if number <= latest - BUCKETS_KEPT:
        return
    bucket = experience.get(number)
    if bucket is None:
        bucket = experience[number] = [0] * SUMS
        for old in [n for n in experience if n <= number - BUCKETS_KEPT]:
            del experience[old]
        if number < latest:
            _in_order(experience)
    for i, value in enumerate(sums):
        bucket[i] += sign * value
    if not any(bucket):
        del experience[number]


def _in_order(experience: Experience) -> None:
    """The same sums always encode to the same bytes."""
    ordered = sorted(experience.items())
    experience.clear()
    experience.update(ordered)


def merge(experience: Experience, other: Experience) -> None:
    """Adds another customer's sums (in place)."""
    for number, sums in other.items():
        _book(experience, number, sums, 1)


def window(experience: Experience, first: int, last: int) -> list[int]:
    """The sums of the buckets numbered `first` to `last`, both included."""
    total = [0] * SUMS
    for number, sums in experience.items():
        if first <= number <= last:
            total = [a + b for a, b in zip(total, sums, strict=True)]
    return total
