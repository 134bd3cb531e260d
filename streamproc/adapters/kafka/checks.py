"""What is wrong with a cluster's topics: what was found, and the command that mends it."""

import shlex
from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

from msgspec import Struct

from streamproc.adapters.kafka.topics import DAY_MS, FOR_EVER, MOST_REPLICAS, Found, Wanted, in_sync_for, replicas_for
from streamproc.config import KafkaSettings


class Finding(Struct, frozen=True, kw_only=True):
    """One check: `ok`, a `note` (nothing is wrong), or a `fault` with what mends it."""

    check: str
    level: Literal["ok", "note", "fault"]
    detail: str
    mend: str = ""


def check_topics(
    kafka: KafkaSettings, wanted: Sequence[Wanted], found: Mapping[str, Found], brokers: int
) -> Iterator[Finding]:
    """One finding a topic that is as it should be, else one for each thing that is not."""
    for topic in wanted:
        there = found.get(topic.name)
        if there is None:
            yield _fault(topic, "there is no such topic", "streamproc topics create")
            continue
        findings = list(_check(kafka, topic, there, brokers))
        yield from findings or [Finding(check=topic.name, level="ok", detail=_as_it_is(there))]


def _check(kafka: KafkaSettings, topic: Wanted, there: Found, brokers: int) -> Iterator[Finding]:
    if not there.settings:
        detail = "its settings are not shown to this user: whoever may DescribeConfigs can look at them"
        yield Finding(check=topic.name, level="note", detail=detail)
        yield from _partitions(kafka, topic, there) if topic.ours else ()
        return
    yield from _cleanup(kafka, topic, there)
    yield from _retention(kafka, topic, there)
    if not topic.ours:
        return
    yield from _partitions(kafka, topic, there)
    yield from _copies(kafka, topic, there, brokers)
    largest = int(there.settings["max.message.bytes"])
    if largest < int(topic.settings["max.message.bytes"]):
        detail = f"records above {largest:,} bytes are refused, and would stop the worker that writes them"
        yield _setting(kafka, topic, "max.message.bytes", topic.settings["max.message.bytes"], detail)


def _cleanup(kafka: KafkaSettings, topic: Wanted, there: Found) -> Iterator[Finding]:
    policy = there.settings["cleanup.policy"]
    if topic.compacted and policy != "compact":
        lost = "grows for ever" if policy == "" else "states that are still needed are deleted with age"
        yield _setting(kafka, topic, "cleanup.policy", "compact", f"cleanup.policy is {policy or 'empty'}: {lost}")
    elif not topic.compacted and "compact" in policy:
        detail = f"cleanup.policy is {policy}: of the records of one key all but the last are thrown away"
        yield _setting(kafka, topic, "cleanup.policy", "delete", detail)


def _retention(kafka: KafkaSettings, topic: Wanted, there: Found) -> Iterator[Finding]:
    if topic.compacted or "delete" not in there.settings["cleanup.policy"]:
        return
    planned = topic.settings.get("retention.ms", str(7 * DAY_MS))
    kept = int(there.settings["retention.ms"])
    if kept != FOR_EVER and kept < topic.least_ms:
        detail = f"kept for {_days(kept)}, but at least {_days(topic.least_ms)} may still be read"
        yield _setting(kafka, topic, "retention.ms", planned, detail)
    elif kept != FOR_EVER and planned == str(FOR_EVER):
        yield Finding(
            check=topic.name,
            level="note",
            detail=f"kept for {_days(kept)}: nothing older can be replayed, explained or taken back",
            mend=_alter(kafka, topic, "retention.ms", planned),
        )
    if topic.ours and int(there.settings["retention.bytes"]) != FOR_EVER:
        detail = f"cut at {int(there.settings['retention.bytes']):,} bytes a partition, however young the records"
        yield _setting(kafka, topic, "retention.bytes", "-1", detail)


def _partitions(kafka: KafkaSettings, topic: Wanted, there: Found) -> Iterator[Finding]:
    if topic.partitions is None or there.partitions == topic.partitions:
        return
    detail = f"{there.partitions} partitions instead of {topic.partitions}"
    if topic.partitions == 1 and topic.compacted:
        yield Finding(check=topic.name, level="note", detail=f"{detail}: the first alone is used")
    elif topic.partitions == 1:
        again = f"{_tool(kafka, 'kafka-topics.sh')} --delete --topic {topic.name} && streamproc topics create"
        yield _fault(
            topic, f"{detail}: what it holds has one order only in one", f"once it is read to its end: {again}"
        )
    elif topic.compacted and there.partitions < topic.partitions:
        more = f"--alter --topic {topic.name} --partitions {topic.partitions}"
        yield _fault(topic, f"{detail}, those of the journal", f"{_tool(kafka, 'kafka-topics.sh')} {more}")
    else:
        since = f"STREAMPROC_KAFKA__PARTITIONS={there.partitions}, if it has had as many from its first record on"
        yield _fault(topic, detail, f"{since}; else another prefix, and the inputs read anew")


def _copies(kafka: KafkaSettings, topic: Wanted, there: Found, brokers: int) -> Iterator[Finding]:
    in_sync = int(there.settings["min.insync.replicas"])
    if in_sync > there.replicas:
        detail = f"min.insync.replicas is {in_sync}, but there are {there.replicas} copies: nothing can be written"
        yield _setting(kafka, topic, "min.insync.replicas", str(in_sync_for(there.replicas)), detail)
    elif there.replicas >= MOST_REPLICAS and in_sync < in_sync_for(MOST_REPLICAS):
        detail = "one broker alone may acknowledge a record; if it dies, the record is lost"
        yield _setting(kafka, topic, "min.insync.replicas", str(in_sync_for(there.replicas)), detail)
    if there.replicas < replicas_for(brokers):
        yield Finding(
            check=topic.name,
            level="note",
            detail=f"{there.replicas} of {replicas_for(brokers)} possible copies: it is lost with its broker",
            mend=f"{_tool(kafka, 'kafka-reassign-partitions.sh')} --execute --reassignment-json-file FILE",
        )
    if there.settings["unclean.leader.election.enable"] == "true":
        detail = "a broker that lags may lead (unclean.leader.election.enable): acknowledged records would be lost"
        yield _setting(kafka, topic, "unclean.leader.election.enable", "false", detail)


def _setting(kafka: KafkaSettings, topic: Wanted, name: str, value: str, detail: str) -> Finding:
    return _fault(topic, detail, _alter(kafka, topic, name, value))


def _fault(topic: Wanted, detail: str, mend: str) -> Finding:
    return Finding(check=topic.name, level="fault", detail=detail, mend=mend)


def _alter(kafka: KafkaSettings, topic: Wanted, name: str, value: str) -> str:
    what = f"--alter --entity-type topics --entity-name {topic.name} --add-config {name}={value}"
    return f"{_tool(kafka, 'kafka-configs.sh')} {what}"


def _tool(kafka: KafkaSettings, name: str) -> str:
    """One of Kafka's own tools; where connections are secured it wants a file that says how."""
    secured = "" if kafka.security == "PLAINTEXT" else " --command-config client.properties"
    return f"{name} --bootstrap-server {shlex.quote(kafka.brokers)}{secured}"


def _as_it_is(there: Found) -> str:
    kept = "the last of each key"
    if "compact" not in there.settings["cleanup.policy"]:
        retention = int(there.settings["retention.ms"])
        kept = "all" if retention == FOR_EVER else _days(retention)
    return f"partitions: {there.partitions}, copies: {there.replicas}, kept: {kept}"


def _days(milliseconds: int) -> str:
    return f"{milliseconds / DAY_MS:.3g} days"
