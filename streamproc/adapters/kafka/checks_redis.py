"""What is wrong with the Redis that holds a cluster's feed: whether it would lose rows."""

from collections.abc import Iterator, Mapping
from typing import Any
from urllib.parse import urlsplit

from redis import Redis
from redis.exceptions import NoPermissionError, RedisError

from streamproc.adapters.kafka.checks import Finding
from streamproc.adapters.kafka.security import redis_arguments
from streamproc.config import RedisSettings

PATIENCE_S = 5.0
SKEW_S = 5.0


def check_redis(settings: RedisSettings, now_s: float) -> Iterator[Finding]:
    """Whether it answers, writes everything down, and tells the right time. Raises ConfigError."""
    with Redis.from_url(
        **redis_arguments(settings), socket_timeout=PATIENCE_S, socket_connect_timeout=PATIENCE_S, decode_responses=True
    ) as client:
        try:
            told: dict[str, Any] = client.info()
            fsync = _setting(client, "appendfsync")
            seconds, micros = client.time()
        except RedisError as error:
            detail = f"{_where(settings)} does not answer: {error}"
            yield Finding(check="redis", level="fault", detail=detail, mend=f"{_cli(settings)} PING")
            return
    yield Finding(check="redis", level="ok", detail=f"{_where(settings)}, version {told['redis_version']}")
    yield from check_persistence(told, fsync, _cli(settings))
    skew = seconds + micros / 1e6 - now_s
    if abs(skew) > SKEW_S:
        detail = f"its clock is {skew:+,.1f} s from this machine's"
        yield Finding(check="redis clock", level="fault", detail=detail, mend="timedatectl set-ntp true, on both")


def check_persistence(told: Mapping[str, Any], fsync: str, cli: str) -> Iterator[Finding]:
    """What `INFO` says of writing down, and of throwing away. `fsync` may be empty: it is not for everybody to see."""
    check = "redis persistence"
    if not told.get("aof_enabled"):
        detail = "the append-only file is off: rows of the feed since the last snapshot are lost when it is killed"
        yield Finding(check=check, level="fault", detail=detail, mend=_set(cli, "appendonly yes"))
    elif told.get("aof_last_write_status") == "err":
        yield Finding(
            check=check, level="fault", detail="its append-only file cannot be written", mend="room on its disk"
        )
    elif fsync == "no":
        detail = "the append-only file is written when the system likes (appendfsync no)"
        yield Finding(check=check, level="fault", detail=detail, mend=_set(cli, "appendfsync everysec"))
    else:
        yield Finding(check=check, level="ok", detail=f"append-only file, fsync {fsync or 'not told'}")
    policy = told.get("maxmemory_policy", "noeviction")
    if int(told.get("maxmemory", 0)) and policy != "noeviction":
        detail = f"when memory is full it throws rows of the feed away ({policy})"
        yield Finding(check="redis memory", level="fault", detail=detail, mend=_set(cli, "maxmemory-policy noeviction"))


def _setting(client: "Redis", name: str) -> str:
    try:
        return str(client.config_get(name).get(name, ""))
    except NoPermissionError:
        return ""


def _set(cli: str, setting: str) -> str:
    return f"{cli} CONFIG SET {setting} && {cli} CONFIG REWRITE"


def _cli(settings: RedisSettings) -> str:
    """The command that reaches it, but for the password."""
    address = urlsplit(settings.url.get_secret_value())
    words = ["redis-cli", "-h", str(address.hostname), "-p", str(address.port or 6379)]
    words += ["--tls"] if address.scheme == "rediss" else []
    words += ["--cacert", str(settings.authority)] if address.scheme == "rediss" and settings.authority else []
    words += ["--user", address.username, "--askpass"] if address.username else []
    return " ".join(words)


def _where(settings: RedisSettings) -> str:
    address = urlsplit(settings.url.get_secret_value())
    return f"{address.hostname}:{address.port or 6379}"
