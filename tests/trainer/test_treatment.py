"""Learning while people act on the warnings: who learns from all labels unlearns the risk, the silent arm keeps it.

The made shop knows no treatment, so that it is wrapped: an offer to a customer whom the running model would warn of
brings a purchase in nine of ten cases, and only the label sees it. The truth is what customers do whom nobody calls.
"""

from typing import NamedTuple

import numpy as np
import pytest
from msgspec.structs import replace
from numpy.typing import NDArray

from streamproc.core.holdout import is_held_out
from streamproc.core.policy import Severity
from streamproc.core.time import DAY
from streamproc.monitor.labels import expose, weight_of
from streamproc.monitor.state import Episode, Pending
from streamproc.scoring.examples import Example, Sighting, features_of
from streamproc.scoring.judge import log_loss
from streamproc.scoring.score import probability, score
from streamproc.scoring.snapshot import Snapshot
from streamproc.trainer.trainer import Trainer
from tests.trainer.shop import CONFIG, START, Shop, purchase_days, train

SPAN, CUSTOMERS, LAST = 300, 160, 40
WARN_AT = 0.25
SUCCESS = 0.9
SHARE = 0.3


class Treated(Shop):
    """A shop where those whom the model would warn of are called, but for the silent arm's share (0: there is none)."""

    def __init__(self, bought: dict[str, list[int]], share: float, seed: int) -> None:
        super().__init__(bought)
        self._share = share
        self._random = np.random.default_rng(seed)
        self.weights: list[float] = []

    def day(self, midnight: int) -> list[Example | Sighting]:
        told = super().day(midnight)
        return [self._acted_on(item) if isinstance(item, Example) and item.label is not None else item for item in told]

    def _acted_on(self, example: Example) -> Example:
        if probability(np.array([example.log_odds_micro]))[0] < WARN_AT:
            return example
        silent = is_held_out(example.customer_id, example.at, self._share)
        kept = not silent and self._random.random() < SUCCESS
        pending = Pending(example.at, b"", 0, 0, 0, 0, round(example.horizon))
        episode = Episode(
            "w", example.at, 0, 0, Severity.LOW, 0, 0, share=self._share, holdout=silent
        )  # what the monitor would note of it
        expose(pending, episode, example.at)
        weight = weight_of(pending)
        self.weights.append(weight)
        return replace(example, label=0 if kept else example.label, weight=weight)


class Judged(NamedTuple):
    """How good the last model is about customers whom nobody calls; `risky` is the mean risk of those in danger."""

    log_loss: float
    risky: float


def learned(shop: Shop) -> Snapshot:
    made = [one for one in train(Trainer(CONFIG), shop, range(START + 1, START + SPAN)) if isinstance(one, Snapshot)]
    return made[-1]


def risks_of(asked: list[Example], snapshot: Snapshot) -> NDArray[np.float64]:
    return probability(score(features_of(asked), snapshot).log_odds_micro)


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_naive_learning_degrades_where_calls_work_and_ours_does_not(seed: int) -> None:
    bought = purchase_days(CUSTOMERS, SPAN + 60, seed)
    silent_arm = Treated(bought, SHARE, seed)
    models = [learned(Shop(bought)), learned(Treated(bought, 0.0, seed)), learned(silent_arm)]
    plain = Shop(bought)
    days = range(START + SPAN - LAST, START + SPAN)
    asked = [
        item for midnight in days for item in plain.day(midnight) if isinstance(item, Example) and item.label is None
    ]
    labels = np.array([plain._label(one.customer_id, one.at // DAY) for one in asked])
    in_danger = risks_of(asked, models[0]) >= WARN_AT
    alone, naive, ours = (
        Judged(log_loss(labels, risks), float(risks[in_danger].mean()))
        for risks in (risks_of(asked, model) for model in models)
    )
    assert sorted(set(silent_arm.weights)) == pytest.approx([0.0, 1 / SHARE])
    assert in_danger.sum() > 30
    assert naive.log_loss > alone.log_loss + 0.01
    assert naive.risky < alone.risky - 0.08
    assert abs(ours.log_loss - alone.log_loss) < 0.005
    assert abs(ours.risky - alone.risky) < 0.03
