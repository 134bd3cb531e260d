"""Working time: when so many working hours after an instant have passed.

The rule kept here: the firm's own facts come first (a holiday of its own, a holiday on which it works, other hours),
then the country's public holidays and weekends, then the week of the settings.
"""

from datetime import UTC, date, datetime, timedelta, tzinfo
from functools import lru_cache
from zoneinfo import ZoneInfo

import holidays
from msgspec import Struct

from streamproc.core.hours import Hours
from streamproc.core.promises import Promises
from streamproc.core.time import SECOND, from_datetime, to_datetime

HOLIDAYS_KEPT = 366
LONGEST_WAIT_DAYS = 400
"""A firm that works on none of so many days keeps no hours: then all hours count."""


class Calendar(Struct):
    """What the firm's facts say beside the settings: days (ISO) on which it does or does not work, and its hours.

    `hours_at`, `days_at` (µs): of when hours and weekdays are; what is told of earlier times changes them no more.
    """

    works_on: dict[str, bool] = {}
    opens: int | None = None
    closes: int | None = None
    weekdays: tuple[int, ...] | None = None
    hours_at: int = 0
    days_at: int = 0

    def tell_hours(self, hours: Hours, at: int) -> None:
        """Notes the firm's hours from `at` (µs) on (in place); the latest stand."""
        if hours.opens is not None and at >= self.hours_at:
            self.opens, self.closes, self.hours_at = hours.opens, hours.closes, at
        if hours.weekdays is not None and at >= self.days_at:
            self.weekdays, self.days_at = hours.weekdays, at

    def tell_day(self, day: str, *, works: bool) -> None:
        """Notes a day of the firm's own (in place); the latest days are kept."""
        self.works_on[day] = works
        for old in sorted(self.works_on)[:-HOLIDAYS_KEPT]:
            del self.works_on[old]

    def works(self, day: date, promises: Promises) -> bool:
        """Whether the firm works on a day."""
        told = self.works_on.get(day.isoformat())
        if told is not None:
            return told
        if self.weekdays is None and promises.country:
            return bool(_public(promises.country, promises.subdivision).is_working_day(day))
        if day.isoweekday() not in (self.weekdays or promises.weekdays):
            return False
        return not promises.country or day not in _public(promises.country, promises.subdivision)

    def after(self, start: int, hours: float, promises: Promises) -> int:
        """The instant (µs) when so many working hours after `start` (µs) are over."""
        zone = zone_of(promises.timezone)
        left, day = timedelta(hours=hours), zone.fromutc(to_datetime(start).replace(tzinfo=zone)).date()
        opens = promises.opens if self.opens is None else self.opens
        closes = promises.closes if self.closes is None else self.closes
        begin = to_datetime(start)
        for _ in range(LONGEST_WAIT_DAYS):
            if self.works(day, promises):
                from_, to = max(begin, _at(day, opens, zone)), _at(day, closes, zone)
                if to - from_ >= left:
                    return from_datetime(from_ + left)
                left -= max(to - from_, timedelta())
            day += timedelta(days=1)
        return start + round(hours * 3600) * SECOND


def zone_of(name: str) -> tzinfo:
    """The time zone of a name. Raises ValueError for one that is not known."""
    if name == "UTC":
        return UTC
    try:
        return ZoneInfo(name)
    except (KeyError, OSError) as error:
        raise ValueError(f"no time zone {name!r}") from error


def _at(day: date, minute: int, zone: tzinfo) -> datetime:
    at = datetime(day.year, day.month, day.day, tzinfo=zone) + timedelta(minutes=minute)  # of the wall, not elapsed
    return (at - (at.utcoffset() or timedelta())).replace(tzinfo=UTC)


def check(promises: Promises) -> None:
    """Raises ValueError where zone, country or subdivision are not known."""
    zone_of(promises.timezone)
    if promises.country:
        try:
            _public(promises.country, promises.subdivision)
        except NotImplementedError as error:
            raise ValueError(f"promises: no calendar of {promises.country} {promises.subdivision}".rstrip()) from error


@lru_cache(maxsize=8)
def _public(country: str, subdivision: str) -> holidays.HolidayBase:
    return holidays.country_holidays(country, subdiv=subdivision or None)
