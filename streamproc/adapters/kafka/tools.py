"""The door of the command line to a Kafka cluster: a client of it, and its errors with their cause."""

import logging
import re
from collections.abc import Iterator
from contextlib import contextmanager

from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError

from streamproc.adapters.kafka.security import client_security
from streamproc.config import ConfigError, KafkaSettings

PATIENCE_MS = 8_000
"""For the first answer; kafka-python tries again and again until then."""

CAUSE = re.compile(r"(?:Connection|Bootstrap connection to \S+) (?:failed|lost): (.+?)(?: \(backoff .*)?$")
NAMES = re.compile(r"\[Error \d+\] |(?:Kafka|Sasl)\w*Error: ")
HUNG_UP = "socket disconnected"
HINT = "it hung up; do security, mechanism, user and password agree with this listener?"


class ClusterError(ConnectionError):
    """Kafka cannot be reached, or refuses; the message says why."""


@contextmanager
def admin_of(settings: KafkaSettings) -> Iterator[KafkaAdminClient]:
    """A client for topics, groups and brokers. Raises ConfigError without brokers; ClusterError, also from within."""
    with cluster_errors(settings) as security:
        admin = KafkaAdminClient(bootstrap_servers=settings.brokers, bootstrap_timeout_ms=PATIENCE_MS, **security)
        try:
            yield admin
        finally:
            admin.close()


@contextmanager
def cluster_errors(settings: KafkaSettings) -> Iterator[dict[str, object]]:
    """What a client needs beside the brokers; its errors become ClusterError, with the cause that it only logs."""
    if not settings.brokers:
        raise ConfigError("no Kafka brokers are set: STREAMPROC_KAFKA__BROKERS=host:9092, or brokers under [kafka]")
    log, heard = logging.getLogger("kafka"), _Heard()
    propagated, log.propagate = log.propagate, False
    log.addHandler(heard)
    try:
        yield client_security(settings)
    except KafkaError as error:
        cause = f": {heard.cause}" if heard.cause else ""
        raise ClusterError(f"Kafka at {settings.brokers}: {NAMES.sub('', str(error))}{cause}") from error
    finally:
        log.removeHandler(heard)
        log.propagate = propagated


class _Heard(logging.Handler):
    """Keeps the last cause that says something: a broker that refuses a password often only hangs up."""

    def __init__(self) -> None:
        super().__init__(logging.WARNING)
        self.cause = ""

    def emit(self, record: logging.LogRecord) -> None:
        found = CAUSE.search(record.getMessage())
        if found and HUNG_UP not in found[1]:
            self.cause = NAMES.sub("", found[1])
        elif found:
            self.cause = self.cause or HINT
