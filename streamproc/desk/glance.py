"""The whole base at a glance, put together from what each partition remembers and what is counted beside them."""

from collections.abc import Sequence
from typing import NamedTuple

from streamproc.core.control import Setup
from streamproc.core.population import Histogram, concentration
from streamproc.core.satisfaction import satisfied, satisfied_by, service
from streamproc.core.time import DAY, to_text
from streamproc.desk.report import Growth, LossCount, RunningModel, Shares, Summary, Thresholds
from streamproc.desk.warning import Money, money_of
from streamproc.monitor.effects import Totals
from streamproc.monitor.partition import Meta, new_meta
from streamproc.monitor.totals import merged


class Time(NamedTuple):
    """How far time has come (µs, 0: nowhere yet), what moves it, whether warnings are for people."""

    clock: int
    mode: str
    live: bool


class Counted(NamedTuple):
    """What the runtime counts: records of the journal, warnings by state, verdicts, dead letters, anything else."""

    records: int
    warnings: dict[str, int]
    verdicts: dict[str, int]
    dead_letters: int
    counts: dict[str, dict[str, int]]


def glance(setup: Setup, parts: Sequence[Meta], time: Time, counted: Counted, *, pinned: bool = False) -> Summary:
    """The summary over all partitions; what is the same in all is taken from the first."""
    money, base = money_of(setup), merged([part.totals for part in parts])
    running = parts[0] if parts else new_meta()
    cost = running.firm.acquisition_cost()
    return Summary(
        clock=to_text(time.clock) if time.clock else None,
        mode=time.mode,
        live=time.live,
        currency=setup.currency,
        horizon_days=setup.horizon_days,
        partitions=len(parts),
        records=counted.records,
        customers=sum(base.stages.values()),
        stages=base.stages,
        grades=base.grades,
        customer_equity=money.text(base.equity),
        value_at_risk=money.text(base.at_risk),
        open_warnings=base.open_warnings,
        warnings=counted.warnings,
        verdicts={"wrong": 0, "right": 0} | counted.verdicts,
        acquisition_cost=None if cost is None else f"{cost:.2f}",
        revenue_shares=_shares(base.revenue),
        contribution_shares=_shares(base.contribution),
        growth=growth_of(base, time.clock, money),
        satisfaction=rounded(satisfied(base.service)),
        satisfaction_by_grade=satisfied_by(base.content),
        service=service(base.service),
        unhappy=base.unhappy,
        losses=losses_of(base),
        thresholds=_thresholds(running, money),
        model=_running(running, pinned=pinned),
        policy=running.policy,
        dead_letters=counted.dead_letters,
        counts=counted.counts,
    )


def growth_of(base: Totals, clock: int, money: Money) -> Growth:
    """N, t and D of those who are customers at the clock (µs)."""
    n = base.contribution.size()
    if not n:
        return Growth(customers=0, mean_tenure_days=None, revenue_a_customer=None, categories_a_customer=None)
    return Growth(
        customers=n,
        mean_tenure_days=round(clock / DAY - base.first_days / n, 1),
        revenue_a_customer=money.text(round(base.revenue.grand_total() / n)),
        categories_a_customer=round(base.breadth / base.broad, 2) if base.broad else None,
    )


def losses_of(base: Totals) -> tuple[LossCount, ...]:
    """Customers lost by month, cause, grade and segment, in this order."""
    found = []
    for month, counts in sorted(base.losses.items()):
        for key, n in sorted(counts.items()):
            cause, grade, segment = key.split("/")
            found.append(LossCount(month=month, cause=cause, grade=grade, segment=segment, customers=n))
    return tuple(found)


def rounded(share: float | None) -> float | None:
    """A share in four digits."""
    return None if share is None else round(share, 4)


def _shares(histogram: Histogram) -> Shares:
    found = concentration(histogram)
    return Shares(top_20=found.top_20, bottom_30=found.bottom_30)


def _thresholds(meta: Meta, money: Money) -> Thresholds | None:
    if meta.grades is None:
        return None
    a, b, c = (money.text(least) for least in meta.grades)
    return Thresholds(a=a, b=b, c=c)


def _running(meta: Meta, *, pinned: bool) -> RunningModel:
    snapshot = meta.snapshot
    return RunningModel(
        id=snapshot.id,
        at=to_text(snapshot.at),
        speaks=snapshot.speaks,
        examples=snapshot.trained_on.examples,
        customers=snapshot.trained_on.customers,
        pinned=pinned,
    )
