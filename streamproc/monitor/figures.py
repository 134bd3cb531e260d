"""From facts to figures: the columns a score is made of, and what a scored customer is worth."""

from math import exp

import msgspec
import numpy as np
from numpy.typing import NDArray

from streamproc.core.buckets import BUCKET_DAYS, BUCKETS_KEPT, KINDS, RETURN
from streamproc.core.facts import Facts
from streamproc.core.lifecycle import phase_of, spend_trend
from streamproc.core.orders import RecentDays
from streamproc.core.value import (
    ValueRules,
    Worth,
    discount_share,
    grade_of,
    lifetime_value,
    retention_a_period,
    segment_of,
    tier_of,
)
from streamproc.monitor.decide import Context
from streamproc.monitor.effects import Figures
from streamproc.monitor.state import CustomerState
from streamproc.scoring.rows import RECENT_DAYS, Rows
from streamproc.scoring.snapshot import Snapshot

MICRO = 1_000_000
VALUE = ValueRules()

_NEVER = [-1] * KINDS


def rows_of(customers: list[Facts], horizons: list[int], today: int) -> Rows:
    """The raw columns of customers with at least one purchase, all looked at on the same day."""
    n = len(customers)
    recents = [facts.recent for facts in customers]
    counts = [n for r in recents for n in r.count]
    if 0 in counts:  # a day whose orders were all cancelled is no purchase day
        return _closed_up(customers, horizons, today)
    lengths = np.array([len(r.day) for r in recents], dtype=np.int64)
    filled = np.flatnonzero(np.arange(RECENT_DAYS) >= (RECENT_DAYS - lengths)[:, None])
    return Rows(
        horizon=np.array(horizons, dtype=np.float64),
        today=np.full(n, today, dtype=np.int64),
        first=np.array([f.first_day for f in customers], dtype=np.int64),
        n_days=np.array([f.n_days for f in customers], dtype=np.int64),
        days=_padded(n, filled, [day for r in recents for day in r.day], -1),
        orders=_padded(n, filled, counts, 0),
        amount=_padded(n, filled, [amount for r in recents for amount in r.amount], 0),
        lines=_padded(n, filled, [lines for r in recents for lines in r.lines], 0),
        kind_last=np.array([_kind_last(f) for f in customers], dtype=np.int64),
        kind_count=_kind_counts(customers, today),
    )


def _padded(n: int, filled: NDArray[np.int64], values: list[int], empty: int) -> NDArray[np.int64]:
    column = np.full(n * RECENT_DAYS, empty, dtype=np.int64)
    column[filled] = values
    return column.reshape(n, RECENT_DAYS)


def _closed_up(customers: list[Facts], horizons: list[int], today: int) -> Rows:
    """The same rows with the cancelled days left out."""
    without = []
    for facts in customers:
        r = facts.recent
        if 0 not in r.count:
            without.append(facts)
            continue
        live = [i for i, n in enumerate(r.count) if n]
        day, count, amount, lines = ([c[i] for i in live] for c in (r.day, r.count, r.amount, r.lines))
        kept = RecentDays(day, count, amount, lines)
        without.append(msgspec.structs.replace(facts, recent=kept))
    return rows_of(without, horizons, today)


def _kind_last(facts: Facts) -> list[int]:
    if not facts.kind_last and not facts.returns:
        return _NEVER
    last = list(facts.kind_last or _NEVER)
    last[RETURN] = facts.last_return_day()
    return last


def _kind_counts(customers: list[Facts], today: int) -> NDArray[np.int64]:
    now = today // BUCKET_DAYS
    counts = np.zeros((len(customers), KINDS, BUCKETS_KEPT), dtype=np.int64)
    for i, facts in enumerate(customers):
        for number, kinds in facts.buckets.kinds.items():
            if 0 <= now - number < BUCKETS_KEPT:
                counts[i, :, now - number] = kinds
    return counts


def figures_of(
    state: CustomerState,
    money: Worth,
    today: int,
    horizon_days: int,
    scored: tuple[int, float],
    snapshot: Snapshot,
    context: Context,
) -> Figures:
    """What a buyer is worth and stands for at a look; `scored` is the risk as log-odds in millionths and as P."""
    facts, decisions = state.facts, state.decisions
    log_odds, churn = scored
    calm = churn if decisions.calm_log_odds is None else probability_of(decisions.calm_log_odds)
    retention_before = retention_a_period(min(calm, churn), horizon_days)
    stake = lifetime_value(max(0.0, money.margin), retention_before, VALUE.discount)
    at_today = lifetime_value(money.margin, retention_a_period(churn, horizon_days), VALUE.discount)
    trend = spend_trend(facts, today)
    grade = grade_of(money.contribution, context.grades) if money.measured else None
    strategic = facts.says("strategic")
    discounts = discount_share(facts, today)
    last_day = facts.last_day()
    gaps = facts.n_days - 1
    return Figures(
        stage=decisions.stage,
        phase=phase_of(decisions.stage, facts.n_orders, trend, warned=decisions.open_episode() is not None),
        horizon_days=horizon_days,
        n_days=facts.n_days,
        orders=facts.n_orders,
        last_purchase=facts.last_purchase() or 0,
        recency_days=today - last_day,
        log_odds=log_odds,
        probability=churn,
        lifetime_value=round(at_today),
        stake=round(stake),
        expected_loss=round(churn * stake),
        revenue=money.revenue,
        contribution=money.contribution,
        cost_assumed=money.assumed,
        money_measured=money.measured,
        usual_gap_days=round((last_day - facts.first_day) / gaps, 1) if gaps > 0 else None,
        trend=None if trend is None else round(trend, 4),
        grade=grade,
        tier=tier_of(money.contribution, grade, decisions.stage, discounts, VALUE),
        segment=segment_of(money.contribution, grade, None if strategic is None else float(strategic), trend, VALUE),
        model=snapshot.id,
        speaks=snapshot.speaks,
        last_gap_days=_last_gap(facts.recent),
        articles_a_day=_articles(facts.recent),
        discount_share=None if discounts is None else round(discounts, 4),
    )


def _last_gap(recent: RecentDays) -> int | None:
    """Days between the last two days of purchase, None before the second."""
    live = [day for day, count in zip(recent.day, recent.count, strict=True) if count]
    return live[-1] - live[-2] if len(live) > 1 else None


def _articles(recent: RecentDays) -> float | None:
    """Distinct articles on a day of purchase, None where none of those kept tells."""
    told = [lines for lines in recent.lines if lines > 0]
    return round(sum(told) / len(told), 1) if told else None


def probability_of(log_odds: int) -> float:
    """P of log-odds in millionths."""
    return 1.0 / (1.0 + exp(-log_odds / MICRO))
