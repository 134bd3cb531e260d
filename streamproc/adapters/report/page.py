"""A report as one HTML page: style and drawings inside, no script, fit to be printed or mailed."""

import math

from streamproc.adapters.report.judgement import OURS, Report
from streamproc.adapters.report.templating import templates

SIDE = 300
"""Side of a drawing's field, in SVG units; its origin is the field's top left corner."""

_SMALLEST, _LARGEST = 2.5, 8.0  # radius of a calibration point
_STYLES = {OURS: "ours", "BG/NBD": "rival", "recency": "weak", "base rate": "chance"}


def page(report: Report, title: str) -> str:
    """The page's HTML. `title` is plain text, such as the names of the files."""
    environment = templates()
    environment.filters.update(figure=figure, percent=percent)
    return environment.get_template("report.html").render(
        report=report,
        title=title,
        side=SIDE,
        ours=OURS,
        points=_points(report),
        curves=[
            (curve.model, _STYLES[curve.model], " ".join(f"{_x(x)},{_y(y)}" for x, y in curve.points))
            for curve in report.gains
        ],
        ticks=[(n * 20, _x(n / 5), _y(n / 5)) for n in range(6)],
    )


def figure(value: float, digits: int = 4) -> str:
    """A number of the table; a dash where there is none."""
    return "—" if math.isnan(value) else f"{value:.{digits}f}"


def percent(value: float) -> str:
    """A share as a percentage; a dash where there is none."""
    return "—" if math.isnan(value) else f"{100 * value:.1f} %"


def _x(share: float) -> float:
    return round(share * SIDE, 1)


def _y(share: float) -> float:
    return round((1.0 - share) * SIDE, 1)


def _points(report: Report) -> list[tuple[float, float, float, str]]:
    """Calibration points: x, y, radius, and what a pointer over them is told."""
    most = max((b.n for b in report.calibration), default=1)
    return [
        (
            _x(b.risk),
            _y(b.rate),
            round(_SMALLEST + (_LARGEST - _SMALLEST) * math.sqrt(b.n / most), 1),
            f"{b.n} customers: risk {percent(b.risk)}, left {percent(b.rate)}",
        )
        for b in report.calibration
    ]
