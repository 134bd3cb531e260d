"""`streamproc forget`: a person is taken out of all that is kept."""

import sys
from pathlib import Path
from typing import Annotated

import typer

from streamproc.adapters.embedded.forgetting import drop_halves, ids_of, kept_beside, purge, traces
from streamproc.adapters.embedded.forgetting import forget as forget_in
from streamproc.cli.common import (
    FINDING,
    ConfigOption,
    DataOption,
    JsonOption,
    Screen,
    command,
    print_json,
    seldom_collecting,
    wall,
)
from streamproc.cli.home import on_cluster
from streamproc.cli.writing import writing
from streamproc.config import ConfigError
from streamproc.desk.forgetting import Traces


def forget(
    customer: Annotated[str, typer.Argument(metavar="ID", help="The customer's id; those merged with it go as well.")],
    *,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: do it.")] = False,
    json: JsonOption = False,
    data: DataOption = None,
    config: ConfigOption = None,
) -> None:
    """Take a person out of all that is kept: states, warnings, the feed, what was refused, and the journal.

    Without `--yes` you see what there is and are asked; where nobody can be asked nothing changes. There is no way
    back. Everybody else's warnings and states stay byte for byte, and a replay still gives them. What happened to the
    person before now is not taken in again, whatever export still holds it; what happens later is a new customer's.
    Sums and models stay: they name nobody.

    On a cluster the workers let go of the person at once, Redis too, and the feed's readers are told. What Kafka's
    topics hold is gone once `streamproc journal rewrite` has made them anew: run that on a schedule.

    A folder's file is written anew at once, so no other process may run on the folder. Backups, and files that
    `retract` left, hold what they held: the command names those beside the folder's own. Exit code 1: there is nothing.

    For example:

        streamproc forget c-1017
        streamproc forget c-1017 --yes --data /var/lib/streamproc
    """
    with command(config, data) as screen:
        if not customer or not _is_text(customer):
            raise ConfigError("name a customer by the id that is in the feeds")
        if on_cluster(screen.settings, data):
            _on_cluster(screen, customer, yes=yes, json=json)
            return
        with seldom_collecting(), writing(screen.settings.data) as held:
            found = traces(held.db, ids_of(held.db, customer))
            done = bool(found.records or found.warnings or found.dead_letters) and _agreed(screen, found, yes=yes)
            if done:
                forget_in(held.db, held.runner, frozenset(found.ids), wall())
            if done or yes:
                drop_halves(screen.settings.data)
                purge(held.db)
        _tell(screen, found, kept_beside(screen.settings.data), done=done, json=json)


def _is_text(word: str) -> bool:
    """Whether it was UTF-8; other bytes come as surrogates."""
    return not any("\ud800" <= letter <= "\udfff" for letter in word)


def _on_cluster(screen: Screen, customer: str, *, yes: bool, json: bool) -> None:
    from streamproc.cli.forget_cluster import forget_on, known_on  # noqa: PLC0415 - a folder needs no Kafka

    known = known_on(screen.settings, customer)
    found = known.traces
    done = bool(found.records or found.warnings) and _agreed(screen, found, yes=yes)
    if done:
        forget_on(screen.settings, known)
    _tell(screen, found, [], done=done, json=json)
    if done and not json:
        screen.note(
            "Kafka's topics still hold what was written: `streamproc journal rewrite` makes them anew without it."
        )


def _agreed(screen: Screen, found: Traces, *, yes: bool) -> bool:
    """Whether it is asked for, or somebody is there to be asked, and agrees."""
    if yes:
        return True
    if not (sys.stdin.isatty() and screen.err.is_terminal):
        return False
    screen.note(_there_is(found))
    return typer.confirm("Forget them for good?", err=True)


def _there_is(found: Traces) -> str:
    return (
        f"{', '.join(found.ids)}: {found.records:,} records, {found.warnings:,} warnings, "
        f"{found.dead_letters:,} dead letters."
    )


def _tell(screen: Screen, found: Traces, beside: list[Path], *, done: bool, json: bool) -> None:
    there_is = bool(found.records or found.warnings or found.dead_letters)
    if json:
        names = {name: getattr(found, name) for name in found.__struct_fields__}
        print_json({**names, "done": done, "kept_beside": [str(path) for path in beside]})
    elif not there_is:
        screen.note(f"There is nothing of {found.ids[0]} here.")
    else:
        screen.line(_there_is(found))
        screen.line("They are forgotten." if done else "Nothing was changed. With --yes it is.", "bold")
    if beside and (done or not there_is):
        screen.note(f"These still hold what they held; delete them: {', '.join(map(str, beside))}")
    if not there_is:
        raise typer.Exit(FINDING)
