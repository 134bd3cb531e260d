"""What a replay reads of a cluster: the journal's partitions and the warnings topic."""

from collections.abc import Iterator

from streamproc.adapters.embedded.replay import Replay, Replayed
from streamproc.adapters.kafka.reading_feed import Line
from streamproc.cli.cluster import Cluster, numbered
from streamproc.desk.feed import line_in
from streamproc.desk.forgetting import is_farewell
from streamproc.desk.warning import money_of


class ClusterStory:
    """A cluster's. Raises StoreError where nothing was ever written; the journal's ends are those of this moment."""

    def __init__(self, cluster: Cluster) -> None:
        self.money = money_of(cluster.setup())
        self.partitions = len(cluster.journal.spans)
        self._journal = cluster.journal
        self._reader = cluster.journal.reader()
        self.total = self._reader.total
        self._lines = cluster.topic_feed.lines()
        self._next: Line | None = None

    @property
    def done(self) -> int:
        """Offsets read."""
        return self._reader.done

    def steps(self, again: Replay) -> Iterator[Replayed]:
        """The partitions applied again, tick by tick."""
        parts = [numbered(self._journal.records(self._reader, number)) for number in sorted(self._reader.spans)]
        return again.run_parts(parts)

    def stored(self, reached: int, wait: float) -> bytes | None:
        """The topic's next line; those of later ticks than the one `reached` (µs) belong to what comes after it."""
        self._next = self._next or self._lines.next(wait)
        while self._next is not None and _is_farewell(self._next):  # no tick brought it
            self._next = self._lines.next(wait)
        if self._next is None or self._next.tick > reached:
            return None
        line, self._next = self._next, None
        return line.body


def _is_farewell(line: Line) -> bool:
    entry = line_in(line.body)
    return entry is not None and is_farewell(entry)
