"""What the firm's facts say of its working hours and days: one reading of them, for intake and for the desk."""

import re
from collections.abc import Mapping
from datetime import date

from msgspec import Struct

Detail = Mapping[str, str | float | bool | None]

_CLOCK = re.compile(r"([01]?\d|2[0-4]):([0-5]\d)")
_DAYS = re.compile(r"[1-7](?:-[1-7]|(?:\s*,\s*[1-7])*)")
_LAST_MINUTE = 24 * 60


class Hours(Struct, frozen=True):
    """Minutes of the day and weekdays from 1, Monday, to 7; None: not told."""

    opens: int | None = None
    closes: int | None = None
    weekdays: tuple[int, ...] | None = None


def read_hours(detail: Detail) -> Hours:
    """`from` and `to` as `09:30`, `days` as `1-5` or `1,2,3`. Raises ValueError for anything else, or for nothing."""
    opens, closes = _minutes(detail.get("from")), _minutes(detail.get("to"))
    if (opens is None) != (closes is None) or (opens is not None and closes is not None and opens >= closes):
        raise ValueError("from and to: hours such as 09:00 and 17:30, the earlier first")
    weekdays = _weekdays(detail.get("days"))
    if opens is None and weekdays is None:
        raise ValueError("which hours (from, to) or which days they are")
    return Hours(opens, closes, weekdays)


def read_day(subject: str | None, detail: Detail) -> date:
    """The day of a holiday, as 2026-05-01. Raises ValueError for anything else."""
    try:
        return date.fromisoformat(str(detail.get("day") or subject or ""))
    except ValueError:
        raise ValueError("day: a date such as 2026-05-01") from None


def _minutes(text: object) -> int | None:
    if text is None:
        return None
    found = _CLOCK.fullmatch(str(text).strip())
    minutes = int(found[1]) * 60 + int(found[2]) if found else _LAST_MINUTE + 1
    if minutes > _LAST_MINUTE:
        raise ValueError("from and to: hours such as 09:00 and 17:30, the earlier first")
    return minutes


def _weekdays(text: object) -> tuple[int, ...] | None:
    if text is None:
        return None
    said = str(text).removesuffix(".0").strip()  # one day alone may come as a number
    if _DAYS.fullmatch(said) is None:
        raise ValueError("days: weekdays from 1, Monday, to 7, such as 1-5 or 1,3,5")
    first, dash, last = said.partition("-")
    days = tuple(range(int(first), int(last) + 1)) if dash else tuple(sorted({int(n) for n in said.split(",")}))
    if not days:
        raise ValueError("days: weekdays from 1, Monday, to 7, such as 1-5 or 1,3,5")
    return days
