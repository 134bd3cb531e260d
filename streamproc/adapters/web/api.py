"""The JSON interface: warnings, customers, why, the base at a glance."""

from collections.abc import Callable
from http import HTTPStatus
from typing import TypeVar

import anyio
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from streamproc.adapters.web import answers
from streamproc.adapters.web.answers import ProblemError
from streamproc.adapters.web.asked import flag_of, moment_of, number_of
from streamproc.adapters.web.paths import customer_of
from streamproc.adapters.web.ports import Asked, Behind
from streamproc.adapters.web.stream import EventStream, Feed
from streamproc.core.alerts import Alert
from streamproc.desk.report import Summary, WarningNow

T = TypeVar("T")

READERS = 4
"""Questions answered at once; the others wait."""

MAX_PAGE = 500


class WarningPage(Struct, frozen=True, kw_only=True):
    """Warnings, and what to give as `after` for the next page (None: there is none)."""

    warnings: list[WarningNow]
    next_after: str | None


class AlertPage(Struct, frozen=True, kw_only=True):
    """Each alert's last line, and whether there are more than were asked for."""

    alerts: list[Alert]
    more: bool


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
        limit = number_of(query.get("limit", "100"), "limit", MAX_PAGE)
        asked = Asked(
            open_only=flag_of(query.get("open", "false")),
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
        wanted, at = customer_of(request), _moment(request, "at")
        answer = await self.read(lambda: self._behind.reader.why(wanted, at))
        if answer.found == "unknown":
            raise ProblemError(HTTPStatus.NOT_FOUND, "no event of this customer was ever taken in")
        return answers.json(answer)

    async def summary(self, _request: Request) -> Response:
        """`GET /api/summary`."""
        return answers.json(await self.glance())

    async def record(self, request: Request) -> Response:
        """`GET /api/record`."""
        since = _moment(request, "since") or 0
        return answers.json(await self.read(lambda: self._behind.reader.record(since)))

    async def alerts(self, request: Request) -> Response:
        """`GET /api/alerts`."""
        query = request.query_params
        limit, open_only = number_of(query.get("limit", "100"), "limit", MAX_PAGE), flag_of(query.get("open", "false"))
        found = await self.read(lambda: self._behind.reader.alerts(open_only=open_only))
        return answers.json(AlertPage(alerts=found[:limit], more=len(found) > limit))

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
        seq = last if given is None else min(number_of(given, "after", 1 << 62), last)
        if request.method == "HEAD":
            return Response(media_type="text/event-stream")
        if not self._feed.join():
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "too many streams are open", answers.LATER)
        return EventStream(self._feed, seq)


def _moment(request: Request, name: str) -> int | None:
    text = request.query_params.get(name)
    return None if text is None else moment_of(text, name)
