"""Bayesian logistic regression around a given prior log-odds: a Laplace filter, one Newton update a batch."""

from collections.abc import Hashable, Iterable, Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray
from river import base
from scipy.linalg import cho_factor, cho_solve
from scipy.special import expit

Floats = NDArray[np.float64]
Frame = Any  # a pandas.DataFrame; pandas is wanted by those alone who hand one in
Series = Any

INTERCEPT = "intercept"
"""The name under which the common intercept is kept among the weights."""


class DivergedError(ArithmeticError):
    """A batch that cannot be learned from: numbers would no longer be finite."""


class CorrectingLogistic(base.MiniBatchClassifier):
    """Learns corrections to log-odds that another model gives; with no label it is that model.

    The posterior of the weights is a Gaussian that each batch updates by Newton steps. A batch has a private
    intercept of its own, fitted with the weights and then integrated out, so that what moves all customers
    of a season alike does not pass for an effect of their features. Nothing is forgotten.

    Parameters
    ----------
    sd
        Prior standard deviation of a weight.
    sds
        The same for single features, by name.
    intercept_sd
        Prior standard deviation of the common intercept.
    batch_sd
        Prior standard deviation of a batch's private intercept.
    row_weight
        What a row counts for; below 1 where rows of one customer overlap in time.
    offset
        Name of the feature that carries the other model's log-odds; 0 where it is missing.
    newton
        Newton steps a batch.

    """

    def __init__(
        self,
        sd: float = 0.2,
        sds: Mapping[Hashable, float] | None = None,
        intercept_sd: float = 0.03,
        batch_sd: float = 1.0,
        row_weight: float = 0.6,
        offset: str = "offset",
        newton: int = 2,
    ) -> None:
        self.sd = sd
        self.sds = sds
        self.intercept_sd = intercept_sd
        self.batch_sd = batch_sd
        self.row_weight = row_weight
        self.offset = offset
        self.newton = newton
        self._place: dict[Hashable, int] = {INTERCEPT: 0}
        self._mean: Floats = np.zeros(1)
        self._precision: Floats = np.array([[intercept_sd**-2]])

    def _unit_test_skips(self) -> set[str]:
        """What river's checks may not ask of us.

        A batch shares one private intercept and one Newton step, which its rows one by one do not;
        river's own gradient learners are excused likewise.
        """
        return {"check_learn_many_matches_learn_one"}

    @property
    def _multiclass(self) -> bool:
        return False

    # -------------------------------------------------------------------------------- columns

    def learn_columns(
        self, names: Iterable[Hashable], table: Floats, labels: Floats, offsets: Floats, weights: Floats | None = None
    ) -> None:
        """A batch: `table` [n, len(names)], labels 0 or 1, log-odds offsets, weights, [n] each.

        Raises DivergedError, and learns nothing, if the numbers would not stay finite.
        """
        if not len(labels):
            return
        places = self._places(names)
        rows = np.zeros((len(labels), len(self._mean)))
        rows[:, 0] = 1.0
        rows[:, places] = table
        weight = self.row_weight * (np.ones(len(labels)) if weights is None else weights)
        mean, own, season = self._mean.copy(), self._precision, self.batch_sd**-2
        around, private = mean.copy(), 0.0
        for _ in range(self.newton):
            expected = expit(rows @ mean + offsets + private)
            surprise, curve = weight * (labels - expected), weight * expected * (1.0 - expected)
            joint, coupling, stiffness = _curvature(rows, curve, own, season)
            push_private = float(surprise.sum()) - private * season
            push = rows.T @ surprise - own @ (mean - around) - coupling * (push_private / stiffness)
            step = _solved(joint, push)
            mean = mean + step
            private += (push_private - float(coupling @ step)) / stiffness
        expected = expit(rows @ mean + offsets + private)
        precision = _curvature(rows, weight * expected * (1.0 - expected), own, season)[0]
        if not (np.isfinite(mean).all() and np.isfinite(precision).all()):
            raise DivergedError("a batch would make the learner's numbers infinite")
        self._mean, self._precision = mean, precision

    def log_odds_columns(self, names: Iterable[Hashable], table: Floats, offsets: Floats) -> Floats:
        """Log-odds of a batch; a feature never learned from counts nothing."""
        weights = np.array([self.weight(name) for name in names])
        log_odds: Floats = offsets + self._mean[0] + table @ weights
        return log_odds

    def weight(self, name: Hashable) -> float:
        """The posterior mean weight of a feature, or of INTERCEPT; 0 if it was never seen."""
        place = self._place.get(name)
        return 0.0 if place is None else float(self._mean[place])

    def posterior(self) -> tuple[tuple[str, ...], Floats, Floats]:
        """Names of the weights, their means [d] and precision matrix [d, d]."""
        return tuple(map(str, self._place)), self._mean.copy(), self._precision.copy()

    def set_posterior(self, names: tuple[str, ...], mean: Floats, precision: Floats) -> None:
        """Go on from what `posterior` gave."""
        self._place = {name: place for place, name in enumerate(names)}
        self._mean, self._precision = mean.copy(), precision.copy()

    def _places(self, names: Iterable[Hashable]) -> list[int]:
        names = list(names)
        new = [name for name in names if name not in self._place]
        if new:
            old = len(self._mean)
            for name in new:
                self._place[name] = len(self._place)
            grown = np.zeros((old + len(new), old + len(new)))
            grown[:old, :old] = self._precision
            sds = self.sds or {}
            spread = np.array([sds.get(name, self.sd) for name in new])
            grown[np.arange(old, old + len(new)), np.arange(old, old + len(new))] = spread**-2.0
            self._precision = grown
            self._mean = np.concatenate([self._mean, np.zeros(len(new))])
        return [self._place[name] for name in names]

    # -------------------------------------------------------------------------------- river

    def learn_one(self, x: dict[Hashable, Any], y: base.typing.ClfTarget) -> None:
        """Update with one labelled row: a batch of its own."""
        names = [name for name in x if name != self.offset]
        table = np.array([[float(x[name]) for name in names]])
        self.learn_columns(names, table, np.array([float(y)]), np.array([float(x.get(self.offset, 0.0))]))

    def predict_proba_one(self, x: dict[Hashable, Any], **_: Any) -> dict[base.typing.ClfTarget, float]:  # noqa: ANN401 - river's signature
        """Probabilities of False and True."""
        log_odds = self._mean[0] + float(x.get(self.offset, 0.0))
        log_odds += sum(self.weight(name) * float(x[name]) for name in x if name != self.offset)
        risk = float(expit(log_odds))
        return {False: 1.0 - risk, True: risk}

    def learn_many(self, X: Frame, y: Series) -> None:  # noqa: N803 - river's signature
        """Update with a frame of rows, one batch."""
        names, table, offsets = self._split(X)
        self.learn_columns(names, table, y.to_numpy(dtype=np.float64), offsets)

    def predict_proba_many(self, X: Frame) -> Frame:  # noqa: N803 - river's signature
        """Probabilities of False and True for each row of the frame."""
        risk = expit(self.log_odds_columns(*self._split(X)))
        return type(X)({False: 1.0 - risk, True: risk}, index=X.index)

    def _split(self, frame: Frame) -> tuple[list[Hashable], Floats, Floats]:
        names = [name for name in frame.columns if name != self.offset]
        known = self.offset in frame.columns
        offsets = frame[self.offset].to_numpy(dtype=np.float64) if known else np.zeros(len(frame))
        return names, frame[names].to_numpy(dtype=np.float64), offsets


def _solved(matrix: Floats, push: Floats) -> Floats:
    try:
        factor = cho_factor(matrix, check_finite=False)
    except np.linalg.LinAlgError as error:
        raise DivergedError(str(error)) from error
    step: Floats = cho_solve(factor, push, check_finite=False)
    return step


def _curvature(rows: Floats, curve: Floats, own: Floats, season: float) -> tuple[Floats, Floats, float]:
    """Precision with the private intercept integrated out, its coupling to the weights, its own precision."""
    coupling = rows.T @ curve
    stiffness = float(curve.sum()) + season
    joint = own + (rows * curve[:, None]).T @ rows - np.outer(coupling, coupling) / stiffness
    return joint, coupling, stiffness
