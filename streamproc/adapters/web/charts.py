"""Charts as SVG, drawn on the server: plain shapes with classes, so that the one stylesheet colours them."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import NamedTuple

from streamproc.desk.report import LookPoint, WarningNow

WIDTH, HEIGHT = 640, 220
LEFT, RIGHT, TOP, BOTTOM = 66, 10, 14, 30
POINTS = 400
"""Looks drawn at most: the latest."""


class Tick(NamedTuple):
    """A mark on an axis: where, and the date or share it stands for."""

    at: float
    value: str


class RiskChart(NamedTuple):
    """What the template draws: the lines as SVG point lists, marks of warnings, both axes."""

    width: int
    height: int
    left: int
    right: int
    bottom: int
    lines: list[str]
    last: tuple[float, float]
    warnings: list[float]
    days: list[Tick]
    shares: list[Tick]


def risk_chart(looks: Sequence[LookPoint], warnings: Sequence[WarningNow]) -> RiskChart | None:
    """Risk over time; a line breaks where there was nothing to score. None with fewer than two risks."""
    drawn = [(_seconds(look.at), look.probability) for look in looks[-POINTS:]]
    scored = [(when, risk) for when, risk in drawn if risk is not None]
    if len(scored) < 2 or scored[0][0] == scored[-1][0]:  # noqa: PLR2004 - a line has two ends
        return None
    first, last = scored[0][0], scored[-1][0]

    def across(when: float) -> float:
        return round(LEFT + (when - first) / (last - first) * (WIDTH - LEFT - RIGHT), 1)

    lines: list[list[str]] = [[]]
    for when, risk in drawn:
        if risk is None:
            lines.append([])
        else:
            lines[-1].append(f"{across(when)},{_down(risk)}")
    raised = [_seconds(warning.raised_at) for warning in warnings]
    marks = [first, (first + last) / 2, last]
    return RiskChart(
        width=WIDTH,
        height=HEIGHT,
        left=LEFT,
        right=WIDTH - RIGHT,
        bottom=HEIGHT - BOTTOM,
        lines=[" ".join(line) for line in lines if line],
        last=(across(last), _down(scored[-1][1])),
        warnings=[across(when) for when in raised if first <= when <= last],
        days=[Tick(across(when), datetime.fromtimestamp(when, UTC).isoformat()) for when in marks],
        shares=[Tick(_down(share), str(share)) for share in (0.0, 0.25, 0.5, 0.75, 1.0)],
    )


def bar(log_odds: float, heaviest: float) -> tuple[float, float]:
    """Where a bar begins, and how long it is, on an axis from −100 to 100 with nought in the middle."""
    length = 100.0 * abs(log_odds) / heaviest if heaviest > 0 else 0.0
    return (0.0 if log_odds >= 0 else round(-length, 1)), round(length, 1)


def _down(share: float) -> float:
    return round(TOP + (1.0 - share) * (HEIGHT - TOP - BOTTOM), 1)


def _seconds(text: str) -> float:
    return datetime.fromisoformat(text).timestamp()
