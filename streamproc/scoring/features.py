"""Rows to features: scaled, squashed and quantised once, before they are scored or stored."""

from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from streamproc.scoring.layout import FEATURE_NAMES, FEATURES, REACH, UNIT
from streamproc.scoring.rows import BUCKET_DAYS, BUCKETS, KINDS, RECENT_DAYS, Rows
from streamproc.scoring.snapshot import Snapshot

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

FINE = 1 << 20  # fixed point of the sums below: sums of integers do not depend on their order
LONGEST = 8192  # days; longer gaps count as this long
LOG_DAYS = np.rint(np.log(np.maximum(np.arange(LONGEST), 1)) * FINE).astype(np.int64)
_NEWEST = 0.3  # weight of the newest gap in the moving average
AVERAGE = np.rint(_NEWEST * (1 - _NEWEST) ** np.arange(RECENT_DAYS - 2, -1, -1) * FINE).astype(np.int64)
MOVING = np.rint(0.7 ** np.arange(RECENT_DAYS - 1, -1, -1) * 4096).astype(np.int64)
LEFT = (1 - _NEWEST) ** np.arange(RECENT_DAYS)  # what the average still owes to the population after n gaps
LEAST_SPREAD = 0.15
COUNTED = {
    "return": "returned",
    "complaint": "complained",
    "contact_in": "contacted_us",
    "unresolved": "unresolved",
    "cancellation": "asked_to_cancel",
    "competitor": "competitor_named",
    "contact_out": "we_contacted",
    "discounted": "discounted",
}
FRESH = {
    "return": "returned_lately",
    "complaint": "complained_lately",
    "unresolved": "unresolved_lately",
    "cancellation": "asked_to_cancel_lately",
}
_CENTRE = np.array([[feature.centre] for feature in FEATURES])
_SPREAD = np.array([[feature.spread * REACH] for feature in FEATURES])


class Features(NamedTuple):
    """n customers as the model sees them; the raw counts let later parameters judge them anew."""

    x: NDArray[np.int16]  # [n, len(FEATURE_NAMES)] in 1/UNIT
    repeats: Ints  # [n] distinct purchase days − 1
    recency: Ints  # [n] days since the last purchase day
    age: Ints  # [n] days since the first purchase day
    horizon: Floats  # [n] days


class _Gaps(NamedTuple):
    """Sums over the gaps between the kept purchase days; [n] each, logs in days and in 1/FINE."""

    number: Floats
    gap: Ints  # [n, 31] days, 0 where there is none
    log: Floats
    log_square: Floats
    squares: Floats
    newest: Floats
    average: Floats
    longest: Floats
    total: Floats


def _gaps(days: Ints) -> _Gaps:
    known = days[:, :-1] >= 0
    gap = np.where(known, days[:, 1:] - days[:, :-1], 0)
    short = np.minimum(gap, LONGEST - 1)
    log = LOG_DAYS[short]
    return _Gaps(
        number=known.sum(axis=1).astype(np.float64),
        gap=gap,
        log=log.sum(axis=1) / FINE,
        log_square=((log >> 4) ** 2).sum(axis=1) / (FINE / 16.0) ** 2,
        squares=(short * short).sum(axis=1).astype(np.float64),
        newest=log[:, -1] / FINE,
        average=(log * AVERAGE).sum(axis=1) / (FINE * float(FINE)),
        longest=short.max(axis=1).astype(np.float64),
        total=gap.sum(axis=1).astype(np.float64),
    )


def _rhythm(rows: Rows, snapshot: Snapshot, recency: Ints, out: dict[str, Floats]) -> None:
    """Gap features: means shrunk towards the population's, as one more gap (three more for spreads)."""
    usual, gaps, h = snapshot.population, _gaps(rows.days), rows.horizon
    n = gaps.number
    rec, log_h = (recency + 1.0) / h, np.log(h)
    mean_log = (gaps.log - n * log_h + usual.log_gap) / (n + 1.0)
    mean = (gaps.total / h + usual.gap) / (n + 1.0)
    newest = np.where(n > 0, 0.7 * (gaps.newest - log_h) + 0.3 * mean_log, mean_log)
    left = LEFT[n.astype(np.int64)]
    average = gaps.average - (1.0 - left) * log_h + left * usual.log_gap
    own = gaps.log / np.maximum(n, 1.0)
    scatter = np.maximum(gaps.log_square - n * own * own, 0.0)
    spread = np.sqrt((scatter + 3.0 * usual.log_gap_spread**2) / (n + 3.0 - np.minimum(n, 1.0)))
    spread = np.maximum(spread, LEAST_SPREAD)
    plain = gaps.total / np.maximum(n, 1.0)
    wobble = np.maximum(gaps.squares / np.maximum(plain * plain, 1.0) - n, 0.0)
    log_mean, log_longest = np.log(mean), np.log(np.maximum(gaps.longest / h, mean))
    log_rec = np.log(rec)
    steep = (np.pi / np.sqrt(3.0)) / spread
    out["recency"] = log_rec
    out["gap_mean"], out["gap_last"], out["gap_recent"], out["gap_longest"] = (log_mean, newest, average, log_longest)
    out["over_mean"] = np.log(1.0 + rec / mean)
    out["over_last"] = np.log(1.0 + np.exp(log_rec - newest))
    out["over_recent"] = np.log(1.0 + np.exp(log_rec - average))
    out["over_longest"] = np.log(1.0 + np.exp(log_rec - log_longest))
    out["fade"] = np.exp(-rec / mean)
    out["overdue"] = (log_rec - mean_log) / spread
    out["gap_spread"] = spread
    out["gap_variation"] = np.sqrt((wobble + 1.0) / (n + 1.0))
    out["renewal"] = _renewal(rec, mean_log, steep)
    out["outlasted"] = ((gaps.gap > recency[:, None]).sum(axis=1) + out["fade"]) / (n + 1.0)
    out["slowing"] = average - mean_log


def _renewal(rec: Floats, mean_log: Floats, steep: Floats) -> Floats:
    """Log-odds of one more silent horizon where gaps are log-logistic: S(rec + 1) / S(rec)."""
    now = np.exp(_within_30(steep * (np.log(rec) - mean_log)))
    later = np.exp(_within_30(steep * (np.log(rec + 1.0) - mean_log)))
    log_odds: Floats = np.log((1.0 + now) / np.maximum(later - now, 1e-9))
    return log_odds


def _within_30(exponent: Floats) -> Floats:
    return np.minimum(np.maximum(exponent, -30.0), 30.0)


def _lately(rows: Rows, out: dict[str, Floats]) -> None:
    """Log of purchase days counted with weights fading over a sixth of a horizon, half of one, and two."""
    since = np.where(rows.days >= 0, rows.today[:, None] - rows.days, 1 << 20).astype(np.float64)
    slow = np.exp(-since / (2.0 * rows.horizon[:, None]))
    middle = slow * slow * slow * slow
    fast = middle * middle * middle
    for name, weight in (("bought_lately", fast), ("bought_this_horizon", middle), ("bought_in_long", slow)):
        out[name] = np.log(1.0 + np.rint(weight * FINE).sum(axis=1) / FINE)


def _spending(rows: Rows, snapshot: Snapshot, out: dict[str, Floats]) -> None:
    usual = snapshot.population
    paid = rows.amount > 0
    days = paid.sum(axis=1)
    total = rows.amount.sum(axis=1)
    mean = np.log(np.maximum(total, 1) / np.maximum(days, 1))
    last = np.log(np.maximum(rows.amount[:, -1], 1).astype(np.float64))
    out["amount"] = np.where(days > 0, mean - usual.log_amount, 0.0)
    out["amount_last"] = np.where(paid[:, -1], last - mean, 0.0)
    fine = np.rint(np.log(np.maximum(rows.amount, 1).astype(np.float64)) * FINE).astype(np.int64)
    recent = (fine * MOVING).sum(axis=1) / np.maximum((paid * MOVING).sum(axis=1), 1)
    out["amount_recent"] = (recent - fine.sum(axis=1) / np.maximum(days, 1)) / FINE
    orders = np.maximum(rows.orders.sum(axis=1), 1)
    lines = rows.lines.sum(axis=1)
    out["lines"] = np.where(lines > 0, np.log(np.maximum(lines, 1) / orders) - usual.log_lines, 0.0)
    out["orders_a_day"] = np.log(orders / np.maximum((rows.days >= 0).sum(axis=1), 1))


def _events(rows: Rows, out: dict[str, Floats]) -> None:
    """Counts of other events with weights fading over one horizon, and how fresh the last one is."""
    n = len(rows.today)
    if not rows.kind_count.any() and (rows.kind_last < 0).all():
        zero = np.zeros(n)
        out.update(dict.fromkeys((*COUNTED.values(), *FRESH.values()), zero))
        return
    counted = np.rint(rows.kind_count * fading(rows.horizon)[:, None, :]).sum(axis=2) / FINE
    since = np.where(rows.kind_last >= 0, rows.today[:, None] - rows.kind_last, 1 << 20).astype(np.float64)
    fresh = np.exp(-4.0 * since / rows.horizon[:, None])
    for kind, name in COUNTED.items():
        out[name] = np.log(1.0 + np.ascontiguousarray(counted[:, KINDS.index(kind)]))
    for kind, name in FRESH.items():
        out[name] = fresh[:, KINDS.index(kind)]


def fading(horizon: Floats) -> Floats:
    """[n, BUCKETS] weights of 30-day buckets, fading over one horizon (days), in 1/FINE."""
    weights: Floats = np.rint(np.exp(-(float(BUCKET_DAYS) * np.arange(BUCKETS)) / horizon[:, None]) * FINE)
    return weights


def quantised(block: Floats) -> NDArray[np.int16]:
    """[n, features] in 1/UNIT, of [features, n] as they were computed."""
    squashed = np.rint(np.tanh((block - _CENTRE) / _SPREAD) * (REACH * UNIT))
    return np.ascontiguousarray(squashed.T).astype(np.int16)


def features(rows: Rows, snapshot: Snapshot) -> Features:
    """The features of `rows` under the snapshot's population; each row's depend on that row alone."""
    h = rows.horizon
    recency = rows.today - rows.days[:, -1]
    age = rows.today - rows.first
    out: dict[str, Floats] = {}
    _rhythm(rows, snapshot, recency, out)
    _lately(rows, out)
    _spending(rows, snapshot, out)
    _events(rows, out)
    repeats = rows.n_days - 1
    out["repeats"] = np.log(1.0 + repeats)
    out["age"] = np.log((age + 1.0) / h)
    out["once_only"] = (repeats == 0).astype(np.float64)
    block = np.empty((len(FEATURE_NAMES), len(age)))
    for j, name in enumerate(FEATURE_NAMES):
        block[j] = out[name]
    return Features(x=quantised(block), repeats=repeats, recency=recency, age=age, horizon=h)
