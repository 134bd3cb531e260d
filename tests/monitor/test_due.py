"""Silence is seen: due times of a past are midnights after the look; nobody who is not due costs anything."""

from datetime import date
from itertools import pairwise

import pytest

from streamproc.core.control import Tick
from streamproc.core.facts import new_facts, take
from streamproc.core.policy import Policy
from streamproc.core.time import DAY
from streamproc.monitor.effects import Looked, Transition, WouldWarn
from streamproc.monitor.schedule import next_example, next_silence_look, usual_gap
from streamproc.monitor.state import decode_state
from streamproc.testing.events import START_DAY, bought, on, touched
from tests.monitor.bench import Bench
from tests.monitor.shops import records

NEVER = Policy(raise_at=1.0, clear_at=0.0, escalate_at=1.0)


def test_a_customer_who_does_nothing_more_is_looked_at_until_lost_for_ever() -> None:
    bench = Bench(policy=NEVER)
    bench.read([bought(on(0, 8)), bought(on(10, 8))])
    bench.run_to(on(1_000))
    days = [(look.at - on(0)) / DAY for look in bench.all(Looked)]
    silent = [day for day in days if day > 11]
    assert all(day == int(day) for day in silent)
    assert all(b - a <= 30 for a, b in pairwise([11.0, *[d for d in silent if d <= 101]]))
    assert silent[-2:] == [101.0, 466.0]  # lost, and lost for ever
    assert bench.pipeline.next_work() is None


def test_cancelled_orders_are_no_rhythm() -> None:
    facts = new_facts()
    for day in (0, 30, 60):
        take(facts, bought(on(day)))
    assert usual_gap(facts, 90) == 30
    for day in (31, 61, 62, 63):
        take(facts, bought(on(day), cancelled=True))
    assert usual_gap(facts, 90) == 30


def test_a_prospect_who_asks_no_more_is_no_target_though_nothing_happens() -> None:
    bench = Bench(policy=NEVER)
    bench.give(touched(on(0), purpose="inquiry"), touched(on(1), purpose="inquiry"))
    bench.run_to(on(200))
    assert [(t.after.code, t.at) for t in bench.all(Transition)] == [("target", on(1, 1)), ("potential", on(91))]
    assert bench.pipeline.next_work() is None
    bench.assert_totals()


def test_silence_alone_raises_a_warning() -> None:
    bench = Bench(policy=Policy(raise_at=0.5, clear_at=0.3, escalate_at=0.9))
    bench.read([bought(on(day)) for day in range(0, 100, 10)])
    bench.run_to(on(400))
    [warning] = bench.all(WouldWarn)
    assert on(100) < warning.at < on(180)
    assert warning.at % DAY == 0


def test_due_times_are_midnights_after_the_look_for_every_customer_of_a_shop() -> None:
    bench = Bench(policy=Policy(raise_at=0.4, clear_at=0.3))
    given = records(100, 300, 6)
    bench.read(given)
    bench.run_to(given[-1].at // DAY * DAY + DAY)
    [states] = bench.states
    due = states._due
    assert len(due) > 50
    for at in due.values():
        assert at % DAY == 0
        assert at > bench.now
    for customer_id, body in states.bodies.items():
        decisions = decode_state(body).decisions
        if decisions.pending or decisions.episodes or decisions.stage.code in {"first_time", "repeat", "loyal", "lost"}:
            assert customer_id in due


def test_a_tick_with_nobody_due_touches_no_state() -> None:
    bench = Bench(policy=NEVER)
    bench.give(*(bought(on(0), customer_id=f"c{n}") for n in range(50)))
    bench.tick(on(1))
    [states] = bench.states
    reads: list[str] = []

    class Watched(type(states)):  # type: ignore[misc]
        def get(self, customer_id: str) -> bytes | None:
            reads.append(customer_id)
            return None

    states.__class__ = Watched
    next_work = bench.pipeline.next_work()
    assert next_work is not None
    effects = bench.pipeline.apply(Tick(at=next_work - DAY + 1)).effects
    assert (effects, reads) == ([], [])


def test_prospects_are_never_due() -> None:
    bench = Bench()
    bench.give(touched(on(0), purpose="inquiry"))
    bench.tick(on(1))
    assert bench.pipeline.next_work() is None


@pytest.mark.parametrize(("gap", "first"), [(1, 2), (8, 10), (20, 25), (60, 30)])
def test_the_first_look_at_a_silence_is_a_quarter_over_the_usual_gap_or_a_third_of_the_horizon(
    gap: int, first: int
) -> None:
    bench = Bench(policy=NEVER)
    bench.give(*(bought(on(n * gap)) for n in range(5)))
    bench.tick(on(4 * gap, 1))
    facts = bench.state().facts
    last = START_DAY + 4 * gap
    assert next_silence_look(facts, last, 90) == last + first


def test_looks_at_a_silence_grow_apart_and_end_after_a_year() -> None:
    bench = Bench(policy=NEVER)
    bench.give(bought(on(0)))
    bench.tick(on(0, 1))
    facts = bench.state().facts
    day, seen = START_DAY, []
    while (later := next_silence_look(facts, day, 90)) is not None:
        seen.append(later - START_DAY)
        day = later
    steps = [b - a for a, b in pairwise(seen)]
    assert steps == sorted(steps)
    assert max(steps) == 30
    assert 365 < seen[-1] <= 420


@pytest.mark.parametrize("step", [1, 9, 28])
def test_example_days_are_a_step_apart(step: int) -> None:
    for phase in range(step):
        for day in range(60):
            found = next_example(phase, step, day)
            assert day < found <= day + step
            assert found % step == phase


def test_the_day_the_tests_count_from() -> None:
    assert date.fromordinal(date(1970, 1, 1).toordinal() + START_DAY) == date(2024, 10, 4)
