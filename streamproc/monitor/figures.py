"""From facts to figures: what a score is made of, and what a scored customer is worth."""

from math import exp

from streamproc.core.buckets import KINDS, RETURN
from streamproc.core.facts import Facts
from streamproc.core.lifecycle import is_growing, phase_of, spend_trend
from streamproc.core.orders import RecentDays
from streamproc.core.value import (
    Grade,
    Segment,
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
from streamproc.scoring.rows import Buyer
from streamproc.scoring.snapshot import Snapshot

MICRO = 1_000_000

_NEVER = [-1] * KINDS


def buyer_of(facts: Facts, horizon_days: int, today: int) -> Buyer:
    """A customer with at least one purchase as a score takes them."""
    recent = facts.recent
    columns = recent.day, recent.count, recent.amount, recent.lines
    if 0 in recent.count:  # a day whose orders were all cancelled is no purchase day
        live = [i for i, n in enumerate(recent.count) if n]
        day, count, amount, lines = ([c[i] for i in live] for c in columns)
        columns = day, count, amount, lines
    last = facts.kind_last
    if facts.returns:
        last = list(last or _NEVER)
        last[RETURN] = facts.last_return_day()
    return Buyer(float(horizon_days), today, facts.first_day, facts.n_days, *columns, last, facts.buckets.kinds)


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
    rules, stages = context.policy.value, context.policy.stages
    log_odds, churn = scored
    calm = churn if decisions.calm_log_odds is None else probability_of(decisions.calm_log_odds)
    retention_before = retention_a_period(min(calm, churn), horizon_days)
    stake = lifetime_value(max(0.0, money.margin), retention_before, rules.discount)
    at_today = lifetime_value(money.margin, retention_a_period(churn, horizon_days), rules.discount)
    trend = spend_trend(facts, today)
    grade, segment = standing_of(facts, money, trend, context)
    discounts = discount_share(facts, today)
    last_day = facts.last_day()
    gaps = facts.n_days - 1
    return Figures(
        stage=decisions.stage,
        phase=phase_of(
            decisions.stage, facts.n_orders, trend, warned=decisions.open_episode() is not None, rules=stages
        ),
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
        tier=tier_of(money.contribution, grade, decisions.stage, discounts, rules),
        segment=segment,
        model=snapshot.id,
        speaks=snapshot.speaks,
        last_gap_days=_last_gap(facts.recent),
        articles_a_day=_articles(facts.recent),
        discount_share=None if discounts is None else round(discounts, 4),
    )


def standing_of(
    facts: Facts, money: Worth, trend: float | None, context: Context
) -> tuple[Grade | None, Segment | None]:
    """A buyer's grade and segment by the money and the spend's trend of one day; None: cannot be told."""
    grade = grade_of(money.contribution, context.grades) if money.measured else None
    growing, strategic = is_growing(trend, context.policy.stages), facts.says("strategic")
    fit = None if strategic is None else float(strategic)
    return grade, segment_of(money.contribution, grade, fit, growing=growing, rules=context.policy.value)


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
