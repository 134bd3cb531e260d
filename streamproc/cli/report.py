"""`streamproc report`: the firm at a glance, as one page with charts."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, NamedTuple

import typer

from streamproc.adapters.embedded import queries
from streamproc.adapters.embedded.replay import Replay
from streamproc.adapters.report.document import html
from streamproc.adapters.report.firm import firm_document
from streamproc.cli.common import ConfigOption, DataOption, LanguageOption, command, reading, seldom_collecting
from streamproc.cli.home import on_cluster
from streamproc.cli.outputs import check_file, long_work
from streamproc.cli.replay_story import FolderStory
from streamproc.cli.replay_story import Story as Journal
from streamproc.config import Settings
from streamproc.desk.report import Summary
from streamproc.desk.story import Story, Telling
from streamproc.monitor.totals import merged

_EVERY = 1_000


class Told(NamedTuple):
    """What a report is made of: the journal, its clock (µs), the firm as it stands."""

    journal: Journal
    clock: int
    now: Summary


def report(
    *,
    out: Annotated[Path, typer.Option(help="The HTML file to write.")],
    data: DataOption = None,
    lang: LanguageOption = None,
    config: ConfigOption = None,
) -> None:
    """Write the firm at a glance: one HTML file with charts, to be read, mailed or printed.

    Lifecycle, churn by grade, pyramid and segments with their movement, concentration, growth, satisfaction and
    service, complaints, causes, equity, acquisition cost. The journal is read again from its beginning, which takes
    about as long as reading it did; nothing is changed by it. The file needs no network.

    Where Kafka brokers are set and no `--data` is given, the cluster's journal is read.

    For example:

        streamproc report --out firm.html
        streamproc report --out firm-zh.html --lang zh-CN
    """
    with command(config, data, lang) as screen:
        check_file("--out", out)
        source = of_cluster(screen.settings) if on_cluster(screen.settings, data) else of_folder(screen.settings.data)
        with source as told, long_work(screen, screen.words.say("replaying"), told.journal.total) as done:
            story = tell(told, done)
        out.write_text(html(firm_document(story, told.now, screen.words)), encoding="utf-8")
        screen.line(str(out))


@contextmanager
def of_cluster(settings: Settings) -> Iterator[Told]:
    """What a cluster's report is made of. Raises ClusterError, StoreError where nothing was ever written."""
    from streamproc.cli.cluster import cluster_of  # noqa: PLC0415 - a folder's report needs no Kafka
    from streamproc.cli.replay_cluster import ClusterStory  # noqa: PLC0415 - as above

    with cluster_of(settings) as cluster:
        yield Told(ClusterStory(cluster), cluster.clock(), cluster.summary())


@contextmanager
def of_folder(folder: Path) -> Iterator[Told]:
    """What a data folder's report is made of. Raises StoreError where there is none, or nothing was read into it."""
    with reading(folder) as db:
        yield Told(FolderStory(db, 1), queries.progress(db).clock, queries.summary(db))


def tell(told: Told, done: Callable[[int], None]) -> Story:
    """The journal told from its beginning to the clock; `done` hears how far that is."""
    journal = told.journal
    again = Replay(journal.money, partitions=journal.partitions, observed=True)
    telling = Telling(journal.money, told.clock)
    with seldom_collecting():
        for number, step in enumerate(journal.steps(again)):
            telling.take(step.numbered.record, step.effects)
            if number % _EVERY == 0:
                done(journal.done)
    return telling.story(merged([part.meta.totals for part in again.pipeline.partitions]))
