"""The whole base at a glance, put together from what each partition remembers and what is counted beside them."""

from collections.abc import Sequence
from typing import NamedTuple

from streamproc.core.control import Setup
from streamproc.core.population import Histogram, concentration
from streamproc.core.time import to_text
from streamproc.desk.report import RunningModel, Shares, Summary, Thresholds
from streamproc.desk.warning import Money, money_of
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
        thresholds=_thresholds(running, money),
        model=_running(running, pinned=pinned),
        policy=running.policy,
        dead_letters=counted.dead_letters,
        counts=counted.counts,
    )


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
