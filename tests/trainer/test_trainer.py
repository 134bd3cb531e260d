import msgspec
import numpy as np
import pytest
from msgspec.structs import replace

from streamproc.core.time import DAY
from streamproc.scoring.examples import Example, Sighting, features_of
from streamproc.scoring.features import features
from streamproc.scoring.judge import log_loss
from streamproc.scoring.score import probability, score
from streamproc.scoring.snapshot import Snapshot, default_snapshot, is_finite, sample_bound, sealed
from streamproc.trainer.ring import LARGEST
from streamproc.trainer.trainer import BATCH, FAR_OFF, FRESH, FRESH_A_TICK, Refused, Trainer, _worse
from tests.scoring.made import row, stacked
from tests.trainer.shop import CONFIG, START, Shop, purchase_days, train

SPAN = 260
BOUGHT = purchase_days(160, SPAN + 60)


@pytest.fixture(scope="module")
def grown() -> tuple[Trainer, Shop, list[Snapshot | Refused | None]]:
    """A trainer after SPAN days of a small shop."""
    trainer, shop = Trainer(CONFIG), Shop(BOUGHT)
    return trainer, shop, list(train(trainer, shop, range(START + 1, START + SPAN)))


Grown = tuple[Trainer, Shop, list[Snapshot | Refused | None]]


def test_before_anything_is_known_nothing_is_said() -> None:
    trainer = Trainer(CONFIG)
    assert trainer.train(START * DAY) is None
    assert trainer.running == default_snapshot()


def test_the_prior_speaks_first_then_a_blend_then_what_was_learned(grown: Grown) -> None:
    spoken = [made.speaks for made in grown[2] if isinstance(made, Snapshot)]
    assert list(dict.fromkeys(spoken)) == ["prior", "blend", "learned"]


def test_while_the_prior_speaks_nothing_corrects_it(grown: Grown) -> None:
    for made in grown[2]:
        if isinstance(made, Snapshot) and made.speaks == "prior":
            assert not any(made.weights)
            assert (made.w0, made.w1, round(made.delta, 6)) == (0.0, 0.0, 0.0)


def test_snapshots_are_sound_sealed_and_dated(grown: Grown) -> None:
    made = [snapshot for snapshot in grown[2] if isinstance(snapshot, Snapshot)]
    assert all(is_finite(snapshot) and sealed(snapshot).id == snapshot.id for snapshot in made)
    assert [snapshot.at for snapshot in made] == sorted({snapshot.at for snapshot in made})
    assert made[-1].trained_on.examples > 500
    assert made[-1].trained_on.customers == len(BOUGHT)
    assert grown[0].running == made[-1]


def test_what_was_learned_is_better_than_day_zero(grown: Grown) -> None:
    midnight = START + SPAN
    known = {name: [day for day in days if day < midnight] for name, days in BOUGHT.items()}
    active = [name for name, days in known.items() if days and midnight - 1 - days[-1] <= CONFIG.horizon]
    rows = stacked([row(known[name], horizon=CONFIG.horizon, today=midnight - 1) for name in active])
    labels = np.array(
        [not any(midnight <= day < midnight + CONFIG.horizon for day in BOUGHT[name]) for name in active], dtype=int
    )
    losses = [
        log_loss(labels, probability(score(features(rows, snapshot), snapshot).log_odds_micro))
        for snapshot in (grown[0].running, default_snapshot())
    ]
    assert losses[0] < losses[1]


def test_the_same_inputs_give_the_same_bytes(grown: Grown) -> None:
    trainer, shop = Trainer(CONFIG), Shop(BOUGHT)
    again = list(train(trainer, shop, range(START + 1, START + SPAN)))
    assert again == grown[2]
    assert trainer.dump() == grown[0].dump()


@pytest.mark.parametrize("stop", [1, 40, 101, 200])
def test_a_trainer_goes_on_from_its_dump_as_if_nothing_had_happened(grown: Grown, stop: int) -> None:
    trainer, shop = Trainer(CONFIG), Shop(BOUGHT)
    before = list(train(trainer, shop, range(START + 1, START + stop)))
    trainer = Trainer(CONFIG, trainer.dump())
    after = list(train(trainer, shop, range(START + stop, START + SPAN)))
    assert before + after == grown[2]
    assert trainer.dump() == grown[0].dump()


def test_the_record_shows_both_models_on_the_same_labels(grown: Grown) -> None:
    told = grown[0].record()
    assert told.snapshot == grown[0].running.id
    assert told.speaks == "learned"
    assert 0.0 < told.free_share < 0.75
    assert told.standing.judged > 300
    assert told.standing.ours is not None
    assert told.standing.challenger is not None
    assert told.standing.ours.log_loss < told.standing.challenger.log_loss
    assert msgspec.json.decode(msgspec.json.encode(told))["standing"]["ours"]["auc"] > 0.5


def test_the_record_is_rebuilt_from_the_ring(grown: Grown) -> None:
    rebuilt = Trainer(CONFIG, grown[0].dump()).record()
    assert rebuilt.standing.judged > 0
    assert (rebuilt.snapshot, rebuilt.trained_on) == (grown[0].running.id, grown[0].running.trained_on)


def loaded(grown: Grown) -> Trainer:
    return Trainer(CONFIG, grown[0].dump())


def test_a_snapshot_that_is_not_finite_is_refused_and_the_last_one_stays(grown: Grown) -> None:
    trainer = loaded(grown)
    running = trainer.running
    fresh = [item for item in grown[1].day(START + SPAN) if isinstance(item, Example)]
    poisoned = [replace(e, label=1, at=e.at - 31 * DAY, weight=float("nan")) for e in fresh if e.label is None]
    trainer.absorb(poisoned)
    with np.errstate(all="ignore"):
        refused = trainer.train((START + SPAN) * DAY)
    assert isinstance(refused, Refused)
    assert refused.reason.startswith("not finite")
    assert trainer.running == running
    assert trainer.record().refused == grown[0].record().refused + 1
    trainer.absorb(grown[1].day(START + SPAN + 1))
    assert isinstance(trainer.train((START + SPAN + 1) * DAY), Snapshot)


def test_a_snapshot_that_judges_worse_is_refused(grown: Grown) -> None:
    trainer = loaded(grown)
    trainer._pair.correcting.set_posterior(*wrong(trainer))
    refused = trainer.train((START + SPAN) * DAY)
    assert isinstance(refused, Refused)
    assert refused.reason.startswith("log-loss")
    assert trainer.running == grown[0].running


def wrong(trainer: Trainer) -> tuple[tuple[str, ...], np.ndarray, np.ndarray]:
    names, mean, precision = trainer._pair.correcting.posterior()
    return names, mean + np.random.default_rng(0).normal(0.0, 1.0, len(mean)), precision


def test_sightings_bound_themselves() -> None:
    trainer = Trainer(CONFIG)
    shop = Shop({str(n): [START] for n in range(3)})
    seen = [item for item in shop.day(START + 1) if isinstance(item, Sighting)]
    trainer.absorb([replace(seen[0], customer_id=str(n), customer=n) for n in range(2_500)])
    made = trainer.train((START + 1) * DAY)
    assert isinstance(made, Snapshot)
    assert made.sample_below == sample_bound(2_000)
    assert made.trained_on.customers == 2_000


def test_what_is_kept_is_bounded() -> None:
    trainer = Trainer(CONFIG)
    fresh = next(item for item in Shop({"c": [START]}).day(START + 1) if isinstance(item, Sighting))
    one = Example(
        customer_id="c",
        at=0,
        features=bytes(2 * 39),
        repeats=0,
        recency=0,
        age=0,
        horizon=fresh.horizon,
        log_odds_micro=0,
    )
    for tick in range(12):
        many = [replace(one, customer_id=f"c{n}", at=tick * DAY) for n in range(FRESH_A_TICK + 50)]
        trainer.absorb(many)
        trainer.absorb([replace(e, label=n % 2) for n, e in enumerate(many)])
    state = trainer._state
    assert FRESH < len(state.fresh) <= 2 * FRESH
    trainer.dump()
    assert len(state.fresh) == FRESH
    assert len(trainer._ring.examples()) <= LARGEST < BATCH


def test_inactive_customers_are_passed_over() -> None:
    trainer = Trainer(CONFIG)
    before = trainer.dump()
    item = Example(
        customer_id="c", at=0, features=b"", repeats=0, recency=99, age=99, horizon=30.0, log_odds_micro=0, active=False
    )
    trainer.absorb([item, replace(item, label=1)])
    assert trainer.dump() == before


def test_a_level_that_is_far_off_is_refused_too(grown: Grown) -> None:
    trainer = loaded(grown)
    ring = trainer._ring.examples()
    told = score(features_of(ring), trainer.running).log_odds_micro / 1e6
    labels = np.array([float(example.label or 0) for example in ring])
    assert _worse(labels, told + 4.0, told, FAR_OFF) is not None
    assert _worse(labels, told + 0.2, told, FAR_OFF) is None


def test_a_season_alone_gets_no_snapshot_refused(grown: Grown) -> None:
    refused = [made for made in grown[2] if isinstance(made, Refused)]
    assert len(refused) <= 1
