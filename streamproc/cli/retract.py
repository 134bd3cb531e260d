"""`streamproc retract`: takes a bad import back."""

import sqlite3
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime
from typing import Annotated, NoReturn

import typer
from msgspec import Struct
from rich.table import Table

from streamproc.adapters.embedded import imports as came
from streamproc.adapters.embedded.again import Old
from streamproc.adapters.embedded.imports import Import, spans
from streamproc.adapters.embedded.lock import writer_lock
from streamproc.adapters.embedded.rewriting import Rewritten, drop, put_in_place, rewrite
from streamproc.adapters.embedded.schema import FILE, StoreError, connect
from streamproc.cli.common import (
    FINDING,
    ConfigOption,
    DataOption,
    JsonOption,
    Screen,
    command,
    print_json,
    reading,
    seldom_collecting,
)
from streamproc.cli.home import on_cluster
from streamproc.cli.outputs import long_work
from streamproc.config import ConfigError
from streamproc.core.time import HOUR, to_text


class Retracted(Struct, frozen=True, kw_only=True):
    """What a retraction came to, as `--json` tells it. `kept` is the file as it was; None: nothing was changed.

    `lines` are those the feed is told, by what they say; times are RFC 3339.
    """

    source: str
    number: int | None
    left_out: int
    records: int
    clock_before: str
    clock: str
    lines: dict[str, int]
    kept: str | None


def retract(
    source: Annotated[str | None, typer.Argument(help="What is taken back, as --list names it.")] = None,
    *,
    list_: Annotated[bool, typer.Option("--list", help="Show what came from where, and change nothing.")] = False,
    number: Annotated[
        int | None, typer.Option("--import", min=1, help="Only this import of the source, by its number.")
    ] = None,
    to: Annotated[
        str | None, typer.Option(metavar="PREFIX", help="On a cluster: what the new journal's topics begin with.")
    ] = None,
    yes: Annotated[bool, typer.Option("--yes", help="Ask nothing: change it.")] = False,
    json: JsonOption = False,
    data: DataOption = None,
    config: ConfigOption = None,
) -> None:
    """Take a bad import back: the journal is made anew without it, and what it brought about is withdrawn.

    Without `--yes` you see what would change and are asked; where nobody can be asked nothing changes. The new journal
    takes the old one's place in one step, and the old one stays beside it. The feed is told the difference in further
    lines: warnings that nothing speaks for any more are withdrawn (why: retracted), those raised in either case keep
    their ids, claims and outcomes. What was learned from the import is learned anew. Amounts stay as they were
    converted when they were read.

    No other process may run on the folder. The same file, mended, can be read again afterwards.

    For example:

        streamproc retract --list
        streamproc retract orders.csv
        streamproc retract orders.csv --import 81733 --yes

    On a cluster a source is what an event's `ce_source` says (`streamproc produce` names the file), else the topic. The
    new journal is worked out in a temporary folder and written under another prefix, where the workers of that prefix
    go on as those of the old one stopped; its feed is its own. First let nothing more come into the firm's topics; once
    `streamproc lag` shows nothing but 0, stop the workers. Broken off, the same command goes on where it stopped.

        streamproc retract orders.csv --to streamproc-2.
        STREAMPROC_KAFKA__PREFIX=streamproc-2. streamproc worker
    """
    with command(config, data) as screen:
        if on_cluster(screen.settings, data):
            with seldom_collecting():
                if number is not None and not list_:
                    raise ConfigError("a cluster does not know one import of a source from another: leave --import out")
                _on_cluster(screen, None if list_ else source, to, yes=yes, json=json)
        elif list_:
            with reading(screen.settings.data) as db:
                _list(screen, came.imports(db), json=json)
        elif source is None:
            raise ConfigError("name a source; `streamproc retract --list` shows them")
        else:
            with writer_lock(screen.settings.data), seldom_collecting():
                _retract(screen, source, number, yes=yes, json=json)


def _on_cluster(screen: Screen, source: str | None, to: str | None, *, yes: bool, json: bool) -> None:
    from streamproc.cli.retract_cluster import Retraction, sources_of  # noqa: PLC0415 - a folder needs no Kafka

    if source is None:
        _list(screen, sources_of(screen.settings), json=json)
        return
    if to is None or to == screen.settings.kafka.prefix:
        raise ConfigError("on a cluster the journal is made anew under another prefix: name it with --to")
    with Retraction(screen, source) as retraction:
        told = _told(source, None, retraction.work_out())
        if not told.left_out:
            _tell_nothing(screen, source)
        if not json:
            _show(screen, told)
        done = yes or _agreed(screen, json=json)
        if done:
            retraction.bring_in(to)
    if json:
        print_json({**{name: getattr(told, name) for name in told.__struct_fields__}, "kept": to if done else None})
    else:
        next_ = f"Done. Next: start the workers with STREAMPROC_KAFKA__PREFIX={to}; the old topics stay as they were."
        screen.line(next_ if done else "Nothing was changed. With --yes it is.", "bold")


def _retract(screen: Screen, source: str, number: int | None, *, yes: bool, json: bool) -> None:
    settings = screen.settings
    folder = settings.data
    with _open(screen) as old:
        apart = spans(came.imports(old), source, number)
        if not apart:
            which = source if number is None else f"{source} --import {number}"
            _tell_nothing(screen, which)
        (last,) = old.execute("SELECT max(seq) FROM journal").fetchone()
        with long_work(screen, "journal", last) as done:
            made = rewrite(
                old,
                folder,
                lambda record: _is_of(record, source, apart),
                lambda name: name == source and number is None,
                stale_after=settings.stale_hours * HOUR,
                done=done,
            )
    told = _told(source, number, made)
    if not json:
        _show(screen, told)
    kept = None
    try:
        if yes or _agreed(screen, json=json):
            kept = put_in_place(folder, f"streamproc-before-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.db")
    finally:
        drop(folder)
    _end(screen, told, None if kept is None else str(kept), json=json)


def _tell_nothing(screen: Screen, which: str) -> NoReturn:
    screen.note(f"There is nothing of {which} in the journal; `streamproc retract --list` shows what there is.")
    raise typer.Exit(FINDING)


@contextmanager
def _open(screen: Screen) -> Iterator[sqlite3.Connection]:
    """The folder as it is, brought up to this program's tables."""
    folder = screen.settings.data
    if not (folder / FILE).exists():
        raise StoreError(f"no data in {folder}: start with `streamproc run FILE --data {folder}`")
    with closing(connect(folder)) as db:
        yield db


def _is_of(old: Old, source: str, apart: list[tuple[int, int]]) -> bool:
    if getattr(old.record, "source", None) != source:
        return False
    return any(begin <= old.seq < end for begin, end in apart)


def _told(source: str, number: int | None, made: Rewritten) -> Retracted:
    return Retracted(
        source=source,
        number=number,
        left_out=made.left_out,
        records=made.records,
        clock_before=to_text(made.clock_before),
        clock=to_text(made.clock),
        lines=dict(sorted(Counter(line.kind for line in made.lines).items())),
        kept=None,
    )


def _agreed(screen: Screen, *, json: bool) -> bool:
    """Whether somebody is there to be asked, and agrees."""
    if json or not (sys.stdin.isatty() and screen.err.is_terminal):
        return False
    return typer.confirm("Change it?", err=True)


def _show(screen: Screen, told: Retracted) -> None:
    screen.line(f"{told.left_out:,} records are left out, {told.records:,} are in the new journal.")
    if told.clock != told.clock_before:
        screen.line(f"Time ends at {told.clock}; it was {told.clock_before}.")
    lines = ", ".join(f"{count:,} {kind}" for kind, count in told.lines.items())
    screen.line(f"The feed is told: {lines}." if lines else "The feed is told nothing: all warnings stand as before.")


def _end(screen: Screen, told: Retracted, kept: str | None, *, json: bool) -> None:
    if json:
        print_json({**{name: getattr(told, name) for name in told.__struct_fields__}, "kept": kept})
    elif kept is None:
        screen.line("Nothing was changed. With --yes it is.", "bold")
    else:
        folder = screen.settings.data
        screen.line(f"Done. The folder as it was is {kept}: delete it once you do not need it.", "bold")
        screen.line(f"To go back: streamproc restore {kept} --force --data {folder}")


def _list(screen: Screen, found: list[Import], *, json: bool) -> None:
    if json:
        for one in found:
            print_json(
                {
                    "source": one.source, "number": one.number, "begun": one.begun, "records": one.records,
                    "since": to_text(one.since), "until": to_text(one.until),
                }
            )  # fmt: skip
        return
    table = Table("Source", "Import", "Taken in", "Records", "From", "To", box=None, padding=(0, 2))
    for one in found:
        times = (to_text(one.since), to_text(one.until))
        table.add_row(one.source, str(one.number), one.begun or "-", f"{one.records:,}", *times)
    screen.out.print(table)
