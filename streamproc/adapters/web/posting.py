"""Events in: `POST /events`."""

import asyncio
from http import HTTPStatus

import anyio
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from streamproc.adapters.web import answers, bodies
from streamproc.adapters.web.answers import ProblemError
from streamproc.adapters.web.ports import BusyError, Result, Sent, Taker

POSTS = 8
"""Requests with events whose bodies are held at once; more are asked to come back."""

PATIENCE = 30.0
"""Seconds within which what was posted is durable, or its sender is told that it may not be."""

UPLOAD = 60.0
"""Seconds a body may take to arrive: who sends more slowly holds up others."""

MAX_ID = 256


class Receipt(Struct, frozen=True, kw_only=True):
    """How many events were new, repeats, refused, and what became of each in the order of the request."""

    new: int
    repeats: int
    refused: int
    results: list[Result]


class Posting:
    """Answers the route."""

    def __init__(self, taker: Taker) -> None:
        self._taker = taker
        self._taking = anyio.CapacityLimiter(1)
        self._posts = 0

    async def events(self, request: Request) -> Response:
        """`POST /events`: 202 once all that was taken is durable, 422 if all was refused."""
        if request.headers.get("content-encoding", "identity") != "identity":
            raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send the body as it is, not packed")
        if self._posts >= POSTS:
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "too many requests at once", answers.LATER)
        self._posts += 1
        try:
            results = await self._take(_sent(await self._body(request), request))
        finally:
            self._posts -= 1
        by_status = [result.status for result in results]
        receipt = Receipt(
            new=by_status.count("new"),
            repeats=by_status.count("repeat"),
            refused=by_status.count("refused"),
            results=results,
        )
        taken = receipt.refused < len(results)
        return answers.json(receipt, HTTPStatus.ACCEPTED if taken else HTTPStatus.UNPROCESSABLE_ENTITY)

    async def _body(self, request: Request) -> bytes:
        try:
            async with asyncio.timeout(UPLOAD):
                return await bodies.read(request)
        except TimeoutError:
            raise ProblemError(
                HTTPStatus.REQUEST_TIMEOUT, "the body took too long: nothing was taken", {"connection": "close"}
            ) from None
        except bodies.TooLargeError:
            raise ProblemError(
                HTTPStatus.REQUEST_ENTITY_TOO_LARGE,
                f"a request may have {bodies.MAX_REQUEST} bytes: send the events in several",
                {"connection": "close"},
            ) from None

    async def _take(self, sent: list[Sent]) -> list[Result]:
        try:
            done = await anyio.to_thread.run_sync(self._taker.take, sent, limiter=self._taking)
            # Shielded: what was handed on will be taken, whether or not its sender still waits.
            return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(done)), PATIENCE)
        except BusyError as error:
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, str(error), answers.LATER) from error
        except TimeoutError as error:
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "not durable yet: send the same again later, what was taken by then counts as a repeat",
                answers.LATER,
            ) from error


def _sent(body: bytes, request: Request) -> list[Sent]:
    parts = bodies.split(body, request.headers.get("content-type", ""))
    if not parts:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "there is no event in the request")
    if len(parts) > bodies.MAX_EVENTS:
        raise ProblemError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a request may have {bodies.MAX_EVENTS} events: send them in several"
        )
    key = request.headers.get("idempotency-key", "").strip().strip('"')
    if len(key.encode()) > MAX_ID:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"an Idempotency-Key may have {MAX_ID} bytes")
    only = key if len(parts) == 1 else ""
    return [Sent(part, row, only) for row, part in enumerate(parts, 1)]
