"""`streamproc doctor` where brokers are set: Kafka, its topics, Redis."""

import contextlib
from collections.abc import Iterator
from urllib.parse import urlsplit

from msgspec.structs import replace

from streamproc.adapters.kafka.checks import Finding
from streamproc.adapters.kafka.checks_cluster import check_brokers, check_clocks, newest_records
from streamproc.adapters.kafka.security import redis_arguments
from streamproc.adapters.kafka.tools import ClusterError, admin_of
from streamproc.adapters.redis.checks import Finding as RedisFinding
from streamproc.adapters.redis.checks import check_redis
from streamproc.adapters.redis.client import reading_client, told
from streamproc.cli.findings import Finding as Shown
from streamproc.cli.topics import topic_findings
from streamproc.config import RedisSettings, Settings
from streamproc.desk.feed import FeedAwayError

SKEW_S = 5.0


def cluster_findings(settings: Settings, now: int) -> Iterator[Shown]:
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
        with reading_client(**redis_arguments(settings.redis)) as client:
            yield from _reached(check_redis(client), settings.redis)
            with contextlib.suppress(FeedAwayError), told():  # found above, or not for this user to ask
                yield from _clock(client.time(), now)
    else:
        detail = "no Redis is set: the workers have nowhere to put the feed"
        yield Finding(check="redis", level="fault", detail=detail, mend="STREAMPROC_REDIS__URL=redis://host:6379/0")


def _reached(findings: Iterator[RedisFinding], settings: RedisSettings) -> Iterator[RedisFinding]:
    """The findings, with commands that reach this Redis; the password is asked for."""
    address = urlsplit(settings.url.get_secret_value())
    words = ["redis-cli", "-h", str(address.hostname), "-p", str(address.port or 6379)]
    words += ["--tls"] if address.scheme == "rediss" else []
    words += ["--cacert", str(settings.authority)] if address.scheme == "rediss" and settings.authority else []
    words += ["--user", address.username, "--askpass"] if address.username else []
    for finding in findings:
        yield replace(finding, mend=finding.mend.replace("redis-cli", " ".join(words)))


def _clock(told_by_redis: tuple[int, int], now: int) -> Iterator[Finding]:
    """`told_by_redis`: seconds and µs."""
    skew = told_by_redis[0] + (told_by_redis[1] - now) / 1e6
    if abs(skew) > SKEW_S:
        detail = f"its clock is {skew:+,.1f} s from this machine's"
        yield Finding(check="redis clock", level="fault", detail=detail, mend="timedatectl set-ntp true, on both")
