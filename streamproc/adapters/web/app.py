"""The application: routes, what guards them, and what runs beside them."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from http import HTTPStatus
from pathlib import Path
from urllib.parse import parse_qs

from msgspec import Struct
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import RedirectResponse, Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles
from starlette.types import ASGIApp

from streamproc.adapters.web import answers, bodies
from streamproc.adapters.web.access import Access, check, is_token
from streamproc.adapters.web.acting import STEPS, Acting
from streamproc.adapters.web.answers import ProblemError
from streamproc.adapters.web.api import Api
from streamproc.adapters.web.guard import Guard, set_session
from streamproc.adapters.web.health import Doctor
from streamproc.adapters.web.openapi import document
from streamproc.adapters.web.pages import Pages
from streamproc.adapters.web.ports import AwayError, Behind
from streamproc.adapters.web.posting import Posting
from streamproc.adapters.web.stream import Feed
from streamproc.words import Language

MAX_FORM = 4_096


class Built(Struct, frozen=True):
    """The application, and the feed whose streams are to be closed before it ends."""

    app: ASGIApp
    feed: Feed


def build(behind: Behind, access: Access, language: Language = "en") -> Built:
    """The application over a runtime. Raises AccessError where it would be open to others without a token."""
    check(access)
    feed = Feed(behind.reader, behind.gauge)
    api, doctor = Api(behind, feed), Doctor(behind)
    pages = Pages(api.read, behind.reader, language)
    described = document(
        token=bool(access.token), events=behind.taker is not None, steps=bool(behind.desk or behind.taker)
    )

    async def openapi(_request: Request) -> Response:
        return answers.json(described)

    async def metrics(_request: Request) -> Response:
        body, content_type = await run_in_threadpool(behind.gauge.exposition)
        return Response(body, headers={"content-type": content_type})

    routes: list[BaseRoute] = [
        Route("/", pages.index),
        Route("/customers/{customer_id}", pages.customer),
        Route("/record", pages.record),
        Route("/report", pages.report),
        Route("/stream", api.stream),
        Route("/api/warnings", api.warnings),
        Route("/api/warnings/{warning_id}", api.warning),
        Route("/api/customers/{customer_id}", api.customer),
        Route("/api/customers/{customer_id}/why", api.why),
        Route("/api/summary", api.summary),
        Route("/api/record", api.record),
        Route("/api/alerts", api.alerts),
        Route("/metrics", metrics),
        Route("/livez", doctor.alive),
        Route("/readyz", doctor.ready),
        Route("/login", pages.login),
        Route("/login", _login(access), methods=["POST"]),
        Route("/openapi.json", openapi),
        Mount("/static", StaticFiles(directory=Path(__file__).with_name("static"))),
    ]
    if behind.taker is not None:
        routes.append(Route("/events", Posting(behind.taker).events, methods=["POST"]))

    if (desk := behind.desk or behind.taker) is not None:
        routes += _desk_routes(Acting(behind.reader, desk, api.read))

    @contextlib.asynccontextmanager
    async def watched(_app: Starlette) -> AsyncIterator[None]:
        watching = asyncio.create_task(feed.watch())
        yield
        watching.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await watching

    app = Starlette(
        routes=routes,
        lifespan=watched,
        exception_handlers={
            ProblemError: _problem,
            HTTPException: pages.error,
            AwayError: pages.away,
            ClientDisconnect: _left,
        },
    )
    return Built(Guard(app, access, behind.gauge), feed)


def _desk_routes(acting: Acting) -> list[BaseRoute]:
    """Where people say what they do about warnings."""
    about = [Route(f"/api/warnings/{{warning_id}}/{name}", acting.step(name), methods=["POST"]) for name in STEPS]
    return [
        *about,
        Route("/api/mute", acting.mute, methods=["POST"]),
        Route("/api/unmute", acting.unmute, methods=["POST"]),
        Route("/api/customers/{customer_id}/recover", acting.recover, methods=["POST"]),
    ]


def _login(access: Access) -> Callable[[Request], Awaitable[Response]]:
    """Lets a browser in that shows the token."""

    async def login(request: Request) -> Response:
        try:
            form = parse_qs((await bodies.read(request, MAX_FORM)).decode("utf-8", "replace"))
        except bodies.TooLargeError:
            form = {}
        if not access.token or not is_token(form.get("token", [""])[0], access):
            return RedirectResponse("/login?wrong=1", HTTPStatus.SEE_OTHER)
        response = RedirectResponse("/", HTTPStatus.SEE_OTHER)
        set_session(response, request.scope, access)
        return response

    return login


async def _problem(_request: Request, error: Exception) -> Response:
    assert isinstance(error, ProblemError)
    return answers.problem(error.status, error.detail, error.headers)


async def _left(_request: Request, _error: Exception) -> Response:
    """Whoever asked has gone before the end of the request: nothing was taken, and nobody reads this."""
    return Response(status_code=HTTPStatus.BAD_REQUEST)
