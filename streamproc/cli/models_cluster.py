"""`streamproc models pin | unpin | rollback` on a cluster: the trainer is told, and does it."""

import time

from streamproc.adapters.kafka.changelog import POSITION
from streamproc.adapters.kafka.messages import ModelChosen, encode
from streamproc.adapters.kafka.names import Names
from streamproc.adapters.kafka.reading import Topics, topics_of
from streamproc.adapters.kafka.reading_base import last_of
from streamproc.adapters.kafka.transacting import writer_to
from streamproc.adapters.kafka.transactions import Output
from streamproc.cli.cluster import cluster_of
from streamproc.config import ConfigError, Settings
from streamproc.scoring.snapshot import Snapshot

WRITER = "models"
"""Behind the prefix, the transactional id under which the trainer is told."""

PATIENCE_S = 10.0
"""Seconds within which a trainer that is at work has done it."""

LOOK_AGAIN_S = 1.0


def choose(settings: Settings, snapshot: Snapshot | None, *, pinned: bool) -> bool:
    """Has the trainer bring the snapshot into force, and keep it where it is `pinned`; None: let new ones come again.

    Whether it has by now. Raises ConfigError without brokers, or where no trainer has begun on the journal; besides
    ClusterError and StoreError.
    """
    with cluster_of(settings) as cluster:
        at = cluster.clock()
    names = Names(settings.kafka.prefix)
    with topics_of(settings.kafka) as topics:
        if _position(topics, names) is None:  # a record there would say that the import under way is through
            raise ConfigError("no trainer has begun on this journal yet: start `streamproc worker` first")
        with writer_to(settings.kafka, WRITER) as writer:
            told = encode(ModelChosen(at=at, snapshot=snapshot, pinned=pinned))
            [offset] = writer.commit([Output(names.examples, 0, None, told)])
        until = time.monotonic() + PATIENCE_S
        while (_position(topics, names) or 0) <= offset:
            if time.monotonic() > until:
                return False
            time.sleep(LOOK_AGAIN_S)
    return True


def _position(topics: Topics, names: Names) -> int | None:
    """The first of the examples that the trainer has not read, None before it has read any."""
    found = last_of(topics, names.changelog("trainer"), POSITION)
    return int(found[0]) if found else None
