"""What people do at the desk, on a cluster in memory: whoever dies, one of two has the warning, all is answered."""

import json
from functools import cache
from typing import Any

import pytest

from streamproc.core.policy import Policy
from streamproc.desk.warning import Entry
from tests.adapters.kafka.quiet import quiet
from tests.adapters.kafka.simulated import Cluster, Place
from tests.adapters.kafka.test_processors import EAGER, SETUP, feeds, lines, shop

FEW = Policy(
    raise_at=EAGER.raise_at, clear_at=EAGER.clear_at, escalate_at=EAGER.escalate_at, capacity_a_day=1,
    minimum_customers_fitted=EAGER.minimum_customers_fitted, name="few",
)  # fmt: skip


def town(steps: tuple[bytes, ...], seed: int, *, most: int, dies: float, partitions: int) -> Cluster:
    given = feeds(shop())
    facts: Place = ("facts", 0)
    given[facts] = sorted([*given[facts], *steps], key=lambda line: str(json.loads(line)["occurred_at"]))
    cluster = Cluster(given, partitions=partitions, seed=seed, setup=SETUP, policy=FEW)
    cluster.run(most=most, dies=dies)
    return cluster


@cache
def steps() -> tuple[bytes, ...]:
    """For each warning of a run without a desk: two claims in the same second, then this or that."""
    raised = [e for e in lines(town((), 1, most=500, dies=0.0, partitions=3)) if e.kind == "raised"]
    assert len(raised) > 10
    made = []
    for n, entry in enumerate(raised):
        later = entry.at.replace("T00:00:00Z", "T06:00:00Z")
        common = {"stream": "desk", "customer_id": entry.customer_id, "warning_id": entry.warning_id}
        made += [
            {**common, "occurred_at": later, "event_id": f"{who}-{n}", "action": "claim", "by": who}
            for who in ("Li", "Wang")
        ]
        thirds: list[dict[str, Any]] = [
            {"action": "snooze", "until": "2030-01-01T00:00:00Z"},
            {"action": "outcome", "outcome": "kept", "cost": 5},
            {"action": "hand_over", "to": "Wang"},
            {"action": "mute", "warning_id": None},
            {"action": "note", "text": "called", "warning_id": "w-none"},
        ]
        made.append({**common, "occurred_at": later[:-4] + "1Z", "event_id": f"then-{n}", "by": "Li", **thirds[n % 5]})
    return tuple(json.dumps(step).encode() for step in made)


def told(cluster: Cluster) -> list[Entry]:
    return [entry for entry in lines(cluster) if entry.desk is not None]


@pytest.mark.parametrize(("seed", "most", "dies", "partitions"), [(2, 60, 0.05, 3), (3, 500, 0.0, 1)])
def test_what_people_do_comes_to_the_same_in_a_quiet_run(seed: int, most: int, dies: float, partitions: int) -> None:
    cluster = town(steps(), seed, most=most, dies=dies, partitions=partitions)
    expected = quiet([cluster.journal(n) for n in range(partitions)], SETUP.currency, cluster.config)
    assert lines(cluster) == expected.lines
    for number in range(partitions):
        held = cluster.monitor(number).partition
        assert all(held._states.get(customer) == body for customer, body in expected.states[number].items())
    kinds = [entry.kind for entry in told(cluster)]
    assert {"claimed", "refused", "snoozed", "closed", "handed_over"} <= set(kinds)
    claims = [entry for entry in told(cluster) if entry.desk is not None and entry.desk.action == "claim"]
    assert {entry.desk.by for entry in claims if entry.desk is not None and entry.kind == "claimed"} == {"Li"}


def test_each_step_is_answered_once_or_a_dead_letter() -> None:
    cluster = town(steps(), 4, most=40, dies=0.05, partitions=3)
    answered = [entry.desk.event_id for entry in told(cluster) if entry.desk is not None]
    assert len(answered) == len(set(answered))
    sent = {json.loads(step)["event_id"] for step in steps()}
    assert set(answered) <= sent
    assert len(answered) > len(sent) / 2


def test_no_more_go_out_a_day_than_can_be_worked() -> None:
    cluster = town((), 5, most=100, dies=0.05, partitions=3)
    days = [entry.at[:10] for entry in lines(cluster) if entry.kind == "raised" and entry.probability is not None]
    assert len(days) == len(set(days)) > 10
