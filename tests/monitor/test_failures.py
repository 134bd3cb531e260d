"""An exception in the monitor is a dead letter: all else goes on, nothing is half done, a replay does the same."""

from collections.abc import Callable
from contextlib import suppress

import msgspec
import pytest

from streamproc.core import facts as core_facts
from streamproc.core.control import ModelSnapshot
from streamproc.core.events import CustomerEvent
from streamproc.core.policy import Policy
from streamproc.core.time import DAY
from streamproc.monitor import look as looks
from streamproc.monitor import partition as under_test
from streamproc.monitor.effects import DeadLettered, Looked
from streamproc.monitor.look import Look, Scene, Scored, Visit, look_at
from streamproc.monitor.memory import MemoryStates
from streamproc.monitor.partition import Partition
from streamproc.testing.events import bought, known, on, touched
from tests.monitor.bench import Bench
from tests.monitor.shops import records


class BrokenError(Exception):
    """What the broken core raises."""


def breaking(ids: set[str]) -> Callable[[core_facts.Facts, CustomerEvent], core_facts.Taken]:
    """`facts.take`, which for some events fails after it has changed the facts."""
    take = core_facts.take

    def broken(facts: core_facts.Facts, event: CustomerEvent) -> core_facts.Taken:
        taken = take(facts, event)
        if event.event_id in ids:
            raise BrokenError("as the test wants")
        return taken

    return broken


def test_chosen_records_end_as_dead_letters_and_all_else_is_as_if_they_had_not_come(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    given = records(80, 300, 14)
    chosen = {r.event_id for n, r in enumerate(given) if n % 97 == 5 and not hasattr(r, "kind")}
    chosen -= {r.event_id for r in given if getattr(r, "alias_of", None)}
    clean = Bench()
    for record in given:
        clean.now = clean.now or record.at // DAY * DAY
        clean.run_to(record.at // 3_600_000_000 * 3_600_000_000)
        if record.event_id not in chosen:
            clean.write(record)
    monkeypatch.setattr(core_facts, "take", breaking(chosen))
    broken = Bench()
    broken.read(given)
    broken.run_to(clean.now + DAY)
    clean.run_to(clean.now + DAY)
    letters = broken.all(DeadLettered)
    assert {x.event.event_id for x in letters if x.event} == chosen
    assert len(letters) == len(chosen) > 5
    assert all(x.reason == "apply_failed" and "BrokenError: as the test wants" in x.trace for x in letters)
    told = {c for c, body in clean.bodies().items() if body != broken.bodies()[c]}
    assert told <= {x.customer_id for x in letters}  # a look more, at the tick that would have applied the event
    for customer_id in told:
        assert clean.state(customer_id).facts == broken.state(customer_id).facts
    broken.assert_totals()


def test_a_replay_ends_in_the_same_dead_letters(monkeypatch: pytest.MonkeyPatch) -> None:
    given = records(60, 200, 15)
    monkeypatch.setattr(core_facts, "take", breaking({r.event_id for r in given[100::50]}))
    bench = Bench()
    bench.read(given)
    again = Partition(0, states := MemoryStates(), observed=True)
    effects = [effect for record in bench.journal for effect in again.apply(record)]
    assert effects == bench.effects
    assert states.bodies == bench.bodies()
    assert [e for e in effects if isinstance(e, DeadLettered)]


def test_several_failures_of_one_customer_at_one_tick_leave_the_others_applied(monkeypatch: pytest.MonkeyPatch) -> None:
    events = [bought(on(0, hour)) for hour in range(6)]
    monkeypatch.setattr(core_facts, "take", breaking({events[n].event_id for n in (0, 3, 5)}))
    bench = Bench()
    bench.give(*events)
    bench.tick(on(1))
    assert [x.event for x in bench.all(DeadLettered)] == [events[0], events[3], events[5]]
    assert bench.state().facts.n_orders == 3
    assert len(bench.all(Looked)) == 1


def test_a_late_event_that_fails_leaves_the_state_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    bench.give(bought(on(0)))
    bench.tick(on(2))
    before = bench.bodies()
    late = bought(on(1, 12))
    monkeypatch.setattr(core_facts, "take", breaking({late.event_id}))
    bench.give(late)
    assert bench.bodies() == before
    assert [x.event for x in bench.all(DeadLettered)] == [late]
    assert bench.pipeline.next_work() != on(2)


def test_a_failing_alias_fact_leaves_the_id_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    fact = known(on(1), alias_of="new")
    monkeypatch.setattr(core_facts, "take", breaking({fact.event_id}))
    bench.give(bought(on(0)), fact)
    bench.tick(on(2))
    assert bench.state().forward_to is None
    assert bench.state().facts.n_orders == 1


# -------------------------------------------------------------------------------------------------- looks


def failing(monkeypatch: pytest.MonkeyPatch, customer_id: str, since: int, until: int) -> None:
    """Makes the looks at a customer fail, after they have changed the state, from one time to another."""

    def broken(visit: Visit, scored: Scored | None, scene: Scene) -> Look:
        look = look_at(visit, scored, scene)
        if visit.customer_id == customer_id and since <= scene.context.at < until:
            raise BrokenError("as the test wants")
        return look

    monkeypatch.setattr(under_test, "look_at", broken)


def test_a_look_that_fails_leaves_the_state_as_the_events_left_it(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    bench.give(bought(on(0)), bought(on(0), customer_id="d"))
    bench.tick(on(1))
    failing(monkeypatch, "c", on(1), on(3))
    before = bench.state()
    bench.give(bought(on(1)))
    bench.tick(on(2))
    [letter] = bench.all(DeadLettered)
    assert (letter.reason, letter.customer_id, letter.at, letter.event) == ("look_failed", "c", on(2), None)
    assert "BrokenError" in letter.trace
    after = bench.state()
    assert after.facts.n_orders == 2
    assert (after.decisions.stage, after.decisions.looked_at) == (before.decisions.stage, before.decisions.looked_at)
    assert after.decisions.counted == before.decisions.counted
    bench.assert_totals()


def test_a_look_that_failed_is_made_again_without_the_customer_doing_anything(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = Bench()
    failing(monkeypatch, "c", on(1), on(10))
    bench.give(bought(on(0)))
    bench.tick(on(1))
    assert bench.all(Looked) == []
    bench.run_to(on(60))
    assert bench.all(Looked)[0].at <= on(31)
    assert bench.state().decisions.calm_log_odds is not None
    bench.assert_totals()


def test_a_look_that_failed_loses_no_example_and_no_label(monkeypatch: pytest.MonkeyPatch) -> None:
    plain, hurt = Bench(), Bench()
    given = [bought(on(day)) for day in range(0, 200, 20)]
    plain.read(given)
    failing(monkeypatch, "c", on(100), on(110))
    hurt.read(given)
    for bench in (plain, hurt):
        bench.run_to(on(330))
        bench.assert_totals()
    assert len(hurt.all(DeadLettered)) >= 1
    stages = {bench.state().decisions.stage for bench in (plain, hurt)}
    assert len(stages) == 1


def test_one_customer_whose_figures_cannot_be_made_stops_no_other(monkeypatch: pytest.MonkeyPatch) -> None:
    score_all = looks.score_all

    def broken(buyers: list[Visit], at: int, snapshot: object) -> Scored | None:
        if any(b.customer_id == "c" for b in buyers):
            raise BrokenError("as the test wants")
        return score_all(buyers, at, snapshot)  # type: ignore[arg-type]

    monkeypatch.setattr(looks, "score_all", broken)
    bench = Bench(policy=Policy())
    bench.give(bought(on(0)), bought(on(0), customer_id="d"), touched(on(0), customer_id="e"))
    bench.tick(on(1))
    assert [x.customer_id for x in bench.all(DeadLettered)] == ["c"]
    assert [x.customer_id for x in bench.all(Looked)] == ["d", "e"]
    bench.assert_totals()


def test_facts_that_cannot_be_taken_over_are_a_dead_letter(monkeypatch: pytest.MonkeyPatch) -> None:
    def broken(*_: core_facts.Facts) -> None:
        raise BrokenError("as the test wants")

    monkeypatch.setattr(core_facts, "merge", broken)
    bench = Bench()
    bench.give(bought(on(0)), bought(on(0), customer_id="old"), known(on(1), customer_id="old", alias_of="c"))
    bench.tick(on(2))
    [letter] = bench.all(DeadLettered)
    assert (letter.reason, letter.customer_id) == ("apply_failed", "c")
    assert bench.state().facts.n_orders == 1
    bench.run_to(on(3))
    bench.assert_totals()


def test_a_snapshot_that_is_not_finite_never_comes_into_force() -> None:
    bench = Bench()
    [part] = bench.pipeline.partitions
    good = part.meta.snapshot
    bad = msgspec.json.encode(good).replace(b'"w0":0.0', b'"w0":1e999')
    assert bad != msgspec.json.encode(good)
    with suppress(msgspec.ValidationError):
        bench.write(ModelSnapshot(at=0, snapshot=msgspec.Raw(bad)))
    short = msgspec.structs.replace(good, weights=(0.0,))
    bench.write(ModelSnapshot(at=0, snapshot=msgspec.Raw(msgspec.json.encode(short))))
    assert part.meta.snapshot == good
