"""The way from other threads to the writer: bounded, in order, answered once durable, honest where it fails."""

import sqlite3
from concurrent.futures import Future
from pathlib import Path
from threading import Thread

import pytest

from streamproc.adapters.embedded import inbox as room
from streamproc.adapters.embedded.inbox import Inbox, InboxFullError
from streamproc.adapters.embedded.runner import Runner
from streamproc.core.time import DAY
from streamproc.intake.refusal import Position, Refusal
from streamproc.testing.events import bought
from tests.adapters.embedded.folder import contents, running
from tests.monitor.shops import Delivery, delivered

START = 20_000 * DAY
SOON = 30.0


def purchases(*days: int) -> list[Delivery]:
    return delivered(tuple(bought(START + day * DAY) for day in days))


def refused(row: int) -> Delivery:
    return Delivery(Refusal("not_json", "", ""), b"{", Position("made", row))


def test_each_is_answered_for_its_own_and_all_are_one_transaction(tmp_path: Path) -> None:
    inbox = Inbox()
    with running(tmp_path) as (db, runner):
        answers = [
            inbox.submit(purchases(1, 2)),
            inbox.submit([refused(1)]),
            inbox.submit([]),
            inbox.submit(purchases(2, 3)),
        ]
        commits = list[str]()
        db.set_trace_callback(lambda said: commits.append(said) if said == "COMMIT" else None)
        assert inbox.serve(runner, SOON) == 5
        assert commits == ["COMMIT"]
    told = [answer.result(timeout=0) for answer in answers]
    assert told == [["new", "new"], ["refused"], [], ["repeat", "new"]]
    assert len(contents(tmp_path, ["dead_letters"])["dead_letters"]) == 1


def test_an_empty_inbox_is_waited_for_and_serves_nothing(tmp_path: Path) -> None:
    with running(tmp_path) as (_, runner):
        assert Inbox().serve(runner, 0.01) == 0


def test_a_batch_is_no_longer_than_it_may_be(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(room, "BATCH", 3)
    inbox = Inbox()
    for day in range(0, 10, 2):
        inbox.submit(purchases(day, day + 1))
    with running(tmp_path) as (_, runner):
        served = [inbox.serve(runner, 0.01) for _ in range(4)]
    assert served == [4, 4, 2, 0]  # a submission is not parted


def test_who_may_not_wait_is_told_that_there_is_no_room(tmp_path: Path) -> None:
    inbox = Inbox(bound=2)
    first = inbox.submit(purchases(1))
    inbox.submit(purchases(2))
    with pytest.raises(InboxFullError, match="too many events are waiting"):
        inbox.submit(purchases(3))
    assert inbox.depth() == 2
    with running(tmp_path) as (_, runner):
        inbox.serve(runner, SOON)
    assert first.result(timeout=0) == ["new"]
    assert inbox.submit(purchases(3)) is not None


def test_who_may_wait_gets_in_once_there_is_room(tmp_path: Path) -> None:
    inbox, answers = Inbox(bound=1), list["Future[list[room.Status]]"]()
    inbox.submit(purchases(1))
    waiting = Thread(target=lambda: answers.append(inbox.submit(purchases(2), wait=True)))
    waiting.start()
    with running(tmp_path) as (_, runner):
        assert sum(inbox.serve(runner, SOON) for _ in range(2)) == 2
    waiting.join(SOON)
    assert answers[0].result(timeout=0) == ["new"]


def test_a_batch_that_fails_is_told_to_all_who_wait_and_kept_by_nobody(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    inbox = Inbox()
    answers = [inbox.submit(purchases(1)), inbox.submit(purchases(2))]

    def full(_runner: Runner) -> None:
        raise sqlite3.OperationalError("database or disk is full")

    with running(tmp_path) as (_, runner):
        monkeypatch.setattr(Runner, "commit", full)
        with pytest.raises(sqlite3.OperationalError, match="full"):
            inbox.serve(runner, SOON)
    assert [str(answer.exception(timeout=0)) for answer in answers] == ["database or disk is full"] * 2
    monkeypatch.undo()
    assert len(contents(tmp_path, ["journal"])["journal"]) == 2  # the set-up and the policy alone


def test_a_closed_inbox_takes_nothing_and_tells_those_who_still_wait() -> None:
    inbox = Inbox()
    answer = inbox.submit(purchases(1))
    inbox.close()
    assert isinstance(answer.exception(timeout=0), InboxFullError)
    for wait in (False, True):
        with pytest.raises(InboxFullError, match="shutting down"):
            inbox.submit(purchases(2), wait=wait)
    assert inbox.depth() == 0
