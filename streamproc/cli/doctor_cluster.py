"""`streamproc doctor` where brokers are set: Kafka, its topics, Redis."""

from collections.abc import Iterator

from streamproc.adapters.kafka.checks import Finding
from streamproc.adapters.kafka.checks_cluster import check_brokers, check_clocks, newest_records
from streamproc.adapters.kafka.checks_redis import check_redis
from streamproc.adapters.kafka.tools import ClusterError, admin_of
from streamproc.cli.topics import topic_findings
from streamproc.config import Settings


def cluster_findings(settings: Settings, now: int) -> Iterator[Finding]:
    """Looks at all of it in turn; `now` is the wall clock (µs). Raises ConfigError."""
    try:
        with admin_of(settings.kafka) as admin:
            yield from check_brokers(admin, settings.kafka)
            yield from check_clocks(newest_records(admin, list(settings.kafka.inputs.values())), now // 1_000)
            yield from topic_findings(admin, settings)
    except ClusterError as error:
        mend = "start the brokers, or name others: STREAMPROC_KAFKA__BROKERS=host:9092"
        yield Finding(check="brokers", level="fault", detail=str(error), mend=mend)
    if settings.redis.url.get_secret_value():
        yield from check_redis(settings.redis, now / 1e6)
    else:
        detail = "no Redis is set: the workers have nowhere to put the feed"
        yield Finding(check="redis", level="fault", detail=detail, mend="STREAMPROC_REDIS__URL=redis://host:6379/0")
