"""A report as one HTML file that opens anywhere: text, tables, and charts that the library inside it draws.

The rule kept here: nothing is fetched when it is opened, and nothing from outside is code. Values are JSON that the
one script reads, texts are escaped, and the page's own policy lets no other script or style in.
"""

import json
from base64 import b64encode
from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from importlib.resources import files
from typing import Any, NamedTuple

from markupsafe import Markup

from streamproc.adapters.report.templating import templates

Option = dict[str, Any]
"""What ECharts is told to draw: plain JSON, no code."""


DASH = "\N{EN DASH}"
"""Stands where there is no figure."""


class Table(NamedTuple):
    """Headings, and rows of texts as long as they are; the first column names the row."""

    headings: tuple[str, ...]
    rows: Sequence[tuple[str, ...]]


class Section(NamedTuple):
    """A heading, what is to be seen, and the figures as charts and as a table (None: no table)."""

    title: str
    note: str
    charts: tuple[Option, ...] = ()
    table: Table | None = None


class Document(NamedTuple):
    """A report: `tiles` are the first figures, each with its name; `language` is a BCP 47 tag."""

    language: str
    title: str
    subtitle: str
    tiles: list[tuple[str, str]]
    sections: list[Section]
    figures: str
    """What the tables are called where they are folded away."""
    untold: str
    """What stands in place of charts and a table in which there is nothing."""


def html(document: Document) -> str:
    """The file's text."""
    sections = [_told(section) for section in document.sections]
    options = [option for section in sections for option in section.charts]
    return (
        templates()
        .get_template("document.html")
        .render(
            document=document,
            numbered=_numbered(sections),
            policy=policy(),
            style=Markup(_style()),  # noqa: S704 - these three are files of this package
            library=Markup(_library()),  # noqa: S704
            script=Markup(_script()),  # noqa: S704
            options=Markup(_data(options)),  # noqa: S704 - no character of it can end the element
        )
    )


def _told(section: Section) -> Section:
    """The section without charts that show nothing; where none is left, without a table of dashes as well."""
    charts = tuple(option for option in section.charts if _shows(option))
    table = section.table
    if not charts and table is not None and all(cell == DASH for row in table.rows for cell in row[1:]):
        table = None
    return section._replace(charts=charts, table=table)


def _shows(option: Option) -> bool:
    """Whether there is anything in a chart; points to compare with alone are nothing."""
    drawn = (series for series in option["series"] if series["type"] != "scatter")
    return any(value is not None for series in drawn for value in series["data"])


def _numbered(sections: list[Section]) -> list[tuple[Section, list[int]]]:
    """Each section with the numbers of its charts."""
    numbered, first = [], 0
    for section in sections:
        numbered.append((section, list(range(first, first + len(section.charts)))))
        first += len(section.charts)
    return numbered


def _style() -> str:
    return _file("templates", "document.css")


def _script() -> str:
    return _file("templates", "document.js")


def _library() -> str:
    return _file("echarts", "echarts.min.js")


def _file(*path: str) -> str:
    return files("streamproc.adapters.report").joinpath(*path).read_text(encoding="utf-8")


def _data(options: list[Option]) -> str:
    """JSON in which nothing can end a script element or begin a comment."""
    text = json.dumps(options, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.replace("<", "\\u003c").replace(">", "\\u003e").replace("&", "\\u0026")


@lru_cache(maxsize=1)
def policy() -> str:
    """What a report lets itself do: its scripts and its style, and the positions that its charts' elements carry."""
    scripts = " ".join(map(_digest, (_library(), _script())))
    return (
        f"default-src 'none'; script-src {scripts}; style-src-elem {_digest(_style())}; "
        "style-src-attr 'unsafe-inline'; img-src data:; base-uri 'none'; form-action 'none'"
    )


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(sha256(text.encode()).digest()).decode()}'"
