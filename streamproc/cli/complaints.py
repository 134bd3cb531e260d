"""`streamproc desk complaints`: the open complaints, whose each is, and when its promises fall due."""

from typing import Annotated

import typer
from rich.table import Table

from streamproc.cli.common import (
    FINDING,
    ConfigOption,
    DataOption,
    JsonOption,
    LanguageOption,
    Screen,
    command,
    print_json,
)
from streamproc.cli.home import home_of
from streamproc.desk.cases import CaseNow

SHOWN = 30
NEVER = "–"  # noqa: RUF001 - a dash, as for all that is not there


def complaints(
    *,
    mine: Annotated[str | None, typer.Option("--owner", help="Only what is this person's or desk's.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many (not with --json).")] = SHOWN,
    json: JsonOption = False,
    data: DataOption = None,
    lang: LanguageOption = None,
    config: ConfigOption = None,
) -> None:
    """Open complaints, what falls due next first: whose each is, and by when it is to be acknowledged and resolved.

    Exit code 1: there is none.

    For example:

        streamproc desk complaints --owner Li
    """
    with command(config, data, lang) as screen, home_of(screen.settings, data) as home:
        found = [case for case in home.cases() if mine is None or case.owner == mine]
        for case in found if json else ():
            print_json(case)
        if found and not json:
            screen.out.print(_table(screen, found[:limit]))
        elif not json:
            screen.note(screen.words.say("No complaint is open."))
    if not found:
        raise typer.Exit(FINDING)


def _table(screen: Screen, cases: list[CaseNow]) -> Table:
    words = screen.words
    table = Table(box=None, pad_edge=False)
    for name in ("complaint", "customer", "owner", "status", "acknowledge by", "resolve by", "about"):
        table.add_column(words.term("complaint list", name))
    for case in cases:
        acknowledge, resolve = case.due.get("acknowledge"), case.due.get("resolve")
        table.add_row(
            case.complaint_id,
            case.customer_id,
            case.owner,
            words.term("complaint status", case.status),
            NEVER if acknowledge is None else words.moment(acknowledge),
            NEVER if resolve is None else words.moment(resolve),
            words.term("cause", case.category),
        )
    return table
