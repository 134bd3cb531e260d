import msgspec
import numpy as np
import pytest

from streamproc.trainer.learner import CorrectingLogistic
from streamproc.trainer.state import Config, State, StateError, decode, encode, give_numbers, numbers_of
from streamproc.trainer.trainer import Trainer

CONFIG = Config()


def test_the_days_of_the_usual_horizon() -> None:
    config = Config(horizon=91.0)
    assert (config.training_days, config.refit_days, config.example_days, config.label_days) == (7, 23, 31, 93)


def test_the_shortest_horizon_still_trains() -> None:
    config = Config(horizon=2.0)
    assert (config.training_days, config.refit_days, config.example_days) == (1, 1, 1)


def test_state_comes_back_as_it_was() -> None:
    state = State(config=CONFIG, examples=7, refitted=12)
    assert decode(encode(state), CONFIG) == state


def test_state_that_is_none_is_refused() -> None:
    for data in (b"", b"nonsense", msgspec.msgpack.encode({"format": "x"})):
        with pytest.raises(StateError, match="cannot be read"):
            decode(data, CONFIG)


def test_state_of_a_later_version_is_refused_in_words() -> None:
    with pytest.raises(StateError, match="has format 2, this version reads 1"):
        Trainer(CONFIG, encode(State(config=CONFIG, format=2)))


def test_state_of_another_task_is_refused() -> None:
    with pytest.raises(StateError, match="made for"):
        decode(encode(State(config=CONFIG)), Config(horizon=30.0))


def test_a_new_learner_has_its_prior_and_gives_it_back() -> None:
    learner, other = CorrectingLogistic(), CorrectingLogistic()
    learner.learn_columns(("a",), np.ones((3, 1)), np.array([1.0, 0.0, 1.0]), np.zeros(3))
    give_numbers(other, numbers_of(learner))
    assert numbers_of(other) == numbers_of(learner)
    before = numbers_of(CorrectingLogistic())
    fresh = CorrectingLogistic()
    give_numbers(fresh, State(config=CONFIG).learned)
    assert numbers_of(fresh) == before
