"""Answers in one shape: JSON of our structs, and problems (RFC 9457) where something went wrong."""

from collections.abc import Mapping
from http import HTTPStatus

import msgspec
from msgspec import Struct
from starlette.responses import Response

PROBLEM_TYPE = "application/problem+json"
LATER = {"retry-after": "5"}
"""The header that says when to come again."""


class Problem(Struct, frozen=True):
    """What went wrong, for people (`detail`) and programs (`status`)."""

    title: str
    status: int
    detail: str


class ProblemError(Exception):
    """Raised where a request cannot be answered; becomes a Problem."""

    def __init__(self, status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status = status
        self.detail = detail
        self.headers = headers


def json(value: object, status: int = HTTPStatus.OK) -> Response:
    """A struct, or what is made of structs, as JSON."""
    return Response(msgspec.json.encode(value), status, media_type="application/json")


def problem(status: HTTPStatus, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    """A problem as JSON."""
    body = msgspec.json.encode(Problem(status.phrase, int(status), detail))
    return Response(body, status, headers=headers, media_type=PROBLEM_TYPE)


def wants_page(headers: Mapping[str, str]) -> bool:
    """Whether a browser asks, for a person to read."""
    return "text/html" in headers.get("accept", "")
