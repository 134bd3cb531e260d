"""Examples: one a step while active, features as at T, labels once T + H + lateness is over, and no leak."""

import random
from collections import defaultdict

import msgspec
import pytest

from streamproc.core.control import Setup
from streamproc.core.lifecycle import Stage
from streamproc.core.policy import Policy
from streamproc.core.time import DAY, HOUR, day_of
from streamproc.monitor.effects import Effect, FirmTold
from streamproc.monitor.state import decode_state
from streamproc.scoring.examples import Example, customer_hash, example_step
from streamproc.testing.events import bought, on
from tests.monitor.bench import Bench
from tests.monitor.shops import Record, records

NEVER = Policy(raise_at=1.0, clear_at=0.0, escalate_at=1.0)


def fresh(bench: Bench) -> list[Example]:
    return [e for e in bench.all(Example) if e.label is None]


def labelled(bench: Bench) -> list[Example]:
    return [e for e in bench.all(Example) if e.label is not None]


def shop(horizon: int = 90, seed: int = 21, given: tuple[Record, ...] | None = None) -> Bench:
    bench = Bench(setup=Setup(at=0, horizon_days=horizon), policy=NEVER)
    bench.read(given or records(120, 500, seed))
    bench.run_to((bench.now // DAY + 1) * DAY)
    return bench


@pytest.mark.parametrize(("horizon", "step"), [(1, 1), (3, 2), (13, 5), (30, 11), (90, 31), (91, 31), (365, 122)])
def test_the_step_between_examples_is_a_third_of_what_a_label_takes(horizon: int, step: int) -> None:
    assert example_step(horizon, DAY) == step


@pytest.mark.parametrize("horizon", [1, 2, 3, 7, 13, 30, 60, 90, 91, 180, 365])
def test_the_third_example_day_after_an_example_knows_its_label(horizon: int) -> None:
    for lateness in (DAY, DAY + DAY // 2, 3 * DAY):
        step = example_step(horizon, lateness)
        assert 3 * step * DAY >= horizon * DAY + lateness > 3 * (step - 1) * DAY


def test_a_customer_in_trade_gives_one_example_a_step_on_days_of_their_own() -> None:
    bench = Bench(policy=NEVER)
    days = sorted({*range(0, 300, 17)})
    ids = [f"c{n}" for n in range(20)]
    bench.read([bought(on(day, 12), customer_id=c) for day in days for c in ids])
    bench.run_to(on(600))
    by_customer = defaultdict(list)
    for example in fresh(bench):
        by_customer[example.customer_id].append(day_of(example.at))
    for c in ids:
        phase = customer_hash(c) % 31
        first, last = day_of(on(0)), day_of(on(days[-1]))
        expected = [d for d in range(first + 1, last + 91) if d % 31 == phase]  # lost at noon of the 90th day
        assert by_customer[c] == expected
    assert len({days[0] for days in by_customer.values()}) > 5


def test_every_example_comes_back_with_its_label_and_the_same_features() -> None:
    bench = shop()
    known = {(e.customer_id, e.at): e for e in fresh(bench)}
    assert len(known) == len(fresh(bench)) > 500
    for example in labelled(bench):
        same = known[example.customer_id, example.at]
        assert msgspec.structs.replace(example, label=None) == same
    due = [e for e in fresh(bench) if e.at + 93 * DAY <= bench.now]
    gone = {c for states in bench.states for c, body in states.bodies.items() if decode_state(body).forward_to}
    assert {(e.customer_id, e.at) for e in labelled(bench)} >= {
        (e.customer_id, e.at) for e in due if e.customer_id not in gone
    }


def test_labels_say_whether_a_purchase_came_within_the_horizon() -> None:
    bench = Bench(policy=NEVER)
    days = [0, 5, 40, 41, 170, 300]
    bench.read([bought(on(day, 20)) for day in days])
    bench.run_to(on(500))
    for example in labelled(bench):
        came = any(example.at <= on(day, 20) < example.at + 90 * DAY for day in days)
        assert example.label == (0 if came else 1)
    assert {e.label for e in labelled(bench)} == {0, 1}


@pytest.mark.parametrize(("lateness", "days"), [(24 * HOUR, 93), (36 * HOUR, 93), (96 * HOUR, 96)])
def test_both_classes_are_known_at_the_same_example_day_and_never_before(lateness: int, days: int) -> None:
    bench = Bench(setup=Setup(at=0, lateness=lateness), policy=NEVER)
    given = records(80, 400, 9)
    bench.give(*given)
    delays = {0: set[int](), 1: set[int]()}
    for at in range(given[0].at // HOUR * HOUR, given[-1].at, HOUR):
        for effect in bench.run_to(at):
            if isinstance(effect, Example) and effect.label is not None:
                delays[effect.label].add(at - effect.at)
    for label in (0, 1):
        assert delays[label] == {days * DAY}


def test_at_most_three_examples_wait() -> None:
    bench = Bench(policy=NEVER)
    bench.read([bought(on(day), customer_id=f"c{n}") for day in range(0, 400, 9) for n in range(5)])
    waiting = [len(decode_state(body).decisions.pending) for body in bench.bodies().values()]
    assert max(waiting) == 3


def test_nobody_gives_examples_before_the_first_purchase_or_once_lost() -> None:
    bench = shop()
    for example in fresh(bench):
        assert example.active
        assert 0 <= example.recency <= 90
        assert example.repeats >= 0
    assert any(decode_state(b).decisions.stage is Stage.LOST for b in bench.bodies().values())


def test_features_and_decisions_at_a_time_do_not_see_what_comes_after_it() -> None:
    given = list(records(100, 400, 33))
    cut = (given[0].at // DAY + 250) * DAY
    whole = Bench(policy=NEVER)
    random.Random(1).shuffle(given)
    whole.give(*given)  # the future is there already, it only waits
    whole.run_to(cut)
    cut_off = Bench(policy=NEVER)
    cut_off.give(*(r for r in given if r.at < cut))
    cut_off.run_to(cut)
    assert len(fresh(whole)) > 200
    assert seen(whole) == seen(cut_off)
    assert whole.bodies() == cut_off.bodies()
    whole_totals, cut_totals = (bench.pipeline.partitions[0].meta.totals for bench in (whole, cut_off))
    assert whole_totals == cut_totals  # causes of losses, and dealers, among them


def seen(bench: Bench) -> list[Effect]:
    """The effects, but for facts of the firm's: these are told on as they come, whenever they hold."""
    return [effect for effect in bench.effects if not isinstance(effect, FirmTold)]


def test_a_label_does_not_depend_on_what_comes_after_its_time() -> None:
    given = records(100, 400, 33)
    whole = shop(given=given)
    until = (given[0].at // DAY + 300) * DAY
    cut_off = Bench(policy=NEVER)
    cut_off.read([r for r in given if r.at < until])
    cut_off.run_to(until)
    known = {(e.customer_id, e.at): e.label for e in labelled(whole)}
    assert len(labelled(cut_off)) > 100
    for example in labelled(cut_off):
        assert known[example.customer_id, example.at] == example.label
