"""What a panel shows, in two languages, and how it becomes Grafana's.

The rule kept here: every query is of one shop, `$job`; a code in a legend is named by the program's own words.
"""

from collections.abc import Iterator, Sequence
from typing import Any, Literal, NamedTuple

from grafana_foundation_sdk.builders import bargauge, common, dashboard, stat, timeseries
from grafana_foundation_sdk.builders.prometheus import Dataquery
from grafana_foundation_sdk.models import common as models
from grafana_foundation_sdk.models.dashboard import (
    DashboardLinkType,
    DataSourceRef,
    DynamicConfigValue,
    GridPos,
    Threshold,
    ThresholdsMode,
)

from streamproc.words import Language, words_in
from streamproc.words.terms import TERMS

SOURCE = DataSourceRef("prometheus", "${source}")
COLUMNS = 24
LOW, HIGH = 4, 8
"""Heights in Grafana's grid."""

STATS = ("stat", "name")
GREEN, AMBER, RED = "green", "orange", "red"
Kind = Literal["stat", "name", "lines", "areas", "bars"]
"""A figure, a name, lines, lines on top of each other, a bar for each of some."""

Teller = Literal["run", "worker", "any"]


class Said(NamedTuple):
    """The same in both languages."""

    en: str
    zh: str

    def of(self, language: Language) -> str:
        """In one of them."""
        return self.en if language == "en" else self.zh


class Panel(NamedTuple):
    """One panel. `asks` are queries with their legends; `names` the kinds of codes in these, as the words know them.

    `bad_from` and `grave_from` colour a stat. `teller`: who tells what is asked for, a run, a worker, or either.
    `link` is a path of the page that shows more. Lines are drawn `from_zero`, but where small changes count.
    """

    kind: Kind
    title: Said
    about: Said
    asks: tuple[tuple[str, str], ...]
    unit: str = "short"
    width: int = 8
    names: tuple[str, ...] = ()
    bad_from: float | None = None
    grave_from: float | None = None
    teller: Teller = "any"
    link: str = ""
    from_zero: bool = True


class Row(NamedTuple):
    """Panels that belong together."""

    title: Said
    panels: tuple[Panel, ...]


class Placed(NamedTuple):
    """A panel in the grid, or a row's title over it."""

    what: Panel | Row
    at: GridPos


def some(label: str, asks: str) -> str:
    """The series that are not 0, of counters that are told for every value of a label; `none` where all are."""
    return f'{asks} > 0 or label_replace(vector(0), "{label}", "none", "", "")'


def placed(rows: Sequence[Row]) -> Iterator[Placed]:
    """Everything from left to right, line by line; what does not fit begins a line."""
    y = 0
    for row in rows:
        yield Placed(row, GridPos(h=1, w=COLUMNS, x=0, y=y))
        y, x, tallest = y + 1, 0, 0
        for panel in row.panels:
            height = LOW if panel.kind in STATS else HIGH
            if x + panel.width > COLUMNS:
                y, x, tallest = y + tallest, 0, 0
            yield Placed(panel, GridPos(h=height, w=panel.width, x=x, y=y))
            x, tallest = x + panel.width, max(tallest, height)
        y += tallest


def built(panel: Panel, at: GridPos, number: int, language: Language) -> Any:  # noqa: ANN401 - the builders share no type
    """The panel's builder."""
    made = _bare(panel)
    made.id(number).title(panel.title.of(language)).description(panel.about.of(language))
    made.datasource(SOURCE).grid_pos(at).unit(panel.unit).no_value("–")
    for letter, (asks, legend) in zip("ABCDEF", panel.asks, strict=False):
        query = Dataquery().ref_id(letter).expr(asks).datasource(SOURCE)
        query.legend_format(legend or panel.title.of(language))
        made.with_target(query.instant() if panel.kind in (*STATS, "bars") else query.range())
    for code, name in _named(panel.names, language):
        made.override_by_name(code, [DynamicConfigValue("displayName", name)])
    if panel.link:
        title = Said("On the page", "在页面上查看").of(language)
        link = dashboard.DashboardLink(title).type(DashboardLinkType.LINK).url(f"${{page}}{panel.link}")
        made.links([link.target_blank(target_blank=True)])
    return made


def _bare(panel: Panel) -> Any:  # noqa: ANN401 - as above
    if panel.kind in STATS:
        last = common.ReduceDataOptions().calcs(["lastNotNull"]).values(values=False).fields("")
        colour = models.BigValueColorMode.NONE if panel.bad_from is None else models.BigValueColorMode.VALUE
        shown = stat.Panel().reduce_options(last).color_mode(colour).graph_mode(models.BigValueGraphMode.NONE)
        if panel.kind == "name":
            shown.text_mode(models.BigValueTextMode.NAME)
        return shown.thresholds(_thresholds(panel))
    if panel.kind == "bars":
        last = common.ReduceDataOptions().calcs(["lastNotNull"]).values(values=False).fields("")
        gauge = bargauge.Panel().reduce_options(last).orientation(models.VizOrientation.HORIZONTAL)
        return gauge.display_mode(models.BarGaugeDisplayMode.BASIC).thresholds(_thresholds(panel)).min(0)
    legend = common.VizLegendOptions().display_mode(models.LegendDisplayMode.LIST)
    legend.placement(models.LegendPlacement.BOTTOM).show_legend(show_legend=True)
    tooltip = common.VizTooltipOptions().mode(models.TooltipDisplayMode.MULTI).sort(models.SortOrder.DESCENDING)
    lines = timeseries.Panel().legend(legend).tooltip(tooltip).line_width(1)
    if panel.from_zero:
        lines.min(0)
    if panel.kind == "areas":
        stacked = common.StackingConfig().mode(models.StackingMode.NORMAL).group("A")
        lines.stacking(stacked).fill_opacity(30)
    return lines


def _thresholds(panel: Panel) -> dashboard.ThresholdsConfig:
    steps = [Threshold(None, GREEN)]
    steps += [] if panel.bad_from is None else [Threshold(panel.bad_from, AMBER)]
    steps += [] if panel.grave_from is None else [Threshold(panel.grave_from, RED)]
    return dashboard.ThresholdsConfig().mode(ThresholdsMode.ABSOLUTE).steps(steps)


OURS: dict[str, dict[str, Said]] = {
    "rest": {"unknown": Said("unknown", "未知"), "other": Said("other", "其他"), "none": Said("none", "无")},
    "counted": {
        "purchase": Said("purchases", "购买"),
        "return": Said("returns", "退货"),
        "complaint": Said("complaints", "投诉"),
        "contact": Said("contacts", "接触"),
        "fact": Said("facts", "企业事实"),
        "facts": Said("facts", "企业事实"),
        "deskstep": Said("steps of the desk", "工作台操作"),
        "desk": Said("steps of the desk", "工作台操作"),
    },
    "refusal": {
        "killed_the_process": Said("ended the process", "导致进程终止"),
        "unreadable": Said("unreadable", "无法读取"),
        "forgotten": Said("of the forgotten", "属于已遗忘客户"),
    },
    "late": {
        "late": Said("late", "迟到"),
        "too_late": Said("too late", "过迟"),
        "repeated": Said("told before", "重复"),
    },
    "model": {"ours": Said("ours", "当前模型"), "challenger": Said("plain model", "简单模型")},
    "file": {
        "database": Said("database", "数据库"),
        "log": Said("its log", "数据库日志"),
        "free": Said("free", "剩余空间"),
    },
    "watched": {
        "calibration": Said("calibration", "校准"),
        "base_rate": Said("base rate", "基础流失率"),
        "recency": Said("days since the last purchase", "距上次购买天数"),
        "repeats": Said("repeat purchases", "重复购买"),
        "age": Said("days since the first purchase", "距首次购买天数"),
        "gap_mean": Said("mean gap", "平均购买间隔"),
        "amount": Said("mean amount", "平均金额"),
    },
}
"""Codes that only these panels show, beside the program's own words."""


def _named(kinds: Sequence[str], language: Language) -> Iterator[tuple[str, str]]:
    """The codes of these kinds, and what they are called; a code that is its own name is left out."""
    words = words_in(language)
    for kind in kinds:
        names = {code: said.of(language) for code, said in OURS.get(kind, {}).items()}
        names |= {code: words.term(kind, code) for code in TERMS.get(kind, ())}
        yield from ((code, name) for code, name in names.items() if name != code)
