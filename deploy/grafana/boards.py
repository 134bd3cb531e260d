"""A dashboard of rows: its variables, its links to the others and to the page, its panels."""

import json
from collections.abc import Sequence
from typing import NamedTuple

from grafana_foundation_sdk.builders import dashboard
from grafana_foundation_sdk.cog.encoder import JSONEncoder
from grafana_foundation_sdk.models.dashboard import (
    DashboardCursorSync,
    DashboardLinkType,
    VariableOption,
    VariableRefresh,
    VariableSort,
)

from deploy.grafana.panels import SOURCE, Panel, Row, Said, built, placed
from streamproc.words import Language

TAG = "streamproc"
PAGE = "http://127.0.0.1:8080"
"""Where the feed's page is, until somebody says otherwise: a variable of every dashboard."""

ALL = ".+"


class Chosen(NamedTuple):
    """A variable: the values of a label, one or all of which panels show."""

    name: str
    label: Said
    metric: str


class Board(NamedTuple):
    """A dashboard. `name` is its file's and, with the language, its uid."""

    name: str
    title: Said
    about: Said
    since: str
    rows: tuple[Row, ...]
    chosen: tuple[Chosen, ...] = ()


def uid(name: str, language: Language) -> str:
    """The uid of a dashboard: links name it."""
    return f"streamproc-{name}-{'en' if language == 'en' else 'zh'}"


def written(board: Board, others: Sequence[Board], language: Language) -> str:
    """The dashboard as Grafana reads it."""
    made = (
        dashboard.Dashboard(board.title.of(language))
        .uid(uid(board.name, language))
        .description(board.about.of(language))
        .tags([TAG, language])
        .timezone("browser")
        .tooltip(DashboardCursorSync.CROSSHAIR)
        .refresh("30s")
        .time(board.since, "now")
        .editable()
    )
    _variables(made, board, language)
    _links(made, board, others, language)
    for number, (what, at) in enumerate(placed(board.rows), 1):
        if isinstance(what, Panel):
            made.with_panel(built(what, at, number, language))
        else:
            made.with_row(dashboard.Row(what.title.of(language)).id(number).grid_pos(at))
    return json.dumps(made.build(), cls=JSONEncoder, indent=2, sort_keys=True, ensure_ascii=False) + "\n"


def _variables(made: dashboard.Dashboard, board: Board, language: Language) -> None:
    source = dashboard.DatasourceVariable("source").label(Said("Data source", "数据源").of(language)).type("prometheus")
    job = dashboard.QueryVariable("job").label(Said("Shop", "店铺").of(language))
    job.query("label_values(streamproc_build_info, job)").datasource(SOURCE)
    job.refresh(VariableRefresh.ON_DASHBOARD_LOAD).sort(VariableSort.ALPHABETICAL_ASC)
    made.with_variable(source).with_variable(job.current(VariableOption(text="streamproc", value="streamproc")))
    for name, label, metric in board.chosen:
        some = dashboard.QueryVariable(name).label(label.of(language)).datasource(SOURCE)
        some.query(f'label_values({metric}{{job="$job"}}, {name})').refresh(VariableRefresh.ON_TIME_RANGE_CHANGED)
        some.multi(multi=True).include_all(include_all=True).all_value(ALL).sort(VariableSort.ALPHABETICAL_ASC)
        made.with_variable(some.current(VariableOption(text=["All"], value=["$__all"])))
    page = dashboard.TextBoxVariable("page").label(Said("Page", "页面地址").of(language)).default_value(PAGE)
    made.with_variable(page.current(VariableOption(text=PAGE, value=PAGE)))


def _links(made: dashboard.Dashboard, board: Board, others: Sequence[Board], language: Language) -> None:
    feed = dashboard.DashboardLink(Said("Warnings", "预警列表").of(language)).type(DashboardLinkType.LINK)
    made.link(feed.url("${page}/").icon("external link").target_blank(target_blank=True))
    for other in others:
        if other is not board:
            made.link(_to(other.title.of(language), uid(other.name, language)))
    elsewhere: Language = "zh-CN" if language == "en" else "en"
    made.link(_to("中文" if language == "en" else "English", uid(board.name, elsewhere)))


def _to(title: str, name: str) -> dashboard.DashboardLink:
    link = dashboard.DashboardLink(title).type(DashboardLinkType.LINK).url(f"/d/{name}")
    return link.icon("dashboard").keep_time(keep_time=True).include_vars(include_vars=True)
