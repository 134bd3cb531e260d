"""`streamproc report`: the firm at a glance, as one page with charts."""

import sqlite3
from pathlib import Path
from typing import Annotated

import typer

from streamproc.adapters.embedded import queries
from streamproc.adapters.embedded.journal import read
from streamproc.adapters.embedded.replay import Replay
from streamproc.adapters.report.document import html
from streamproc.adapters.report.firm import firm_document
from streamproc.cli.common import ConfigOption, DataOption, LanguageOption, Screen, command, reading, seldom_collecting
from streamproc.cli.outputs import check_file, long_work
from streamproc.desk.story import Story, Telling
from streamproc.desk.warning import money_of
from streamproc.monitor.totals import merged

_EVERY = 1_000


def report(
    *,
    out: Annotated[Path, typer.Option(help="The HTML file to write.")],
    data: DataOption = None,
    lang: LanguageOption = None,
    config: ConfigOption = None,
) -> None:
    """Write the firm at a glance: one HTML file with charts, to be read, mailed or printed.

    Lifecycle, churn by grade, pyramid and segments with their movement, concentration, growth, satisfaction and
    service, complaints, causes, equity, acquisition cost. The folder's journal is read again from its beginning, which
    takes about as long as reading it did; nothing in the folder is changed. The file needs no network.

    For example:

        streamproc report --out firm.html
        streamproc report --out firm-zh.html --lang zh-CN
    """
    with command(config, data, lang) as screen:
        check_file("--out", out)
        with reading(screen.settings.data) as db, seldom_collecting():
            story, now = _story(screen, db), queries.summary(db)
        out.write_text(html(firm_document(story, now, screen.words)), encoding="utf-8")
        screen.line(str(out))


def _story(screen: Screen, db: sqlite3.Connection) -> Story:
    """The journal told from its beginning to the clock."""
    money = money_of(queries.the_setup(db))
    again, telling = Replay(money, observed=True), Telling(money, queries.progress(db).clock)
    (total,) = db.execute("SELECT coalesce(max(seq), 0) FROM journal").fetchone()
    with long_work(screen, screen.words.say("replaying"), total) as done:
        for step in again.run(read(db, 0, total)):
            telling.take(step.numbered.record, step.effects)
            if step.numbered.seq % _EVERY == 0:
                done(step.numbered.seq)
    return telling.story(merged([part.meta.totals for part in again.pipeline.partitions]))
