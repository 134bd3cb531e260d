"""What is promised to whoever complains: an owner at once, an answer and a solution in so many working hours. Data.

The rule kept here: a promise follows from the complaint and the calendar alone, so it may be computed anew at any time.
"""

from typing import Literal, get_args

from msgspec import Struct, field

Promise = Literal["acknowledge", "resolve"]
PROMISES: tuple[Promise, ...] = get_args(Promise)

LEAST_SEVERITY, MOST_SEVERITY = 1, 5
MOST_HOURS = 10_000.0
"""What is promised for later is no promise: five years of working days."""

MOST_LATER = 10.0
_MINUTES_A_DAY = 24 * 60
_ACKNOWLEDGE = {"1": 16.0, "2": 8.0, "3": 8.0, "4": 4.0, "5": 2.0}
_RESOLVE = {"1": 80.0, "2": 40.0, "3": 40.0, "4": 24.0, "5": 16.0}
_SOONER = {"A": 0.5, "B": 0.75}


class Promises(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Hours are working hours: minute `opens` to minute `closes` of a day of `timezone`, on `weekdays` (1: Monday).

    Where `country` (ISO 3166, perhaps with a `subdivision`) is named, its public holidays and weekends count. Hours are
    by severity (1 to 5), times what `sooner` says of the customer's grade. Whoever owes is warned once the share
    `warn_at` of the time has gone. `owners` names by category who owns what nobody who heard it does, else `duty`.
    """

    acknowledge_hours: dict[str, float] = field(default_factory=_ACKNOWLEDGE.copy)
    resolve_hours: dict[str, float] = field(default_factory=_RESOLVE.copy)
    sooner: dict[str, float] = field(default_factory=_SOONER.copy)
    warn_at: float = 0.75
    opens: int = 9 * 60
    closes: int = 17 * 60
    weekdays: tuple[int, ...] = (1, 2, 3, 4, 5)
    timezone: str = "UTC"
    country: str = ""
    subdivision: str = ""
    owners: dict[str, str] = {}
    duty: str = "duty desk"

    def __post_init__(self) -> None:
        """Raises ValueError where nobody could keep them."""
        if not 0 <= self.opens < self.closes <= _MINUTES_A_DAY:
            raise ValueError("promises: 0 <= opens < closes <= 1440 must hold (minutes of the day)")
        if not self.weekdays or not set(self.weekdays) <= set(range(1, 8)):
            raise ValueError("promises: weekdays are numbers from 1 (Monday) to 7, at least one")
        severities = {str(n) for n in range(LEAST_SEVERITY, MOST_SEVERITY + 1)}
        for hours in (self.acknowledge_hours, self.resolve_hours):
            if set(hours) != severities or not all(0.0 < some <= MOST_HOURS for some in hours.values()):
                raise ValueError("promises: hours above 0, 10000 at the most, for each severity from 1 to 5")
        if not 0.0 < self.warn_at < 1.0 or not all(0.0 < factor <= MOST_LATER for factor in self.sooner.values()):
            raise ValueError("promises: 0 < warn_at < 1, and sooner above 0, 10 at the most")
        if not self.duty:
            raise ValueError("promises: duty names whoever owns what has no other owner")

    def hours(self, promise: Promise, severity: int, grade: str | None) -> float:
        """Working hours until a promise falls due; a complaint of no severity counts as one of 3."""
        table = self.acknowledge_hours if promise == "acknowledge" else self.resolve_hours
        known = min(MOST_SEVERITY, severity) if severity >= LEAST_SEVERITY else 3
        return table[str(known)] * self.sooner.get(grade or "", 1.0)
