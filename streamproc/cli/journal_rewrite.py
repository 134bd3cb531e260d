"""`streamproc journal rewrite`: a cluster's journal under another prefix, without those who were forgotten."""

from typing import Annotated

import typer

from streamproc.adapters.kafka.importing import bring_in
from streamproc.adapters.kafka.reading import Topics, topics_of
from streamproc.adapters.kafka.reading_base import pinned_in
from streamproc.adapters.kafka.reading_journal import Journal
from streamproc.adapters.kafka.rewriting import (
    Gone,
    check_all_read,
    check_stopped,
    copied,
    gone_in,
    progress_of,
    unmoved,
)
from streamproc.cli.common import ConfigOption, JsonOption, Screen, command, print_json, seldom_collecting
from streamproc.cli.outputs import long_work
from streamproc.cli.topics import make_topics
from streamproc.config import ConfigError, Settings
from streamproc.core.time import to_text


def rewrite(
    *,
    to: Annotated[str, typer.Option(metavar="PREFIX", help="What the new topics begin with.")],
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Make the journal anew under another prefix, without those whom `streamproc forget` asked to forget.

    Partition by partition all else stays as it is, so everybody else's states and warnings come out the same. Workers
    that are started with the new prefix read it, write the feed anew, and go on in the firm's topics where the old ones
    stopped. The old topics stay until they are deleted.

    First let nothing more come into the firm's topics; once `streamproc lag` shows nothing but 0, stop the workers.
    Missing topics are made. Broken off, the same command goes on where it stopped. For example, each month:

        streamproc journal rewrite --to streamproc-2026-02.
        STREAMPROC_KAFKA__PREFIX=streamproc-2026-02. streamproc worker
    """
    with command(config) as screen:
        settings = screen.settings
        if to == settings.kafka.prefix:
            raise ConfigError("--to is the prefix that the journal has: choose another")
        with topics_of(settings.kafka) as old:
            told = _write(screen, old, to)
        if json:
            print_json(told)
        else:
            _show(screen, told)


def _write(screen: Screen, old: Topics, to: str) -> dict[str, object]:
    """Writes all that is missing; what was done. Raises ImportingError."""
    check_stopped(screen.settings.kafka)
    read = progress_of(old)
    source = Journal(old)
    check_all_read(old)
    kafka = screen.settings.kafka.model_copy(update={"prefix": to, "partitions": len(source.spans)})
    settings = screen.settings.model_copy(update={"kafka": kafka})
    make_topics(settings)
    clock, seq, reader = 0, 0, source.reader()
    gone = gone_in(source.records(source.reader(number), number) for number in sorted(source.spans))
    records = copied([source.records(reader, number) for number in sorted(source.spans)], gone)
    with topics_of(kafka) as topics, long_work(screen, "journal", reader.total) as done, seldom_collecting():
        for step in bring_in(kafka, topics, records, unmoved(old, read, topics.names)):
            done(reader.done)
            clock, seq = step.clock, step.seq
    return {**_answer(seq, gone, clock, settings), "pinned": pinned_in(old)}


def _answer(records: int, gone: Gone, clock: int, settings: Settings) -> dict[str, object]:
    kafka = settings.kafka
    return {
        "records": records, "forgotten": len(gone.offsets), "clock": to_text(clock), "prefix": kafka.prefix,
        "partitions": kafka.partitions,
    }  # fmt: skip


def _show(screen: Screen, told: dict[str, object]) -> None:
    screen.line(f"{told['records']} records up to {told['clock']}; {told['forgotten']} ids are gone from them.")
    screen.line(f"Next: start the workers with STREAMPROC_KAFKA__PREFIX={told['prefix']}")
    if told["pinned"]:
        screen.line(f"Model {told['pinned']} is pinned here: once they work, pin it there (`streamproc models pin`)")
    screen.line(
        f"Once they have caught up, delete the topics that begin with {screen.settings.kafka.prefix} and their feed in "
        "Redis: they hold what they held."
    )
