"""The rules that need no broker: positions, marks and keys, who is stalled, which record kills."""

import asyncio
import os
import signal
from collections.abc import Sequence

import pytest

from streamproc.adapters.kafka.changelog import POSITION, SUSPECT, ChangelogError, Past, Slot, parted
from streamproc.adapters.kafka.liveness import Liveness
from streamproc.adapters.kafka.ownership import PositionError, start_position
from streamproc.adapters.kafka.ownership_trial import killer
from streamproc.adapters.kafka.transactions import Connection, Output, Writes


@pytest.mark.parametrize(
    ("position", "bounds", "start"), [(None, (0, 0), 0), (None, (7, 9), 7), (7, (7, 9), 7), (9, (7, 9), 9)]
)
def test_a_new_owner_goes_on_at_the_position_found(position: int | None, bounds: tuple[int, int], start: int) -> None:
    assert start_position(("t", 0), Past(position, None, {}), bounds) == start


@pytest.mark.parametrize(("position", "words"), [(6, "begins at 7, after our position 6"), (10, "ends at 9, before")])
def test_a_position_that_is_not_in_the_log_is_an_error(position: int, words: str) -> None:
    with pytest.raises(PositionError, match=f"t-0 {words}"):
        start_position(("t", 0), Past(position, None, {}), (7, 9))


def test_a_batch_is_outputs_states_and_position() -> None:
    output = Output("alerts", 0, b"k", b"v")
    outputs = Slot("changelog", 3, b"a/3/").outputs(Writes([output], [(b"c1", b"s"), (b"c2", None)]), 12)
    assert outputs == [
        output,
        Output("changelog", 3, b"a/3/c1", b"s"),
        Output("changelog", 3, b"a/3/c2", None),
        Output("changelog", 3, b"a/3/" + POSITION, b"12"),
    ]


@pytest.mark.parametrize("key", [POSITION, SUSPECT])
def test_the_transports_keys_are_nobody_elses(key: bytes) -> None:
    with pytest.raises(ChangelogError):
        Slot("changelog", 0).outputs(Writes([], [(key, b"")]), 1)


def test_owners_that_share_a_partition_see_their_own() -> None:
    values = {b"a/1/x": b"1", b"a/1/" + POSITION: b"5", b"a/11/x": b"2", b"b/1/" + SUSPECT: b"9"}
    assert parted(values, b"a/1/") == Past(5, None, {b"x": b"1"})
    assert parted(values, b"a/11/") == Past(None, None, {b"x": b"2"})
    assert parted(values, b"b/1/") == Past(None, 9, {})


def test_stalled_is_who_has_something_to_read_and_does_not_move() -> None:
    now = [1000.0]
    liveness = Liveness("monitor", lambda: now[0])

    def see(position: int, lag: int, after: float) -> bool:
        now[0] += after
        liveness.observe({"p": (position, lag)})
        return liveness.stalled

    assert not see(0, 0, 0)
    assert not see(0, 0, 10_000), "idle for hours"
    assert not see(0, 5, 10), "just arrived"
    assert not see(0, 5, 59)
    assert see(0, 900, 2)
    assert not see(1, 900, 1), "it moves"
    assert not see(1, 900, 60)
    assert see(1, 900, 1)
    assert (liveness.lag, liveness.idle_seconds) == (900, 61)
    assert not see(1, 0, 0)


def test_a_partition_that_went_away_is_nobodys_stall() -> None:
    now = [0.0]
    liveness = Liveness("monitor", lambda: now[0])
    liveness.observe({"p": (0, 1)})
    now[0] = 100.0
    assert liveness.stalled
    liveness.observe({})
    assert not liveness.stalled


def test_a_connection_keeps_its_secrets() -> None:
    assert "hunter2" not in repr(Connection("b:1", "hunter2", {"sasl_plain_password": "hunter2"}))


@pytest.mark.parametrize("bad", [0, 1, 6, 9])
def test_the_record_that_kills_is_found_without_dying_of_it(bad: int) -> None:
    def process(records: Sequence[int]) -> None:
        if bad in records:
            os.kill(os.getpid(), signal.SIGKILL)

    assert asyncio.run(killer(process, list(range(10)))) == bad


def test_an_exception_kills_nobody() -> None:
    def process(records: Sequence[int]) -> None:
        raise ValueError(records)

    assert asyncio.run(killer(process, [1, 2, 3])) is None
