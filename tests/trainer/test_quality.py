"""Held against the baselines on made customers of several shapes, at cuts the trainer could not see past."""

from typing import NamedTuple

import numpy as np
import pytest

from streamproc.scoring.features import features
from streamproc.scoring.judge import Figures, judged
from streamproc.scoring.score import probability, score
from streamproc.scoring.snapshot import Snapshot
from streamproc.trainer.baselines import baselines
from streamproc.trainer.trainer import Trainer
from tests.scoring.made import row, stacked
from tests.trainer.shop import CONFIG, START, Shop, purchase_days, train

SPAN = 240
HORIZON = int(CONFIG.horizon)


class Shape(NamedTuple):
    """A base of customers."""

    customers: int
    regular: int  # shape of their gaps: 1 is Poisson
    seed: int


class Outcome(NamedTuple):
    """Figures of everybody active at the cut."""

    ours: Figures
    day_zero: Figures
    bg_nbd: Figures
    base_rate: Figures
    recency: Figures


SHAPES = {"erratic": Shape(220, 1, 1), "some rhythm": Shape(220, 3, 2), "very regular": Shape(160, 8, 3)}


def outcome(shape: Shape) -> Outcome:
    """Train until the cut, then judge what was told there by what followed."""
    bought = purchase_days(shape.customers, SPAN + HORIZON, seed=shape.seed, regular=shape.regular)
    shop, cut = Shop(bought), START + SPAN
    for _ in train(Trainer(CONFIG), shop, range(START + 1, cut)):
        pass
    past = {name: [day for day in days if day < cut] for name, days in bought.items()}
    names = [name for name, days in past.items() if days and cut - 1 - days[-1] <= HORIZON]
    everybody = [days for days in past.values() if days]
    place = {name: k for k, name in enumerate(name for name, days in past.items() if days)}
    active = np.array([place[name] for name in names])
    labels = np.array([not any(cut <= day < cut + HORIZON for day in bought[name]) for name in names], dtype=int)
    rows = stacked([row(past[name], horizon=CONFIG.horizon, today=cut - 1) for name in names])

    def told(snapshot: Snapshot) -> Figures:
        return judged(labels, probability(score(features(rows, snapshot), snapshot).log_odds_micro))

    plain = baselines(everybody, cut, CONFIG.horizon)
    return Outcome(
        ours=told(shop.snapshot),
        day_zero=told(Shop({}).snapshot),
        bg_nbd=judged(labels, plain.bg_nbd[active]),
        base_rate=judged(labels, plain.base_rate[active]),
        recency=judged(labels, plain.recency[active]),
    )


@pytest.fixture(scope="module", params=list(SHAPES.values()), ids=list(SHAPES))
def judged_shape(request: pytest.FixtureRequest) -> Outcome:
    shape: Shape = request.param
    return outcome(shape)


def test_ours_is_no_worse_than_bg_nbd(judged_shape: Outcome) -> None:
    assert judged_shape.ours.log_loss < judged_shape.bg_nbd.log_loss + 0.02
    assert judged_shape.ours.brier < judged_shape.bg_nbd.brier + 0.01
    assert judged_shape.ours.auc > judged_shape.bg_nbd.auc - 0.03


def test_ours_beats_the_base_rate_and_recency(judged_shape: Outcome) -> None:
    for other in (judged_shape.base_rate, judged_shape.recency):
        assert judged_shape.ours.log_loss < other.log_loss
        assert judged_shape.ours.brier < other.brier


def test_ours_has_learned_since_day_zero(judged_shape: Outcome) -> None:
    assert judged_shape.ours.log_loss < judged_shape.day_zero.log_loss


def test_ours_ranks_the_leaving_on_top(judged_shape: Outcome) -> None:
    assert judged_shape.ours.auc > 0.55  # erratic buyers hardly can be ranked
    assert judged_shape.ours.lift_10 > 1.2


def test_ours_is_calibrated_as_far_as_so_few_can_show(judged_shape: Outcome) -> None:
    assert judged_shape.ours.calibration_error < 0.2
