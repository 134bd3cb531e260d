import numpy as np
import pytest
from msgspec.structs import replace

from streamproc.scoring.examples import Example, pack
from streamproc.scoring.layout import FEATURE_NAMES
from streamproc.trainer.watch import WINDOW, Watch


def examples(n: int, seed: int = 0, *, rate: float = 0.4, recency: float = 0.0, told: float = 2.0) -> list[Example]:
    """Customers of whom the first feature tells `told` log-odds, which our scores know."""
    random = np.random.default_rng(seed)
    made = []
    for i in range(n):
        x = random.normal(0.0, 1.0, len(FEATURE_NAMES))
        x[0] += recency
        log_odds = told * x[0] + float(np.log(rate / (1 - rate)))
        made.append(
            Example(
                customer_id=f"{seed}-{i}",
                at=i,
                features=pack((np.clip(x, -3, 3) * 8192).astype(np.int16)),
                repeats=1,
                recency=3,
                age=30,
                horizon=30.0,
                log_odds_micro=int(log_odds * 1e6),
                label=int(random.random() < 1 / (1 + np.exp(-log_odds))),
            )
        )
    return made


def test_before_any_label_there_is_nothing_to_tell() -> None:
    told = Watch().record()
    assert (told.judged, told.ours, told.challenger) == (0, None, None)
    assert not any(told.drifts.values())


def test_both_are_judged_on_the_same_labels() -> None:
    told = Watch(examples(1_500)).record()
    assert told.ours is not None
    assert told.challenger is not None
    assert told.judged == 1_500
    assert told.base_rate == pytest.approx(0.4, abs=0.1)
    assert told.ours.auc > 0.75
    assert told.ours.log_loss < told.challenger.log_loss < 0.75
    assert told.ours.brier < 0.25
    assert told.ours.calibration_error < 0.06


def test_the_challenger_learns() -> None:
    watch = Watch(examples(1_500, told=3.0))
    told = watch.record().challenger
    assert told is not None
    assert told.auc > 0.75


def test_what_has_no_label_is_not_judged() -> None:
    watch = Watch([replace(e, label=None) for e in examples(20)])
    watch.see([])
    assert watch.record().judged == 0


def test_figures_are_over_the_newest() -> None:
    watch = Watch(examples(WINDOW, rate=0.1))
    watch.see(examples(WINDOW, seed=1, rate=0.9))
    assert watch.record().judged == WINDOW
    assert watch.record().base_rate > 0.7


def test_a_change_of_the_customers_is_noticed_and_steadiness_is_not() -> None:
    steady = Watch(examples(1_200) + examples(1_200, seed=1)).record().drifts
    moved = Watch(examples(1_200) + examples(1_200, seed=1, recency=2.0)).record().drifts
    assert steady["recency"] == 0
    assert moved["recency"] > 0
    assert moved["base_rate"] > 0
    assert moved["age"] == 0


def test_scores_that_go_wrong_are_noticed() -> None:
    wrong = [replace(e, log_odds_micro=e.log_odds_micro + 3_000_000) for e in examples(1_200, seed=1)]
    drifts = Watch(examples(1_200) + wrong).record().drifts
    assert drifts["calibration"] > 0
    assert drifts["recency"] == 0


def test_rebuilt_from_the_same_examples_it_tells_the_same() -> None:
    some = examples(600)
    parts = Watch()
    for start in range(0, 600, 50):
        parts.see(some[start : start + 50])
    assert parts.record() == Watch(some).record()
