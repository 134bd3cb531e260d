"""The currency rates that the firm's facts tell, known to every intake of the process.

A partition of purchases cannot wait for one of facts: so each process reads all facts itself, to their end before it
takes anything in, and on from there. Which rate an amount was turned with is decided once and written in the journal.
"""

import time
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Any

from streamproc.adapters.kafka.following import following
from streamproc.adapters.kafka.transactions import Connection
from streamproc.intake.intake import Intake
from streamproc.intake.refusal import Position


def learning(connection: Connection, topic: str, partitions: int, intake: Intake) -> AbstractAsyncContextManager[None]:
    """Enters once all facts up to now are known to the `intake`'s rates; goes on learning until left.

    `intake` is one of its own for this, over the rates that the process shares. Raises aiokafka's KafkaError.
    """
    return following(connection, topic, partitions, partial(_learn, intake), "the currency rates")


def _learn(intake: Intake, place: Any, records: Sequence[Any]) -> None:  # noqa: ANN401 - as aiokafka gives them
    """What the intake makes of a fact is thrown away: the rate in it is known by then."""
    now = time.time_ns() // 1_000
    for record in records:
        position = Position(f"{place.topic}/{place.partition}", record.offset + 1)
        intake.take(record.value or b"", position, now, key=f"{place}/{record.offset}")
