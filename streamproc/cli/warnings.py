"""`streamproc warnings`: the warnings as they stand, or as they come."""

from typing import Annotated

import typer

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
from streamproc.cli.home import Home, home_of
from streamproc.cli.render import entry_line, warning_lines
from streamproc.desk.report import WarningNow
from streamproc.words import money_notes

SHOWN = 20


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

    Where Kafka brokers are set and no `--data` is given, they are the cluster's: from Redis where one is set, else from
    the warnings topic.

    Exit code 1: there is none.

    For example:

        streamproc warnings --open
        streamproc warnings --follow --json | jq .warning.customer_id
        streamproc warnings --customer c-1017 --lang zh-CN
    """
    with command(config, data, lang) as screen, home_of(screen.settings, data, follow=follow) as home:
        if follow:
            _follow(screen, home, customer, json=json)
            return
        found = home.standing(
            open_only=open_only,
            customer=customer,
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
        for line in warning_lines(warning, words.language):
            screen.out.print(line)
    for note in money_notes(words, found[0].value):
        screen.note(note)
    if len(found) > limit:
        screen.note(words.say("There are more: --limit shows more of them."))


def _follow(screen: Screen, home: Home, customer: str | None, *, json: bool) -> None:
    currency, news = home.setup().currency, home.news()
    screen.note(screen.words.say("Waiting for warnings; Ctrl-C ends."))
    for entry in news:
        if customer is not None and entry.customer_id != customer:
            continue
        if json:
            print_json(entry)
        elif entry.warning is not None:
            for line in warning_lines(entry.warning, screen.words.language):
                screen.out.print(line)
        else:
            screen.out.print(entry_line(screen.words, entry, currency))
