"""Whether a Redis keeps what it is given: what is looked at, what was found, and the command that mends it."""

from collections.abc import Iterator, Mapping
from typing import Any, Literal

from msgspec import Struct
from redis import Redis
from redis.exceptions import NoPermissionError

from streamproc.adapters.redis.client import told
from streamproc.desk.feed import FeedAwayError

OLDEST = (6, 0)
"""Users with rights of their own came with it."""

MAKE_IT_LAST = "redis-cli CONFIG REWRITE"

Values = Mapping[str, Any]


class Finding(Struct, frozen=True, kw_only=True):
    """One check: `ok`, a `note` (nothing is wrong, or it cannot be told), or a `fault` with what mends it."""

    check: str
    level: Literal["ok", "note", "fault"]
    detail: str
    mend: str = ""


def check_redis(client: Redis) -> Iterator[Finding]:
    """Looks at a running Redis; one that does not answer is a fault."""
    try:
        info, config = _allowed(client, "info"), _allowed(client, "config_get")
    except FeedAwayError as error:
        yield Finding(check="redis", level="fault", detail=str(error), mend="redis-cli ping")
        return
    yield Finding(check="redis", level="ok", detail="answers")
    yield from judge(info, config)


def _allowed(client: Redis, question: str) -> Values | None:
    """The answer, None where this user may not ask."""
    try:
        with told():
            answer: Values = getattr(client, question)()
    except FeedAwayError as error:
        if isinstance(error.__cause__, NoPermissionError):
            return None
        raise
    return answer


def judge(info: Values | None, config: Values | None) -> Iterator[Finding]:
    """What the values of INFO and CONFIG GET * mean, as redis-py gives them; None: they could not be asked for."""
    yield _version(info)
    yield _log(info, config)
    yield _flush(config)
    yield _eviction(info, config)
    if info is not None and info.get("aof_enabled") and info.get("aof_last_write_status", "ok") != "ok":
        detail = "the last write to the append-only file failed: what comes now may be lost"
        yield Finding(check="redis disk", level="fault", detail=detail, mend="df -h; redis-cli INFO persistence")


def _version(info: Values | None) -> Finding:
    version = None if info is None else info.get("redis_version")
    if version is None:
        return _unknown("redis version", "INFO")
    parts = [int(part) for part in str(version).split(".")[:2] if part.isdecimal()]
    if tuple(parts) < OLDEST:
        wanted = ".".join(map(str, OLDEST))
        return Finding(
            check="redis version", level="fault", detail=f"{version} is too old", mend=f"upgrade to {wanted}"
        )
    return Finding(check="redis version", level="ok", detail=str(version))


def _log(info: Values | None, config: Values | None) -> Finding:
    if config is not None and "appendonly" in config:
        is_on = config["appendonly"] == "yes"
    elif info is not None and "aof_enabled" in info:
        is_on = bool(info["aof_enabled"])
    else:
        return _unknown("redis appendonly", "CONFIG and INFO")
    if is_on:
        return Finding(check="redis appendonly", level="ok", detail="yes: every line is written down")
    detail = "appendonly is off: a crash takes all since the last snapshot, and the feed has to catch up"
    return _mended("redis appendonly", detail, "appendonly yes")


def _flush(config: Values | None) -> Finding:
    how = None if config is None else config.get("appendfsync")
    if how is None:
        return _unknown("redis appendfsync", "CONFIG")
    if how == "no":
        detail = "no: when a machine fails, lines of half a minute may have to be caught up"
        return Finding(
            check="redis appendfsync", level="note", detail=detail, mend="redis-cli CONFIG SET appendfsync everysec"
        )
    return Finding(check="redis appendfsync", level="ok", detail=str(how))


def _eviction(info: Values | None, config: Values | None) -> Finding:
    policy = (config or {}).get("maxmemory-policy") or (info or {}).get("maxmemory_policy")
    if policy is None:
        return _unknown("redis memory", "CONFIG and INFO")
    if policy != "noeviction":
        detail = f"maxmemory-policy is {policy}: when memory runs short, Redis throws parts of the feed away"
        return _mended("redis memory", detail, "maxmemory-policy noeviction")
    return Finding(check="redis memory", level="ok", detail="noeviction: when memory runs short, the feed waits")


def _mended(check: str, detail: str, setting: str) -> Finding:
    mend = f"redis-cli CONFIG SET {setting} && {MAKE_IT_LAST}"
    return Finding(check=check, level="fault", detail=detail, mend=mend)


def _unknown(check: str, commands: str) -> Finding:
    return Finding(check=check, level="note", detail=f"could not be checked: this user may not ask ({commands})")
