"""Stamps as feeds write them → microseconds since the epoch.

Read without configuration: RFC 3339 and ISO 8601 calendar stamps (`2024-01-31`, `20240131`,
`2024-01-31 10:00:00.5+02:00`), and epoch numbers, whose unit is told by their size. What could be read in
two ways (`01/02/2024`) is not read at all: the mapping's `time_format` says how.
"""

from datetime import UTC, datetime, tzinfo

from streamproc.core.time import SECOND, from_datetime
from streamproc.intake.refusal import Refusal

_MS_FROM = 10**11  # an epoch number this large would be past the year 5138 in seconds
_US_FROM = 10**14
_TOO_LARGE = 10**17
_TEXT_FROM = 10**8
_CALENDAR_DIGITS = 8
_TEXT_LENGTH = 17  # longer texts are no numbers: the longest has 17 digits


def parse_epoch(number: float) -> int | Refusal:
    """Microseconds of an epoch number: seconds below 1e11, milliseconds below 1e14, else microseconds."""
    size = abs(number)
    if size < _MS_FROM:
        return round(number * SECOND)
    if size < _US_FROM:
        return round(number * 1000)
    if size < _TOO_LARGE:
        return round(number)
    return Refusal("bad_time", "occurred_at", "not an epoch number: too large")


class Times:
    """Reads the stamps of one feed. Naive ones are times of `zone`; `layout` is a strptime format or None.

    A naive stamp that a clock change makes double is its first instant (PEP 495, fold 0).
    """

    def __init__(self, zone: tzinfo = UTC, layout: str | None = None) -> None:
        self._zone = zone
        self._layout = layout
        self._last: tuple[str, int | Refusal] = ("", Refusal("missing_field", "occurred_at"))

    def parse(self, stamp: str | float) -> int | Refusal:
        """Microseconds since the epoch, or a refusal: missing_field for an empty text, else bad_time."""
        if not isinstance(stamp, str):
            return parse_epoch(stamp)
        last = self._last  # neighbours often share their stamp
        if last[0] == stamp:
            return last[1]
        at = self._read(stamp)
        self._last = (stamp, at)
        return at

    def _read(self, stamp: str) -> int | Refusal:
        try:
            if self._layout is not None:
                when = datetime.strptime(stamp, self._layout)  # noqa: DTZ007  the zone follows below
            elif len(stamp) <= _TEXT_LENGTH and _is_number(stamp):
                return _parse_digits(stamp)
            else:
                when = datetime.fromisoformat(f"{stamp[:-1]}Z" if stamp.endswith("z") else stamp)
            if when.tzinfo is None:
                when = when.replace(tzinfo=self._zone)
            return from_datetime(when)
        except (ValueError, OverflowError):
            expected = (
                f"format {self._layout}" if self._layout else "RFC 3339 or epoch; else set time_format in a mapping"
            )
            return Refusal("bad_time", "occurred_at", f"not a time ({expected})")


def _parse_digits(stamp: str) -> int | Refusal:
    number = float(stamp)
    if 0 <= number < _TEXT_FROM:  # day numbers of spreadsheets, years, plain counters
        return Refusal("bad_time", "occurred_at", "a number below 1e8 (1973) is not taken for an epoch stamp")
    return parse_epoch(number)


def _is_number(stamp: str) -> bool:
    """Whether the text is an epoch number; eight digits are a calendar day (ISO 8601 basic), not a number."""
    digits = stamp.removeprefix("-").replace(".", "", 1)
    return digits.isascii() and digits.isdigit() and not (len(stamp) == _CALENDAR_DIGITS and stamp.isdigit())
