"""`streamproc journal import`: a data folder's journal becomes the past of a cluster's."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager

from streamproc.adapters.embedded.journal import check_core, read
from streamproc.adapters.embedded.lock import writer_lock
from streamproc.adapters.embedded.models import pinned
from streamproc.adapters.embedded.replay import setup_of
from streamproc.adapters.embedded.schema import StoreError, connect
from streamproc.adapters.kafka.importing import addressed, bring_in
from streamproc.adapters.kafka.reading import Topics, topics_of
from streamproc.cli.common import ConfigOption, DataOption, JsonOption, Screen, command, print_json, seldom_collecting
from streamproc.cli.outputs import long_work
from streamproc.cli.session import agreed, rates_of
from streamproc.config import Settings
from streamproc.core.time import to_text


def import_(*, data: DataOption = None, json: JsonOption = False, config: ConfigOption = None) -> None:
    """Begin the cluster's journal with the past of a data folder: from `streamproc run` to `streamproc worker`.

    The cluster's topics must be there and empty, the folder must not be in use; it stays as it is. Workers then come
    to the states, warnings, examples and models that the folder has, and go on behind its last tick. Dead letters and
    counts stay behind in the folder.

    Broken off by Ctrl-C or by whatever else, it goes on where it stopped when it is called again; until it is through,
    no worker starts. For example:

        streamproc topics create && streamproc journal import --data streamproc-data && streamproc worker
    """
    with command(config, data=data) as screen, _told_to_go_on(screen):
        settings = screen.settings
        with (
            closing(connect(settings.data, readonly=True)) as db,
            writer_lock(settings.data),
            topics_of(settings.kafka) as topics,
        ):
            _check(db, settings)
            told = _bring_in(db, topics, screen)
            if json:
                print_json(told)
            else:
                _show(screen, told, db)


def _check(db: sqlite3.Connection, settings: Settings) -> None:
    """Raises ConfigError or StoreError where folder and settings do not fit."""
    setup = setup_of(db)
    if setup is None:
        raise StoreError(f"the journal in {settings.data} is empty: there is no past to bring in")
    check_core(setup)
    agreed(setup, settings, str(settings.data), "bring in another folder")


def _bring_in(db: sqlite3.Connection, topics: Topics, screen: Screen) -> dict[str, object]:
    """Writes all that is missing; what was done."""
    kafka, clock = screen.settings.kafka, 0
    (last,) = db.execute("SELECT max(seq) FROM journal").fetchone()
    written = bring_in(kafka, topics, addressed(read(db), kafka.partitions))
    before = next(written).seq
    with long_work(screen, "journal", last) as done, seldom_collecting():
        for step in written:
            done(step.seq)
            clock = step.clock
    return {"records": last, "before": before, "partitions": kafka.partitions, "clock": to_text(clock)}


def _show(screen: Screen, told: dict[str, object], db: sqlite3.Connection) -> None:
    settings = screen.settings
    before = f", {told['before']:,} of them before" if told["before"] else ""
    screen.line(f"{told['records']:,} records{before}, up to {told['clock']}, in {told['partitions']} partitions.")
    screen.line(
        "Next: `streamproc worker`. It comes to what the folder has, then goes on; `streamproc lag` shows how far."
    )
    screen.line(
        f"Send the topics only what is not in the folder, and let no `streamproc run` go on in {settings.data}: "
        "from here on the cluster's journal is the one that counts."
    )
    if rates_of(db, settings.currency).dump():
        screen.line(
            f"Before all else, send the currency rates to {settings.kafka.facts} again: a cluster's intake knows only "
            "the rates of that topic."
        )
    if pinned(db) is not None:
        screen.line("The folder's model is pinned. On a cluster the next takes its place: `models pin` keeps it.")


@contextmanager
def _told_to_go_on(screen: Screen) -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        screen.note("Broken off. The same command goes on where it stopped; until it is through, no worker starts.")
        raise
