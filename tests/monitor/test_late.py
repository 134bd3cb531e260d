"""Time: nothing is applied before its tick; late events correct, too late ones count, too old ones are refused."""

from itertools import pairwise

import pytest
from msgspec.structs import replace

from streamproc.core.control import Setup
from streamproc.core.dealing import Stray, strays
from streamproc.core.events import CustomerEvent, FirmFact
from streamproc.core.lifecycle import Stage
from streamproc.core.policy import Policy
from streamproc.core.time import DAY, HOUR
from streamproc.monitor.effects import ComplaintStep, DeadLettered, LateEvent, Looked, Transition
from streamproc.monitor.state import decode_state
from streamproc.scoring.examples import Example, Sighting
from streamproc.testing.events import bought, complained, on, sent_back, touched
from tests.monitor.bench import Bench

NEVER = Policy(raise_at=1.0, clear_at=0.0, escalate_at=1.0)


def test_an_event_waits_for_the_first_tick_after_it() -> None:
    bench = Bench()
    bench.give(bought(on(0, 3)))
    bench.tick(on(0, 3))
    with pytest.raises(KeyError):
        bench.states[0].bodies["c"]
    bench.tick(on(0, 3) + 1)
    assert bench.state().facts.n_days == 1
    assert bench.pipeline.next_work() != on(0, 3) + 1


def test_waiting_events_are_applied_in_order_of_time_whatever_order_they_came_in() -> None:
    first, second = bought(on(0, 5)), bought(on(0, 2), order_id="x")
    third = bought(on(0, 5), 7, order_id="x", revision=1)
    runs = []
    for history in ([first, second, third], [third, second, first]):
        bench = Bench()
        bench.give(*history)
        bench.tick(on(1))
        runs.append((bench.bodies(), bench.effects))
    assert runs[0] == runs[1]


def test_what_waits_is_known_before_and_forgotten_after_its_tick() -> None:
    bench = Bench()
    [part] = bench.pipeline.partitions
    bench.give(bought(on(0, 5)), bought(on(3)))
    assert {c: len(events) for c, events in part.waiting_changes().items()} == {"c": 2}
    assert part.waiting_changes() == {}
    bench.tick(on(1))
    assert {c: [e.at for e in events] for c, events in part.waiting_changes().items()} == {"c": [on(3)]}
    bench.tick(on(4))
    assert part.waiting_changes() == {"c": []}


def test_a_late_event_corrects_the_facts_at_once_and_is_looked_at_by_the_next_tick() -> None:
    bench = Bench(policy=NEVER)
    bench.give(bought(on(0)))
    bench.run_to(on(5))
    effects = bench.give(bought(on(4, 20)))
    assert effects == [LateEvent("c", on(4, 20), too_late=False)]
    assert bench.state().facts.n_days == 2
    assert bench.pipeline.next_work() == on(5)
    assert [(t.after, t.at) for t in bench.run_to(on(6)) if isinstance(t, Transition)] == [(Stage.REPEAT, on(5, 1))]


def test_a_late_purchase_counts_as_the_last_one_for_stake_and_sample() -> None:
    bench = Bench(policy=NEVER)
    bench.read([bought(on(0)), bought(on(10))])
    bench.run_to(on(70))
    risky = bench.state().decisions.log_odds
    assert bench.state().decisions.calm_log_odds != risky
    seen = len(bench.all(Sighting))
    bench.give(bought(on(69, 12)))
    bench.run_to(on(70, 1))
    decisions = bench.state().decisions
    assert decisions.calm_log_odds == decisions.log_odds
    assert bench.all(Sighting)[seen:][0].n_days == 3
    assert len(bench.all(Sighting)) == seen + 1


@pytest.mark.parametrize("event", [sent_back(on(60)), touched(on(60)), complained(on(60)), bought(on(10))])
def test_what_is_no_later_purchase_leaves_the_risk_before_the_episode(event: CustomerEvent) -> None:
    bench = Bench(policy=NEVER)
    bench.read([bought(on(0)), bought(on(10))])
    bench.run_to(on(59))
    calm, seen = bench.state().decisions.calm_log_odds, len(bench.all(Sighting))
    bench.give(event)
    bench.run_to(on(61))
    assert bench.all(Looked)[-1].at > on(59)
    assert (bench.state().decisions.calm_log_odds, len(bench.all(Sighting))) == (calm, seen)


def test_an_event_older_than_the_lateness_is_too_late_and_counts_in_the_facts() -> None:
    bench = Bench(policy=NEVER)
    bench.give(bought(on(5)))
    bench.run_to(on(8))
    assert bench.give(bought(on(7))) == [LateEvent("c", on(7), too_late=False)]
    assert bench.give(bought(on(7) - 1)) == [LateEvent("c", on(7) - 1, too_late=True)]
    assert bench.state().facts.n_orders == 3


def test_an_event_from_before_all_that_is_kept_is_a_dead_letter() -> None:
    bench = Bench(policy=NEVER)
    bench.read([bought(on(day)) for day in range(10, 50)])
    bench.run_to(on(51))
    before = bench.bodies()["c"]
    old = bought(on(5))
    effects = bench.give(old)
    assert [e for e in effects if isinstance(e, DeadLettered)] == [
        DeadLettered(reason="too_old", customer_id="c", at=on(5), event=old)
    ]
    bench.run_to(on(52))
    assert bench.state().facts == decode_state(before).facts


# ------------------------------------------------------------------------------------------------ labels


def labelled(*late: tuple[float, CustomerEvent], lateness: int = DAY, days: float = 0) -> list[tuple[int, int | None]]:
    """Day and label of the examples of one who bought on days 0 and 30; each late event comes on its day."""
    bench = Bench(setup=Setup(at=0, lateness=lateness), policy=NEVER)
    bench.read([bought(on(0)), bought(on(30))])
    for day, event in late:
        bench.run_to(on(day))
        if bench.now < on(day):
            bench.tick(on(day))
        bench.give(event)
    bench.run_to(on(260 + days))
    return [((e.at - on(0)) // DAY, e.label) for e in bench.all(Example) if e.label is not None]


PLAIN = labelled()


def test_the_examples_of_the_tests_below_have_both_labels() -> None:
    days = [day for day, _ in PLAIN]
    assert {label for _, label in PLAIN} == {0, 1}
    assert all(b - a == 31 for a, b in pairwise(days))
    assert all(label == (0 if day <= 30 else 1) for day, label in PLAIN)


def test_a_late_purchase_corrects_labels() -> None:
    corrected = labelled((90, bought(on(89))))
    assert [label for day, label in corrected if 30 < day <= 89] == [0] * sum(30 < day <= 89 for day, _ in PLAIN)


@pytest.mark.parametrize(
    "event",
    [
        bought(on(80)),
        bought(on(1), order_id=f"o{on(30)}", event_id="x"),  # moves the order of day 30
        bought(on(1), order_id=f"o{on(30)}", event_id="x", revision=1, cancelled=True),  # takes it back
    ],
)
def test_what_comes_too_late_changes_no_label_that_waits(event: CustomerEvent) -> None:
    got = labelled((90, event))
    assert up_to(got, 89) == up_to(PLAIN, 89)
    assert len(up_to(got, 89)) >= 3


def up_to(found: list[tuple[int, int | None]], until: int) -> list[tuple[int, int | None]]:
    return [(day, label) for day, label in found if day <= until]


def test_a_purchase_in_time_counts_although_another_of_that_day_came_too_late() -> None:
    too_late, in_time = bought(on(80, 1)), bought(on(80, 20))
    one = labelled((80.5, too_late), (80.9, in_time), lateness=6 * HOUR)
    other = labelled((80.9, in_time), (80.95, too_late), lateness=6 * HOUR)
    waited = labelled((80.5, too_late), (80.5, in_time), lateness=6 * HOUR)
    assert waited == one
    assert one == other
    assert [label for day, label in one if 30 < day <= 80] == [0] * sum(30 < day <= 80 for day, _ in one)


def test_two_purchases_too_late_of_one_day_change_nothing_either() -> None:
    got = labelled((90, bought(on(80))), (90, bought(on(80, 2))))
    assert [x for x in got if x[0] <= 80] == [x for x in PLAIN if x[0] <= 80]


def test_one_too_late_and_taken_back_leaves_no_trace() -> None:
    order = bought(on(80))
    back = bought(on(80), order_id=order.order_id, revision=1, cancelled=True, event_id="back")
    assert labelled((90, order), (90, back))[: len(PLAIN)] == PLAIN


def test_late_sales_and_events_count_once_and_those_of_an_old_file_in_their_months_alone() -> None:
    bench = Bench(policy=NEVER)
    home = FirmFact(event_id="d1", at=on(0), kind="dealer_region", subject="d1", detail={"region": "north"})
    bench.give(home)
    bench.tick(on(40))
    late = [bought(on(39, n + 1), dealer_id="d1", region="south") for n in range(5)]
    old = [bought(on(9, n), customer_id="z", dealer_id="d1", region="south") for n in range(3)]
    again = replace(late[0], event_id="again")
    bench.give(*late, again, *old)
    totals = bench.pipeline.partitions[0].meta.totals
    assert totals.seen == {"purchases": 5}
    assert strays(totals.dealing) == [Stray("d1", 8, 8, "south")]


def test_what_comes_of_a_complaint_that_is_kept_no_longer_is_no_new_complaint() -> None:
    bench = Bench(policy=NEVER)
    opened = [complained(on(n), complaint_id=f"k{n}") for n in range(9)]
    bench.read([*opened, complained(on(12), "acknowledged", complaint_id="k0")])
    bench.run_to(on(13))
    assert [(s.complaint_id, s.first, s.status) for s in bench.all(ComplaintStep)][-2:] == [
        ("k8", True, "opened"),
        ("k0", False, "acknowledged"),
    ]
