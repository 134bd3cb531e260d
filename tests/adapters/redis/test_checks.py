"""What a doctor finds at a Redis: every fault with a command that mends it."""

import shlex
from typing import Any

import pytest

from streamproc.adapters.redis.checks import check_redis, judge
from streamproc.adapters.redis.client import reading_client
from tests.servers.redis_server import RedisServer

GOOD_INFO = {
    "redis_version": "7.0.15",
    "aof_enabled": 1,
    "aof_last_write_status": "ok",
    "maxmemory_policy": "noeviction",
}
GOOD_CONFIG = {"appendonly": "yes", "appendfsync": "everysec", "maxmemory-policy": "noeviction"}


def levels(info: dict[str, Any] | None, config: dict[str, Any] | None) -> dict[str, str]:
    return {finding.check.removeprefix("redis "): finding.level for finding in judge(info, config)}


ALL_OK = dict.fromkeys(("version", "appendonly", "appendfsync", "memory"), "ok")


@pytest.mark.parametrize(
    ("info", "config", "worse"),
    [
        ({}, {}, {}),
        ({}, {"appendfsync": "always"}, {}),
        ({}, {"appendonly": "no"}, {"appendonly": "fault"}),
        ({}, {"appendfsync": "no"}, {"appendfsync": "note"}),
        ({}, {"maxmemory-policy": "allkeys-lru"}, {"memory": "fault"}),
        ({"redis_version": "5.0.14"}, {}, {"version": "fault"}),
        ({"redis_version": "10.0.0"}, {}, {}),
        ({"aof_last_write_status": "err"}, {}, {"disk": "fault"}),
        ({}, None, {"appendfsync": "note"}),
        ({"aof_enabled": 0}, None, {"appendonly": "fault", "appendfsync": "note"}),
        ({"maxmemory_policy": "volatile-ttl"}, None, {"memory": "fault", "appendfsync": "note"}),
        (None, {}, {"version": "note"}),
        (None, None, dict.fromkeys(ALL_OK, "note")),
    ],
)
def test_what_values_mean(info: dict[str, Any] | None, config: dict[str, Any] | None, worse: dict[str, str]) -> None:
    found = levels(None if info is None else GOOD_INFO | info, None if config is None else GOOD_CONFIG | config)
    assert found == ALL_OK | worse


def test_every_fault_says_what_mends_it_and_it_does(one_redis: RedisServer) -> None:
    with reading_client(one_redis.url) as client:
        assert {finding.level for finding in check_redis(client)} == {"ok"}
        client.config_set("appendonly", "no")
        client.config_set("maxmemory-policy", "allkeys-lru")
        faults = [finding for finding in check_redis(client) if finding.level == "fault"]
        assert [finding.check for finding in faults] == ["redis appendonly", "redis memory"]
        for finding in faults:
            for command in finding.mend.split(" && "):
                anything: Any = client
                anything.execute_command(*shlex.split(command)[1:])
        assert {finding.level for finding in check_redis(client)} == {"ok"}


def test_a_user_of_few_rights_is_told_what_was_not_checked(one_redis: RedisServer) -> None:
    with reading_client(one_redis.url) as client:
        client.acl_setuser("clerk", enabled=True, nopass=True, keys=["*"], commands=["+@all", "-config"])
        client.acl_setuser("guest", enabled=True, nopass=True, keys=["*"], commands=["+get"])
    with reading_client(one_redis.url, username="clerk", password="x") as client:
        found = {finding.check: finding for finding in check_redis(client)}
        assert {check for check, finding in found.items() if finding.level != "ok"} == {"redis appendfsync"}
        assert "could not be checked" in found["redis appendfsync"].detail
    with reading_client(one_redis.url, username="guest", password="x") as client:
        assert [finding.level for finding in check_redis(client)] == ["ok", "note", "note", "note", "note"]


def test_a_redis_that_does_not_answer_is_a_fault(redis_server: RedisServer) -> None:
    redis_server.stop()
    with reading_client(redis_server.url) as client:
        [finding] = check_redis(client)
        assert (finding.check, finding.level) == ("redis", "fault")
