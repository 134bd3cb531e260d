"""The four processors on a cluster in memory: whoever runs next and whoever dies, nothing is lost or doubled."""

import random
from collections import Counter
from collections.abc import Sequence
from functools import cache

import msgspec
import pytest

from streamproc.adapters.kafka.messages import ExamplesPart, for_trainer
from streamproc.core.alerts import Alert
from streamproc.core.control import Disposition, ModelSnapshot, Setup, Tick
from streamproc.core.events import CustomerEvent, FirmFact
from streamproc.core.policy import Policy
from streamproc.desk.warning import Entry
from streamproc.scoring.examples import Example
from streamproc.simulate import Dirt, Shop, SimEvent, simulate
from tests.adapters.kafka.quiet import Quiet, quiet
from tests.adapters.kafka.simulated import NAMES, Cluster, Place

EAGER = Policy(raise_at=0.3, clear_at=0.2, escalate_at=0.6, minimum_customers_fitted=20)
SETUP = Setup(at=0, horizon_days=45)
TOPICS = {"purchases": 2, "complaints": 1, "contacts": 1, "facts": 1}


@cache
def shop(customers: int = 60, days: int = 130, poison: float = 0.0) -> tuple[SimEvent, ...]:
    return tuple(simulate(Shop(customers=customers, days=days, seed=5, dirt=Dirt(poison=poison))))


def feeds(events: Sequence[SimEvent], seed: int = 1) -> dict[Place, list[bytes]]:
    rng = random.Random(seed)
    made: dict[Place, list[bytes]] = {(t, p): [] for t, n in TOPICS.items() for p in range(n)}
    for event in events:
        made[event.stream, rng.randrange(TOPICS[event.stream])].append(event.line)
    return made


def ran(seed: int, *, most: int = 200, dies: float = 0.0, partitions: int = 3, poison: float = 0.0) -> Cluster:
    cluster = Cluster(feeds(shop(poison=poison)), partitions=partitions, seed=seed, setup=SETUP, policy=EAGER)
    cluster.run(most=most, dies=dies)
    return cluster


def oracle(cluster: Cluster) -> Quiet:
    return quiet([cluster.journal(n) for n in range(cluster.partitions)], SETUP.currency, cluster.config)


def lines(cluster: Cluster) -> list[Entry]:
    return [msgspec.json.decode(body, type=Entry) for body in cluster.log.values((NAMES.warnings, 0))]


def alerts(cluster: Cluster) -> list[Alert]:
    return [msgspec.json.decode(body, type=Alert) for body in cluster.log.values((NAMES.alerts, 0))]


def events_in(cluster: Cluster) -> Counter[str]:
    """By id how often an event is in the journal; a firm's fact is in every partition."""
    held: Counter[str] = Counter()
    for number in range(cluster.partitions):
        for record in cluster.journal(number):
            if isinstance(record, CustomerEvent) or (isinstance(record, FirmFact) and not number):
                held[record.event_id] += 1
    return held


@pytest.mark.parametrize(("seed", "most", "dies"), [(1, 500, 0.0), (2, 60, 0.02), (3, 200, 0.1)])
def test_the_cluster_s_warnings_states_and_snapshots_are_those_of_a_quiet_run(
    seed: int, most: int, dies: float
) -> None:
    cluster = ran(seed, most=most, dies=dies)
    expected = oracle(cluster)
    assert lines(cluster) == expected.lines
    assert alerts(cluster) == expected.alerts
    assert len([e for e in expected.lines if e.kind == "raised"]) > 10
    for number in range(cluster.partitions):
        held = cluster.monitor(number).partition
        for customer_id, body in expected.states[number].items():
            assert held._states.get(customer_id) == body
    made = [bytes(r.snapshot) for r in cluster.journal(1) if isinstance(r, ModelSnapshot)]
    assert made == expected.snapshots[: len(made)]
    assert len(made) > 5
    assert len(expected.snapshots) - len(made) <= 1
    assert dies == 0.0 or sum(host.deaths for host in cluster.hosts) > 5


def test_every_event_is_in_the_journal_once_and_every_poison_in_the_dead_letters() -> None:
    cluster = ran(6, most=50, dies=0.05, poison=0.02)
    held = events_in(cluster)
    assert set(held.values()) == {1}
    refused = Counter(cluster.log.values((NAMES.dead_letters, 0)))
    sent = shop(poison=0.02)
    assert held.total() + refused.total() == len(sent)
    assert refused == Counter(e.line for e in sent if e.fault and e.fault not in {"duplicate", "late"})
    reasons = [dict(r.headers)["__streams.errors.exception"] for r in cluster.log.records[NAMES.dead_letters, 0]]
    assert all(reasons)


def test_every_partition_gets_the_same_ticks_and_snapshots_in_one_order() -> None:
    cluster = ran(7, most=30, dies=0.05)
    told = [[r for r in cluster.journal(n) if isinstance(r, Tick)] for n in range(cluster.partitions)]
    assert told[0] == told[1] == told[2]
    times = [tick.at for tick in told[0]]
    assert times == sorted(set(times))
    models = [[r for r in cluster.journal(n) if isinstance(r, ModelSnapshot)] for n in range(cluster.partitions)]
    assert models[0] == models[1] == models[2]


def test_each_would_warn_gets_one_disposition_in_its_customer_s_partition() -> None:
    cluster = ran(8, most=30, dies=0.05)
    raised = Counter(e.warning_id for e in lines(cluster) if e.kind == "raised" and e.probability is not None)
    answered = Counter(
        r.warning_id for n in range(cluster.partitions) for r in cluster.journal(n) if isinstance(r, Disposition)
    )
    assert raised == answered
    assert set(raised.values()) == {1}


def outcomes(cluster: Cluster) -> set[tuple[str, int, int | None]]:
    """The examples and their labels: what happened to whom, whatever a model made of it."""
    told = [for_trainer(body) for body in cluster.log.values((NAMES.examples, 0))]
    items = [item for message in told if isinstance(message, ExamplesPart) for item in message.items]
    return {(item.customer_id, item.at, item.label) for item in items if isinstance(item, Example)}


def test_what_happened_to_whom_does_not_depend_on_who_died() -> None:
    """When a snapshot comes into force does, and with it a risk here and there: the journal says when it did."""
    calm, wild = ran(11, most=100), ran(12, most=100, dies=0.1)
    assert events_in(calm) == events_in(wild)
    assert outcomes(calm) == outcomes(wild)
    assert {label for _, _, label in outcomes(calm)} == {None, 0, 1}
