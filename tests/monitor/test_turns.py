"""A tick is worked on in turns, so that others of its process can go on; what comes of it is the same."""

import pytest

from streamproc.core.control import Tick
from streamproc.core.time import DAY
from streamproc.monitor import partition
from streamproc.testing.events import bought, on
from tests.monitor.bench import Bench
from tests.monitor.shops import records


def run(turn: int, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.setattr(partition, "A_TURN", turn)
    bench = Bench()
    given = records(80, 300, 17)
    bench.give(*given)
    bench.run_to((given[-1].at // DAY + 1) * DAY)
    return bench


def test_how_many_customers_a_turn_has_changes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    at_once, by_threes = run(10**9, monkeypatch), run(3, monkeypatch)
    assert len(at_once.effects) > 1_000
    assert at_once.effects == by_threes.effects
    assert at_once.bodies() == by_threes.bodies()
    (one,), (other,) = at_once.pipeline.partitions, by_threes.pipeline.partitions
    assert one.meta == other.meta


def test_a_turn_has_so_many_customers_at_the_most(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(partition, "A_TURN", 10)
    bench = Bench()
    bench.give(*(bought(on(3), customer_id=f"c{n}") for n in range(25)))
    [monitor] = bench.pipeline.partitions
    assert len(list(monitor.tick(Tick(at=on(4))))) == 2, (
        "others may go on between the first and the second, and the third"
    )
    assert len(bench.bodies()) == 25
