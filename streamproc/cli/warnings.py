"""`streamproc warnings`: the warnings as they stand, or as they come."""

import sqlite3
import time
from collections.abc import Iterator
from typing import Annotated

import typer

from streamproc.adapters.embedded import feed, queries
from streamproc.cli.common import (
    FINDING,
    ConfigOption,
    DataOption,
    JsonOption,
    LanguageOption,
    Screen,
    command,
    print_json,
    reading,
)
from streamproc.cli.render import entry_line, headline, reason_lines, warning_lines
from streamproc.desk.report import WarningNow
from streamproc.desk.warning import Entry
from streamproc.words import money_notes

SHOWN = 20
POLL_SECONDS = 0.25


def warnings(  # noqa: PLR0913 - one a flag
    *,
    open_only: Annotated[bool, typer.Option("--open", help="Only those that have not ended.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Only what comes from now on, until Ctrl-C.")] = False,
    customer: Annotated[str | None, typer.Option(help="Only this customer's.")] = None,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many.", show_default=f"{SHOWN}; with --json all")
    ] = None,
    newest: Annotated[bool, typer.Option("--newest", help="The newest first, not those with most at stake.")] = False,
    json: JsonOption = False,
    data: DataOption = None,
    lang: LanguageOption = None,
    config: ConfigOption = None,
) -> None:
    """The warnings as they stand, or as they come.

    With `--json` a line is a warning as it was raised, with its `state`, `current` figures and `verdict`; with
    `--follow` it is a line of the feed: raised (with the whole warning), escalated, recovered, lost, withdrawn or
    verdict.

    Exit code 1: there is none.

    For example:

        streamproc warnings --open
        streamproc warnings --follow --json | jq .warning.customer_id
        streamproc warnings --customer c-1017 --lang zh-CN
    """
    with (
        command(config, data, lang) as screen,
        reading(screen.settings.data, one_state=not follow, follow=follow) as db,
    ):
        if follow:
            _follow(screen, db, customer, json=json)
            return
        found = queries.warnings(
            db,
            open_only=open_only,
            customers=None if customer is None else [customer],
            limit=limit if json else (limit or SHOWN) + 1,
            order="newest_first" if newest else "most_at_stake",
        )
        if json:
            for warning in found:
                print_json(warning)
        else:
            _show(screen, found, limit or SHOWN)
    if not found:
        raise typer.Exit(FINDING)


def _show(screen: Screen, found: list[WarningNow], limit: int) -> None:
    words = screen.words
    if not found:
        screen.note(words.say("There is no such warning."))
        return
    for warning in found[:limit]:
        screen.out.print(headline(words, warning))
        for line in reason_lines(words, warning.reasons, warning.standing, warning.value):
            screen.out.print(line)
    for note in money_notes(words, found[0].value):
        screen.note(note)
    if len(found) > limit:
        screen.note(words.say("There are more: --limit shows more of them."))


def _follow(screen: Screen, db: sqlite3.Connection, customer: str | None, *, json: bool) -> None:
    currency = queries.the_setup(db).currency
    (seen,) = db.execute("SELECT coalesce(max(seq), 0) FROM feed").fetchone()  # whoever reads the note may count on it
    screen.note(screen.words.say("Waiting for warnings; Ctrl-C ends."))
    for entry in _news(db, seen):
        if customer is not None and entry.customer_id != customer:
            continue
        if json:
            print_json(entry)
        elif entry.warning is not None:
            for line in warning_lines(entry.warning, screen.words.language):
                screen.out.print(line)
        else:
            screen.out.print(entry_line(screen.words, entry, currency))


def _news(db: sqlite3.Connection, seen: int) -> Iterator[Entry]:
    """The feed's lines numbered above `seen`, as they are committed."""
    version = None
    while True:
        (now,) = db.execute("PRAGMA data_version").fetchone()
        if now != version:
            version = now
            for seq, entry in feed.lines(db, seen):
                seen = seq
                yield entry
        time.sleep(POLL_SECONDS)
