"""Somebody is forgotten: nothing of them is left, what is old is not taken again, and nobody else notices."""

import random

import pytest
from msgspec.structs import replace

from streamproc.core.control import Disposition, Forget, Handover, Tick
from streamproc.core.events import CustomerEvent
from streamproc.core.ids import mark_of, partition_of
from streamproc.core.policy import Policy
from streamproc.core.time import DAY, HOUR
from streamproc.monitor.effects import Forgotten, OfForgotten
from streamproc.monitor.partition import FORGOTTEN_KEPT
from streamproc.monitor.state import encode_facts
from streamproc.testing.events import bought, complained, known, on, touched
from tests.monitor.bench import Bench

ALWAYS = Policy(raise_at=0.0, clear_at=0.0, escalate_at=1.0, minimum_silence=0.0)
GONE = "c3"


def shop(seed: int = 1) -> list[CustomerEvent]:
    rng = random.Random(seed)
    made: list[CustomerEvent] = []
    for number in range(8):
        name = f"c{number}"
        made += [bought(on(day, number), rng.randrange(100, 900), customer_id=name) for day in rng.sample(range(99), 6)]
        made.append(complained(on(rng.randrange(99), 2), customer_id=name, complaint_id=f"k-{name}"))
        made.append(touched(on(rng.randrange(99), 3), customer_id=name))
    return sorted(made, key=lambda e: (e.at, e.customer_id))


def forget(bench: Bench, customer_id: str, at: int) -> None:
    bench.give(
        Forget(at=at, who=mark_of(customer_id)), Forget(at=at, who=mark_of(customer_id), customer_id=customer_id)
    )


@pytest.mark.parametrize("partitions", [1, 3])
@pytest.mark.parametrize("when", [20, 60, 130])
def test_nothing_of_them_is_left_and_nobody_else_notices(partitions: int, when: int) -> None:
    bench, without = (Bench(policy=ALWAYS, partitions=partitions) for _ in range(2))
    events = shop()
    bench.read([e for e in events if e.at < on(when)])
    bench.give(bought(bench.now + 5 * HOUR, customer_id=GONE))  # waits for its tick
    forget(bench, GONE, on(200))
    assert GONE not in bench.bodies()
    assert all(GONE not in part._waiting for part in bench.pipeline.partitions)
    bench.read([e for e in events if e.at >= on(when)])
    without.read([e for e in events if e.customer_id != GONE])
    for one in (bench, without):
        one.run_to(on(160))
    assert bench.bodies() == without.bodies()
    bench.assert_totals()
    assert [e.at for e in bench.all(Forgotten)] == [on(200)]


def test_a_journal_without_them_gives_the_same() -> None:
    bench = Bench(policy=ALWAYS)
    bench.read(shop())
    forget(bench, GONE, on(200))
    bench.run_to(on(160))
    again = Bench(policy=ALWAYS)
    for record in bench.journal[3:]:
        if getattr(record, "customer_id", None) != GONE:
            again.entries += again.pipeline.apply(record).entries
    assert again.bodies() == bench.bodies()
    assert again.entries == [entry for entry in bench.entries if entry.customer_id != GONE]
    assert again.pipeline.partitions[0].meta.forgotten == {mark_of(GONE): on(200)}


def test_what_is_old_is_not_taken_again_and_what_is_new_is_somebody_new() -> None:
    bench = Bench()
    events = [e for e in shop() if e.customer_id == GONE]
    bench.read(events)
    forget(bench, GONE, on(100))
    made = bench.give(*events, bought(on(100) - 1, customer_id=GONE), known(on(99), customer_id=GONE))
    assert made == [OfForgotten(e.at) for e in events] + [OfForgotten(on(100) - 1), OfForgotten(on(99))]
    assert GONE not in bench.bodies()
    bench.read([bought(on(100), customer_id=GONE)])
    bench.run_to(on(102))
    assert bench.state(GONE).facts.n_days == 1


def test_an_alias_is_forgotten_with_its_id() -> None:
    bench = Bench(partitions=2)
    bench.read(
        [
            bought(on(1), customer_id="old"),
            bought(on(2), customer_id="new"),
            known(on(3), customer_id="old", alias_of="new"),
        ]
    )
    bench.run_to(on(4))
    for name in ("old", "new"):
        forget(bench, name, on(4))
    assert bench.bodies() == {}
    assert {partition_of(name, 2) for name in ("old", "new")} <= {0, 1}
    bench.read([bought(on(5), customer_id="old")])
    bench.run_to(on(6))
    assert bench.state("old").forward_to is None


def test_what_was_on_its_way_when_they_were_forgotten_brings_nothing_back() -> None:
    """Another partition's or the desk's answer may come behind the record that asks to forget them."""
    bench = Bench()
    bench.read([bought(on(1), customer_id=GONE)])
    bench.run_to(on(2))
    facts = encode_facts(bench.state(GONE).facts)
    forget(bench, GONE, on(9))
    handed = Handover(at=on(3), customer_id=GONE, alias="old", facts=facts)
    answered = Disposition(at=on(3), customer_id=GONE, warning_id="w-1", outcome="raised")
    assert bench.give(answered, handed) == []
    bench.run_to(on(8))
    assert bench.bodies() == {}
    bench.give(replace(handed, at=on(10)))
    assert bench.state(GONE).facts.n_days == 1


def test_the_marks_are_bounded() -> None:
    bench = Bench()
    for number in range(FORGOTTEN_KEPT + 3):
        bench.pipeline.apply(Forget(at=number, who=str(number)))
    kept = bench.pipeline.partitions[0].meta.forgotten
    assert (len(kept), next(iter(kept))) == (FORGOTTEN_KEPT, "3")
    assert bench.pipeline.apply(Tick(at=DAY)).effects
