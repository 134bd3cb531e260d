"""A cluster's journal made anew: everybody else comes to the same, and no byte names who was forgotten."""

from itertools import islice

import pytest
from msgspec.structs import replace

from streamproc.adapters.kafka.importing import Addressed, ImportingError, Reached, Step, steps
from streamproc.adapters.kafka.reading_journal import Placed
from streamproc.adapters.kafka.rewriting import Gone, copied, gone_in
from streamproc.cli.retract_cluster import once
from streamproc.core.control import Disposition, Forget, Handover, Setup
from streamproc.core.events import Purchase
from streamproc.core.ids import mark_of, partition_of
from streamproc.monitor.state import encode_facts
from streamproc.wire import journal
from tests.adapters.kafka.simulated import NAMES, Cluster
from tests.adapters.kafka.test_forgotten import asks, warned
from tests.adapters.kafka.test_importing import reached_with
from tests.adapters.kafka.test_processors import EAGER, SETUP, feeds, lines, ran, shop


def parts(cluster: Cluster) -> list[list[Placed]]:
    return [list(enumerate(cluster.journal(number))) for number in range(cluster.partitions)]


def made_anew(cluster: Cluster, reached: Reached = Reached(0, ""), most: int = 300) -> list[Step]:  # noqa: B008
    found = parts(cluster)
    gone = gone_in(found)
    records = copied([iter(part) for part in found], gone)
    return list(steps(records, NAMES, cluster.partitions, reached, most=most))


@pytest.fixture(scope="module")
def old() -> Cluster:
    return ran(1)


def test_with_nobody_forgotten_all_comes_to_the_same(old: Cluster) -> None:
    new = Cluster({}, seed=2, setup=SETUP, policy=EAGER, past=[o for step in made_anew(old) for o in step.outputs])
    new.run()
    assert lines(new) == lines(old)
    for number in range(old.partitions):
        assert new.monitor(number)._states.bodies == old.monitor(number)._states.bodies


def test_who_was_forgotten_is_in_no_topic_and_nobody_else_notices() -> None:
    old = ran(1)
    gone = warned(old)
    asks(old, gone)
    old.run()
    new = Cluster(
        feeds(shop()), seed=2, setup=SETUP, policy=EAGER, past=[o for step in made_anew(old) for o in step.outputs]
    )
    for host in new.hosts:  # as the progress topic has it: the firm's topics are read
        if host.place[0] in {"purchases", "complaints", "contacts", "facts"}:
            host._position = len(new.log.records[host.place])
    new.run()
    ours = {place: records for place, records in new.log.records.items() if place[0].startswith(NAMES.prefix)}
    found = [
        place for place, records in ours.items() for r in records if gone.encode() in (r.value or b"") + (r.key or b"")
    ]
    assert found == []
    assert [e for e in lines(new) if e.warning_id] == [e for e in lines(old) if e.customer_id != gone]
    for number in range(old.partitions):
        assert new.monitor(number)._states.bodies == old.monitor(number)._states.bodies
    marks = [r for n in range(old.partitions) for r in new.journal(n) if isinstance(r, Forget)]
    assert [(mark.who, mark.customer_id) for mark in marks] == [(mark_of(gone), None)]


def test_broken_off_it_goes_on_where_it_stopped(old: Cluster) -> None:
    whole = made_anew(old, most=100)
    for done in (1, 5, len(whole) - 1):
        last = max(
            (o for step in whole[:done] for o in step.outputs),
            key=lambda o: int(dict(o.headers)["streamproc.imported"]),
        )
        reached = reached_with(last)
        assert [o for s in made_anew(old, reached, 100) for o in s.outputs] == [
            o for s in whole[done:] for o in s.outputs
        ]
    with pytest.raises(ImportingError, match="another past"):
        made_anew(old, Reached(7, "something else"))


def test_every_partition_has_its_set_up_before_anything_else(old: Cluster) -> None:
    """Or what is broken off before the first tick is no beginning: nothing could go on, and a worker would begin."""
    records = copied([iter(part) for part in parts(old)], Gone({}, {}))
    assert [(r.record, r.partitions) for r in islice(records, old.partitions)] == [(SETUP, (n,)) for n in (2, 1, 0)]


def test_in_one_order_the_marks_of_all_who_were_forgotten_stay() -> None:
    old = ran(1)
    people = sorted({entry.customer_id for entry in lines(old)})[:8]
    for name in people:
        asks(old, name)
    assert {partition_of(name, old.partitions) for name in people} == {0, 1, 2}
    found = parts(old)
    records = list(once(copied([iter(part) for part in found], gone_in(found))))
    assert sorted(r.who for r in records if isinstance(r, Forget)) == sorted(map(mark_of, people))
    assert records[0] == SETUP
    assert [type(r) for r in records].count(Setup) == 1
    in_all = [Addressed(n, Forget(at=5, who="a-mark"), (n,)) for n in range(3)]
    assert len(list(once(in_all))) == 1


def test_what_came_after_somebody_was_forgotten_stays() -> None:
    old = ran(5)
    gone = warned(old)
    number = partition_of(gone, old.partitions)
    asks(old, gone)
    old.run()
    event = next(r for r in old.journal(number) if isinstance(r, Purchase) and r.customer_id == gone)
    old_again = replace(event, event_id="old-again")
    new = replace(event, event_id="new", at=3_000_000_000_000_000)
    facts = encode_facts(old.monitor(number).partition._state("nobody").facts)
    answered = Disposition(at=event.at, customer_id=gone, warning_id="w-1", outcome="raised")  # was on its way
    handed = Handover(at=event.at, customer_id=gone, alias="an-alias", facts=facts)
    later = replace(handed, at=new.at, alias=gone_too(old, gone))
    for record in (old_again, answered, handed, new, later):
        old.log.append((NAMES.journal, number), gone.encode(), journal.encode(record))
    found = parts(old)
    left = [
        c.record
        for c in copied([iter(p) for p in found], gone_in(found))
        if getattr(c.record, "customer_id", "") == gone
    ]
    assert left == [new, later]
    known = gone_in(found)
    assert known.offsets[gone] == len(old.journal(number)) - 6
    assert known.before(gone) == 2_000_000_000_000_000


def test_what_an_old_export_brings_again_goes_with_the_next_time_too() -> None:
    old = ran(5)
    gone = warned(old)
    number = partition_of(gone, old.partitions)
    asks(old, gone)
    event = next(r for r in old.journal(number) if isinstance(r, Purchase) and r.customer_id == gone)
    again = [[*part] for part in parts(old)]
    for part in again:
        part[:] = [(n, c.record) for n, c in enumerate(copied([iter(part)], gone_in([part])))]
    again[number].append((len(again[number]), replace(event, event_id="old-again")))
    known = gone_in(again)
    assert not known.offsets
    left = [c.record for c in copied([iter(part) for part in again], known)]
    assert not [r for r in left if getattr(r, "customer_id", "") == gone]


def gone_too(cluster: Cluster, gone: str) -> str:
    """Another who is forgotten, in a partition in which that stands further behind."""
    number, own = partition_of(gone, cluster.partitions), len(cluster.journal(partition_of(gone, cluster.partitions)))
    place = next(n for n in range(cluster.partitions) if n != number)
    name = next(f"n{n}" for n in range(99) if partition_of(f"n{n}", cluster.partitions) == place)
    while len(cluster.journal(place)) < own + 9:
        asks(cluster, name)
    return name
