"""How content a customer is, and how good the service was (满意度, 服务的四种特性).

Satisfaction is what was perceived over what was expected: 1 is as expected, above 1 delights. What nobody told is None.
"""

from collections.abc import Mapping
from math import sqrt

from msgspec import Struct

from streamproc.core import experience as xp
from streamproc.core.buckets import BUCKET_DAYS, RETURN, YEAR_BUCKETS, Buckets
from streamproc.core.complaints import ComplaintFile
from streamproc.core.facts import Facts
from streamproc.core.orders import SECONDS_A_DAY

YEAR_DAYS = 365
TENTHS = 10


class SatisfactionRules(Struct, frozen=True):
    """A survey counts half after `half_life_days`; one of the same category within `repeat_days` is a repeat."""

    half_life_days: int = 180
    repeat_days: int = 90


DEFAULT_RULES = SatisfactionRules()


class Satisfaction(Struct, frozen=True, kw_only=True):
    """Two figures, each perceived ÷ expected; None: unmeasured.

    `transaction` is the last answer's, told at `told_at` (seconds) in `event_id` (empty where it was no less than
    expected). `cumulative` weighs the answers of the last 14 months by age and is corrected: `uncorrected` times what
    is left after the rates of valid complaints and of returns, a year's per order.
    """

    transaction: float | None
    told_at: int | None
    event_id: str
    cumulative: float | None
    uncorrected: float | None
    surveys: int
    valid_complaints: int
    returns: int
    orders: int


def satisfaction(facts: Facts, today: int, rules: SatisfactionRules = DEFAULT_RULES) -> Satisfaction:
    """How content the customer is on the day `today`."""
    last = next((t for t in reversed(facts.contacts) if t.perceived >= 0 and t.expected > 0), None)
    perceived, expected, surveys = _decayed(facts.experience, today, rules.half_life_days)
    uncorrected = perceived / expected if expected else None
    valid, returns, orders = _troubles(facts, today)
    return Satisfaction(
        transaction=None if last is None else last.perceived / last.expected,
        told_at=None if last is None else last.at,
        event_id="" if last is None else last.event_id,
        cumulative=None if uncorrected is None else uncorrected * corrected_by(valid, returns, orders),
        uncorrected=uncorrected,
        surveys=surveys,
        valid_complaints=valid,
        returns=returns,
        orders=orders,
    )


def corrected_by(valid_complaints: int, returns: int, orders: int) -> float:
    """What is left of satisfaction: (1 − valid complaints ÷ orders) × (1 − returns ÷ orders), neither below 0."""
    n = max(orders, 1)
    return max(0.0, 1 - valid_complaints / n) * max(0.0, 1 - returns / n)


def _decayed(experience: xp.Experience, today: int, half_life_days: int) -> tuple[float, float, int]:
    """Sums of what was perceived and expected, each bucket weighed by the age of its middle; how many answers."""
    perceived = expected = 0.0
    surveys = 0
    for number, sums in experience.items():
        age = max(0, today - number * BUCKET_DAYS - BUCKET_DAYS // 2)
        weight = 0.5 ** (age / half_life_days)
        perceived += weight * sums[xp.PERCEIVED]
        expected += weight * sums[xp.EXPECTED]
        surveys += sums[xp.SURVEYS]
    return perceived, expected, surveys


def _troubles(facts: Facts, today: int) -> tuple[int, int, int]:
    """Valid complaints, returns and orders of the last year."""
    since = (today - YEAR_DAYS) * SECONDS_A_DAY
    valid = sum(file.valid is True and file.opened_at() >= since for file in facts.complaints)
    first = today // BUCKET_DAYS - YEAR_BUCKETS
    returns = sum(counts[RETURN] for number, counts in facts.buckets.kinds.items() if number >= first)
    return valid, returns, _orders(facts.buckets, first)


def _orders(buckets: Buckets, first: int) -> int:
    return sum(buckets.orders[buckets.since(first) :])


# ----------------------------------------------------------------------------------------------- service

ANSWERED, ANSWER_S, ENDED, AT_ONCE, COMPLAINTS, AGAIN = range(xp.SUMS, xp.SUMS + 6)
"""Indices of a year's sums behind those of the contacts: complaints answered, the seconds that took, complaints brought
to an end, those that ended once and for all, complaints heard, those reopened or repeated."""

SERVICE_SUMS = xp.SUMS + 6


def service_sums(facts: Facts, today: int, rules: SatisfactionRules = DEFAULT_RULES) -> list[int] | None:
    """A customer's sums of the last year, which add up over customers; None where nothing was told."""
    if not facts.experience and not facts.complaints:
        return None
    current = today // BUCKET_DAYS
    sums = xp.window(facts.experience, current - YEAR_BUCKETS, current) + [0] * (SERVICE_SUMS - xp.SUMS)
    since = (today - YEAR_DAYS) * SECONDS_A_DAY
    for i, file in enumerate(facts.complaints):
        if file.opened_at() < since:
            continue
        reopened = file.times("reopened") > 0
        answer, ended = file.answered_after(), file.times("resolved") > 0  # one that was withdrawn was not solved
        sums[ANSWERED] += answer is not None
        sums[ANSWER_S] += answer or 0
        sums[ENDED] += ended or reopened
        sums[AT_ONCE] += ended and not reopened
        sums[COMPLAINTS] += 1
        sums[AGAIN] += reopened or is_repeat(file, facts.complaints[:i], rules.repeat_days)
    return sums if any(sums) else None


def is_repeat(file: ComplaintFile, earlier: list[ComplaintFile], within_days: int) -> bool:
    """Whether one of the complaints before it was about the same, and not longer ago."""
    since = file.opened_at() - within_days * SECONDS_A_DAY
    return any(e.category == file.category is not None and e.opened_at() >= since for e in earlier)


class Service(Struct, frozen=True, kw_only=True):
    """The four properties over the last year; None: unmeasured. The counts behind each stand beside it.

    Timely: mean seconds waited, and from a complaint to its first answer. Accurate: the share solved the first time, of
    questions and complaints with an end. Consistent: the spread (standard deviation) of what was perceived less what
    was expected, in points. Reliable: the share of complaints neither reopened nor repeated.
    """

    mean_wait_s: float | None
    waits: int
    mean_answer_s: float | None
    answers: int
    accurate: float | None
    ended: int
    spread: float | None
    surveys: int
    reliable: float | None
    complaints: int


def service(sums: list[int] | None) -> Service:
    """The properties that the sums tell, of one customer or of all."""
    s = sums or [0] * SERVICE_SUMS
    ended, solved = s[xp.ASKED] + s[ENDED], s[xp.SOLVED] + s[AT_ONCE]
    return Service(
        mean_wait_s=_share(s[xp.WAITED], s[xp.WAITS]),
        waits=s[xp.WAITS],
        mean_answer_s=_share(s[ANSWER_S], s[ANSWERED]),
        answers=s[ANSWERED],
        accurate=_share(solved, ended),
        ended=ended,
        spread=_spread(s[xp.SURVEYS], s[xp.PERCEIVED] - s[xp.EXPECTED], s[xp.GAP_SQUARED]),
        surveys=s[xp.SURVEYS],
        reliable=_share(s[COMPLAINTS] - s[AGAIN], s[COMPLAINTS]),
        complaints=s[COMPLAINTS],
    )


def satisfied(sums: list[int] | None) -> float | None:
    """Perceived ÷ expected over all answers of the year, of one customer or of all; None without any."""
    return _share(sums[xp.PERCEIVED], sums[xp.EXPECTED]) if sums else None


def content_of(sums: list[int]) -> list[int]:
    """Of a year's sums those that satisfaction is made of: how many answers, what was perceived, what expected."""
    return sums[xp.SURVEYS : xp.EXPECTED + 1]


def satisfied_by(content: Mapping[str, list[int]]) -> dict[str, float]:
    """Perceived ÷ expected by what the sums are told by, where somebody answered."""
    return {
        name: round(perceived / expected, 4) for name, (_, perceived, expected) in sorted(content.items()) if expected
    }


def _share(part: int, whole: int) -> float | None:
    return part / whole if whole else None


def _spread(n: int, total: int, squares: int) -> float | None:
    """The standard deviation in points of `n` differences in tenths; None for fewer than two."""
    if n < 2:  # noqa: PLR2004 - one answer has no spread
        return None
    return sqrt(max(0.0, squares / n - (total / n) ** 2)) / TENTHS
