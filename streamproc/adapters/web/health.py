"""Whether the runtime is at work: the writer answers, commits, and time moves."""

import asyncio
import time
from concurrent.futures import Future
from http import HTTPStatus
from typing import Literal

from msgspec import Struct
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response

from streamproc.adapters.web import answers
from streamproc.adapters.web.ports import AwayError, Behind, BusyError, Position, Result
from streamproc.core.time import SECOND, to_text

PATIENCE = 2.0
"""Seconds within which the writer must answer."""

FRESH = 1.0
"""Seconds for which an answer holds: however many ask, the writer is asked once in that time."""

BEHIND = 60.0
"""Seconds that time may be behind the wall, where it follows it."""


class Health(Struct, frozen=True, kw_only=True):
    """`ready`: the writer answers and time moves. None: not known yet, or time does not follow the wall."""

    ready: bool
    writer: Literal["answers", "silent"]
    last_commit_seconds: float | None
    clock: str | None
    behind_seconds: float | None


class Doctor:
    """Answers `/livez` and `/readyz`."""

    def __init__(self, behind: Behind) -> None:
        self._behind = behind
        self._lock = asyncio.Lock()
        self._latest: tuple[float, Health] | None = None
        self._answered: float | None = None
        self._probe: Future[list[Result]] | None = None

    async def alive(self, _request: Request) -> Response:
        """`GET /livez`: the process answers; asks nothing of anything else."""
        return Response(b"alive\n", media_type="text/plain")

    async def ready(self, _request: Request) -> Response:
        """`GET /readyz`: 200 if all is at work, else 503, and what is not."""
        async with self._lock:
            now = time.monotonic()
            if self._latest is None or now - self._latest[0] > FRESH:
                self._latest = now, await self._examine()
            health = self._latest[1]
        return answers.json(health, HTTPStatus.OK if health.ready else HTTPStatus.SERVICE_UNAVAILABLE)

    async def _examine(self) -> Health:
        try:
            position = await run_in_threadpool(self._behind.reader.position)
            answers_now = await self._writer_answers()
        except AwayError:
            position, answers_now = Position(0, 0, wall=False), False
        if answers_now:
            self._answered = time.monotonic()
        behind = max(0.0, time.time() - position.read / SECOND) if position.wall else None
        return Health(
            ready=answers_now and (behind is None or behind <= BEHIND),
            writer="answers" if answers_now else "silent",
            last_commit_seconds=None if self._answered is None else round(time.monotonic() - self._answered, 3),
            clock=to_text(position.clock) if position.clock else None,
            behind_seconds=None if behind is None else round(behind, 3),
        )

    async def _writer_answers(self) -> bool:
        """Where no events can be posted, the reader's answer must do."""
        if self._behind.taker is None:
            return True
        try:
            # One question at a time: a busy writer finds one of ours in its queue, not one a second.
            if self._probe is None or self._probe.done():
                self._probe = self._behind.taker.probe()
            await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(self._probe)), PATIENCE)
        except (BusyError, TimeoutError):
            return False
        return True
