"""A hard time for the monitor: late and repeated events, corrections, terminations and aliases, all at once."""

import random
from collections import defaultdict

import msgspec
import pytest

from streamproc.adapters.embedded.pipeline import Pipeline
from streamproc.core.control import Handover
from streamproc.core.events import Purchase
from streamproc.core.policy import Policy
from streamproc.core.time import DAY, HOUR
from streamproc.desk.desk import Desk
from streamproc.desk.warning import Money
from streamproc.monitor.effects import DeadLettered, LateEvent
from streamproc.monitor.memory import MemoryStates
from streamproc.monitor.partition import Partition
from streamproc.testing.events import known, touched
from tests.monitor.bench import Bench
from tests.monitor.shops import Record, jumbled, records


def hard_times(seed: int) -> list[Record]:
    """A shop's records with 25 aliases, 60 corrections, 20 terminations, up to 60 h late, 5 % of them twice."""
    rng = random.Random(seed)
    given = records(60, 250, seed)
    ids = sorted({r.customer_id for r in given if not hasattr(r, "kind")})
    orders = [r for r in given if isinstance(r, Purchase) and not r.returned]

    def some_time() -> int:
        return given[0].at + rng.randrange(250 * DAY)

    more: list[Record] = []
    for n in range(25):
        old, new = rng.sample(ids, 2)
        more.append(known(some_time(), customer_id=old, alias_of=new, event_id=f"alias{n}"))
    for n, order in enumerate(rng.sample(orders, 60)):
        at, cancelled = order.at + rng.randrange(40 * DAY), rng.random() < 0.6
        fields = {"at": at, "cancelled": cancelled, "amount": rng.randrange(9_000)}
        more.append(msgspec.structs.replace(order, event_id=f"fix{n}", revision=1, **fields))
    for n in range(20):
        who = {"customer_id": rng.choice(ids), "event_id": f"end{n}", "contact_id": f"end{n}"}
        more.append(touched(some_time(), result="terminated", **who))  # type: ignore[arg-type]
    return jumbled(tuple(sorted([*given, *more], key=lambda r: r.at)), 60 * HOUR, rng, repeats=0.05)


@pytest.fixture(scope="module", params=[100, 101, 102])
def bench(request: pytest.FixtureRequest) -> Bench:
    made = Bench(policy=Policy(raise_at=0.35, clear_at=0.25, minimum_silence=0.0))
    made.read(hard_times(request.param))
    made.run_to(made.now + 700 * DAY)
    return made


def test_nothing_fails_and_the_totals_are_right(bench: Bench) -> None:
    assert {e.reason for e in bench.all(DeadLettered)} <= {"too_old", "alias_of_itself"}
    assert len(bench.all(LateEvent)) > 50
    bench.assert_totals()


def test_a_replay_in_five_partitions_is_the_same_byte_for_byte(bench: Bench) -> None:
    states = [MemoryStates() for _ in range(5)]
    parts = [Partition(n, own, observed=True) for n, own in enumerate(states)]
    pipeline = Pipeline(parts, Desk(Money("EUR")), None, answers=False)
    entries = [entry for record in bench.journal for entry in pipeline.apply(record).entries]
    assert entries == bench.entries
    assert {c: body for own in states for c, body in own.bodies.items()} == bench.bodies()


def test_every_warning_ends_once_and_is_judged_once_unless_it_was_withdrawn(bench: Bench) -> None:
    aliases = {r.alias for r in bench.journal if isinstance(r, Handover)}  # what waits for a verdict goes with the id
    lives: dict[str, list[str]] = defaultdict(list)
    for entry in bench.entries:
        if entry.customer_id not in aliases:
            lives[entry.warning_id].append(entry.kind)
    assert len(lives) > 10
    for of, life in lives.items():
        assert life[0] == "raised"
        assert len([kind for kind in life if kind in {"recovered", "lost", "withdrawn"}]) == 1
        unjudged = "withdrawn" in life or of.startswith("s-")  # who is unhappy and silent has no risk to be judged
        assert life.count("verdict") == (0 if unjudged else 1)
