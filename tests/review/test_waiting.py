"""Events that wait for their tick: many of them cost a tick nothing, and what is next is known after a restart too."""

import time
from pathlib import Path

from streamproc.core.control import ClockMode
from streamproc.core.time import SECOND
from streamproc.testing.events import bought, known, on
from tests.adapters.embedded.folder import running
from tests.monitor.shops import delivered


def test_what_is_next_is_the_same_after_an_alias_left_and_after_a_restart(tmp_path: Path) -> None:
    with running(tmp_path) as (_, runner):
        runner.take(delivered((bought(on(0), customer_id="a"), bought(on(0), customer_id="b"))))
        runner.set_mode(ClockMode(at=on(0), mode="wall", live=True))
        ahead = [bought(on(0, 4 + n), customer_id=c) for n, c in enumerate("aab")]
        runner.take(delivered((known(on(0, 3), customer_id="a", alias_of="c"), *ahead)))
        runner.advance_to(on(0, 3) + SECOND)
        [part] = runner.pipeline.partitions
        assert part.next_work() == on(0, 3) + SECOND  # what the handover left for the next tick
        runner.advance_to(on(0, 3) + 2 * SECOND)
        expected = part.next_work()
    assert expected == on(0, 4) + 1
    with running(tmp_path) as (_, runner):
        [part] = runner.pipeline.partitions
        assert part.next_work() == expected
        runner.advance_to(on(0, 7))
        state = part.state_of("c")
        assert state is not None
        assert state.facts.n_orders == 3


def test_a_tick_does_not_go_through_all_that_waits(tmp_path: Path) -> None:
    def seconds(waiting: int) -> float:
        with running(tmp_path / str(waiting)) as (_, runner):
            runner.take(delivered((bought(on(0)),)))
            runner.set_mode(ClockMode(at=on(0), mode="wall", live=True))
            ticks = [bought(on(0, 2) + n * SECOND, customer_id=f"t{n}") for n in range(200)]
            ahead = [bought(on(0, 9), customer_id=f"c{n}") for n in range(waiting)]
            runner.take(delivered((*ticks, *ahead)))
            began = time.process_time()
            runner.advance_to(on(0, 3))
            return time.process_time() - began

    assert seconds(20_000) < 3 * seconds(100) + 0.5


def test_an_idle_run_writes_to_the_disk_now_and_then_only(tmp_path: Path) -> None:
    with running(tmp_path) as (db, runner):
        runner.take(delivered((bought(on(0)),)))
        runner.set_mode(ClockMode(at=on(0), mode="wall", live=True))
        runner.advance_to(on(0, 5))
        heard: list[str] = []
        db.set_trace_callback(heard.append)
        for n in range(100):  # twenty seconds
            runner.advance_to(on(0, 5) + n * SECOND // 5)
        assert sum(sql == "COMMIT" for sql in heard) in range(2, 6)
        runner.take(delivered((bought(on(0, 5) + 30 * SECOND),)))
        runner.advance_to(on(0, 5) + 31 * SECOND)
    with running(tmp_path) as (_, runner):
        assert runner.progress.clock == on(0, 5) + 31 * SECOND
