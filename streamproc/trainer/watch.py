"""What runs beside the learner and decides nothing: a plain river model, river's metrics, drift detectors."""

from collections import deque
from collections.abc import Iterable
from typing import Any

import msgspec
import numpy as np
from river import compose, drift, linear_model, metrics, optim, preprocessing, utils

from streamproc.scoring.examples import Example, features_of
from streamproc.scoring.judge import brier, calibration_error
from streamproc.scoring.layout import FEATURE_NAMES, UNIT
from streamproc.scoring.score import probability

WINDOW = 2_048
"""Newest judged examples that the figures are over."""

_METRICS: Any = metrics  # river leaves these untyped
_DRIFT: Any = drift

WATCHED = ("recency", "repeats", "age", "gap_mean", "amount")
"""Features whose means are watched for drift."""


class Standing(msgspec.Struct, frozen=True):
    """Figures over the newest judged examples, each judged before it was learned from."""

    log_loss: float
    auc: float
    brier: float
    calibration_error: float


class Record(msgspec.Struct, frozen=True):
    """Ours beside the challenger on the same labels, and how often each watched mean has drifted."""

    judged: int
    base_rate: float
    ours: Standing | None
    challenger: Standing | None
    drifts: dict[str, int]


def plain_model() -> compose.Pipeline:
    """The challenger: river's scaler and logistic regression, as anybody would set them up."""
    return compose.Pipeline(
        preprocessing.StandardScaler(), linear_model.LogisticRegression(optimizer=optim.AdaGrad(0.03))
    )


class _Judged:
    """river's rolling metrics of one model, and what river has no metric for from the same window."""

    def __init__(self) -> None:
        self.loss: Any = utils.Rolling(_METRICS.LogLoss, window_size=WINDOW)
        self.area: Any = _METRICS.RollingROCAUC(window_size=WINDOW)
        self.risks: deque[float] = deque(maxlen=WINDOW)

    def see(self, risk: float, label: int) -> None:
        self.loss.update(bool(label), risk)
        self.area.update(bool(label), risk)
        self.risks.append(risk)

    def standing(self, labels: Iterable[int]) -> Standing:
        truth, risks = np.array(list(labels), dtype=np.int64), np.array(self.risks)
        return Standing(
            log_loss=float(self.loss.get()),
            auc=float(self.area.get()),
            brier=brier(truth, risks),
            calibration_error=calibration_error(truth, risks),
        )


class Watch:
    """Judges our scores and the challenger's on matured examples, in their order, and looks for drift.

    It sees only the examples that the ring keeps: a bounded share, from which it is rebuilt at every start.
    """

    def __init__(self, examples: Iterable[Example] = ()) -> None:
        self._challenger = plain_model()
        self._ours, self._theirs = _Judged(), _Judged()
        self._labels: deque[int] = deque(maxlen=WINDOW)
        names = ("calibration", "base_rate", *WATCHED)
        self._detectors = {name: _DRIFT.ADWIN() for name in names}
        self._drifts = dict.fromkeys(names, 0)
        self.see(list(examples))

    def see(self, examples: list[Example]) -> None:
        """Judge labelled examples, then let the challenger learn them."""
        if not examples:
            return
        table = features_of(examples).x / float(UNIT)
        ours = probability(np.array([example.log_odds_micro for example in examples]))
        for example, values, risk in zip(examples, table.tolist(), ours.tolist(), strict=True):
            if example.label is None:
                continue
            row = dict(zip(FEATURE_NAMES, values, strict=True))
            self._judge(row, risk, example.label)
            self._challenger.learn_one(row, bool(example.label))

    def record(self) -> Record:
        """How both stand."""
        some = bool(self._labels)
        return Record(
            judged=len(self._labels),
            base_rate=sum(self._labels) / len(self._labels) if some else 0.0,
            ours=self._ours.standing(self._labels) if some else None,
            challenger=self._theirs.standing(self._labels) if some else None,
            drifts=dict(self._drifts),
        )

    def _judge(self, row: dict[str, float], risk: float, label: int) -> None:
        theirs = float(self._challenger.predict_proba_one(row).get(True, 0.5))
        self._ours.see(risk, label)
        self._theirs.see(theirs, label)
        self._labels.append(label)
        values = {"calibration": label - risk, "base_rate": float(label)}
        for name, detector in self._detectors.items():
            detector.update(values[name] if name in values else row[name])
            self._drifts[name] += bool(detector.drift_detected)
