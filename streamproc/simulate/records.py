"""Events as a feed writes them: JSON lines, times in RFC 3339, money as decimal numbers of units.

Written by hand, not by an encoder: millions of lines are asked for, and every value is known to be safe.
"""

from datetime import date, timedelta
from functools import cache
from typing import Final, Literal

from streamproc.core.time import DAY, SECOND

Stream = Literal["purchases", "complaints", "contacts", "facts", "truth"]
STREAMS: Final[tuple[Stream, ...]] = ("purchases", "complaints", "contacts", "facts", "truth")
PURCHASES, COMPLAINTS, CONTACTS, FACTS, TRUTH = range(5)

_EPOCH = date(1970, 1, 1)
_TIME_DIGITS = 18  # µs up to the year 2900 need 17; leading zeros let lines sort as text
HEAD_LENGTH = _TIME_DIGITS + 1

Value = str | float | int | bool | None


@cache
def _date_text(day: int) -> str:
    return (_EPOCH + timedelta(days=day)).isoformat()


@cache
def _minute_text(minute: int) -> str:
    return f"{minute // 60:02d}:{minute % 60:02d}"


def clock_text(at: int) -> str:
    """RFC 3339 in UTC of `at` (µs), cut to whole seconds."""
    day, rest = divmod(at, DAY)
    second = rest // SECOND
    return f"{_date_text(day)}T{_minute_text(second // 60)}:{second % 60:02d}Z"


def money_text(cents: int) -> str:
    """Cents as a decimal number of units: -1999 is `-19.99`."""
    sign = "-" if cents < 0 else ""
    cents = abs(cents)
    return f"{sign}{cents // 100}.{cents % 100:02d}"


def members(**values: Value) -> str:
    """JSON members, each led by a comma, those that are None left out. Texts must need no escape."""
    return "".join(f',"{name}":{_json(value)}' for name, value in values.items() if value is not None)


def _json(value: Value) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)


def entry(at: int, stream: int, line: str) -> bytes:
    """A line with its time and stream before it: such entries sort as bytes, by time, stream, then text."""
    return f"{at:0{_TIME_DIGITS}d}{stream}{line}".encode()


def entry_at(packed: bytes) -> int:
    """The time (µs) of an entry."""
    return int(packed[:_TIME_DIGITS])


def entry_stream(packed: bytes) -> Stream:
    """The stream of an entry."""
    return STREAMS[packed[_TIME_DIGITS] - ord("0")]


class Pen:
    """Writes the events of one customer; what falls outside the shop's days is not written.

    `name` is the customer's id. Before `renamed_at` (µs) the feed knew the customer by `guest` instead.
    `about` holds JSON members of the envelope that every purchase repeats.
    """

    __slots__ = ("about", "ends", "entries", "guest", "name", "renamed_at", "written")

    def __init__(self, name: str, ends: int) -> None:
        self.name = name
        self.guest = name
        self.renamed_at = 0
        self.ends = ends
        self.about = ""
        self.written = 0
        self.entries: list[bytes] = []

    def next_ref(self) -> str:
        """An id nobody else uses."""
        self.written += 1
        return f"{self.name[1:]}-{self.written}"

    def put(self, at: int, stream: int, body: str) -> bool:
        """Write one event whose own members are `body`, each led by a comma; False if it is past the end."""
        if at >= self.ends:
            return False
        who = self.name if at >= self.renamed_at else self.guest
        line = (
            f'{{"event_id":"e{self.next_ref()}","customer_id":"{who}","occurred_at":"{clock_text(at)}"'
            f',"schema_version":1{body}}}'
        )
        self.entries.append(entry(at, stream, line))
        return True
