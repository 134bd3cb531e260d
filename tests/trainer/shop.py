"""A made base of customers, and what a monitor would hand to the trainer about them."""

from collections.abc import Iterator

import numpy as np
from msgspec.structs import replace

from streamproc.core.time import DAY
from streamproc.scoring.examples import Example, Sighting, customer_hash, example_of, sighting_of
from streamproc.scoring.features import features
from streamproc.scoring.score import score
from streamproc.scoring.snapshot import Snapshot, default_snapshot
from streamproc.trainer.fit import Histories, histories
from streamproc.trainer.state import Config
from streamproc.trainer.trainer import Refused, Trainer
from tests.scoring.made import buyers_of, row, stacked

CONFIG = Config(horizon=30.0, lateness=1.0)
START = 18_000


def purchase_days(customers: int, span: int, seed: int = 0, regular: int = 2) -> dict[str, list[int]]:
    """Customers join over time, buy by their own rhythm, and some stop."""
    random = np.random.default_rng(seed)
    bought = {}
    for c in range(customers):
        mean, stop = np.exp(random.normal(2.3, 0.6)), random.beta(1.0, 9.0)
        day, days = START + int(random.integers(0, span // 2)), []
        while day < START + span:
            days.append(day)
            if random.random() < stop:
                break
            day += max(1, round(mean * random.gamma(regular, 1 / regular)))
        bought[f"customer-{c}"] = days
    return bought


class Shop:
    """Emits, day by day, what the contract says: sightings at purchases, fresh examples, labels when due."""

    def __init__(self, bought: dict[str, list[int]], config: Config = CONFIG) -> None:
        self.bought = bought
        self.config = config
        self.snapshot: Snapshot = default_snapshot()
        self._due: dict[int, list[Example]] = {}

    def day(self, midnight: int) -> list[Example | Sighting]:
        """The inputs of the tick at midnight before day `midnight`, sorted as promised."""
        wait, step = self.config.label_days, self.config.example_days
        told: list[Example | Sighting] = self._due.pop(midnight, [])  # type: ignore[assignment]
        told = list(told)
        some, names = [], []
        for customer, all_days in self.bought.items():
            days = [day for day in all_days if day < midnight]
            if not days:
                continue
            one = row(days, horizon=self.config.horizon, today=midnight - 1)
            hashed = customer_hash(customer)
            if days[-1] == midnight - 1 and hashed < self.snapshot.sample_below:
                told.append(sighting_of(buyers_of(one)[0], customer, hashed))
            if hashed % step == midnight % step and midnight - 1 - days[-1] <= self.config.horizon:
                some.append(one)
                names.append(customer)
        if some:
            made = features(stacked(some), self.snapshot)
            micro = score(made, self.snapshot).log_odds_micro
            fresh = [example_of(made, i, name, midnight * DAY, int(micro[i])) for i, name in enumerate(names)]
            self._due[midnight + wait] = [replace(e, label=self._label(e.customer_id, midnight)) for e in fresh]
            told += fresh
        return sorted(told, key=lambda item: (item.customer_id, item.at if isinstance(item, Example) else 0))

    def _label(self, customer: str, midnight: int) -> int:
        end = midnight + self.config.horizon
        return int(not any(midnight <= day < end for day in self.bought[customer]))


def train(trainer: Trainer, shop: Shop, days: range) -> Iterator[Snapshot | Refused | None]:
    """Run both over `days`; what came of each training."""
    for midnight in days:
        trainer.absorb(shop.day(midnight))
        if midnight % trainer.config.training_days == 0:
            made = trainer.train(midnight * DAY)
            if isinstance(made, Snapshot):
                shop.snapshot = made
            yield made


def simulated(n: int, seed: int, *, r: float, alpha: float, a: float, b: float, k: int = 1) -> Histories:
    """Customers who behave as BG/CNBD-k says."""
    random = np.random.default_rng(seed)
    ages, repeats, last, log_gaps = random.uniform(1.0, 6.0, n), np.zeros(n), np.zeros(n), 0.0
    for i in range(n):
        rate, stop = random.gamma(r, 1 / alpha), random.beta(a, b)
        while True:
            gap = random.gamma(k, 1 / rate)
            if last[i] + gap > ages[i]:
                break
            last[i], repeats[i], log_gaps = last[i] + gap, repeats[i] + 1, log_gaps + np.log(gap)
            if random.random() < stop:
                break
    return histories(repeats, last, ages, float(log_gaps))
