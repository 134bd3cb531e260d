"""A request's body: read up to a bound, and cut into events whose bytes stay as they were."""

import msgspec
from starlette.requests import Request

from streamproc.intake.bodies import bodies_of
from streamproc.intake.refusal import Refusal

MAX_REQUEST = 16 << 20
"""Bytes one request may have."""

MAX_EVENTS = 10_000
"""Events one request may hold."""

_LINES = frozenset(("application/x-ndjson", "application/ndjson", "application/jsonl", "application/x-jsonlines"))
_decode_anything = msgspec.json.Decoder(msgspec.Raw).decode


class TooLargeError(Exception):
    """The body has more bytes than it may."""


async def read(request: Request, most: int = MAX_REQUEST) -> bytes:
    """The whole body. Raises TooLargeError where it is announced, or found, to be larger than `most` bytes.

    Of what is too large as much again is let go by unread: a client that was cut off while it still sends would not
    hear why.
    """
    announced = request.headers.get("content-length", "")
    too_large = announced.isdecimal() and int(announced) > most
    chunks: list[bytes] = []
    size = 0
    async for chunk in request.stream():
        size += len(chunk)
        too_large = too_large or size > most
        if too_large:
            chunks.clear()
            if size > 2 * most:
                break
        else:
            chunks.append(chunk)
    if too_large:
        raise TooLargeError
    return b"".join(chunks)


def split(body: bytes, content_type: str) -> list[bytes]:
    """The events of a body: one object, an array, or one a line where the type says so or it looks like it.

    What is none of these is one event, for intake to refuse with its bytes.
    """
    if not body.strip():
        return []
    lines = content_type.partition(";")[0].strip().lower() in _LINES or _looks_like_lines(body)
    found = bodies_of(body, lines=lines)
    return [body] if isinstance(found, Refusal) else found


def _looks_like_lines(body: bytes) -> bool:
    """Not one JSON value, but the first of several lines is."""
    first, _, rest = body.strip().partition(b"\n")
    return first[:1] == b"{" and bool(rest) and not _is_json(body) and _is_json(first)


def _is_json(body: bytes) -> bool:
    try:
        _decode_anything(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return False
    return True
