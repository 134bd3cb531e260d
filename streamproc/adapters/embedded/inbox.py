"""Arrivals on their way from other threads to the runner's: bounded, and answered once they are durable."""

from collections.abc import Sequence
from concurrent.futures import Future
from queue import Empty, Full, Queue
from threading import Event
from typing import Literal

from msgspec import Struct

from streamproc.adapters.embedded.runner import Arrival, Runner

Status = Literal["new", "repeat", "refused"]

BATCH = 2_000


class InboxFullError(Exception):
    """More waits than may: try again later."""


class Submission(Struct):
    """Some arrivals, and where to say what became of each."""

    arrivals: Sequence[Arrival]
    done: "Future[list[Status]]"


class Inbox:
    """At most `bound` submissions wait; a producer that may wait blocks, one that may not is told so."""

    def __init__(self, bound: int = 64) -> None:
        self._queue: Queue[Submission] = Queue(bound)
        self.closed = Event()

    def submit(self, arrivals: Sequence[Arrival], *, wait: bool = False) -> "Future[list[Status]]":
        """Hands arrivals over. Raises InboxFullError where there is no room (`wait`: only once the inbox is closed)."""
        submission = Submission(arrivals, Future())
        while True:
            if self.closed.is_set():
                raise InboxFullError("shutting down")
            try:
                self._queue.put(submission, timeout=0.2 if wait else 0)
            except Full as full:
                if not wait:
                    raise InboxFullError("too many events are waiting") from full
            else:
                return submission.done

    def serve(self, runner: Runner, timeout: float) -> int:
        """Takes what waits into the runner, in one transaction; how many arrivals these were (0 after `timeout` s)."""
        try:
            submissions = [self._queue.get(timeout=timeout)]
        except Empty:
            return 0
        size = len(submissions[0].arrivals)
        while size < BATCH and not self._queue.empty():
            submissions.append(self._queue.get())
            size += len(submissions[-1].arrivals)
        try:
            statuses = runner.take([a for s in submissions for a in s.arrivals]).statuses
        except BaseException as error:  # whoever waits for an answer is told; the runner's owner decides what ends
            for submission in submissions:
                submission.done.set_exception(error)
            raise
        at = 0
        for submission in submissions:
            submission.done.set_result(statuses[at : at + len(submission.arrivals)])
            at += len(submission.arrivals)
        return size

    def depth(self) -> int:
        """How many submissions wait."""
        return self._queue.qsize()

    def close(self) -> None:
        """Takes nothing more; what still waits is told that it was not taken."""
        self.closed.set()
        while not self._queue.empty():
            self._queue.get().done.set_exception(InboxFullError("shutting down"))
