"""`streamproc journal rewrite`: a cluster's journal under another prefix, without those who were forgotten."""

from contextlib import ExitStack
from typing import Annotated

import typer

from streamproc.adapters.kafka.importing import ImportingError, Reached, reached
from streamproc.adapters.kafka.names import BEGINNING
from streamproc.adapters.kafka.reading import Topics, topics_of
from streamproc.adapters.kafka.reading_journal import Journal
from streamproc.adapters.kafka.rewriting import Gone, UnreadError, check_all_read, copied, gone_in, progress_of, steps
from streamproc.adapters.kafka.state_topics import state_topics
from streamproc.adapters.kafka.tools import admin_of
from streamproc.adapters.kafka.topics import topic_ids
from streamproc.adapters.kafka.transacting import writer_to
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
            try:
                check_all_read(old)
            except UnreadError as error:
                raise ConfigError(
                    f"{error}: let the workers come to the end of all topics, `streamproc lag` shows it, then stop them"
                ) from error
            kafka = settings.kafka.model_copy(update={"prefix": to, "partitions": len(Journal(old).spans)})
            told = _write(screen, old, settings.model_copy(update={"kafka": kafka}))
        if json:
            print_json(told)
        else:
            _show(screen, told)


def _write(screen: Screen, old: Topics, settings: Settings) -> dict[str, object]:
    """Writes all that is missing; what was done."""
    make_topics(settings)
    kafka, clock, seq = settings.kafka, 0, 0
    source = Journal(old)
    gone = gone_in(source.records(source.reader(number), number) for number in sorted(source.spans))
    with ExitStack() as held:
        topics = held.enter_context(topics_of(kafka))
        with admin_of(kafka) as admin:
            ids = topic_ids(admin, state_topics(topics.names))
        writer = held.enter_context(writer_to(kafka, BEGINNING))
        begun = _reached(topics)
        reader = source.reader()
        done = held.enter_context(long_work(screen, "journal", reader.total))
        held.enter_context(seldom_collecting())
        parts = [source.records(reader, number) for number in sorted(source.spans)]
        along = progress_of(old, topics.names)
        for step in steps(copied(parts, gone), topics.names, len(parts), begun, ids, along):
            writer.commit(step.outputs)
            done(reader.done)
            clock, seq = step.clock, step.seq
    return _answer(seq, gone, clock, settings)


def _reached(topics: Topics) -> Reached:
    try:
        return reached(topics)
    except ImportingError as error:
        raise ConfigError(str(error)) from error


def _answer(records: int, gone: dict[str, Gone], clock: int, settings: Settings) -> dict[str, object]:
    kafka = settings.kafka
    return {
        "records": records, "forgotten": len(gone), "clock": to_text(clock), "prefix": kafka.prefix,
        "partitions": kafka.partitions,
    }  # fmt: skip


def _show(screen: Screen, told: dict[str, object]) -> None:
    screen.line(f"{told['records']} records up to {told['clock']}; {told['forgotten']} ids are gone from them.")
    screen.line(f"Next: start the workers with STREAMPROC_KAFKA__PREFIX={told['prefix']}")
    screen.line(
        f"Once they have caught up, delete the topics that begin with {screen.settings.kafka.prefix} and their feed in "
        "Redis: they hold what they held."
    )
