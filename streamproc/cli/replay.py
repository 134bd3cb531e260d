"""`streamproc replay`: the journal once more, to see that it gives the same, or what another policy would give."""

import tomllib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from streamproc.adapters.embedded.replay import Replay, Replayed
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
    seldom_collecting,
)
from streamproc.cli.replay_story import FolderStory, Story
from streamproc.config import ConfigError
from streamproc.core.control import Tick
from streamproc.core.lifecycle import Stage
from streamproc.core.policy import Policy
from streamproc.core.time import DAY
from streamproc.desk.warning import Entry
from streamproc.monitor.effects import Transition

_ENCODE = msgspec.json.Encoder().encode
_EVERY = 1_000

PATIENCE = 10.0
"""Seconds to wait for a line that the feed must have: on a cluster the desk may be some way behind the journal."""


def replay(
    *,
    policy: Annotated[Path | None, typer.Option(help="A TOML file with the fields of another policy.")] = None,
    partitions: Annotated[int, typer.Option(min=1, max=1024, help="Over so many partitions; no difference.")] = 1,
    from_kafka: Annotated[bool, typer.Option("--from-kafka", help="The cluster's journal, not a folder's.")] = False,
    json: JsonOption = False,
    data: DataOption = None,
    lang: LanguageOption = None,
    config: ConfigOption = None,
) -> None:
    """Run the journal again: the same warnings, or those of another policy. Nothing is written anywhere.

    Without `--policy` every line of the feed must come out the same, byte for byte; the first that does not is shown,
    and the exit code is 1. With it you see which warnings would have been raised too, and how right they would have
    been. With `--json` the lines of the replayed feed are written to stdout, and all else to stderr.

    With `--from-kafka` the journal is read from the cluster, partition by partition up to its last tick, and the feed
    is the warnings topic; workers may run meanwhile.

    A policy file holds what differs from the default policy:

        raise_at = 0.7
        minimum_purchase_days = 3

    For example:

        streamproc replay
        streamproc replay --policy stricter.toml
        STREAMPROC_KAFKA__BROKERS=localhost:9092 streamproc replay --from-kafka --json > lines.jsonl
    """
    with command(config, data, lang) as screen, seldom_collecting(), ExitStack() as held:
        other = None if policy is None else read_policy(policy)
        story = held.enter_context(_of_cluster(screen) if from_kafka else _of_folder(screen, partitions))
        again = Replay(story.money, partitions=story.partitions, policy=other)
        same = _compare(screen, story, again, json=json) if other is None else _what_if(screen, story, again, json=json)
    if not same:
        raise typer.Exit(FINDING)


@contextmanager
def _of_folder(screen: Screen, partitions: int) -> Iterator[Story]:
    with reading(screen.settings.data) as db:
        yield FolderStory(db, partitions)


@contextmanager
def _of_cluster(screen: Screen) -> Iterator[Story]:
    from streamproc.cli.cluster import cluster_of  # noqa: PLC0415 - a folder's replay needs no Kafka
    from streamproc.cli.replay_cluster import ClusterStory  # noqa: PLC0415

    with cluster_of(screen.settings) as cluster:
        yield ClusterStory(cluster)


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


def _shown(screen: Screen, story: Story, again: Replay) -> Iterator[Replayed]:
    """The journal applied again, with a bar beside it."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen.err, transient=True, disable=not screen.err.is_terminal) as bar:
        task = bar.add_task(screen.words.say("replaying"), total=story.total)
        for number, step in enumerate(story.steps(again)):
            if number % _EVERY == 0:
                bar.update(task, completed=story.done)
            yield step


# ------------------------------------------------------------------------------------------------ the same


def _compare(screen: Screen, story: Story, again: Replay, *, json: bool) -> bool:
    """Whether the replayed feed is the stored one; says so, or shows the first difference."""
    words = screen.words
    compared = reached = 0
    for step in _shown(screen, story, again):
        reached = _reached(step, reached)
        for entry in step.entries:
            now, then = _ENCODE(entry), story.stored(reached, PATIENCE)
            if json:
                print_raw(now + b"\n")
            if now != then:
                return _differs(screen, compared + 1, then, now)
            compared += 1
    left = story.stored(reached, 0.0)
    if left is not None:
        return _differs(screen, compared + 1, left, None)
    said = words.say("Identical: {lines}.", lines=words.count("{n} line", "{n} lines", compared))
    screen.note(said) if json else screen.line(said)
    return True


def _reached(step: Replayed, before: int) -> int:
    """The last tick applied by now: only a tick moves time."""
    return step.numbered.record.at if isinstance(step.numbered.record, Tick) else before


def _differs(screen: Screen, number: int, then: bytes | None, now: bytes | None) -> bool:
    words = screen.words
    screen.err.print(words.say("Line {n} of the feed differs.", n=str(number)), style="red")
    screen.note(words.say("stored:   {line}", line=_line(then)))
    screen.note(words.say("replayed: {line}", line=_line(now)))
    return False


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


def _what_if(screen: Screen, story: Story, again: Replay, *, json: bool) -> bool:
    then, now, world = Record(), Record(), World()
    reached = 0
    for step in _shown(screen, story, again):
        reached = _reached(step, reached)
        world.losses += sum(isinstance(e, Transition) and e.after is Stage.LOST for e in step.effects)
        for entry in step.entries:
            now.take(entry)
            if json:
                print_raw(_ENCODE(entry) + b"\n")
        if step.entries or step.effects:
            world.last = step.numbered.record.at
            world.first = world.first or world.last
    while (body := story.stored(reached, 0.0)) is not None:
        then.take(msgspec.json.decode(body, type=Entry))
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
