"""The JSON interface: warnings, customers, why, the base at a glance, and events in."""

import asyncio
from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TypeVar

import anyio
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from streamproc.adapters.web import answers, bodies
from streamproc.adapters.web.answers import ProblemError
from streamproc.adapters.web.paths import customer_of
from streamproc.adapters.web.ports import Asked, Behind, BusyError, Result, Sent
from streamproc.adapters.web.stream import EventStream, Feed
from streamproc.core.time import from_datetime
from streamproc.desk.report import Summary, WarningNow

T = TypeVar("T")

READERS = 4
"""Questions answered at once; the others wait."""

POSTS = 8
"""Requests with events whose bodies are held at once; more are asked to come back."""

PATIENCE = 30.0
"""Seconds within which what was posted is durable, or its sender is told that it may not be."""

UPLOAD = 60.0
"""Seconds a body may take to arrive: who sends more slowly holds up others."""

MAX_ID = 256
MAX_PAGE = 500
BUSY = {"retry-after": "5"}


class WarningPage(Struct, frozen=True, kw_only=True):
    """Warnings, and what to give as `after` for the next page (None: there is none)."""

    warnings: list[WarningNow]
    next_after: str | None


class Receipt(Struct, frozen=True, kw_only=True):
    """How many events were new, repeats, refused, and what became of each in the order of the request."""

    new: int
    repeats: int
    refused: int
    results: list[Result]


class Api:
    """Answers the JSON routes."""

    def __init__(self, behind: Behind, feed: Feed) -> None:
        self._behind = behind
        self._feed = feed
        self._reading = anyio.CapacityLimiter(READERS)
        self._taking = anyio.CapacityLimiter(1)
        self._posts = 0

    async def read(self, question: Callable[[], T]) -> T:
        """Asks the reader something, off the event loop."""
        return await anyio.to_thread.run_sync(question, limiter=self._reading)

    # --------------------------------------------------------------------------------------- questions

    async def warnings(self, request: Request) -> Response:
        """`GET /api/warnings`."""
        query = request.query_params
        limit = _number(query.get("limit", "100"), "limit", MAX_PAGE)
        asked = Asked(
            open_only=_flag(query.get("open", "false")),
            customer=query.get("customer"),
            limit=limit + 1,
            after=query.get("after"),
        )
        found = await self.read(lambda: self._behind.reader.warnings(asked))
        more = len(found) > limit
        return answers.json(WarningPage(warnings=found[:limit], next_after=found[limit - 1].id if more else None))

    async def warning(self, request: Request) -> Response:
        """`GET /api/warnings/{warning_id}`."""
        wanted: str = request.path_params["warning_id"]
        found = await self.read(lambda: self._behind.reader.warning(wanted))
        if found is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, "there is no warning of this id")
        return answers.json(found)

    async def customer(self, request: Request) -> Response:
        """`GET /api/customers/{customer_id}`."""
        wanted = customer_of(request)
        found = await self.read(lambda: self._behind.reader.customer(wanted))
        if found is None:
            raise ProblemError(HTTPStatus.NOT_FOUND, "no event of this customer was ever taken in")
        return answers.json(found)

    async def why(self, request: Request) -> Response:
        """`GET /api/customers/{customer_id}/why`."""
        wanted, at = customer_of(request), _moment(request.query_params.get("at"))
        answer = await self.read(lambda: self._behind.reader.why(wanted, at))
        if answer.found == "unknown":
            raise ProblemError(HTTPStatus.NOT_FOUND, "no event of this customer was ever taken in")
        return answers.json(answer)

    async def summary(self, _request: Request) -> Response:
        """`GET /api/summary`."""
        return answers.json(await self.glance())

    async def glance(self) -> Summary:
        """The base at a glance. Raises ProblemError while nothing was read."""
        found = await self.read(self._behind.reader.summary)
        if found is None:
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "nothing was read yet", BUSY)
        return found

    # ------------------------------------------------------------------------------------------ stream

    async def stream(self, request: Request) -> Response | EventStream:
        """`GET /stream`: goes on after Last-Event-ID, or `after`, or with what comes next."""
        given = request.headers.get("last-event-id") or request.query_params.get("after")
        last = await self._feed.last()
        seq = last if given is None else min(_number(given, "after", 1 << 62), last)
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        if not self._feed.join():
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "too many streams are open", BUSY)
        return EventStream(self._feed, seq)

    # ------------------------------------------------------------------------------------------ events

    async def events(self, request: Request) -> Response:
        """`POST /events`: 202 once all that was taken is durable, 422 if all was refused."""
        if request.headers.get("content-encoding", "identity") != "identity":
            raise ProblemError(HTTPStatus.UNSUPPORTED_MEDIA_TYPE, "send the body as it is, not packed")
        if self._posts >= POSTS:
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "too many requests at once", BUSY)
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
            done = await anyio.to_thread.run_sync(self._behind.taker.take, sent, limiter=self._taking)
            # Shielded: what was handed on will be taken, whether or not its sender still waits.
            return await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(done)), PATIENCE)
        except BusyError as error:
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, str(error), BUSY) from error
        except TimeoutError as error:
            raise ProblemError(
                HTTPStatus.SERVICE_UNAVAILABLE,
                "not durable yet: send the same again later, what was taken by then counts as a repeat",
                BUSY,
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


def _number(text: str, name: str, most: int) -> int:
    number = int(text) if text.isdecimal() and text.isascii() and len(text) < 20 else -1  # noqa: PLR2004 - digits of 2**63
    if not (name != "limit" or number) or not 0 <= number <= most:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"{name} must be a whole number of at most {most}")
    return number


def _flag(text: str) -> bool:
    if text.lower() not in {"true", "false", "1", "0", ""}:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "open must be true or false")
    return text.lower() in {"true", "1", ""}


def _moment(text: str | None) -> int | None:
    """µs of an RFC 3339 time; a date alone is its first instant, UTC."""
    if text is None:
        return None
    try:
        when = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else f"{text}T00:00:00Z")
        return from_datetime(when if when.tzinfo is not None else when.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise ProblemError(HTTPStatus.BAD_REQUEST, "at must be a time as 2026-01-31T00:00:00Z, or a date") from None
