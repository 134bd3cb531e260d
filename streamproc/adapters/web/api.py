"""The JSON interface: warnings, customers, why, the base at a glance."""

from collections.abc import Callable
from datetime import UTC, datetime
from http import HTTPStatus
from typing import TypeVar

import anyio
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from streamproc.adapters.web import answers
from streamproc.adapters.web.answers import ProblemError
from streamproc.adapters.web.paths import customer_of
from streamproc.adapters.web.ports import Asked, Behind
from streamproc.adapters.web.stream import EventStream, Feed
from streamproc.core.time import from_datetime
from streamproc.desk.report import Summary, WarningNow

T = TypeVar("T")

READERS = 4
"""Questions answered at once; the others wait."""

MAX_PAGE = 500


class WarningPage(Struct, frozen=True, kw_only=True):
    """Warnings, and what to give as `after` for the next page (None: there is none)."""

    warnings: list[WarningNow]
    next_after: str | None


class Api:
    """Answers the JSON routes."""

    def __init__(self, behind: Behind, feed: Feed) -> None:
        self._behind = behind
        self._feed = feed
        self._reading = anyio.CapacityLimiter(READERS)

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
        wanted, at = customer_of(request), _moment(request.query_params.get("at"), "at")
        answer = await self.read(lambda: self._behind.reader.why(wanted, at))
        if answer.found == "unknown":
            raise ProblemError(HTTPStatus.NOT_FOUND, "no event of this customer was ever taken in")
        return answers.json(answer)

    async def summary(self, _request: Request) -> Response:
        """`GET /api/summary`."""
        return answers.json(await self.glance())

    async def record(self, request: Request) -> Response:
        """`GET /api/record`."""
        since = _moment(request.query_params.get("since"), "since") or 0
        return answers.json(await self.read(lambda: self._behind.reader.record(since)))

    async def glance(self) -> Summary:
        """The base at a glance. Raises ProblemError while nothing was read."""
        found = await self.read(self._behind.reader.summary)
        if found is None:
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "nothing was read yet", answers.LATER)
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
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "too many streams are open", answers.LATER)
        return EventStream(self._feed, seq)


def _number(text: str, name: str, most: int) -> int:
    number = int(text) if text.isdecimal() and text.isascii() and len(text) < 20 else -1  # noqa: PLR2004 - digits of 2**63
    if not (name != "limit" or number) or not 0 <= number <= most:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"{name} must be a whole number of at most {most}")
    return number


def _flag(text: str) -> bool:
    if text.lower() not in {"true", "false", "1", "0", ""}:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "open must be true or false")
    return text.lower() in {"true", "1", ""}


def _moment(text: str | None, name: str) -> int | None:
    """µs of an RFC 3339 time; a date alone is its first instant, UTC."""
    if text is None:
        return None
    try:
        when = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else f"{text}T00:00:00Z")
        return from_datetime(when if when.tzinfo is not None else when.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise ProblemError(
            HTTPStatus.BAD_REQUEST, f"{name} must be a time as 2026-01-31T00:00:00Z, or a date"
        ) from None
