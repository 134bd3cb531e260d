"""Risks at several cuts, judged by what the customers then did, beside recency, BG/NBD and the base rate."""

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from streamproc.core.time import to_text, today_of
from streamproc.scoring.judge import Bin, calibration, judged_over_cuts
from streamproc.trainer.baselines import baselines

Floats = NDArray[np.float64]
Ints = NDArray[np.int64]

OURS = "streamproc"
POPULATIONS = ("active", "all")
GAIN_STEPS = 50
"""Points of a gain curve."""


class Known(NamedTuple):
    """One cut whose outcome is known: everybody with a purchase before the instant `at` (µs); n entries each.

    `recency` in days, `purchase_days` ascending and before the cut, `left` 1 where none followed within the horizon.
    """

    at: int
    model: str
    speaks: str
    risks: Floats
    recency: Ints
    purchase_days: Sequence[Sequence[int]]
    left: Ints


class Line(Struct, frozen=True, kw_only=True):
    """One model's figures over all cuts for one population; nan where a figure cannot be told."""

    population: str
    model: str
    n: int
    left_rate: float
    auc: float
    auc_by_cut: float
    average_precision: float
    brier: float
    log_loss: float
    calibration_error: float
    precision_5: float
    precision_10: float
    lift_10: float


class CutLine(Struct, frozen=True, kw_only=True):
    """One cut: which snapshot spoke, for how many customers, and what became of those active (`auc` is theirs)."""

    at: str
    model: str
    speaks: str
    customers: int
    active: int
    left_rate: float
    auc: float


class Curve(Struct, frozen=True):
    """A model's gain curve: of those who left, the share found among the riskiest share; from (0, 0) to (1, 1)."""

    model: str
    points: tuple[tuple[float, float], ...]


class Report(Struct, frozen=True, kw_only=True):
    """All that is known of a backtest's risks. `unknown` are the cuts whose horizon reaches past the data."""

    horizon_days: int
    lines: tuple[Line, ...]
    cuts: tuple[CutLine, ...]
    calibration: tuple[Bin, ...]
    gains: tuple[Curve, ...]
    unknown: tuple[str, ...] = ()


class _Pooled(NamedTuple):
    """Every model's risks at all cuts, one after the other."""

    risks: dict[str, Floats]
    left: Ints
    cut: Ints
    active: NDArray[np.bool_]


def judge(known: Sequence[Known], horizon_days: int, unknown: Sequence[int] = ()) -> Report:
    """The report on cuts whose outcome is known. Raises ValueError if there is none, or nobody at one of them."""
    if not known:
        raise ValueError("no cut's horizon ends within the data")
    pooled = _pooled(known, horizon_days)
    lines = [
        _line(population, model, pooled)
        for population in POPULATIONS
        for model in pooled.risks
        if _some(population, pooled)
    ]
    active = pooled.active
    return Report(
        horizon_days=horizon_days,
        lines=tuple(lines),
        cuts=tuple(_cut_line(number, cut, pooled) for number, cut in enumerate(known)),
        calibration=tuple(calibration(pooled.left[active], pooled.risks[OURS][active])) if active.any() else (),
        gains=tuple(Curve(model, _gain(risks, pooled)) for model, risks in pooled.risks.items() if active.any()),
        unknown=tuple(to_text(at) for at in unknown),
    )


def _pooled(known: Sequence[Known], horizon_days: int) -> _Pooled:
    rivals = [baselines(cut.purchase_days, today_of(cut.at) + 1, float(horizon_days)) for cut in known]
    return _Pooled(
        risks={
            OURS: np.concatenate([cut.risks for cut in known]),
            "BG/NBD": np.concatenate([rival.bg_nbd for rival in rivals]),
            "recency": np.concatenate([rival.recency for rival in rivals]),
            "base rate": np.concatenate([rival.base_rate for rival in rivals]),
        },
        left=np.concatenate([cut.left for cut in known]),
        cut=np.repeat(np.arange(len(known)), [len(cut.left) for cut in known]),
        active=np.concatenate([cut.recency <= horizon_days for cut in known]),
    )


def _some(population: str, pooled: _Pooled) -> bool:
    return population == "all" or bool(pooled.active.any())


def _line(population: str, model: str, pooled: _Pooled) -> Line:
    who = pooled.active if population == "active" else np.ones(len(pooled.left), dtype=np.bool_)
    figures, auc_by_cut = judged_over_cuts(pooled.left[who], pooled.risks[model][who], pooled.cut[who])
    return Line(
        population=population,
        model=model,
        n=figures.n,
        left_rate=figures.base_rate,
        auc=figures.auc,
        auc_by_cut=auc_by_cut,
        average_precision=figures.average_precision,
        brier=figures.brier,
        log_loss=figures.log_loss,
        calibration_error=figures.calibration_error,
        precision_5=figures.precision_5,
        precision_10=figures.precision_10,
        lift_10=figures.lift_10,
    )


def _cut_line(number: int, cut: Known, pooled: _Pooled) -> CutLine:
    who = pooled.active & (pooled.cut == number)
    nobody = not who.any()
    figures = None if nobody else judged_over_cuts(pooled.left[who], pooled.risks[OURS][who], pooled.cut[who])[0]
    return CutLine(
        at=to_text(cut.at),
        model=cut.model,
        speaks=cut.speaks,
        customers=len(cut.left),
        active=int(who.sum()),
        left_rate=float("nan") if figures is None else figures.base_rate,
        auc=float("nan") if figures is None else figures.auc,
    )


def _gain(risks: Floats, pooled: _Pooled) -> tuple[tuple[float, float], ...]:
    """The gain curve over the active, averaged over the cuts; equal risks share their leavers evenly."""
    shares = np.linspace(0.0, 1.0, GAIN_STEPS + 1)
    found = []
    for number in np.unique(pooled.cut[pooled.active]):
        who = pooled.active & (pooled.cut == number)
        left, risk = pooled.left[who], risks[who]
        if left.sum():
            order = np.argsort(-risk, kind="stable")
            falling = risk[order]
            last = np.flatnonzero(np.r_[falling[1:] != falling[:-1], True])
            caught = np.r_[0.0, np.cumsum(left[order])[last] / left.sum()]
            found.append(np.interp(shares, np.r_[0.0, (last + 1) / len(left)], caught))
    mean = np.mean(found, axis=0) if found else shares
    return tuple((round(float(x), 4), round(float(y), 4)) for x, y in zip(shares, mean, strict=True))
