"""A customer's way through the lifecycle: every transition is an effect, at its time, and none is said twice."""

from streamproc.core.control import Setup
from streamproc.core.lifecycle import Stage
from streamproc.core.policy import Policy
from streamproc.monitor.effects import Looked, Transition
from streamproc.testing.events import bought, on, touched
from tests.monitor.bench import Bench
from tests.monitor.shops import records

NEVER = Policy(raise_at=1.0, clear_at=0.0, escalate_at=1.0)


def moves(bench: Bench) -> list[tuple[str, str, int]]:
    return [(t.before.code, t.after.code, t.at) for t in bench.all(Transition)]


def test_the_whole_way_from_prospect_to_lost_for_ever() -> None:
    bench = Bench(policy=NEVER)
    days = [20, 70, 120, 170, 220]
    bench.read([touched(on(0), purpose="inquiry"), touched(on(5), purpose="sales"), *(bought(on(day)) for day in days)])
    bench.run_to(on(800))
    hour = on(0, 1) - on(0)
    assert moves(bench) == [
        ("potential", "target", on(5) + hour),
        ("target", "first_time", on(20) + hour),
        ("first_time", "repeat", on(70) + hour),
        ("repeat", "loyal", on(220) + hour),
        ("loyal", "lost", on(310)),
        ("lost", "permanently_lost", on(675)),
    ]
    assert not any(t.won_back for t in bench.all(Transition))


def test_a_lost_customer_who_buys_again_is_won_back() -> None:
    bench = Bench(policy=NEVER)
    bench.read([bought(on(0)), bought(on(200))])
    bench.run_to(on(201))
    assert [(t.before, t.after, t.won_back) for t in bench.all(Transition)] == [
        (Stage.POTENTIAL, Stage.FIRST_TIME, False),
        (Stage.FIRST_TIME, Stage.LOST, False),
        (Stage.LOST, Stage.REPEAT, True),
    ]


def test_even_one_lost_for_ever_can_be_won_back() -> None:
    bench = Bench(policy=NEVER)
    bench.read([bought(on(0)), bought(on(1_000))])
    bench.run_to(on(1_001))
    last = bench.all(Transition)[-1]
    assert (last.before, last.after, last.won_back) == (Stage.PERMANENTLY_LOST, Stage.REPEAT, True)


def test_who_turns_out_never_to_have_bought_is_not_won_back() -> None:
    bench = Bench(policy=NEVER)
    bench.read([bought(on(0))])
    bench.run_to(on(100))
    bench.give(bought(on(100), order_id=f"o{on(0)}", revision=1, cancelled=True))
    bench.run_to(on(101))
    last = bench.all(Transition)[-1]
    assert (last.before, last.after, last.won_back) == (Stage.LOST, Stage.POTENTIAL, False)


def test_a_termination_loses_at_the_tick_that_passes_it() -> None:
    bench = Bench(policy=NEVER)
    bench.read([bought(on(0)), touched(on(3, 4.5), result="terminated")])
    bench.run_to(on(4))
    assert moves(bench)[-1] == ("first_time", "lost", on(3, 5))


def test_each_kind_of_customer_has_its_own_horizon() -> None:
    bench = Bench(setup=Setup(at=0, horizon_days=90, horizons={"business": 200, "consumer": 30}), policy=NEVER)
    bench.read(
        [
            bought(on(0), customer_id="firm", customer_kind="business"),
            bought(on(0), customer_id="person", customer_kind="consumer"),
            bought(on(0), customer_id="who"),
        ]
    )
    bench.run_to(on(300))
    lost = {t.customer_id: t.at for t in bench.all(Transition) if t.after is Stage.LOST}
    assert lost == {"person": on(30), "who": on(90), "firm": on(200)}


def test_transitions_follow_on_each_other_for_every_customer_of_a_shop() -> None:
    bench = Bench()
    bench.read(records(150, 500, 11))
    stages: dict[str, Stage] = {}
    for effect in bench.effects:
        if isinstance(effect, Transition):
            assert effect.before is stages.get(effect.customer_id, Stage.POTENTIAL)
            assert effect.after is not effect.before
            stages[effect.customer_id] = effect.after
        elif isinstance(effect, Looked):
            assert effect.stage is stages.get(effect.customer_id, Stage.POTENTIAL)
    assert len(set(stages.values())) >= 5
