"""Two learners on the same batches, and how far each is trusted by what matured last."""

from collections.abc import Hashable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from scipy.special import expit

from streamproc.scoring.layout import CROSSES, TERM_NAMES
from streamproc.trainer.learner import CorrectingLogistic
from streamproc.trainer.level import matching_shift

Floats = NDArray[np.float64]

PRIOR_TERM = "prior"
"""The correcting learner's name for the prior's own log-odds."""

SHARES = np.array([0.0, 0.25, 0.5, 0.75])
"""Shares of the log-odds that the free learner may have."""

BELIEF = (0.3, 0.4, 0.2, 0.1)
"""How far each share is believed in before any label."""

# Prior standard deviations of weights. Products of two features vary more than one, and rarely matter.
_CROSS_SPREADS: dict[Hashable, float] = {f"{left}*{right}": 0.05 for left, right, _ in CROSSES}
_SPREADS = {PRIOR_TERM: 0.3, "regular_rhythm": 0.3, **_CROSS_SPREADS}
_FREE_SPREAD = 0.3
_EVIDENCE = 0.5  # of a label, as examples of one customer overlap in time
_ENOUGH = 1_000  # examples learned from before the free learner has its full share
_WARM = 200  # examples learned from before learners are judged
_LEAST = 1e-6


class Batch(NamedTuple):
    """Matured examples as the learners want them, n rows."""

    prior: Floats  # [n] the prior's log-odds
    terms: Floats  # [n, terms], centred
    labels: Floats  # [n] 1: no purchase within the horizon
    weights: Floats  # [n]


class Corrections(NamedTuple):
    """What both learners say together: weights of the terms, and w1 of the prior's own log-odds."""

    weights: Floats
    w1: float


class Pair:
    """A learner that corrects the prior, and a free one that does not know it and so learns faster where it errs.

    Both are linear in the terms, so their mean is too. Each share of the free one is weighed by the likelihood
    it gave to the labels of every batch before they were learned, the season's level left out.
    """

    def __init__(self, belief: tuple[float, ...] = BELIEF) -> None:
        self.correcting = CorrectingLogistic(sds=_SPREADS)
        self.free = CorrectingLogistic(sd=_FREE_SPREAD, sds=_CROSS_SPREADS, intercept_sd=1.0)
        self.belief = belief

    @property
    def share(self) -> float:
        """The free learner's share of the log-odds."""
        return float(np.array(self.belief) @ SHARES)

    def learn(self, batch: Batch, learned: int) -> None:
        """Judge both on the batch, if they have `learned` enough, then learn it.

        Raises DivergedError if the numbers would not stay finite.
        """
        centred = np.column_stack([batch.terms, batch.prior - batch.prior.mean()])
        if learned >= _WARM:
            self._judge(batch, centred)
        names = (*TERM_NAMES, PRIOR_TERM)
        self.correcting.learn_columns(names, centred, batch.labels, batch.prior, batch.weights)
        nothing = np.zeros(len(batch.labels))
        self.free.learn_columns(TERM_NAMES, batch.terms, batch.labels, nothing, batch.weights)

    def corrections(self, learned: int) -> Corrections:
        """The weighted mean of both learners' log-odds, as corrections to the prior's.

        The free learner comes in as examples are `learned`: without any, the prior alone speaks.
        """
        share = self.share * min(1.0, learned / _ENOUGH)
        own, free = (
            np.array([learner.weight(name) for name in TERM_NAMES]) for learner in (self.correcting, self.free)
        )
        w1 = (1.0 - share) * (1.0 + self.correcting.weight(PRIOR_TERM)) - 1.0
        return Corrections((1.0 - share) * own + share * free, w1)

    def _judge(self, batch: Batch, centred: Floats) -> None:
        count = len(batch.labels)
        rate = float(np.clip(batch.labels.mean(), 0.5 / count, 1.0 - 0.5 / count))
        own = self.correcting.log_odds_columns((*TERM_NAMES, PRIOR_TERM), centred, batch.prior)
        free = self.free.log_odds_columns(TERM_NAMES, batch.terms, np.zeros(count))
        evidence = np.log(np.maximum(self.belief, _LEAST))
        for k, share in enumerate(SHARES):
            mixed = (1.0 - share) * own + share * free
            risk = np.clip(expit(mixed + matching_shift(mixed, rate)), _LEAST, 1.0 - _LEAST)
            logs = batch.labels * np.log(risk) + (1.0 - batch.labels) * np.log(1.0 - risk)
            evidence[k] += _EVIDENCE * float(logs @ batch.weights)
        belief = np.exp(evidence - evidence.max())
        if np.isfinite(belief).all():
            self.belief = tuple((belief / belief.sum()).tolist())
