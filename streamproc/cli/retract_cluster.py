"""`streamproc retract` on a cluster: its journal, made anew in a folder without an import, begins another prefix."""

import signal
import sqlite3
import sys
from collections.abc import Iterable, Iterator
from contextlib import ExitStack, closing
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

import msgspec

from streamproc.adapters.embedded import feed
from streamproc.adapters.embedded.again import Old
from streamproc.adapters.embedded.clock import Progress
from streamproc.adapters.embedded.imports import Import
from streamproc.adapters.embedded.journal import read
from streamproc.adapters.embedded.rewriting import FOLDER, Rewritten, rewrite
from streamproc.adapters.embedded.schema import connect
from streamproc.adapters.kafka.importing import Addressed, addressed, bring_in
from streamproc.adapters.kafka.reading import Topics, topics_of
from streamproc.adapters.kafka.reading_feed import TopicFeed
from streamproc.adapters.kafka.reading_journal import Journal
from streamproc.adapters.kafka.rewriting import check_all_read, check_stopped, copied, gone_in, progress_of, unmoved
from streamproc.adapters.kafka.tools import ClusterError
from streamproc.cli.common import Screen
from streamproc.cli.outputs import long_work
from streamproc.cli.topics import make_topics
from streamproc.config import Settings
from streamproc.core.control import ClockMode, Forget, JournalRecord, Tick
from streamproc.core.events import CustomerFact
from streamproc.core.time import HOUR
from streamproc.wire import journal

TERMINATED = 128 + signal.SIGTERM
"""The exit code of who ends at the system's word."""

_GIVEN = (
    "UPDATE journal SET event_id = told.event_id FROM (SELECT event_id, seq FROM ("
    "SELECT event_id, seq, row_number() OVER (PARTITION BY event_id ORDER BY alias DESC, seq) AS place FROM told"
    ") WHERE place = 1) AS told WHERE journal.seq = told.seq"
)
"""Of records of one event the alias's own came from outside; what it forwarded stands in another partition."""


class Retraction:
    """A retraction on a cluster, within a `with`: what it would come to is worked out in a folder for the time."""

    def __init__(self, screen: Screen, source: str) -> None:
        self._screen = screen
        self._settings = screen.settings
        self._source = source
        self._held = ExitStack()

    def __enter__(self) -> Self:
        signal.signal(signal.SIGTERM, lambda *_: sys.exit(TERMINATED))  # or the folder, which holds everybody, stays
        self._topics = self._held.enter_context(topics_of(self._settings.kafka))
        self._folder = Path(self._held.enter_context(TemporaryDirectory(prefix="streamproc-retract-")))
        return self

    def __exit__(self, *_: object) -> None:
        self._held.close()

    def work_out(self) -> Rewritten:
        """The journal without the source, in the folder.

        Raises ImportingError where workers have not read it all, or still run; ClusterError.
        """
        check_stopped(self._settings.kafka)
        self._read = progress_of(self._topics)
        check_all_read(self._topics)
        with closing(connect(self._folder)) as old:
            last = _filled(old, self._topics)
            with long_work(self._screen, "journal", last) as done:
                stale = self._settings.stale_hours * HOUR
                return rewrite(
                    old, self._folder, self._is_of, lambda _: False, stale_after=stale, done=done, same_ticks=True
                )

    def _is_of(self, old: Old) -> bool:
        return is_of(getattr(old.record, "source", ""), self._source)

    def bring_in(self, to: str) -> None:
        """Writes the new journal under the prefix; broken off, it goes on. Raises ImportingError, ClusterError."""
        journal_now = Journal(self._topics)
        kafka = self._settings.kafka.model_copy(update={"prefix": to, "partitions": len(journal_now.spans)})
        make_topics(self._settings.model_copy(update={"kafka": kafka}))
        with closing(connect(self._folder / FOLDER, readonly=True)) as new, topics_of(kafka) as topics:
            (last,) = new.execute("SELECT max(seq) FROM journal").fetchone()
            along = unmoved(self._topics, self._read, topics.names)
            with long_work(self._screen, "topics", last) as done:
                for step in bring_in(kafka, topics, addressed(read(new), kafka.partitions), along):
                    done(step.seq)


def is_of(named: str, source: str) -> bool:
    """Whether a record's source is the one asked for, or a partition of the topic asked for."""
    topic, _, number = named.rpartition("/")
    return named == source or (topic == source and number.isdecimal())


def _filled(db: sqlite3.Connection, topics: Topics) -> int:
    """Fills an empty folder with the journal's records, tick by tick, and with what the feed told; the last number."""
    seq, progress, aliases = 0, Progress(), set[str]()
    db.execute("BEGIN")
    db.execute("CREATE TEMP TABLE told (event_id TEXT, seq INTEGER, customer TEXT, alias INTEGER DEFAULT 0)")
    for record in merged(topics):
        seq += 1
        customer = getattr(record, "customer_id", None)
        db.execute("INSERT INTO journal VALUES (?, ?, NULL, ?)", (seq, customer, journal.encode(record)))
        event_id = getattr(record, "event_id", None)
        if event_id is not None:
            db.execute("INSERT INTO told (event_id, seq, customer) VALUES (?, ?, ?)", (event_id, seq, customer))
        if isinstance(record, CustomerFact) and record.alias_of is not None:
            aliases.add(record.customer_id)
        elif isinstance(record, Tick):
            progress.clock = record.at
        elif isinstance(record, ClockMode):
            progress.live = record.live
    db.executemany("UPDATE told SET alias = 1 WHERE customer = ?", [(one,) for one in sorted(aliases)])
    db.execute(_GIVEN)
    db.execute("INSERT INTO meta VALUES ('progress', ?)", (msgspec.msgpack.encode(progress),))
    feed.write(db, (entry for entry in TopicFeed(topics).told() if entry.warning_id))
    db.execute("COMMIT")
    return seq


def merged(topics: Topics) -> Iterator[JournalRecord]:
    """The journal's records in one order, those for everybody once; without those who were forgotten.

    Raises ClusterError where nothing was ever written.
    """
    source = Journal(topics)
    if source.setup() is None:
        raise ClusterError("the cluster's journal is empty: start with `streamproc worker`")
    numbers = sorted(source.spans)
    gone = gone_in(source.records(source.reader(number), number) for number in numbers)
    reader = source.reader()
    return once(copied([source.records(reader, number) for number in numbers], gone))


def once(records: Iterable[Addressed]) -> Iterator[JournalRecord]:
    """Of what is for everybody that in the first partition; the marks of who was forgotten may be in any, or in all."""
    marks = set[Forget]()
    for _, record, (number,) in records:
        if isinstance(record, Forget):
            if record in marks:
                continue
            marks.add(record)
        elif number and getattr(record, "customer_id", None) is None:
            continue
        yield record


def sources_of(settings: Settings) -> list[Import]:
    """What came from where, by source: numbered by their order in the journal."""
    found: dict[str, Import] = {}
    with topics_of(settings.kafka) as topics:
        for number, record in enumerate(merged(topics), 1):
            name = getattr(record, "source", None)
            if name is None:
                continue
            known = found.get(name) or Import(
                number=number, source=name, begun=None, records=0, since=record.at, until=record.at
            )
            found[name] = msgspec.structs.replace(
                known, records=known.records + 1, since=min(known.since, record.at), until=max(known.until, record.at)
            )
    return list(found.values())
