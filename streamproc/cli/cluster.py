"""A cluster as commands ask it: its journal and its feed, where a data folder's commands have the folder's."""

from collections.abc import Iterator
from contextlib import contextmanager

from streamproc.adapters.embedded.journal import Numbered
from streamproc.adapters.embedded.schema import StoreError
from streamproc.adapters.kafka.reading import Topics, topics_of
from streamproc.adapters.kafka.reading_feed import TopicFeed
from streamproc.adapters.kafka.reading_journal import Journal, Placed
from streamproc.config import Settings
from streamproc.core.control import Setup


class Cluster:
    """What the brokers hold as it is now."""

    def __init__(self, topics: Topics) -> None:
        self.topics = topics
        self.journal = Journal(topics)
        self.feed = TopicFeed(topics)

    def setup(self) -> Setup:
        """The journal's set-up. Raises StoreError where nothing was ever written."""
        setup = self.journal.setup()
        if setup is None:
            raise StoreError("the cluster's journal is empty: start with `streamproc worker`")
        return setup


@contextmanager
def cluster_of(settings: Settings) -> Iterator[Cluster]:
    """The cluster that the settings name. Raises ConfigError where they name none; ClusterError, also from within."""
    with topics_of(settings.kafka) as topics:
        yield Cluster(topics)


def numbered(records: Iterator[Placed]) -> Iterator[Numbered]:
    """A partition's records, numbered by their offsets."""
    return (Numbered(offset, record) for offset, record in records)
