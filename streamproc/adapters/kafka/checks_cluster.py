"""What is wrong with a cluster beside its topics: brokers, disks, clocks."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from kafka import TopicPartition
from kafka.admin import ConfigResource, KafkaAdminClient, OffsetSpec

from streamproc.adapters.kafka.checks import Finding
from streamproc.adapters.kafka.topics import MOST_REPLICAS
from streamproc.adapters.kafka.transactions import TRANSACTION_SECONDS
from streamproc.config import KafkaSettings

TESTED = (4, 3)
LEAST_TRANSACTION_MS = int(TRANSACTION_SECONDS * 1000)
"""What a worker asks for: the longest that a transaction of it may take."""

LEAST_FREE_BYTES = 2 << 30
LEAST_FREE_SHARE = 0.05
AHEAD_MS = 300_000
"""Events further ahead of a worker's clock are refused."""


def check_brokers(admin: KafkaAdminClient, settings: KafkaSettings) -> Iterator[Finding]:
    """One finding for each thing looked at. Raises kafka-python's KafkaError."""
    brokers = sorted(admin.describe_cluster()["brokers"], key=lambda broker: int(broker["broker_id"]))
    for broker in brokers:
        number = broker["broker_id"]
        version = tuple(admin.get_broker_version_data(number).broker_version)
        yield _version(f"broker {number}", f"{broker['host']}:{broker['port']}", version)
        configs = admin.describe_configs([ConfigResource("broker", str(number))], config_filter="all")
        values = {name: str(entry["value"]) for name, entry in configs["broker"][str(number)].items()}
        yield from check_broker_settings(number, values, len(brokers), settings)
    for logs in admin.describe_log_dirs():
        yield from check_disks(logs["broker"], logs["log_dirs"])


def newest_records(admin: KafkaAdminClient, topics: Sequence[str]) -> dict[str, int]:
    """When the newest record of each topic was made (ms), as its maker's clock said. Raises KafkaError."""
    places = [
        TopicPartition(topic["name"], partition["partition_index"])
        for topic in admin.describe_topics(list(topics))
        for partition in topic["partitions"]
    ]
    newest: dict[str, int] = {}
    if places:
        found = admin.list_partition_offsets(dict.fromkeys(places, OffsetSpec.MAX_TIMESTAMP))
        for place, offset in found.items():
            newest[place.topic] = max(newest.get(place.topic, -1), offset.timestamp)
    return newest


def check_clocks(newest: Mapping[str, int], now_ms: int) -> Iterator[Finding]:
    """Records from the future: what writes them, or this machine, has a wrong clock."""
    ahead = {topic: at - now_ms for topic, at in newest.items() if at > now_ms + AHEAD_MS}
    for topic, by in sorted(ahead.items()):
        detail = f"the newest record of {topic} is {by / 1000:,.0f} s ahead of this machine's clock"
        yield Finding(
            check="clock", level="fault", detail=detail, mend="timedatectl set-ntp true, here and where it is written"
        )
    if not ahead:
        yield Finding(check="clock", level="ok", detail="no record is ahead of this machine's clock")


def check_broker_settings(
    number: int, values: Mapping[str, str], brokers: int, settings: KafkaSettings
) -> Iterator[Finding]:
    """What a broker's own settings would do to us."""
    check = f"broker {number}"
    alter = f"kafka-configs.sh --bootstrap-server {settings.brokers} --alter --entity-type brokers --entity-default"
    longest = int(values.get("transaction.max.timeout.ms", LEAST_TRANSACTION_MS))
    if longest < LEAST_TRANSACTION_MS:
        detail = f"transaction.max.timeout.ms is {longest:,}: no worker can start a transaction"
        mend = f"transaction.max.timeout.ms={LEAST_TRANSACTION_MS} in server.properties, and a restart"
        yield Finding(check=check, level="fault", detail=detail, mend=mend)
    copies = int(values.get("transaction.state.log.replication.factor", MOST_REPLICAS))
    if brokers >= MOST_REPLICAS > copies:
        detail = f"transaction.state.log.replication.factor is {copies}: transactions stop with one broker"
        mend = "kafka-reassign-partitions.sh for __transaction_state"
        yield Finding(check=check, level="note", detail=detail, mend=mend)
    if values.get("auto.create.topics.enable") == "true":
        detail = "auto.create.topics.enable: a topic misspelt by its writer is made, and nobody reads it"
        mend = f"{alter} --add-config auto.create.topics.enable=false, or in server.properties"
        yield Finding(check=check, level="note", detail=detail, mend=mend)


def check_disks(number: int, log_dirs: Sequence[Mapping[str, Any]]) -> Iterator[Finding]:
    """How much room each folder of a broker has, where it tells."""
    if not log_dirs:
        detail = "its disks are not shown to this user: whoever may Describe the cluster can look at them"
        yield Finding(check=f"disk of broker {number}", level="note", detail=detail)
    for folder in log_dirs:
        check, where = f"disk of broker {number}", folder["log_dir"]
        total, free = folder.get("total_bytes", -1), folder.get("usable_bytes", -1)
        if folder["error_code"]:
            yield Finding(
                check=check, level="fault", detail=f"{where} is offline", mend="mend the disk, and restart the broker"
            )
        elif total > 0:
            low = free < LEAST_FREE_BYTES or free < total * LEAST_FREE_SHARE
            mend = "a larger disk: the journal is kept for ever" if low else ""
            detail = f"{_gib(free)} of {_gib(total)} free in {where}"
            yield Finding(check=check, level="fault" if low else "ok", detail=detail, mend=mend)


def _version(check: str, address: str, version: tuple[int, ...]) -> Finding:
    told = ".".join(map(str, version))
    if version < TESTED[:1]:
        detail = (
            f"{address}, version {told}: older than the {'.'.join(map(str, TESTED))} that streamproc is tested with"
        )
        return Finding(check=check, level="note", detail=detail)
    return Finding(check=check, level="ok", detail=f"{address}, version {told}")


def _gib(size: int) -> str:
    return f"{size / (1 << 30):,.1f} GiB"
