"""What a trainer knows at an instant comes from before it, and from nothing but its inputs."""

import numpy as np
import pytest
from msgspec.structs import replace

from streamproc.core.time import DAY
from streamproc.scoring.examples import Example, Sighting
from streamproc.scoring.snapshot import Snapshot
from streamproc.trainer.trainer import Refused, Trainer
from tests.trainer.shop import CONFIG, START, Shop, purchase_days, train

SPAN = 150
BOUGHT = purchase_days(60, SPAN + 60, seed=3)

Made = list[Snapshot | Refused | None]


@pytest.fixture(scope="module")
def whole() -> Made:
    """Everything that came of training over SPAN days."""
    return list(train(Trainer(CONFIG), Shop(BOUGHT), range(START + 1, START + SPAN)))


@pytest.mark.parametrize("end", [20, 70, 110])
def test_a_feed_cut_off_gives_the_same_snapshots_up_to_there(whole: Made, end: int) -> None:
    past = {name: [day for day in days if day < START + end] for name, days in BOUGHT.items()}
    shop = Shop({name: days for name, days in past.items() if days})
    made = list(train(Trainer(CONFIG), shop, range(START + 1, START + end + 1)))
    assert made == whole[: len(made)]


def test_a_label_teaches_only_once_it_is_known() -> None:
    wait = CONFIG.label_days
    trainer, shop = Trainer(CONFIG), Shop(purchase_days(250, SPAN))
    made = [m for m in train(trainer, shop, range(START + 1, START + wait + 1)) if isinstance(m, Snapshot)]
    assert made
    assert all(snapshot.trained_on.examples == 0 for snapshot in made)


def test_both_labels_come_after_the_same_wait() -> None:
    shop, waits = Shop(BOUGHT), set()
    for midnight in range(START + 1, START + 120):
        for item in shop.day(midnight):
            if isinstance(item, Example) and item.label is not None:
                waits.add((item.label, midnight - item.at // DAY))
    assert waits == {(0, 33), (1, 33)}


def test_other_labels_of_the_future_change_nothing_yet(whole: Made) -> None:
    trainer, shop = Trainer(CONFIG), Shop(BOUGHT)
    turn = START + 90
    made: Made = []
    for midnight in range(START + 1, START + SPAN):
        inputs = shop.day(midnight)
        if midnight >= turn:
            inputs = [turned(item) for item in inputs]
        trainer.absorb(inputs)
        if midnight % CONFIG.training_days == 0:
            made.append(trainer.train(midnight * DAY))
            if isinstance(made[-1], Snapshot):
                shop.snapshot = made[-1]
    before = sum(midnight % CONFIG.training_days == 0 for midnight in range(START + 1, turn))
    assert made[:before] == whole[:before]
    assert made[before + 1 :] != whole[before + 1 :]


def turned(item: Example | Sighting) -> Example | Sighting:
    """The same example with the opposite label."""
    if isinstance(item, Example) and item.label is not None:
        return replace(item, label=1 - item.label)
    return item


def test_ids_of_customers_tell_nothing() -> None:
    """Other names sample other customers where a bound bites; here none does, so only phases may differ."""
    trainer = Trainer(CONFIG)
    other = Trainer(CONFIG)
    shop = Shop(BOUGHT)
    for midnight in range(START + 1, START + 60):
        inputs = shop.day(midnight)
        trainer.absorb(inputs)
        other.absorb([renamed(item) for item in inputs])
    made, same = trainer.train((START + 60) * DAY), other.train((START + 60) * DAY)
    assert isinstance(made, Snapshot)
    assert isinstance(same, Snapshot)
    assert same.prior.r == pytest.approx(made.prior.r)
    assert np.allclose(same.weights, made.weights)
    assert np.allclose(same.means, made.means)


def renamed(item: Example | Sighting) -> Example | Sighting:
    return replace(item, customer_id=f"x{item.customer_id}")
