"""`streamproc forget` on a cluster: a record for each id, which every worker heeds."""

from typing import NamedTuple

from streamproc.adapters.kafka.names import Names
from streamproc.adapters.kafka.transacting import writer_to
from streamproc.adapters.kafka.transactions import Output
from streamproc.cli.cluster import Cluster, cluster_of
from streamproc.cli.common import wall
from streamproc.config import Settings
from streamproc.core.control import Forget, Handover
from streamproc.core.events import CustomerFact
from streamproc.core.ids import mark_of, partition_of
from streamproc.desk.forgetting import Traces
from streamproc.wire import journal

WRITER = "forget"
"""Behind the prefix, the transactional id under which these records are written."""


class Known(NamedTuple):
    """What a cluster holds of somebody, in how many partitions its journal lies, and how far its time (µs) is."""

    traces: Traces
    partitions: int
    clock: int


def known_on(settings: Settings, customer_id: str) -> Known:
    """What the journal, since they were forgotten last, and the feed hold of the customer under all their ids.

    Dead letters are not looked into. Raises ConfigError without brokers, ClusterError, StoreError.
    """
    with cluster_of(settings) as cluster:
        ids, records = _ids_of(cluster, customer_id)
        warnings = len(cluster.warnings(ids))
        found = Traces(ids=tuple(sorted(ids)), records=records, warnings=warnings, dead_letters=0)
        return Known(found, len(cluster.journal.spans), cluster.clock())


def forget_on(settings: Settings, known: Known) -> None:
    """Writes the records, all or none. Raises ConfigError without brokers, ClusterError.

    What is on its way is known by its time: so the journal's counts where it is ahead of this machine's.
    """
    at, topic = max(wall(), known.clock + 1), Names(settings.kafka.prefix).journal
    with writer_to(settings.kafka, WRITER) as writer:
        writer.commit([_asking(one, at, topic, known.partitions) for one in known.traces.ids])


def _asking(customer_id: str, at: int, topic: str, partitions: int) -> Output:
    record = Forget(at=at, who=mark_of(customer_id), customer_id=customer_id)
    return Output(topic, partition_of(customer_id, partitions), customer_id.encode(), journal.encode(record))


def _ids_of(cluster: Cluster, customer_id: str) -> tuple[set[str], int]:
    """The id and those told to be the same customer's, and how many records there are of them all."""
    found, wanted, records = set[str](), [customer_id], 0
    while wanted:
        one = wanted.pop()
        if one in found:
            continue
        found.add(one)
        own = 0
        for numbered in cluster.own(one):
            record = numbered.record
            own = 0 if isinstance(record, Forget) else own + 1
            if isinstance(record, CustomerFact) and record.alias_of is not None:
                wanted.append(record.alias_of)
            elif isinstance(record, Handover):
                wanted.append(record.alias)
        records += own
    return found, records
