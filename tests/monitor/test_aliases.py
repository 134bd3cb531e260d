"""Aliases: facts are handed over, stragglers forwarded, and looks equal those of one id from the start."""

import random
from typing import Any

import msgspec
import pytest

from streamproc.core.control import Handover
from streamproc.core.events import CustomerEvent, DeskStep, Purchase
from streamproc.core.policy import Outcome, Policy
from streamproc.core.time import DAY, FOREVER, HOUR
from streamproc.monitor.effects import DeadLettered, EpisodeChanged, LateEvent, Looked, WouldWarn
from streamproc.testing.events import bought, complained, known, on, touched
from tests.monitor.bench import Bench
from tests.monitor.shops import records

NEVER = Policy(raise_at=1.0, clear_at=0.0, escalate_at=1.0)
ALWAYS = Policy(raise_at=0.0, clear_at=0.0, escalate_at=1.0, minimum_silence=0.0)
DECIDED = {"stake": 0, "expected_loss": 0}
"""Figures that rest on a decision (the risk at the look that applied the last purchase), not on facts alone."""


def history(seed: int) -> list[CustomerEvent]:
    """A year of one customer, with complaints, contacts and a correction."""
    rng = random.Random(seed)
    days = sorted(rng.sample(range(360), 22))
    made: list[CustomerEvent] = [bought(on(day, rng.randrange(24)), rng.randrange(500, 9_000)) for day in days]
    made += [complained(on(d, 3), complaint_id=f"k{d}") for d in rng.sample(range(360), 4)]
    made += [touched(on(d, 5), rng.choice(["in", "out"]), purpose="inquiry") for d in rng.sample(range(360), 5)]
    wrong = rng.choice([e for e in made if isinstance(e, Purchase)])
    made.append(bought(wrong.at + 3 * HOUR, 123, order_id=wrong.order_id, revision=1, event_id="corrected"))
    return sorted(made, key=lambda e: e.at)


def looks(bench: Bench, since: int) -> dict[int, tuple[Any, ...]]:
    return {
        look.at: (
            look.stage,
            None if look.figures is None else msgspec.structs.replace(look.figures, **DECIDED),
            look.groups,
        )
        for look in bench.all(Looked, "new")
        if look.at > since
    }


@pytest.mark.parametrize("seed", range(6))
@pytest.mark.parametrize("partitions", [1, 4])
def test_after_the_handover_all_looks_equal_those_of_one_id_from_the_start(seed: int, partitions: int) -> None:
    rng = random.Random(seed)
    told = history(seed)
    named = on(rng.randrange(100, 300), 7.3)
    one, two = Bench(policy=NEVER), Bench(policy=NEVER, partitions=partitions)
    fact = known(named, customer_id="old", alias_of="new")
    one.read([msgspec.structs.replace(e, customer_id="new") for e in told])
    split = [msgspec.structs.replace(e, customer_id=rng.choice(["old", "new"])) for e in told]
    two.read(sorted([*split, fact], key=lambda e: e.at))
    for bench in (one, two):
        bench.run_to(on(700))
    handed = named // HOUR * HOUR + HOUR
    expected, got = looks(one, handed), looks(two, handed)
    both = expected.keys() & got.keys()
    assert len(both) >= len(expected) - 1 > 10
    assert {at: got[at] for at in both} == {at: expected[at] for at in both}
    assert two.state("new").facts == one.state("new").facts
    assert two.state("old").forward_to == "new"
    two.assert_totals()


def test_an_alias_is_handed_over_at_the_tick_of_its_fact_and_looked_at_by_the_next() -> None:
    bench = Bench(policy=NEVER)
    bench.read(
        [
            bought(on(0), customer_id="old"),
            bought(on(1), customer_id="new"),
            known(on(2), customer_id="old", alias_of="new"),
        ]
    )
    bench.run_to(on(2, 2))
    [record] = [r for r in bench.journal if isinstance(r, Handover)]
    assert (record.customer_id, record.alias, record.at) == ("new", "old", on(2, 1))
    last = bench.all(Looked, "new")[-1]
    assert last.at == on(2, 2)
    assert last.figures is not None
    assert last.figures.orders == 2


def test_stragglers_go_on_at_once_and_are_in_time_at_the_new_id() -> None:
    bench = Bench(policy=NEVER)
    bench.give(known(on(0), customer_id="old", alias_of="new"))
    bench.tick(on(1))
    bench.give(bought(on(2), customer_id="old"))
    assert bench.all(LateEvent) == []
    bench.tick(on(3))
    assert bench.state("new").facts.n_days == 1
    assert bench.all(Looked)[-1].at == on(3)


def test_what_waits_at_an_alias_goes_on_with_the_handover() -> None:
    bench = Bench(policy=NEVER)
    bench.give(
        known(on(0, 1), customer_id="old", alias_of="new"),
        bought(on(0, 2), customer_id="old"),
        bought(on(5), customer_id="old"),
    )
    bench.tick(on(1))
    assert bench.pipeline.next_work() == on(1)  # the order of day 0 came late to the new id, that of day 5 waits there
    bench.run_to(on(6))
    assert bench.state("new").facts.n_days == 2
    [part] = bench.pipeline.partitions
    assert part.waiting_changes() == {"new": [], "old": []}


def test_the_open_episode_of_an_alias_is_withdrawn_without_a_verdict() -> None:
    bench = Bench(policy=ALWAYS)
    bench.give(bought(on(0), customer_id="old"), bought(on(1), customer_id="old"))
    bench.tick(on(3))
    bench.give(known(on(3), customer_id="old", alias_of="new"))
    bench.run_to(on(120))
    [change] = bench.all(EpisodeChanged, "old")
    assert (change.change, change.why, change.at) == ("withdrawn", "alias", on(3, 1))
    assert [w.customer_id for w in bench.all(WouldWarn)] == ["old", "new"]
    bench.assert_totals()


def test_a_late_alias_fact_hands_over_at_once() -> None:
    bench = Bench(policy=ALWAYS)
    bench.give(bought(on(0), customer_id="old"), bought(on(1), customer_id="old"))
    bench.tick(on(3))
    bench.give(known(on(2), customer_id="old", alias_of="new"))
    assert bench.state("new").facts.n_days == 2
    assert bench.all(EpisodeChanged)[0].why == "alias"
    bench.assert_totals()
    bench.tick(on(3, 1))
    assert bench.all(Looked)[-1].outcome is Outcome.WOULD_WARN
    bench.assert_totals()


def test_a_handover_is_looked_at_by_the_next_tick_although_a_warning_was_raised_at_its_own() -> None:
    bench = Bench(policy=ALWAYS)
    bench.give(
        bought(on(0), customer_id="new"), bought(on(1), customer_id="new"), bought(on(1, 5), customer_id="old"),
        known(on(2), customer_id="old", alias_of="new"),
    )  # fmt: skip
    bench.tick(on(3))  # hands over, and warns of the new id
    assert [w.customer_id for w in bench.all(WouldWarn)] == ["new"]
    assert bench.pipeline.next_work() == on(3)
    bench.tick(on(3, 1))
    assert bench.all(EpisodeChanged)[0].why == "corrected"  # it knew less than there was


def test_what_else_an_alias_fact_says_is_handed_over() -> None:
    bench = Bench()
    bench.give(known(on(0), customer_id="old", alias_of="new", owner="Li", do_not_contact=True))
    bench.tick(on(1))
    facts = bench.state("new").facts
    assert (facts.says("owner"), facts.says("do_not_contact")) == ("Li", True)


def test_an_alias_of_an_alias_hands_on() -> None:
    bench = Bench()
    bench.give(bought(on(0), customer_id="a"), bought(on(1), customer_id="b"), bought(on(2), customer_id="c"))
    bench.tick(on(3))
    bench.give(known(on(3), customer_id="b", alias_of="c"))
    bench.tick(on(4))
    bench.give(known(on(4), customer_id="a", alias_of="b"))
    bench.tick(on(5))
    bench.give(bought(on(6), customer_id="a"))
    bench.run_to(on(7))
    assert bench.state("c").facts.n_days == 4
    assert [bench.state(c).forward_to for c in "abc"] == ["b", "c", None]
    bench.assert_totals()


def test_the_same_alias_said_again_changes_nothing() -> None:
    bench = Bench()
    bench.give(bought(on(0), customer_id="old"), known(on(1), customer_id="old", alias_of="new"))
    bench.tick(on(2))
    bench.give(known(on(3), customer_id="old", alias_of="new", owner="Li"))
    bench.run_to(on(4))
    assert bench.all(DeadLettered) == []
    assert bench.state("new").facts.n_days == 1
    assert bench.state("new").facts.says("owner") == "Li"


def test_an_alias_of_itself_is_refused() -> None:
    bench = Bench()
    fact = known(on(1), customer_id="c", alias_of="c")
    bench.give(bought(on(0)), fact)
    bench.tick(on(2))
    assert [(e.reason, e.event) for e in bench.all(DeadLettered)] == [("alias_of_itself", fact)]
    assert bench.state().facts.n_days == 1


@pytest.mark.parametrize("ring", [["a", "b"], ["a", "b", "c"], ["a", "b", "c", "d"]])
@pytest.mark.parametrize("together", [True, False])
def test_ids_that_name_each_other_do_not_hand_their_facts_round_for_ever(ring: list[str], together: bool) -> None:
    bench = Bench(partitions=2)
    for n, c in enumerate(ring):
        bench.give(bought(on(0, n), customer_id=c))
    bench.tick(on(1))
    for n, c in enumerate(ring):
        bench.give(known(on(1, n), customer_id=c, alias_of=ring[(n + 1) % len(ring)]))
        if not together:
            bench.run_to(on(1, n + 1))
    bench.run_to(on(2))
    assert {e.reason for e in bench.all(DeadLettered)} == {"alias_of_itself"}
    live = [c for c in ring if bench.state(c).forward_to is None]
    assert live
    assert sum(bench.state(c).facts.n_orders for c in live) == len(ring)
    bench.give(*(bought(on(3, n), customer_id=c) for n, c in enumerate(ring)))
    bench.run_to(on(4))
    assert sum(bench.state(c).facts.n_orders for c in live) == 2 * len(ring)
    bench.assert_totals()


def test_aliases_of_a_shop_leave_no_customer_counted_twice() -> None:
    bench = Bench()
    given = [*records(60, 300, 4)]
    rng = random.Random(4)
    ids = sorted({r.customer_id for r in given if not hasattr(r, "kind")})
    for n, (old, new) in enumerate(zip(ids[:20], ids[20:40], strict=True)):
        given.append(known(given[0].at + (n * 7 + 40) * DAY + rng.randrange(DAY), customer_id=old, alias_of=new))
    bench.read(sorted(given, key=lambda r: r.at))
    bench.run_to((bench.now // DAY + 1) * DAY)
    assert len([r for r in bench.journal if isinstance(r, Handover)]) >= 20
    assert all(bench.state(old).forward_to for old in ids[:20])
    assert all(bench.state(old).facts.n_orders == 0 for old in ids[:20])
    bench.assert_totals()


@pytest.mark.parametrize("partitions", [1, 4])
def test_who_is_muted_stays_so_under_another_id(partitions: int) -> None:
    bench = Bench(policy=ALWAYS, partitions=partitions)
    muted = DeskStep(event_id="m", customer_id="old", at=on(1, 1), action="mute", by="Li")
    bench.give(*(bought(on(day), customer_id="old") for day in (0, 1)), muted)
    bench.tick(on(2))
    bench.give(known(on(2, 1), customer_id="old", alias_of="new"))
    bench.run_to(on(5))
    assert bench.state("new").decisions.muted_until == FOREVER
    assert {look.outcome for look in bench.all(Looked, "new")} == {Outcome.MUTED}
    assert bench.entries == []
