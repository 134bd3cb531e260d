"""Standard input on its way to the writer: in lists, and at once where no more is there."""

import os
from collections.abc import Iterator
from io import StringIO
from pathlib import Path
from threading import Thread

import pytest
from rich.console import Console

from streamproc.adapters.embedded.inbox import Inbox, InboxFullError
from streamproc.adapters.embedded.schema import connect
from streamproc.adapters.sources import Item
from streamproc.cli import lists, run
from streamproc.cli.lists import Lists
from streamproc.cli.session import Session
from streamproc.cli.tally import Tally
from streamproc.config import Settings
from streamproc.intake.intake import Settings as IntakeSettings
from streamproc.intake.refusal import Position, Refusal
from tests.adapters.embedded.folder import running

HEADER = "customer_id,ts,amount\n"
SOON = 30.0


def row(number: int) -> str:
    return f"c{number % 50},2024-01-{1 + number % 28:02},{number + 1}\n"


def refused(number: int, size: int = 10) -> Item:
    return Item(Refusal("not_json", "", ""), b"x" * size, Position("stdin", number))


@pytest.fixture
def session(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Session]:
    monkeypatch.setattr("streamproc.cli.session.signal.signal", lambda *_: None)
    db = connect(tmp_path / "data")
    yield Session(db, Settings(data=tmp_path / "data", listen="off"), Console(file=StringIO()))
    db.close()


def test_what_a_pipe_brings_is_taken_while_it_is_open(session: Session, monkeypatch: pytest.MonkeyPatch) -> None:
    reading, writing = os.pipe()
    monkeypatch.setattr(run, "STDIN", reading)
    os.write(writing, (HEADER + row(0) + row(1)).encode())
    tally = Tally()
    thread = run._from_stdin(session, None, IntakeSettings(), tally)
    assert session.inbox.serve(session.runner, SOON) == 2
    os.write(writing, row(2).encode())
    assert session.inbox.serve(session.runner, SOON) == 1
    os.close(writing)
    thread.join(SOON)
    assert not thread.is_alive()
    assert tally.read == 3
    os.close(reading)


def test_what_is_there_is_taken_in_few_lists(session: Session, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "LONGEST", 100)
    path, tally = tmp_path / "orders.csv", Tally()
    path.write_text(HEADER + "".join(row(n) for n in range(250)), encoding="utf-8")
    with path.open("rb") as file:
        monkeypatch.setattr(run, "STDIN", file.fileno())
        thread = run._from_stdin(session, None, IntakeSettings(), tally)
        assert [session.inbox.serve(session.runner, SOON) for _ in range(3)] == [100, 100, 50]
        thread.join(SOON)
    assert tally.read == 250


def test_large_records_make_short_lists(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "LARGEST", 1_000)
    inbox = Inbox()
    made = Lists(inbox, Tally())
    for number in range(3):
        made.add(refused(number, 400))
    assert inbox.depth() == 1


def test_at_most_one_list_waits_and_all_are_counted_at_the_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "LONGEST", 2)
    inbox, tally = Inbox(), Tally()

    def produce() -> None:
        made = Lists(inbox, tally)
        for number in range(7):
            made.add(refused(number))
        made.end()

    with running(tmp_path / "data") as (_, runner):
        thread = Thread(target=produce)
        thread.start()
        depths, taken = [0], list[int]()
        while sum(taken) < 7:
            taken.append(inbox.serve(runner, SOON))
            depths.append(inbox.depth())
        thread.join(SOON)
    assert taken == [2, 2, 2, 1]
    assert max(depths) <= 1
    assert (tally.read, tally.refused) == (7, 7)


def test_a_closed_inbox_ends_the_producer_and_counts_nothing() -> None:
    inbox, tally = Inbox(), Tally()
    made = Lists(inbox, tally)
    made.add(refused(1))
    made.hand_over()
    made.add(refused(2))
    inbox.close()
    with pytest.raises(InboxFullError):
        made.hand_over()
    made.end()  # nothing is left to hand over
    assert tally.read == 0
