"""What is asked for in an address, read: numbers, flags, times."""

from datetime import UTC, datetime
from http import HTTPStatus

from streamproc.adapters.web.answers import ProblemError
from streamproc.core.time import from_datetime


def number_of(text: str, name: str, most: int) -> int:
    """A whole number of at most `most`; a limit is at least 1. Raises ProblemError, as the others do."""
    number = int(text) if text.isdecimal() and text.isascii() and len(text) < 20 else -1  # noqa: PLR2004 - digits of 2**63
    if not (name != "limit" or number) or not 0 <= number <= most:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"{name} must be a whole number of at most {most}")
    return number


def flag_of(text: str) -> bool:
    """Whether it says true; nothing says false."""
    if text.lower() not in {"true", "false", "1", "0", ""}:
        raise ProblemError(HTTPStatus.BAD_REQUEST, "open must be true or false")
    return text.lower() in {"true", "1", ""}


def moment_of(text: str, name: str) -> int:
    """µs of an RFC 3339 time; a date alone is its first instant, UTC."""
    try:
        when = datetime.fromisoformat(text.replace(" ", "+") if "T" in text else f"{text}T00:00:00Z")
        return from_datetime(when if when.tzinfo is not None else when.replace(tzinfo=UTC))
    except (ValueError, OverflowError):
        raise ProblemError(
            HTTPStatus.BAD_REQUEST, f"{name} must be a time as 2026-01-31T00:00:00Z, or a date"
        ) from None
