"""`streamproc replay`: the journal once more, to see that it gives the same, or what another policy would give."""

import sqlite3
import tomllib
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import zip_longest
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from streamproc.adapters.embedded import queries
from streamproc.adapters.embedded.journal import Numbered, read
from streamproc.adapters.embedded.replay import Replay
from streamproc.cli.common import (
    FINDING,
    ConfigOption,
    DataOption,
    JsonOption,
    LanguageOption,
    Screen,
    command,
    print_raw,
    reading,
)
from streamproc.config import ConfigError
from streamproc.core.lifecycle import Stage
from streamproc.core.policy import Policy
from streamproc.core.time import DAY
from streamproc.desk.warning import Entry
from streamproc.monitor.effects import Transition

_ENCODE = msgspec.json.Encoder().encode
_EVERY = 1_000


def replay(
    *,
    policy: Annotated[Path | None, typer.Option(help="A TOML file with the fields of another policy.")] = None,
    partitions: Annotated[int, typer.Option(min=1, max=1024, help="Over so many partitions; no difference.")] = 1,
    json: JsonOption = False,
    data: DataOption = None,
    lang: LanguageOption = None,
    config: ConfigOption = None,
) -> None:
    """Run the journal again: the same warnings, or those of another policy. Nothing is written to the folder.

    Without `--policy` every line of the feed must come out the same, byte for byte; the first that does not is shown,
    and the exit code is 1. With it you see which warnings would have been raised too, and how right they would have
    been. With `--json` the lines of the replayed feed are written to stdout, and all else to stderr.

    A policy file holds what differs from the default policy:

        raise_at = 0.7
        minimum_purchase_days = 3

    For example:

        streamproc replay
        streamproc replay --policy stricter.toml
    """
    with command(config, data, lang) as screen, reading(screen.settings.data) as db:
        other = None if policy is None else read_policy(policy)
        again = Replay(queries.money_of(queries.the_setup(db)), partitions=partitions, policy=other)
        same = _compare(screen, db, again, json=json) if other is None else _what_if(screen, db, again, json=json)
    if not same:
        raise typer.Exit(FINDING)


def read_policy(path: Path) -> Policy:
    """The policy in a TOML file, the default's fields where it says nothing. Raises ConfigError for what is wrong."""
    try:
        fields = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise ConfigError(f"cannot read {path}: {error}") from error
    unknown = sorted(set(fields) - set(Policy.__struct_fields__))
    if unknown:
        there_are = ", ".join(Policy.__struct_fields__)
        raise ConfigError(f"{path}: a policy has no {', '.join(unknown)}; there are {there_are}")
    try:
        return msgspec.convert({"name": path.stem, **fields}, Policy)
    except (msgspec.ValidationError, ValueError) as error:
        raise ConfigError(f"{path}: {error}") from error


@contextmanager
def _progress(screen: Screen, db: sqlite3.Connection) -> Iterator[Iterator[Numbered]]:
    """The journal's records, with a bar beside them."""
    (last,) = db.execute("SELECT coalesce(max(seq), 0) FROM journal").fetchone()
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen.err, transient=True, disable=not screen.err.is_terminal) as bar:
        task = bar.add_task(screen.words.say("replaying"), total=last)

        def counted() -> Iterator[Numbered]:
            for numbered in read(db, 0, last):
                if numbered.seq % _EVERY == 0:
                    bar.update(task, completed=numbered.seq)
                yield numbered

        yield counted()


# ------------------------------------------------------------------------------------------------ the same


def _compare(screen: Screen, db: sqlite3.Connection, again: Replay, *, json: bool) -> bool:
    """Whether the replayed feed is the stored one; says so, or shows the first difference."""
    words = screen.words
    stored = db.execute("SELECT body FROM feed ORDER BY seq")
    compared = 0
    with _progress(screen, db) as records:
        replayed = (_ENCODE(entry) for step in again.run(records) for entry in step.entries)
        for now, row in zip_longest(replayed, stored):
            then = None if row is None else row[0]
            if now is not None and json:
                print_raw(now + b"\n")
            if now != then:
                screen.err.print(words.say("Line {n} of the feed differs.", n=str(compared + 1)), style="red")
                screen.note(words.say("stored:   {line}", line=_line(then)))
                screen.note(words.say("replayed: {line}", line=_line(now)))
                return False
            compared += 1
    said = words.say("Identical: {lines}.", lines=words.count("{n} line", "{n} lines", compared))
    screen.note(said) if json else screen.line(said)
    return True


def _line(body: bytes | None) -> str:
    return "-" if body is None else body.decode()


# --------------------------------------------------------------------------------------------- another policy


class Record(msgspec.Struct):
    """How a policy's warnings fared: raised (id → customer), verdicts, ends by a loss."""

    raised: dict[str, str] = {}
    verdicts: dict[str, bool] = {}
    foreseen: int = 0

    def take(self, entry: Entry) -> None:
        """Notes a line of the feed (in place)."""
        if entry.kind == "raised":
            self.raised[entry.warning_id] = entry.customer_id
        elif entry.kind == "verdict" and entry.right is not None:
            self.verdicts[entry.warning_id] = entry.right
        elif entry.kind == "lost":
            self.foreseen += 1

    def precision(self) -> float | None:
        """The share of judged warnings that were right."""
        return sum(self.verdicts.values()) / len(self.verdicts) if self.verdicts else None


class World(msgspec.Struct):
    """What holds whatever the policy: customers lost, and the time (µs) gone through."""

    losses: int = 0
    first: int = 0
    last: int = 0

    def days(self) -> float:
        """At least one."""
        return max(1.0, (self.last - self.first) / DAY)


def _what_if(screen: Screen, db: sqlite3.Connection, again: Replay, *, json: bool) -> bool:
    then, now, world = Record(), Record(), World()
    for (body,) in db.execute("SELECT body FROM feed ORDER BY seq"):
        then.take(msgspec.json.decode(body, type=Entry))
    with _progress(screen, db) as records:
        for step in again.run(records):
            world.losses += sum(isinstance(e, Transition) and e.after is Stage.LOST for e in step.effects)
            for entry in step.entries:
                now.take(entry)
                if json:
                    print_raw(_ENCODE(entry) + b"\n")
            if step.entries or step.effects:
                world.last = step.numbered.record.at
                world.first = world.first or world.last
    _show_difference(screen, then, now, world, json=json)
    return True


def _show_difference(screen: Screen, then: Record, now: Record, world: World, *, json: bool) -> None:
    words = screen.words
    both = then.raised.keys() & now.raised.keys()
    table = Table(box=None, padding=(0, 2))
    for heading in ("", words.say("as it was"), words.say("with this policy")):
        table.add_column(heading, justify="left" if not heading else "right")
    days = world.days()
    table.add_row(words.say("warnings"), words.number(len(then.raised)), words.number(len(now.raised)))
    only_then, only_now = len(then.raised) - len(both), len(now.raised) - len(both)
    table.add_row(words.say("raised only so"), words.number(only_then), words.number(only_now))
    table.add_row(words.say("raised both times"), words.number(len(both)), words.number(len(both)))
    table.add_row(
        words.say("warnings a day"), words.number(len(then.raised) / days), words.number(len(now.raised) / days)
    )
    table.add_row(words.say("judged so far"), words.number(len(then.verdicts)), words.number(len(now.verdicts)))
    table.add_row(
        words.say("of these right (precision)"), _share(screen, then.precision()), _share(screen, now.precision())
    )
    recalls = [r.foreseen / world.losses if world.losses else None for r in (then, now)]
    table.add_row(words.say("losses with an open warning (recall)"), *(_share(screen, recall) for recall in recalls))
    (screen.err if json else screen.out).print(table)


def _share(screen: Screen, share: float | None) -> str:
    return "-" if share is None else screen.words.share(share)
