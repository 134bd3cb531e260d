"""`streamproc record`: whether the warnings were right, how early, and what they were worth."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Table
from rich.text import Text

from streamproc.adapters.report.document import Document, html, policy
from streamproc.adapters.report.record import record_document
from streamproc.adapters.web.ports import Drawn
from streamproc.cli.common import ConfigOption, DataOption, JsonOption, LanguageOption, Screen, command, print_json
from streamproc.cli.customer import print_pairs
from streamproc.cli.home import Home, home_of
from streamproc.cli.outputs import check_file
from streamproc.core.time import from_datetime
from streamproc.desk.record import Record, gathered, record_of
from streamproc.desk.warning import money_of
from streamproc.words import Language, words_in


def record(
    *,
    since: Annotated[
        datetime | None, typer.Option(formats=["%Y-%m-%d"], help="Only warnings raised on or after this day.")
    ] = None,
    page: Annotated[Path | None, typer.Option("--html", help="Write it as a page with charts, too.")] = None,
    json: JsonOption = False,
    data: DataOption = None,
    lang: LanguageOption = None,
    config: ConfigOption = None,
) -> None:
    """Whether the warnings earn their cost: right, early, few false ones, value saved.

    Precision, recall, lead time, false alarms, calibration, value at risk, and how each kind of warning fared.

    A warning is judged once its horizon has passed: right, if no purchase came. Recall is of all who were lost, by
    whole months. Value saved is measured against customers watched in silence (`holdout_share` of the policy), and
    nothing is claimed while the interval is wide.

    Where Kafka brokers are set and no `--data` is given, the cluster is asked.

    For example:

        streamproc record
        streamproc record --since 2025-01-01 --json | jq .precision
        streamproc record --html record.html --lang zh-CN
    """
    with command(config, data, lang) as screen:
        if page is not None:
            check_file("--html", page)
        with home_of(screen.settings, data) as home:
            found = record_in(home, 0 if since is None else from_datetime(since.replace(tzinfo=UTC)))
        document = record_document(found, screen.words)
        if page is not None:
            page.write_text(html(document), encoding="utf-8")
        if json:
            print_json(found)
        else:
            _show(screen, document)


def record_in(home: Home, since: int) -> Record:
    """The record of a home's warnings raised from then on (µs). Raises StoreError where nothing was ever read."""
    return record_of(gathered(home.told()), home.totals(), money_of(home.setup()), since)


def record_drawn(home: Home, language: Language) -> Drawn:
    """The record as a page. Raises StoreError as above."""
    return Drawn(html(record_document(record_in(home, 0), words_in(language))), policy())


def _show(screen: Screen, document: Document) -> None:
    screen.line(document.subtitle)
    screen.line()
    print_pairs(screen, document.tiles)
    for section in document.sections:
        if section.table is not None:
            table = Table(title=section.title, title_justify="left", title_style="bold", box=None, pad_edge=False)
            for column, heading in enumerate(section.table.headings):
                table.add_column(Text(heading), justify="right" if column else "left", no_wrap=True)
            for row in section.table.rows:
                table.add_row(*map(Text, row))
            screen.line()
            screen.out.print(table)
