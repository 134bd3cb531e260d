"""Going on where records of the firm's topics are lost: the one time that a person moves a position.

The rule kept here: it is moved under the transactional id of the partition's owner, so whoever reads there is shut out
first, and whoever reads there next begins where this says.
"""

from typing import NamedTuple
from uuid import UUID

from streamproc.adapters.kafka.changelog import Slot, parted
from streamproc.adapters.kafka.names import Names
from streamproc.adapters.kafka.ownership import PositionError, start_position
from streamproc.adapters.kafka.reading import Topics, topics_of
from streamproc.adapters.kafka.tools import ClusterError, admin_of
from streamproc.adapters.kafka.transacting import writer_to
from streamproc.adapters.kafka.transactions import Writes
from streamproc.config import KafkaSettings


class WentOn(NamedTuple):
    """Where intake was (`position`), and where the log begins, from which it goes on; `anew`: it is another topic."""

    position: int
    begin: int
    anew: bool


def go_on(kafka: KafkaSettings, topic: str, number: int) -> WentOn | None:
    """Lets intake go on at the beginning of what the partition holds; None, and nothing changed, where nothing is lost.

    Raises ConfigError without brokers; ClusterError, also where there is no such partition.
    """
    slot = Slot(Names(kafka.prefix).progress, 0, f"{topic}/{number}/".encode())
    topic_id = _id_of(kafka, topic)
    with topics_of(kafka) as topics:
        if _lost(topics, slot, (topic, number), topic_id) is None:
            return None
        with writer_to(kafka, f"intake.{topic}.{number}") as writer:
            went = _lost(topics, slot, (topic, number), topic_id)
            if went is not None:
                outputs = slot.outputs(Writes([], []), went.begin)
                writer.commit([*outputs, slot.read_from(topic_id)] if topic_id else outputs)
            return went


def _id_of(kafka: KafkaSettings, topic: str) -> str | None:
    with admin_of(kafka) as admin:
        [described] = admin.describe_topics([topic])
    known = UUID(str(described["topic_id"] or UUID(int=0)))
    return known.hex if known.int else None


def _lost(topics: Topics, slot: Slot, place: tuple[str, int], topic_id: str | None) -> WentOn | None:
    """Where intake cannot go on, and where it could; None where it can."""
    spans = topics.spans(place[0])
    if place[1] not in spans:
        raise ClusterError(f"{place[0]} has {len(spans)} partitions: there is none of the number {place[1]}")
    past, span = parted(_last_values(topics, slot.topic), slot.prefix), spans[place[1]]
    try:
        start_position(place, past, span, topic_id)
    except PositionError:
        position = past.position or 0
        return WentOn(position, span.begin, position >= span.begin)
    return None


def _last_values(topics: Topics, compacted: str) -> dict[bytes, bytes]:
    """The last value of each key in a compacted topic of one partition."""
    values: dict[bytes, bytes] = {}
    for record in topics.read(compacted).records(0):
        key = record.key or b""
        if record.value is None:
            values.pop(key, None)
        else:
            values[key] = record.value
    return values
