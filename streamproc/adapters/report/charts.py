"""The reports' charts as options of ECharts: plain JSON, in the report's words."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, NamedTuple

from streamproc.adapters.report.document import Option

COLOURS = ["#0b6bcb", "#c2571a", "#2f8f5b", "#8a4fbf", "#b8860b", "#b03060", "#4a6a8a", "#5f8f2f", "#7a5c48", "#444c59"]
FONT = 'system-ui, "Noto Sans CJK SC", "PingFang SC", "Microsoft YaHei", sans-serif'

Number = float | None
Series = Mapping[str, Sequence[Number]]
"""Values by the series' name; None is a gap."""


class Link(NamedTuple):
    """A band of a flow: from where, to where, how wide."""

    source: str
    target: str
    value: float


class Mark(NamedTuple):
    """A point to compare with, drawn in: what it says, and where."""

    name: str
    x: float
    y: float


def lines(title: str, x: Sequence[str], series: Series, unit: str = "") -> Option:
    """Values over time, a line a series."""
    drawn = [
        {"type": "line", "name": name, "data": [*values], "symbolSize": 4, "connectNulls": False}
        for name, values in series.items()
    ]
    return _over(title, x, drawn, unit)


def bars(title: str, x: Sequence[str], series: Series) -> Option:
    """Counts over time, stacked."""
    drawn = [{"type": "bar", "name": name, "data": [*values], "stack": "all"} for name, values in series.items()]
    return _over(title, x, drawn, "")


def columns(title: str, x: Sequence[str], series: Series, unit: str = "") -> Option:
    """Values side by side."""
    return _over(title, x, [{"type": "bar", "name": name, "data": [*v]} for name, v in series.items()], unit)


def rows(title: str, names: Sequence[str], series: Series) -> Option:
    """Counts by name, stacked and lying, the first name on top."""
    drawn = [{"type": "bar", "name": name, "data": [*values], "stack": "all"} for name, values in series.items()]
    return _frame(title) | {
        "legend": _legend(),
        "grid": _GRID | {"left": 150},
        "xAxis": {"type": "value"},
        "yAxis": {"type": "category", "data": [*names], "inverse": True},
        "series": drawn,
    }


def flow(title: str, links: Iterable[Link]) -> Option:
    """Bands from the left to the right; they must not run in a circle."""
    told = list(links)
    nodes = dict.fromkeys(name for link in told for name in (link.source, link.target))
    ends = {link.target for link in told}
    inner = list(dict.fromkeys(link.source for link in told if link.source in ends))
    return _frame(title) | {
        "series": [
            {
                "type": "sankey",
                "top": 40,
                "bottom": 12,
                "left": 6,
                "right": 170,
                "nodeGap": 10,
                "emphasis": {"focus": "adjacency"},
                "lineStyle": {"color": "source", "opacity": 0.35},
                "label": {"fontSize": 11},
                "data": [_node(name, n, inner.index(name) if name in inner else None) for n, name in enumerate(nodes)],
                "links": [link._asdict() for link in told],
            }
        ]
    }


def _node(name: str, n: int, inner: int | None) -> dict[str, Any]:
    """A node; the names of those in the middle stand at heights of their own, as there is little room between them."""
    node: dict[str, Any] = {"name": name, "itemStyle": {"color": COLOURS[n % len(COLOURS)]}}
    if inner is not None:
        node["label"] = {"offset": [0, 20 * (inner % 6 - 2)]}
    return node


def curves(title: str, axes: tuple[str, str], series: Mapping[str, Sequence[tuple[float, float]]],
           marks: tuple[str, Sequence[Mark]]) -> Option:  # fmt: skip
    """Lines through points in percent, beside points to compare with."""
    name, points = marks
    drawn: list[Option] = [
        {"type": "line", "name": label, "data": [*map(list, values)], "showSymbol": False}
        for label, values in series.items()
    ]
    drawn.append(
        {
            "type": "scatter",
            "name": name,
            "symbol": "diamond",
            "symbolSize": 12,
            "data": [{"name": mark.name, "value": [mark.x, mark.y]} for mark in points],
            "label": {"show": True, "formatter": "{b}", "position": "right", "fontSize": 11},
        }
    )
    axis = {"type": "value", "axisLabel": {"formatter": "{value} %"}, "nameLocation": "middle"}
    return _frame(title) | {
        "tooltip": {"trigger": "item", "renderMode": "richText"},
        "legend": _legend(),
        "grid": {"left": 64, "right": 24, "top": 40, "bottom": 72},
        "xAxis": axis | {"name": axes[0], "nameGap": 28, "max": 100},
        "yAxis": axis | {"name": axes[1], "nameGap": 46},
        "series": drawn,
    }


def _frame(title: str) -> Option:
    return {
        "animation": False,
        "color": COLOURS,
        "textStyle": {"fontFamily": FONT},
        "title": {"text": title, "left": 0, "textStyle": {"fontSize": 13, "fontWeight": 600}},
        "tooltip": {"trigger": "item", "renderMode": "richText", "confine": True},
    }


_GRID = {"left": 64, "right": 16, "top": 52, "bottom": 60}


def _legend() -> dict[str, Any]:
    return {"bottom": 0, "type": "scroll", "itemWidth": 14, "itemHeight": 8}


def _over(title: str, x: Sequence[str], drawn: list[Option], unit: str) -> Option:
    return _frame(title) | {
        "tooltip": {"trigger": "axis", "renderMode": "richText", "confine": True},
        "legend": _legend(),
        "grid": _GRID,
        "xAxis": {"type": "category", "data": [*x]},
        "yAxis": {"type": "value", "axisLabel": {"formatter": f"{{value}}{unit}"}},
        "series": drawn,
    }
