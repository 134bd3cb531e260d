"""Complaints that surge in one category, product, channel or region, and feeds that fall silent or bring too little.

The rule kept here: over all series and windows together, chance alone raises at most FALSE_A_YEAR alerts of a kind a
year. What is open stays so until the last days look ordinary.
"""

from collections.abc import Callable

from streamproc.core.alerts import AlertKind, AlertSeverity, Finding, subject_of
from streamproc.desk.days import TALLY_DAYS_KEPT, Band, Days, band, usual
from streamproc.monitor.effects import ComplaintStep

KINDS: tuple[AlertKind, ...] = ("complaint_surge", "feed_silent", "feed_odd")
FALSE_A_YEAR = 1.0
WINDOWS = (1, 3, 7)
"""Days that are looked at together: a steep surge is seen in one, a slow one in seven."""

LEAST_COUNT, LEAST_RATIO = 5, 1.5
"""Fewer complaints, or less above what is usual, is nobody's alarm, however sure it is."""

MOST_ODD = 0.75
"""A feed that brings more of what is usual than this is not odd, however sure it is that it brings less."""

ODD_A_YEAR = 0.5
"""A feed that brings a little less than it should is odd at the odds of so many a year, of all feeds together."""

ORDINARY = 0.05
"""Odds of the last three days above which a surge is over."""

UNTOLD = "-"
"""The word for what a complaint does not say."""

FEEDS = ("complaints", "contacts", "purchases")

IsOpen = Callable[[AlertKind, str], bool]


def count(today: dict[str, int], days: Days, step: ComplaintStep) -> None:
    """Counts a complaint in (in place) under all that it is tallied by: once when it is heard, once a verdict on it."""
    if step.first:
        for name, word in (
            ("category", step.category),
            ("kind", "repeated" if step.repeats else "first"),
            ("product", step.product),
            ("channel", step.channel),
            ("region", step.region),
        ):
            _step(today, days, name, word)
    elif step.status == "reopened":
        _step(today, days, "kind", "reopened")
    if step.status in {"resolved", "withdrawn"}:
        _step(today, days, "nature", {True: "valid", False: "invalid", None: None}[step.valid])


def _step(today: dict[str, int], days: Days, name: str, word: str | None) -> None:
    series = days.room_for(subject_of(f"{name}:{word or UNTOLD}"), today)
    today[series] = today.get(series, 0) + 1


def findings(days: Days, is_open: IsOpen) -> list[Finding]:
    """What is out of the ordinary at the end of a day."""
    names = sorted(name for name in days.counts if ":" in name)
    odds = FALSE_A_YEAR / 365 / len(WINDOWS) / max(1, len(names))
    swing = _common_swing(days)
    found = [_surge(days, name, odds, swing, is_open) for name in names]
    odds = FALSE_A_YEAR / 365 / len(WINDOWS) / len(FEEDS)
    found += [_feed(days, name, odds, is_open) for name in FEEDS]
    return [finding for finding in found if finding is not None]


def _bands(days: Days, name: str, least_swing: float = 0.0) -> dict[int, Band]:
    """The last days by window, all against the days before the longest."""
    length = min(TALLY_DAYS_KEPT, len(days.counts.get("active", ())))
    counts, among = days.series(name, length), days.series("active", length)
    longest = max(WINDOWS)
    known = usual(counts[:-longest], among[:-longest], days.last - longest, least_swing)
    if known is None:
        return {}
    made = {window: band(known, counts[-window:], among[-window:], days.last) for window in WINDOWS}
    return {window: one for window, one in made.items() if one is not None}


def _common_swing(days: Days) -> float:
    """How much the days of all complaints together swing: that of a part is no smaller, however little says so."""
    length = min(TALLY_DAYS_KEPT, len(days.counts.get("active", ())))
    known = usual(days.series("seen.complaints", length), days.series("active", length), days.last)
    return 0.0 if known is None else known.swing


def _surge(days: Days, name: str, odds: float, swing: float, is_open: IsOpen) -> Finding | None:
    if sum(days.counts[name][-max(WINDOWS) :]) < LEAST_COUNT and not is_open("complaint_surge", name):
        return None  # as most days end: nothing to be sure of
    bands = _bands(days, name, swing)
    window = min(bands, key=lambda w: bands[w].above, default=None)
    if window is None:
        return None
    seen = bands[window]
    large = seen.seen >= max(LEAST_COUNT, LEAST_RATIO * seen.expected)
    if large and seen.above < odds:
        return _finding("complaint_surge", name, "high", window, seen)
    if is_open("complaint_surge", name) and SETTLED in bands and bands[SETTLED].above < ORDINARY:
        return _finding("complaint_surge", name, "high", SETTLED, bands[SETTLED])
    return None


def _feed(days: Days, name: str, odds: float, is_open: IsOpen) -> Finding | None:
    bands = _bands(days, f"seen.{name}")
    window = min(bands, key=lambda w: bands[w].below, default=None)
    if window is None:
        return None
    seen = bands[window]
    if seen.seen == 0 and seen.below < odds:
        return _finding("feed_silent", name, "critical", window, seen)
    if is_open("feed_silent", name) and 1 in bands and bands[1].seen == 0:  # however usual the silence has become
        return _finding("feed_silent", name, "critical", 1, bands[1])
    short = seen.seen <= MOST_ODD * seen.expected and seen.below < odds * ODD_A_YEAR / FALSE_A_YEAR
    if short or (is_open("feed_odd", name) and SETTLED in bands and bands[SETTLED].below < ORDINARY):
        return _finding("feed_odd", name, "medium", window, seen)
    return None


def _finding(kind: AlertKind, subject: str, severity: AlertSeverity, window: int, seen: Band) -> Finding:
    figures = {"days": float(window), "count": float(seen.seen), "expected": round(seen.expected, 2)}
    return Finding(kind=kind, subject=subject, severity=severity, figures=figures)


SETTLED = 3
"""Days by which it is judged whether what is open is over."""
