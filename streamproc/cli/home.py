"""Where a question is answered from: the cluster where brokers are set and no folder is named, else the data folder."""

import sqlite3
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Protocol, TypeVar

from streamproc.adapters.embedded import alerts, feed, queries
from streamproc.adapters.embedded.customers import Past
from streamproc.cli.common import reading
from streamproc.config import Settings
from streamproc.core.alerts import Alert, standing
from streamproc.desk.cases import CaseNow, cases_now
from streamproc.desk.feed import Order
from streamproc.desk.report import Summary, WarningNow
from streamproc.desk.warning import Entry
from streamproc.monitor.effects import Totals
from streamproc.monitor.totals import merged

POLL_SECONDS = 0.25

T = TypeVar("T")


class Home(Past, Protocol):
    """A journal and its feed, a data folder's or a cluster's."""

    def summary(self) -> Summary:
        """The whole base at a glance."""
        ...

    def standing(self, *, open_only: bool, customer: str | None, limit: int | None, order: Order) -> list[WarningNow]:
        """Warnings as they stand: all or open ones, of a customer or of everybody, at most `limit`."""
        ...

    def told(self) -> Iterator[Entry]:
        """The feed's lines from the first on."""
        ...

    def totals(self) -> Totals:
        """The totals over all partitions, as of their last commit."""
        ...

    def news(self) -> Iterator[Entry]:
        """The feed's lines from this moment on, as they are committed; it never ends."""
        ...

    def cases(self) -> list[CaseNow]:
        """The open complaints, what falls due next first."""
        ...

    def alerts(self, *, open_only: bool) -> list[Alert]:
        """Each alert's last line, the newest alert first."""
        ...

    def alert_news(self) -> Iterator[Alert]:
        """The alerts' lines from this moment on; it never ends."""
        ...


class FolderHome(queries.FolderPast):
    """A data folder's."""

    def __init__(self, db: sqlite3.Connection) -> None:
        super().__init__(db)
        self._db = db

    def summary(self) -> Summary:
        """The whole base at a glance."""
        return queries.summary(self._db)

    def standing(self, *, open_only: bool, customer: str | None, limit: int | None, order: Order) -> list[WarningNow]:
        """Warnings as they stand."""
        customers = None if customer is None else [customer]
        return queries.warnings(self._db, open_only=open_only, customers=customers, limit=limit, order=order)

    def told(self) -> Iterator[Entry]:
        """The feed's lines from the first on."""
        return (entry for _, entry in feed.lines(self._db))

    def totals(self) -> Totals:
        """The totals over all partitions."""
        return merged([part.totals for part in queries.metas(self._db)])

    def news(self) -> Iterator[Entry]:
        """The feed's lines from now on."""
        (seen,) = self._db.execute("SELECT coalesce(max(seq), 0) FROM feed").fetchone()
        return self._news(feed.lines, seen)

    def cases(self) -> list[CaseNow]:
        """The open complaints."""
        desk = queries.desk(self._db)
        return [] if desk is None else cases_now(desk.watch.cases)

    def alerts(self, *, open_only: bool) -> list[Alert]:
        """Each alert's last line."""
        return standing((alert for _, alert in alerts.lines(self._db)), open_only=open_only)

    def alert_news(self) -> Iterator[Alert]:
        """The alerts' lines from now on."""
        return self._news(alerts.lines, max((seq for seq, _ in alerts.lines(self._db)), default=0))

    def _news(self, lines: Callable[[sqlite3.Connection, int], Iterator[tuple[int, T]]], seen: int) -> Iterator[T]:
        version = None
        while True:
            (now,) = self._db.execute("PRAGMA data_version").fetchone()
            if now != version:
                version = now
                for seq, line in lines(self._db, seen):
                    seen = seq
                    yield line
            time.sleep(POLL_SECONDS)


def on_cluster(settings: Settings, data: Path | None) -> bool:
    """Whether the cluster is asked: brokers are set, and the command line names no folder."""
    return bool(settings.kafka.brokers) and data is None


def home_of(settings: Settings, data: Path | None, *, follow: bool = False) -> AbstractContextManager[Home]:
    """What a command that was given `--data` (or not) asks; see `reading` and `cluster_of` for what they raise."""
    if on_cluster(settings, data):
        from streamproc.cli.cluster import cluster_of  # noqa: PLC0415 - a folder's commands need no Kafka

        return cluster_of(settings)
    return _folder(settings.data, follow=follow)


@contextmanager
def _folder(folder: Path, *, follow: bool) -> Iterator[Home]:
    with reading(folder, one_state=not follow, follow=follow) as db:
        yield FolderHome(db)
