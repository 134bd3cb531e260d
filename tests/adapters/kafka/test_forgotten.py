"""Somebody is forgotten on a cluster in memory: no processor keeps anything of them; all others stay as they were."""

from collections.abc import Iterator

import msgspec
import pytest
from msgspec.structs import replace

from streamproc.adapters.kafka.messages import ExamplesPart, TickPart, encode, for_desk
from streamproc.cli.cluster import as_kept
from streamproc.core.alerts import Finding, OpenAlert, alert_of
from streamproc.core.control import Disposition, Forget, Tick
from streamproc.core.ids import mark_of, partition_of
from streamproc.core.time import SECOND
from streamproc.desk.desk import Desk
from streamproc.desk.forgetting import is_farewell, let_go
from streamproc.desk.warning import Entry, Money
from streamproc.monitor.effects import WouldWarn
from streamproc.wire import journal
from tests.adapters.kafka.simulated import NAMES, Cluster
from tests.adapters.kafka.test_processors import EAGER, SETUP, feeds, lines, ran, shop

AT = 2_000_000_000 * SECOND


def asks(cluster: Cluster, customer_id: str) -> None:
    """The record that a command writes."""
    record = Forget(at=AT, who=mark_of(customer_id), customer_id=customer_id)
    number = partition_of(customer_id, cluster.partitions)
    cluster.log.append((NAMES.journal, number), customer_id.encode(), journal.encode(record))


def kept(cluster: Cluster) -> Iterator[tuple[str, bytes]]:
    """All that the changelogs hold."""
    for host in cluster.hosts:
        for key, value in host._kept.items():
            yield f"{host.place} {key!r}", key + value


def naming(cluster: Cluster, customer_id: str) -> list[str]:
    return [where for where, body in kept(cluster) if customer_id.encode() in body]


def warned(cluster: Cluster) -> str:
    return next(entry.customer_id for entry in lines(cluster) if entry.kind == "raised")


@pytest.mark.parametrize(("seed", "dies"), [(1, 0.0), (2, 0.05)])
def test_no_changelog_names_them_and_all_others_are_as_they_were(seed: int, dies: float) -> None:
    cluster = ran(seed, dies=dies)
    gone = warned(cluster)
    assert len(naming(cluster, gone)) >= 2
    states = {c: s for n in range(cluster.partitions) for c, s in cluster.monitor(n)._states.bodies.items()}
    before = len(lines(cluster))
    asks(cluster, gone)
    cluster.run(dies=dies)
    assert naming(cluster, gone) == []
    after = {c: s for n in range(cluster.partitions) for c, s in cluster.monitor(n)._states.bodies.items()}
    assert after == {c: s for c, s in states.items() if c != gone}
    [farewell] = lines(cluster)[before:]
    assert is_farewell(farewell)
    assert (farewell.customer_id, farewell.history) == (gone, True)
    for host in cluster.hosts:
        host.takes_over()  # who comes next knows what the changelog holds
    cluster.run()
    assert naming(cluster, gone) == []


def test_in_the_middle_of_everything_nothing_is_told_of_them_afterwards() -> None:
    cluster = ran(3)
    gone = warned(cluster)
    again = Cluster(feeds(shop()), seed=3, setup=SETUP, policy=EAGER)
    for _ in range(400):
        again.now += 0.01
        again._rng.choice(again.hosts).step(again.now, 60, 0.0)
    asks(again, gone)
    again.run(dies=0.02)
    told: list[Entry] = lines(again)
    [farewell] = [n for n, entry in enumerate(told) if is_farewell(entry)]
    assert not [entry for entry in told[farewell + 1 :] if entry.customer_id == gone]
    assert naming(again, gone) == []
    others = [entry for entry in told if entry.customer_id != gone and entry.kind == "raised"]
    assert len(others) > 5


def test_what_the_desk_answered_meanwhile_brings_them_not_back() -> None:
    cluster = Cluster(feeds(shop()), seed=5, setup=SETUP, policy=EAGER)
    gone = ""
    while not gone:
        cluster.now += 0.01
        cluster._rng.choice(cluster.hosts).step(cluster.now, 60, 0.0)
        answered = [r for n in range(cluster.partitions) for r in cluster.journal(n) if isinstance(r, Disposition)]
        asked = [w for body in cluster.log.values((NAMES.desk_inbox, 0)) for w in would_warns(body)]
        gone = next((w.customer_id for w in asked if w.id not in {r.warning_id for r in answered}), "")
    [desk] = [host for host in cluster.hosts if host.place == (NAMES.desk_inbox, 0)]
    asks(cluster, gone)
    while desk.step(cluster.now, 60, 0.0):
        pass
    cluster.run()
    assert naming(cluster, gone) == []


def would_warns(body: bytes) -> list[WouldWarn]:
    message = for_desk(body)
    return [e for e in message.effects if isinstance(e, WouldWarn)] if isinstance(message, TickPart) else []


def test_an_alert_that_was_told_is_shown_without_them() -> None:
    desk = Desk(Money("EUR"))
    finding = Finding(
        kind="incident", subject="i-1", severity="high", figures={"count": 3.0}, customers=("a", "b", "c")
    )
    desk.watch.open[finding.key] = OpenAlert(AT, finding)
    told = alert_of(desk.watch.open[finding.key], "raised", AT, history=False)
    let_go(desk, frozenset({"b"}), AT)
    assert as_kept(told, desk.watch.open) == replace(told, customers=("a", "c"))
    ended = replace(told, state="ended")
    assert as_kept(ended, desk.watch.open) == ended


def test_rows_that_wait_for_their_midnight_are_let_go_too() -> None:
    cluster = ran(4)
    gone = warned(cluster)
    [number] = {partition_of(gone, cluster.partitions)}
    last = max(r.at for r in cluster.journal(0) if isinstance(r, Tick))
    found = [
        msgspec.json.decode(body, type=ExamplesPart)
        for body in cluster.log.values((NAMES.examples, 0))
        if b'"examples_part"' in body and f'"{gone}"'.encode() in body
    ]
    waiting = ExamplesPart(partition=number, at=last + 1, items=found[-1].items)
    cluster.log.append((NAMES.examples, 0), None, encode(waiting))
    cluster.run()
    assert any("examples" in where for where in naming(cluster, gone))
    asks(cluster, gone)
    cluster.run()
    assert naming(cluster, gone) == []
