"""Writing for the command line: each call one Kafka transaction, so that what breaks off leaves nothing half done."""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from kafka import KafkaProducer

from streamproc.adapters.kafka.tools import PATIENCE_MS, cluster_errors
from streamproc.adapters.kafka.topics import RECORD_BYTES
from streamproc.adapters.kafka.transactions import Output
from streamproc.config import KafkaSettings

BATCH_BYTES = 1 << 18
LINGER_MS = 20
TIMEOUT_MS = 20_000
"""An open transaction holds up all who read its partitions; a writer that dies holds them no longer than this."""


class Writer:
    """Commits records under one transactional id; another writer of the same id ends this one."""

    def __init__(self, producer: Any) -> None:  # noqa: ANN401 - kafka-python ships no types
        self._producer = producer

    def commit(self, outputs: Iterable[Output]) -> list[int]:
        """Writes all of them or none; their offsets. Raises KafkaError: then none is there, or it cannot be known."""
        self._producer.begin_transaction()
        try:
            sent = [
                self._producer.send(topic, value, key=key, headers=list(headers), partition=partition)
                for topic, partition, key, value, headers in outputs
            ]
            self._producer.flush(TIMEOUT_MS / 1000)
            offsets = [int(one.get(0).offset) for one in sent]
        except BaseException:
            self._producer.abort_transaction()
            raise
        self._producer.commit_transaction()
        return offsets


@contextmanager
def writer_to(settings: KafkaSettings, name: str) -> Iterator[Writer]:
    """A writer of this name: whoever wrote under it before is finished with when this is entered.

    Raises ConfigError without brokers; ClusterError, also from within.
    """
    with cluster_errors(settings) as security:
        producer = KafkaProducer(
            bootstrap_servers=settings.brokers,
            bootstrap_timeout_ms=PATIENCE_MS,
            transactional_id=f"{settings.prefix}{name}",
            transaction_timeout_ms=TIMEOUT_MS,
            acks="all",
            linger_ms=LINGER_MS,
            batch_size=BATCH_BYTES,
            max_request_size=RECORD_BYTES,
            **security,
        )
        try:
            producer.init_transactions()
            yield Writer(producer)
        finally:
            producer.close(timeout=TIMEOUT_MS / 1000)
