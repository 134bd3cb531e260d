"""The two homes of states keep one contract; SQLite's keeps it across restarts and with a small cache."""

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from streamproc.adapters.embedded.schema import connect
from streamproc.adapters.embedded.states import StateTable
from streamproc.monitor.memory import MemoryStates
from streamproc.monitor.partition import States
from streamproc.testing.states_contract import CHECKS


@pytest.fixture
def db(tmp_path: Path) -> Iterator[sqlite3.Connection]:
    with closing(connect(tmp_path)) as opened:
        opened.execute("BEGIN")
        yield opened


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_states_in_memory(check: Callable[[States], None]) -> None:
    check(MemoryStates())


@pytest.mark.parametrize("cached", [100_000, 1])
@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_states_in_sqlite(check: Callable[[States], None], cached: int, db: sqlite3.Connection) -> None:
    check(StateTable(db, 0, cached))


def test_what_was_flushed_is_there_after_a_restart(db: sqlite3.Connection) -> None:
    table = StateTable(db, 0)
    table.put("a", b"one", 10)
    table.put("b", b"two", 10)
    table.put("c", b"three", None)
    table.flush()
    table.put("a", b"lost", 99)
    again = StateTable(db, 0)
    assert (again.get("a"), again.get("c"), again.next_due()) == (b"one", b"three", 10)
    assert sorted(again.due(10)) == ["a", "b"]


def test_partitions_share_a_table_and_are_due_apart(db: sqlite3.Connection) -> None:
    one, two = StateTable(db, 0), StateTable(db, 1)
    one.put("a", b"x", 5)
    two.put("b", b"x", 7)
    assert (one.next_due(), two.next_due()) == (5, 7)
    assert (one.due(9), two.due(9)) == (["a"], ["b"])


def test_a_trimmed_cache_reads_from_the_file_what_it_let_go(db: sqlite3.Connection) -> None:
    table = StateTable(db, 0, cached=2)
    for n in range(10):
        table.put(f"c{n}", str(n).encode(), n + 1)
    table.flush()
    table.trim()
    assert [table.get(f"c{n}") for n in range(10)] == [str(n).encode() for n in range(10)]
    table.put("c0", b"new", None)
    assert (table.next_due(), table.get("c0")) == (2, b"new")
