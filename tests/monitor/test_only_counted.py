"""What is counted of events and looks for those who run the program, and goes nowhere else."""

import random
from collections import Counter

import msgspec
import pytest

from streamproc.core.events import Complaint, Contact, CustomerEvent, Purchase
from streamproc.core.policy import Policy
from streamproc.core.time import DAY, HOUR, SECOND
from streamproc.desk.record import gathered
from streamproc.monitor.counts import Counts, tally
from streamproc.monitor.effects import Effect, Looked
from streamproc.testing.events import bought, complained, on, sent_back, touched
from tests.monitor.bench import Bench
from tests.monitor.shops import jumbled, records


def counted(effects: list[Effect]) -> Counts:
    counts = Counts()
    for effect in effects:
        tally(counts, effect)
    return counts


TWICE: dict[str, tuple[CustomerEvent, CustomerEvent]] = {
    "order": (bought(on(1)), bought(on(1))),
    "order of another name": (bought(on(1)), bought(on(1), event_id="again")),
    "earlier revision": (bought(on(1), revision=2), bought(on(1), 500, revision=1)),
    "return": (sent_back(on(1)), sent_back(on(1), event_id="again")),
    "contact": (touched(on(1)), touched(on(1))),
    "complaint": (complained(on(1)), complained(on(1))),
}


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("name", list(TWICE))
def test_what_tells_nothing_new_is_counted_once(name: str, *, late: bool) -> None:
    bench, (first, again) = Bench(), TWICE[name]
    bench.give(first)
    if late:
        bench.tick(on(1, 1))
    bench.give(again)
    bench.tick(on(1, 2))
    assert counted(bench.effects)["repeats", ""] == 1


NEWS: dict[str, list[CustomerEvent]] = {
    "revision": [bought(on(1)), bought(on(1), 500, revision=1)],
    "contact's result": [touched(on(1)), touched(on(1), result="resolved")],
    "complaint's category": [complained(on(1)), complained(on(1), category="quality")],
    "another return": [sent_back(on(1)), sent_back(on(1), -200, event_id="other")],
}


@pytest.mark.parametrize("name", list(NEWS))
def test_what_tells_more_is_no_repeat(name: str) -> None:
    bench = Bench()
    bench.give(*NEWS[name])
    bench.tick(on(1, 1))
    assert counted(bench.effects)["repeats", ""] == 0


def test_as_many_repeats_are_counted_as_a_shop_was_told_twice() -> None:
    given = records(20, 200, 5)
    once, twice = Bench(), Bench()
    once.read([r for r in given if isinstance(r, CustomerEvent)])
    doubled = jumbled(given, 0, random.Random(3), repeats=0.2)
    twice.read(doubled)
    for bench in (once, twice):
        bench.run_to(on(210))
    told, known = (sum(isinstance(r, Purchase | Contact | Complaint) for r in some) for some in (doubled, given))
    assert told > known
    assert counted(twice.effects)["repeats", ""] - counted(once.effects)["repeats", ""] == told - known


def test_a_complaint_s_steps_are_counted_as_they_were_told_and_each_once() -> None:
    bench = Bench()
    acknowledged = complained(on(1, 5), "acknowledged", category="price")
    bench.give(acknowledged, complained(on(1, 9), "resolved"))
    bench.tick(on(1, 12))
    bench.give(complained(on(1, 2)), acknowledged)  # both late: one is news, and the beginning
    bench.tick(on(1, 13))
    bench.give(complained(on(1, 15), "reopened"), complained(on(1, 20), "resolved"))
    bench.tick(on(2))
    counts = counted(bench.effects)
    assert {label: n for (name, label), n in counts.items() if name == "complaints"} == {
        "opened>price": 1,
        "acknowledged>price": 1,
        "resolved>price": 2,
        "reopened>price": 1,
    }
    # An answer is timed from what was known to be the beginning when it came.
    assert counts["complaint_seconds", "resolved>price"] == (4 * HOUR + 18 * HOUR) // SECOND


@pytest.mark.parametrize("a_day", [0, 1])
def test_the_lead_of_a_warning_is_that_of_the_record(a_day: int) -> None:
    given = records(60, 500, 7)
    bench = Bench(policy=Policy(capacity_a_day=a_day), observed=False)
    bench.read(given)
    bench.run_to(given[-1].at)
    lives = gathered(bench.entries).lives.values()
    leads = [life.lead() for life in lives if life.lost_at is not None and life.warning.risk is not None]
    counts = counted(bench.effects)
    assert counts["leads", ""] == len(leads) > 10
    whole = sum(lead or 0 for lead in leads) / SECOND
    assert abs(counts["lead_seconds", ""] - whole) < len(leads)
    assert whole / len(leads) < 80 * DAY / SECOND  # and not the horizon


def test_customers_are_counted_by_the_segment_of_their_last_look() -> None:
    given = records(120, 400, 11)
    bench = Bench()
    bench.read(given)
    bench.run_to(given[-1].at // DAY * DAY + DAY)
    last = {look.customer_id: look.figures for look in bench.all(Looked)}
    segments = Counter(str(figures.segment) for figures in last.values() if figures is not None and figures.segment)
    assert len(segments) >= 3
    assert bench.pipeline.partitions[0].meta.totals.segments == segments


def test_what_an_earlier_version_counted_without_a_segment_is_counted_with_it_from_the_next_look_on() -> None:
    given = records(80, 300, 11)
    half = len(given) // 2
    bench, new = Bench(observed=False), Bench(observed=False)
    for one in (bench, new):
        one.read(given[:half])
    [partition], [states] = bench.pipeline.partitions, bench.states
    for customer_id, body in list(states.bodies.items()):
        raw = msgspec.msgpack.decode(body)
        if (counted := raw[2][10]) is not None:
            del counted[-1]  # the segment
        states.bodies[customer_id] = msgspec.msgpack.encode(raw)
    partition.meta.totals.segments = {}
    for one in (bench, new):
        one.read(given[half:])
        one.run_to(given[-1].at + 35 * DAY)  # all are looked at in 30 days
    bench.assert_totals()
    assert bench.bodies() == new.bodies()
    assert partition.meta.totals.segments == new.pipeline.partitions[0].meta.totals.segments != {}
