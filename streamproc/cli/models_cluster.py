"""`streamproc models pin | unpin | rollback` on a cluster: the trainer is told, and does it."""

import time

from streamproc.adapters.kafka.messages import ModelChosen, encode
from streamproc.adapters.kafka.reading import topics_of
from streamproc.adapters.kafka.reading_base import positions_of
from streamproc.adapters.kafka.reading_journal import Journal
from streamproc.adapters.kafka.transacting import writer_to
from streamproc.adapters.kafka.transactions import Output
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
    ClusterError.
    """
    with topics_of(settings.kafka) as topics:
        if not positions_of(topics, "trainer"):  # a record there would say that the import under way is through
            raise ConfigError("no trainer has begun on this journal yet: start `streamproc worker` first")
        with writer_to(settings.kafka, WRITER) as writer:
            told = encode(ModelChosen(at=Journal(topics).clock(), snapshot=snapshot, pinned=pinned))
            [offset] = writer.commit([Output(topics.names.examples, 0, None, told)])
        until = time.monotonic() + PATIENCE_S
        while positions_of(topics, "trainer")[0] <= offset:
            if time.monotonic() > until:
                return False
            time.sleep(LOOK_AGAIN_S)
    return True
