"""Made rows and snapshots for the tests of scoring."""

import numpy as np
from msgspec.structs import replace

from streamproc.scoring.buying import Buying
from streamproc.scoring.layout import TERM_NAMES
from streamproc.scoring.rows import BUCKET_DAYS, BUCKETS, KINDS, RECENT_DAYS, Buyer, Rows
from streamproc.scoring.snapshot import Population, Snapshot, default_snapshot, sealed

TODAY = 20_000


def row(days: list[int], *, horizon: float = 90.0, today: int = TODAY, amount: int = 5_000, lines: int = 2) -> Rows:
    """One customer who bought on `days`, the same each time."""
    kept = days[-RECENT_DAYS:]

    def padded(values: list[int], empty: int = 0) -> list[int]:
        return [empty] * (RECENT_DAYS - len(values)) + values

    def column(values: list[int]) -> np.ndarray[tuple[int, ...], np.dtype[np.int64]]:
        return np.array([values], dtype=np.int64)

    return Rows(
        horizon=np.array([horizon]),
        today=np.array([today]),
        first=np.array([days[0]]),
        n_days=np.array([len(days)]),
        days=column(padded(kept, -1)),
        orders=column(padded([1] * len(kept))),
        amount=column(padded([amount] * len(kept))),
        lines=column(padded([lines] * len(kept))),
        kind_last=np.full((1, len(KINDS)), -1),
        kind_count=np.zeros((1, len(KINDS), BUCKETS), dtype=np.int64),
    )


def stacked(rows: list[Rows]) -> Rows:
    """Rows of several customers as one batch."""
    return Rows._make(np.concatenate(columns) for columns in zip(*rows, strict=True))


def cut(rows: Rows, start: int, stop: int) -> Rows:
    """The customers start..stop of a batch."""
    return Rows._make(column[start:stop] for column in rows)


def buyers_of(rows: Rows) -> list[Buyer]:
    """The customers of a batch one by one."""
    return [_buyer(cut(rows, i, i + 1)) for i in range(len(rows.today))]


def _buyer(one: Rows) -> Buyer:
    live = one.days[0] >= 0
    today, last = int(one.today[0]), one.kind_last[0].tolist()
    counts = {today // BUCKET_DAYS - b: one.kind_count[0, :, b].tolist() for b in range(BUCKETS)}
    return Buyer(
        horizon=float(one.horizon[0]),
        today=today,
        first=int(one.first[0]),
        n_days=int(one.n_days[0]),
        days=one.days[0, live].tolist(),
        orders=one.orders[0, live].tolist(),
        amount=one.amount[0, live].tolist(),
        lines=one.lines[0, live].tolist(),
        kind_last=last if max(last) >= 0 else [],
        kinds={number: kinds for number, kinds in counts.items() if any(kinds)},
    )


def made_rows(n: int, seed: int = 0) -> Rows:
    """Customers of every sort, n of them: one-time buyers, regulars with more days than are kept, complainers."""
    random = np.random.default_rng(seed)
    some = []
    for _ in range(n):
        gaps = random.integers(1, random.integers(2, 60), size=random.integers(0, 50))
        since = int(random.integers(0, 200))
        days = (TODAY - since - np.concatenate([[0], np.cumsum(gaps)]))[::-1].tolist()
        one = row(days, horizon=float(random.choice([30.0, 90.0, 91.0])), amount=int(random.integers(0, 90_000)))
        if random.random() < 0.3:
            one.kind_count[0, random.integers(0, 8), random.integers(0, 14)] = random.integers(1, 5)
            one.kind_last[0, random.integers(0, 8)] = TODAY - random.integers(0, 300)
        some.append(one)
    return stacked(some)


def busy_snapshot(seed: int = 0) -> Snapshot:
    """A snapshot in which every number counts."""
    random = np.random.default_rng(seed)
    k = len(TERM_NAMES)
    return sealed(
        replace(
            default_snapshot(),
            speaks="learned",
            prior=Buying(r=0.7, alpha=0.9, a=0.6, b=2.4),
            rhythm=Buying(r=0.8, alpha=0.5, a=0.7, b=2.0, k=3, modified=True),
            population=Population(-0.9, 0.8, 0.6, 8.0, 0.8),
            mean_silence=0.4,
            mean_frequency=-0.3,
            means=tuple(random.normal(0.0, 0.5, k).tolist()),
            weights=tuple(random.normal(0.0, 0.2, k).tolist()),
            w0=0.01,
            w1=-0.12,
            delta=-0.05,
        )
    )
