"""Scores of a few customers, one at a time in plain numbers: what `features` and `score` say of them, bit for bit.

Arrays cost as much for one row as for thirty. The rule kept here: the same operations in the same order, and the same
log, exp and tanh as there (the processor's own: they round differently from Python's, but each number by itself).
"""

from collections.abc import Callable, Generator, Sequence
from functools import lru_cache
from itertools import pairwise
from math import pi, sqrt
from operator import mul
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamproc.scoring import features as many
from streamproc.scoring.buying import ALIVE_FLOOR, LEAST, MOST_EXPONENT, Buying
from streamproc.scoring.features import Features
from streamproc.scoring.layout import FEATURE_NAMES, UNIT
from streamproc.scoring.rows import BUCKET_DAYS, BUCKETS, KINDS, Buyer
from streamproc.scoring.score import CROSSED, FREQUENCY, MICRO, RHYTHM_REACH, SHIFT, SILENCE, TERM_GROUPS, coefficients
from streamproc.scoring.snapshot import Population, Snapshot

FEW = 6
"""Up to so many customers this is cheaper than arrays are."""

_LOG_DAYS: list[int] = many.LOG_DAYS.tolist()
_LOG_SQUARES = [(log >> 4) ** 2 for log in _LOG_DAYS]
_AVERAGE: list[int] = many.AVERAGE.tolist()
_MOVING: list[int] = many.MOVING.tolist()
_MOVED = [sum(_MOVING[len(_MOVING) - n :]) for n in range(len(_MOVING) + 1)]
_LEFT: list[float] = many.LEFT.tolist()
_FINE = many.FINE
_FINE_SQUARE, _AVERAGED = (_FINE / 16.0) ** 2, _FINE * float(_FINE)
_STEEP = pi / sqrt(3.0)
_COUNTED = tuple(KINDS.index(kind) for kind in many.COUNTED)
_FRESH = tuple(KINDS.index(kind) for kind in many.FRESH)
_TOLD = (*many.COUNTED.values(), *many.FRESH.values())
_EVENTS = tuple(_TOLD.index(name) for name in FEATURE_NAMES if name in _TOLD)
_NO_EVENTS, _NONE_COUNTED, _NONE_FRESH = ([0.0] * n for n in (len(_TOLD), len(_COUNTED), len(_FRESH)))
_LOG, _EXP = np.log, np.exp
Values = list[float]
Asks = Generator[Values, Values, "Raw"]
"""Yields numbers whose log, then exp, then log it needs, and is sent these."""


class Raw(NamedTuple):
    """What a score is made of: the features before they are squashed, and what the buying models say."""

    values: Values  # in the order of FEATURE_NAMES
    quiet: float
    alive: float
    quiet_today: float
    quiet_regular: float | None


class Few(NamedTuple):
    """Features, and as Scores."""

    features: Features
    log_odds_micro: list[int]
    contributions: list[list[int]]


def score_few(buyers: Sequence[Buyer], snapshot: Snapshot) -> Few:
    """Features and scores of each; none depends on the others."""
    raws = _answered([_raw(buyer, snapshot) for buyer in buyers])
    x = many.quantised(np.array([raw.values for raw in raws]).T)
    contributions = [_contributions(row, raw, snapshot) for row, raw in zip(x.tolist(), raws, strict=True)]
    made = Features(
        x=x,
        repeats=np.array([b.n_days - 1 for b in buyers]),
        recency=np.array([b.today - b.days[-1] for b in buyers]),
        age=np.array([b.today - b.first for b in buyers]),
        horizon=np.array([b.horizon for b in buyers]),
    )
    return Few(made, [sum(groups) for groups in contributions], contributions)


def _answered(rows: list[Asks]) -> list[Raw]:
    """Runs the rows side by side: what they ask for at each step is computed in one call."""
    asked = [next(row) for row in rows]
    for function in (_LOG, _EXP):
        asked = [row.send(told) for row, told in zip(rows, _each(function, asked), strict=True)]
    made = []
    for row, told in zip(rows, _each(_LOG, asked), strict=True):
        try:
            row.send(told)
        except StopIteration as end:
            made.append(end.value)
    return made


def _each(function: Callable[[NDArray[np.float64]], NDArray[np.float64]], asked: list[Values]) -> list[Values]:
    told = function(np.array([value for values in asked for value in values])).tolist()
    if len(asked) == 1:
        return [told]
    answers, start = [], 0
    for values in asked:
        end = start + len(values)
        answers.append(told[start:end])
        start = end
    return answers


def _raw(buyer: Buyer, snapshot: Snapshot) -> Asks:
    usual, h, days = snapshot.population, buyer.horizon, buyer.days
    recency, age, repeats = buyer.today - days[-1], buyer.today - buyer.first, buyer.n_days - 1
    gap, log, newest, average, longest, total, spread, variation = _gaps(days, usual)
    n, rec = float(len(gap)), (recency + 1.0) / h
    mean, paid = (total / h + usual.gap) / (n + 1.0), sum([amount > 0 for amount in buyer.amount])
    models = (snapshot.prior,) if snapshot.rhythm == snapshot.prior else (snapshot.prior, snapshot.rhythm)
    buys = [_Buys(model, float(repeats), recency / h, age / h) for model in models]

    logs = yield [
        h, rec, rec + 1.0, mean, max(longest / h, mean), 1.0 + rec / mean, 1.0 + repeats, (age + 1.0) / h,
        *_spent(buyer, paid), *[ratio for model in buys for ratio in model.ratios()],
    ]  # fmt: skip
    log_h, log_rec, log_rec_1, log_mean, log_longest, over_mean, log_repeats, log_age = logs[:8]
    money, ratios = logs[8 : -2 * len(buys)], logs[-2 * len(buys) :]
    mean_log = (log - n * log_h + usual.log_gap) / (n + 1.0)
    newest = 0.7 * (newest - log_h) + 0.3 * mean_log if n else mean_log
    left = _LEFT[len(gap)]
    average = average - (1.0 - left) * log_h + left * usual.log_gap
    steep, slow = _STEEP / spread, -2.0 * h

    exps = yield [
        -rec / mean, log_rec - newest, log_rec - average, log_rec - log_longest,
        min(max(steep * (log_rec - mean_log), -30.0), 30.0), min(max(steep * (log_rec_1 - mean_log), -30.0), 30.0),
        *[power for i, model in enumerate(buys) for power in model.powers(ratios[2 * i], ratios[2 * i + 1])],
        *[(buyer.today - day) / slow for day in days], *_freshness(buyer),
    ]  # fmt: skip
    fade, last, recent, longest, now, later = exps[:6]
    start = 6 + 2 * len(buys)
    powers, lately, fresh = exps[6:start], exps[start : start + len(days)], exps[start + len(days) :]
    quiet, today = buys[0].outlook(powers[0], powers[1]), buys[0].outlook_today(powers[1])
    regular = buys[1].outlook(powers[2], powers[3]) if len(buys) > 1 else None

    logs = yield [
        1.0 + last, 1.0 + recent, 1.0 + longest, (1.0 + now) / max(later - now, 1e-9), *_faded(lately),
        quiet.odds, today.odds, quiet.odds if regular is None else regular.odds, *_counted(buyer),
    ]  # fmt: skip
    over_last, over_recent, over_longest, renewal, *bought = logs[:7]
    outlasted = (sum([days > recency for days in gap]) + fade) / (n + 1.0)
    values = [
        log_rec, log_repeats, log_age, log_mean, newest, average, log_longest,
        over_mean, over_last, over_recent, over_longest, fade, (log_rec - mean_log) / spread,
        spread, variation, renewal, outlasted, average - mean_log, *bought, float(repeats == 0),
        *_spending(buyer, paid, usual, money), *_events(logs[10:], fresh),
    ]  # fmt: skip
    return Raw(values, logs[7], quiet.alive, logs[8], None if regular is None else logs[9])


class _Gaps(NamedTuple):
    """As in features.py; `spread` is the logs' standard deviation, `variation` that of the days by their mean."""

    gap: list[int]
    log: float
    newest: float
    average: float
    longest: float
    total: float
    spread: float
    variation: float


def _gaps(days: Sequence[int], usual: Population) -> _Gaps:
    gap = [b - a for a, b in pairwise(days)]
    longest, total, n = max(gap, default=0), float(sum(gap)), float(len(gap))
    short = gap
    if longest >= many.LONGEST:
        longest = many.LONGEST - 1
        short = [min(days, longest) for days in gap]
    logs = [_LOG_DAYS[days] for days in short]
    log = sum(logs) / _FINE
    log_square = sum([_LOG_SQUARES[days] for days in short]) / _FINE_SQUARE
    own, plain = log / max(n, 1.0), total / max(n, 1.0)
    scatter = max(log_square - n * own * own, 0.0)
    spread = sqrt((scatter + 3.0 * usual.log_gap_spread**2) / (n + 3.0 - min(n, 1.0)))
    wobble = max(float(sum(map(mul, short, short))) / max(plain * plain, 1.0) - n, 0.0)
    return _Gaps(
        gap,
        log,
        logs[-1] / _FINE if gap else 0.0,
        sum(map(mul, logs, _AVERAGE[-len(gap) :])) / _AVERAGED,
        float(longest),
        total,
        max(spread, many.LEAST_SPREAD),
        sqrt((wobble + 1.0) / (n + 1.0)),
    )


def _faded(weights: Values) -> Values:
    """What `bought_lately`, `bought_this_horizon` and `bought_in_long` are the logs of."""
    fast = middle = slow = 0
    for weight in weights:
        fourth = weight * weight * weight * weight
        slow += round(weight * _FINE)
        middle += round(fourth * _FINE)
        fast += round(fourth * fourth * fourth * _FINE)
    return [1.0 + fast / _FINE, 1.0 + middle / _FINE, 1.0 + slow / _FINE]


def _spent(buyer: Buyer, days: int) -> Values:
    """The numbers whose logs `_spending` is told."""
    orders, lines = max(sum(buyer.orders), 1), sum(buyer.lines)
    return [
        float(max(sum(buyer.amount), 1)) / max(days, 1), max(lines, 1) / orders, orders / len(buyer.days),
        *[float(amount) if amount > 0 else 1.0 for amount in buyer.amount],
    ]  # fmt: skip


def _spending(buyer: Buyer, days: int, usual: Population, logs: Values) -> Values:
    mean, lines, orders_a_day, *each = logs
    n = len(each)
    fine, moving = [round(log * _FINE) for log in each], _MOVING[-n:]
    weight = _MOVED[n] if days == n else sum([w for w, a in zip(moving, buyer.amount, strict=True) if a > 0])
    return [
        mean - usual.log_amount if days else 0.0,
        each[-1] - mean if buyer.amount[-1] > 0 else 0.0,
        (sum(map(mul, fine, moving)) / max(weight, 1) - sum(fine) / max(days, 1)) / _FINE,
        lines - usual.log_lines if sum(buyer.lines) > 0 else 0.0,
        orders_a_day,
    ]


def _freshness(buyer: Buyer) -> Values:
    if not buyer.kind_last:
        return []
    since = [buyer.today - buyer.kind_last[kind] if buyer.kind_last[kind] >= 0 else 1 << 20 for kind in _FRESH]
    return [-4.0 * days / buyer.horizon for days in since]


def _counted(buyer: Buyer) -> Values:
    if not buyer.kinds:
        return []
    fading, now = _fading(buyer.horizon), buyer.today // BUCKET_DAYS
    counted = [0] * len(KINDS)
    for number, counts in buyer.kinds.items():
        if 0 <= now - number < BUCKETS:
            weight = fading[now - number]
            for kind, count in enumerate(counts):
                if count:
                    counted[kind] += count * weight
    return [1.0 + counted[kind] / _FINE for kind in _COUNTED]


@lru_cache(maxsize=64)
def _fading(horizon: float) -> list[int]:
    return [int(weight) for weight in many.fading(np.array([horizon]))[0].tolist()]


def _events(counted: Values, fresh: Values) -> Values:
    if not counted and not fresh:
        return _NO_EVENTS
    by_name = [*(counted or _NONE_COUNTED), *(fresh or _NONE_FRESH)]
    return [by_name[place] for place in _EVENTS]


class _Buys:
    """`outlook` of one customer, in three steps."""

    def __init__(self, model: Buying, repeats: float, recency: float, age: float) -> None:
        self.model, self.repeats, self.recency = model, repeats, recency
        self.shape = model.r + model.k * repeats
        self.start, self.now = model.alpha + (age - recency), model.alpha + age

    def ratios(self) -> tuple[float, float]:
        """What logs are needed of."""
        return self.now / self.start, (self.now + 1.0) / self.now

    def powers(self, grown: float, later: float) -> tuple[float, float]:
        """What is to be raised to, given these logs."""
        return min(self.shape * grown, MOST_EXPONENT), -self.shape * later

    def outlook(self, grown: float, still: float) -> "_Outlook":
        """The odds, given these powers."""
        return self._outlook(self.recency, grown, still)

    def outlook_today(self, still: float) -> "_Outlook":
        """The odds had the last purchase been today."""
        return self._outlook(0.0, 1.0, still)

    def _outlook(self, recency: float, grown: float, still: float) -> "_Outlook":
        model, repeats = self.model, self.repeats
        tail_now, tail_later = self._tail(recency / self.now), self._tail((recency + 1.0) / (self.now + 1.0))
        if model.modified:
            stop = model.a / (model.b + repeats)
        else:
            stop = model.a / (model.b + repeats - 1.0) if repeats > 0 else 0.0
        alive = 1.0 / (1.0 + stop / tail_now * grown)
        silent = min(still * tail_later / tail_now, 1.0)
        buys = min(max((ALIVE_FLOOR + (1.0 - ALIVE_FLOOR) * alive) * (1.0 - silent), LEAST), 1.0 - LEAST)
        return _Outlook((1.0 - buys) / buys, alive)

    def _tail(self, share: float) -> float:
        term = total = 1.0
        for j in range(1, self.model.k):
            term = term * share * (self.shape + (j - 1)) / j
            total = total + term
        return total


class _Outlook(NamedTuple):
    odds: float
    alive: float


class _Plain(NamedTuple):
    """The coefficients, and each term's group, in plain numbers."""

    constant: list[int]
    weights: list[int]
    prior: int
    mean_silence: int
    mean_frequency: int


@lru_cache(maxsize=4)
def _plain(snapshot: Snapshot) -> _Plain:
    c = coefficients(snapshot)
    weights = [c.weights[term, group] for term, group in enumerate(TERM_GROUPS)]
    return _Plain(c.constant.tolist(), [int(w) for w in weights], c.prior, c.mean_silence, c.mean_frequency)


def _contributions(x: list[int], raw: Raw, snapshot: Snapshot) -> list[int]:
    """The integer arithmetic of `score`."""
    c = _plain(snapshot)
    frequency = round(raw.quiet_today * MICRO)
    silence = round(raw.quiet * MICRO) - frequency
    regular = 0.0 if raw.quiet_regular is None else raw.quiet_regular - raw.quiet
    crosses = [x[left] * x[right] // UNIT for left, right in CROSSED]
    alive = round((raw.alive - 0.7) * (4 * UNIT))
    rhythm = round(min(max(regular, -RHYTHM_REACH), RHYTHM_REACH) * UNIT)
    fixed = list(c.constant)
    for term, weight, group in zip((*x, *crosses, alive, rhythm), c.weights, TERM_GROUPS, strict=True):
        fixed[group] += term * weight
    fixed[SILENCE] += c.prior * (silence - c.mean_silence)
    fixed[FREQUENCY] += c.prior * (frequency - c.mean_frequency)
    half = 1 << (SHIFT - 1)
    return [(value + half) >> SHIFT for value in fixed]
