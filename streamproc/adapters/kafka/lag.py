"""How far each processor is behind: what there is to read, less how far its consumer group says it has read."""

from collections.abc import Mapping
from typing import Any

from kafka import KafkaConsumer, TopicPartition
from kafka.admin import KafkaAdminClient, OffsetSpec
from msgspec import Struct
from msgspec.structs import replace

from streamproc.adapters.kafka.names import Names
from streamproc.adapters.kafka.tools import cluster_errors
from streamproc.config import KafkaSettings

A_LOOK_MS = 500
LOOKS = 6
MARKERS = 64
"""Offsets that may well be marks of transactions, and nothing that anybody can read."""


class Lag(Struct, frozen=True, kw_only=True):
    """One partition and the processor that reads it, in offsets.

    `end` is the last stable offset: what lies behind it belongs to open transactions. `position` is None where nothing
    was read yet. `lost` counts what was deleted before it was read.
    """

    processor: str
    topic: str
    partition: int
    position: int | None
    end: int
    lag: int
    lost: int = 0


def read_lags(admin: KafkaAdminClient, kafka: KafkaSettings) -> list[Lag]:
    """One for each partition of each processor's topics; topics that there are not are left out.

    Raises kafka-python's KafkaError.
    """
    names = Names(kafka.prefix)
    reads = {
        "intake": list(kafka.inputs.values()),
        "monitor": [names.journal],
        "trainer": [names.examples],
        "desk": [names.desk_inbox],
    }
    places = {who: _partitions(admin, topics) for who, topics in reads.items()}
    every = [place for found in places.values() for place in found]
    if not every:
        return []
    begins = admin.list_partition_offsets(dict.fromkeys(every, OffsetSpec.EARLIEST))
    ends = admin.list_partition_offsets(dict.fromkeys(every, OffsetSpec.LATEST), isolation_level="read_committed")
    lags = []
    known = {group["group_id"] for group in admin.list_groups()}
    for who, found in places.items():
        group = f"{kafka.prefix}{who}"
        read = admin.list_group_offsets({group: found})[group] if found and group in known else {}
        lags += [_lag(who, place, read, begins[place].offset, ends[place].offset) for place in found]
    return _without_markers(lags, kafka)


def _partitions(admin: KafkaAdminClient, topics: list[str]) -> list[TopicPartition]:
    return [
        TopicPartition(topic["name"], number)
        for topic in admin.describe_topics(topics)
        if not topic["error_code"]
        for number in sorted(partition["partition_index"] for partition in topic["partitions"])
    ]


def _lag(who: str, place: TopicPartition, read: Mapping[TopicPartition, Any], begin: int, end: int) -> Lag:
    known = read.get(place)
    position = known.offset if known is not None and known.offset >= 0 else None
    return Lag(
        processor=who,
        topic=place.topic,
        partition=place.partition,
        position=position,
        end=end,
        lag=max(0, end - max(begin, position or 0)),
        lost=0 if position is None else max(0, begin - position),
    )


def _without_markers(lags: list[Lag], kafka: KafkaSettings) -> list[Lag]:
    """A commit takes an offset of its own: a short lag with no record in it is none."""
    short = {TopicPartition(lag.topic, lag.partition): lag for lag in lags if 0 < lag.lag <= MARKERS}
    if not short:
        return lags
    with cluster_errors(kafka) as security:
        consumer = KafkaConsumer(
            bootstrap_servers=kafka.brokers, isolation_level="read_committed", enable_auto_commit=False, **security
        )
        try:
            empty = _empty(consumer, {place: (lag.end - lag.lag, lag.end) for place, lag in short.items()})
        finally:
            consumer.close(autocommit=False)
    return [replace(lag, lag=0) if TopicPartition(lag.topic, lag.partition) in empty else lag for lag in lags]


def _empty(consumer: KafkaConsumer, ranges: Mapping[TopicPartition, tuple[int, int]]) -> set[TopicPartition]:
    """Those whose range of offsets holds nothing to read."""
    consumer.assign(list(ranges))
    for place, (begin, _) in ranges.items():
        consumer.seek(place, begin)
    unknown, empty = set(ranges), set[TopicPartition]()
    for _ in range(LOOKS):
        unknown -= set(consumer.poll(A_LOOK_MS))
        passed = {place for place in unknown if consumer.position(place) >= ranges[place][1]}
        empty |= passed
        unknown -= passed
        if not unknown:
            break
    return empty
