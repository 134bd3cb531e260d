"""The topics of a cluster: which there must be, which there are, and making those that are missing."""

from collections.abc import Iterable, Mapping
from typing import Any, NamedTuple
from uuid import UUID

from kafka.admin import ConfigResource, KafkaAdminClient

from streamproc.adapters.kafka.names import Names
from streamproc.adapters.kafka.tools import ClusterError
from streamproc.config import KafkaSettings

DAY_MS = 86_400_000
FOR_EVER = -1
MOST_REPLICAS = 3
RECORD_BYTES = 4 << 20
"""A body has at most 1 MiB; with what is said of it, and as a dead letter, it may be more."""

_KEPT = {"unclean.leader.election.enable": "false", "max.message.bytes": str(RECORD_BYTES)}
# Small segments, and little dirt allowed: what a new owner must read back is close to what the states weigh.
_COMPACTED = {
    "cleanup.policy": "compact",
    "segment.bytes": str(64 << 20),
    "min.cleanable.dirty.ratio": "0.2",
    "max.compaction.lag.ms": str(DAY_MS),
}


class Wanted(NamedTuple):
    """A topic as it should be: `partitions` None where any number will do, `least_ms` the shortest retention that will.

    `ours` tells the topics that streamproc makes for itself from the firm's, whose settings are the firm's affair.
    """

    name: str
    partitions: int | None
    settings: Mapping[str, str]
    least_ms: int = 0
    ours: bool = True

    @property
    def compacted(self) -> bool:
        """Whether only the last value of each key is kept."""
        return self.settings.get("cleanup.policy") == "compact"


class Found(NamedTuple):
    """A topic as it is: all its settings, defaults included; `replicas` of its least copied partition.

    `id` is the brokers' own, empty where they are too old to tell: a topic made anew has another.
    """

    partitions: int
    replicas: int
    settings: Mapping[str, str]
    id: str = ""


def wanted_topics(kafka: KafkaSettings, horizon_ms: int) -> list[Wanted]:
    """All topics. `horizon_ms`: how far back a label looks, the allowed lateness included."""
    names, partitions = Names(kafka.prefix), kafka.partitions
    large = {"max.message.bytes": _KEPT["max.message.bytes"]}
    inputs = [Wanted(name, None, large, DAY_MS, ours=False) for name in kafka.inputs.values()]
    return [
        *inputs,
        Wanted(names.journal, partitions, _logged(FOR_EVER), horizon_ms),
        Wanted(names.examples, 1, _logged(FOR_EVER), horizon_ms),
        Wanted(names.desk_inbox, 1, _logged(7 * DAY_MS), DAY_MS),
        Wanted(names.warnings, 1, _logged(FOR_EVER), DAY_MS),
        Wanted(names.alerts, 1, _logged(FOR_EVER), DAY_MS),
        Wanted(names.dead_letters, 1, _logged(90 * DAY_MS), DAY_MS),
        Wanted(names.progress, 1, _KEPT | _COMPACTED),
        Wanted(names.changelog("monitor"), partitions, _KEPT | _COMPACTED),
        Wanted(names.changelog("trainer"), 1, _KEPT | _COMPACTED),
        Wanted(names.changelog("desk"), 1, _KEPT | _COMPACTED),
    ]


def replicas_for(brokers: int) -> int:
    """How many copies of a partition so many brokers can keep, without more than are of use."""
    return min(MOST_REPLICAS, brokers)


def in_sync_for(replicas: int) -> int:
    """How many copies must have a record before it counts as written: one broker may be away, where there are three."""
    return max(1, replicas - 1)


def found_topics(admin: KafkaAdminClient, names: Iterable[str]) -> dict[str, Found]:
    """Those of the names that there are. Raises kafka-python's KafkaError."""
    described = [topic for topic in admin.describe_topics(list(names)) if not topic["error_code"]]
    if not described:
        return {}
    resources = [ConfigResource("topic", topic["name"]) for topic in described]
    settings = admin.describe_configs(resources, config_filter="all")["topic"]
    return {
        topic["name"]: _found(topic, {name: str(entry["value"]) for name, entry in settings[topic["name"]].items()})
        for topic in described
    }


def _found(topic: Mapping[str, Any], settings: Mapping[str, str]) -> Found:
    replicas = min(len(partition["replica_nodes"]) for partition in topic["partitions"])
    return Found(len(topic["partitions"]), replicas, settings, _id(topic))


def there(admin: KafkaAdminClient, names: Iterable[str]) -> dict[str, Found]:
    """Those of the names that there are, without their settings: these not everybody may see.

    Raises kafka-python's KafkaError.
    """
    described = admin.describe_topics(list(names))
    return {topic["name"]: _found(topic, {}) for topic in described if not topic["error_code"]}


def topic_ids(admin: KafkaAdminClient, names: Iterable[str]) -> dict[str, str]:
    """The brokers' ids of those of the names that there are. Raises kafka-python's KafkaError."""
    described = admin.describe_topics(list(names))
    return {topic["name"]: _id(topic) for topic in described if not topic["error_code"] and _id(topic)}


def _id(topic: Mapping[str, Any]) -> str:
    known = UUID(str(topic["topic_id"] or UUID(int=0)))
    return known.hex if known.int else ""


def missing_topics(admin: KafkaAdminClient, names: Iterable[str]) -> list[str]:
    """Those of the names that there are not. Raises kafka-python's KafkaError."""
    return sorted(topic["name"] for topic in admin.describe_topics(list(names)) if topic["error_code"])


def broker_count(admin: KafkaAdminClient) -> int:
    """How many brokers the cluster has now. Raises kafka-python's KafkaError."""
    return len(admin.describe_cluster()["brokers"])


def create_topics(admin: KafkaAdminClient, topics: Iterable[Wanted], *, replicas: int, partitions: int) -> None:
    """Makes them; those for which any number of partitions will do get `partitions`.

    Raises ClusterError naming each topic that could not be made, and why; the others are made.
    """
    asked = {
        topic.name: {
            "num_partitions": topic.partitions or partitions,
            "replication_factor": replicas,
            "configs": {**topic.settings, "min.insync.replicas": str(in_sync_for(replicas))},
        }
        for topic in topics
    }
    answer = admin.create_topics(asked, raise_errors=False)
    admin.wait_for_topics([topic["name"] for topic in answer["topics"] if not topic["error_code"]])
    refused = [f"{topic['name']}: {topic['error_message']}" for topic in answer["topics"] if topic["error_code"]]
    if refused:
        raise ClusterError("not made: " + "; ".join(refused))


def _logged(retention_ms: int) -> dict[str, str]:
    return _KEPT | {"cleanup.policy": "delete", "retention.ms": str(retention_ms), "retention.bytes": "-1"}
