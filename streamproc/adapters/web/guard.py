"""The outermost layer: every request passes it before anything of it is read, every answer gets its headers."""

import time
from http import HTTPStatus
from http.cookies import CookieError, SimpleCookie
from urllib.parse import parse_qsl, urlencode

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from streamproc.adapters.web.access import (
    COOKIE,
    OPEN_PATHS,
    STATIC,
    Access,
    is_own_host,
    is_own_origin,
    is_token,
    may_pass,
    session_of,
)
from streamproc.adapters.web.answers import problem, wants_page
from streamproc.adapters.web.ports import Gauge

SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
HEADERS = {
    "content-security-policy": "default-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
    "object-src 'none'",
    "x-content-type-options": "nosniff",
    "x-frame-options": "DENY",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


class Guard:
    """Refuses what is not for this server or shows no token; routes go by the path as it was sent.

    A customer's id may hold any character: only in the path as it was sent is an encoded slash no separator.
    """

    def __init__(self, app: ASGIApp, access: Access, gauge: Gauge) -> None:
        self._app = app
        self._access = access
        self._gauge = gauge

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers as an ASGI application."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        scope["path"] = scope.get("raw_path", scope["path"].encode()).decode("latin-1")
        began, status = time.perf_counter(), [int(HTTPStatus.INTERNAL_SERVER_ERROR)]

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                status[0] = message["status"]
                headers = MutableHeaders(scope=message)
                for name, value in HEADERS.items():
                    headers.setdefault(name, value)  # a page whose charts come with it has a policy of its own
                headers.setdefault("cache-control", "no-store")
            await send(message)

        try:
            await (self._refusal(scope) or self._app)(scope, receive, with_headers)
        finally:
            route = scope.get("route")
            pattern = getattr(route, "path", "other")
            self._gauge.request(pattern, scope["method"], status[0], time.perf_counter() - began)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        if not is_own_host(headers.get("host"), self._access):
            return problem(
                HTTPStatus.MISDIRECTED_REQUEST, "this server has another name than the Host that was asked for"
            )
        if scope["method"] not in SAFE and not is_own_origin(headers):
            return problem(HTTPStatus.FORBIDDEN, "another site's page may not send anything here")
        path: str = scope["path"]
        if path in OPEN_PATHS or path.startswith(STATIC):
            return None
        return self._exchange(scope) or self._unknown(headers)

    def _unknown(self, headers: Headers) -> Response | None:
        if may_pass(headers, _cookie(headers), self._access):
            return None
        if wants_page(headers):
            return RedirectResponse("/login", HTTPStatus.SEE_OTHER)
        return problem(
            HTTPStatus.UNAUTHORIZED, "send the token: Authorization: Bearer …", {"www-authenticate": "Bearer"}
        )

    def _exchange(self, scope: Scope) -> Response | None:
        """The cookie for a `?token=` in a page's address, which then is gone from it."""
        query = parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True)
        token = dict(query).get("token")
        if not self._access.token or token is None or scope["method"] != "GET":
            return None
        if not is_token(token, self._access):
            return RedirectResponse("/login?wrong=1", HTTPStatus.SEE_OTHER)
        rest = urlencode([(name, value) for name, value in query if name != "token"])
        path = "/" + scope["path"].lstrip("/")
        response = RedirectResponse(f"{path}?{rest}" if rest else path, HTTPStatus.SEE_OTHER)
        set_session(response, scope, self._access)
        return response


def set_session(response: Response, scope: Scope, access: Access) -> None:
    """Lets a browser in for as long as it runs."""
    secure = Request(scope).url.scheme == "https"
    response.set_cookie(COOKIE, session_of(access), httponly=True, samesite="strict", secure=secure)


def _cookie(headers: Headers) -> str | None:
    try:
        found = SimpleCookie(headers.get("cookie", "")).get(COOKIE)
    except CookieError:
        return None
    return None if found is None else found.value
