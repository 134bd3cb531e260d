"""Going on where records of the firm's topics are lost, or where a topic with state was restored from a copy.

The rule kept here: a position is moved under the transactional id of the partition's owner, so whoever reads there is
shut out first, and whoever reads there next begins where this says.
"""

from collections.abc import Mapping
from typing import NamedTuple

from streamproc.adapters.kafka.changelog import Slot, parted
from streamproc.adapters.kafka.names import BEGINNING, Names
from streamproc.adapters.kafka.ownership import PositionError, start_position
from streamproc.adapters.kafka.reading import Topics, topics_of
from streamproc.adapters.kafka.state_topics import TAKEN, ids_in, taken_by
from streamproc.adapters.kafka.tools import ClusterError, admin_of
from streamproc.adapters.kafka.topics import topic_ids
from streamproc.adapters.kafka.transacting import writer_to
from streamproc.adapters.kafka.transactions import Output, Writes
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


def take(kafka: KafkaSettings, topic: str) -> bool:
    """Lets a topic with state stand for the one that the journal began with; False, and nothing done, where it is that.

    Raises ConfigError without brokers; ClusterError, also where it holds no state.
    """
    topic_id = _id_of(kafka, topic) or ""
    with topics_of(kafka) as topics:
        if not made_anew(topics, {topic: topic_id}):
            return False
        values = {number: _last_values(topics, topic, number) for number in topics.spans(topic)}
        if bare := [number for number, kept in values.items() if not kept]:
            raise ClusterError(f"{topic} partition {bare[0]} holds nothing: it can stand for no other topic")
        with writer_to(kafka, BEGINNING) as writer:
            writer.commit(Output(topic, number, TAKEN, topic_id.encode()) for number in values)
    return True


def made_anew(topics: Topics, ids: Mapping[str, str]) -> list[str]:
    """Which of the topics with state are not those that the journal began with, nor taken for them; `ids` as they are.

    Where one of the ids is not known nothing is said. Raises kafka-python's KafkaError.
    """
    first = next(topics.read(topics.names.journal, [0]).records(0), None)
    began = ids_in(first.headers) if first is not None else {}
    other = [topic for topic, topic_id in ids.items() if topic_id and began.get(topic, topic_id) != topic_id]
    return [topic for topic in other if not _is_taken(topics, topic, ids[topic])]


def _is_taken(topics: Topics, topic: str, topic_id: str) -> bool:
    return all(taken_by(_last_values(topics, topic, number)) == topic_id for number in topics.spans(topic))


def _id_of(kafka: KafkaSettings, topic: str) -> str | None:
    with admin_of(kafka) as admin:
        return topic_ids(admin, [topic]).get(topic)


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


def _last_values(topics: Topics, compacted: str, number: int = 0) -> dict[bytes, bytes]:
    """The last value of each key in a compacted topic's partition."""
    values: dict[bytes, bytes] = {}
    for record in topics.read(compacted, [number]).records(number):
        key = record.key or b""
        if record.value is None:
            values.pop(key, None)
        else:
            values[key] = record.value
    return values
