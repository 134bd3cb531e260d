"""`streamproc doctor` on a cluster: what is wrong is found on real servers, with what mends it, and no secret."""

import gc
import json
import shlex
import subprocess
import time
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaProducer
from typer.testing import CliRunner, Result

from streamproc.adapters.kafka.checks_cluster import check_broker_settings, check_clocks, check_disks
from streamproc.adapters.kafka.checks_redis import check_persistence
from streamproc.cli.main import app
from streamproc.config import KafkaSettings
from tests.servers.broker import Broker
from tests.servers.redis_server import QUOTED_PASSWORD, USER, RedisServer

LEFT_OPEN = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
GIB = 1 << 30


@pytest.fixture
def cluster(
    kafka: Broker, topic_prefix: str, redis_server: RedisServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> str:
    """A cluster with all its topics and a Redis; the topics' prefix."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STREAMPROC_KAFKA__BROKERS", kafka.bootstrap)
    monkeypatch.setenv("STREAMPROC_KAFKA__PREFIX", topic_prefix)
    monkeypatch.setenv("STREAMPROC_REDIS__URL", redis_server.url)
    for name in ("PURCHASES", "COMPLAINTS", "CONTACTS", "FACTS"):
        monkeypatch.setenv(f"STREAMPROC_KAFKA__{name}", f"{topic_prefix}{name.lower()}")
    made = CliRunner().invoke(app, ["topics", "create"])
    assert made.exit_code == 0, made.stderr
    return topic_prefix


def doctor(*words: str) -> Result:
    return CliRunner().invoke(app, ["doctor", *words])


def faults(ran: Result) -> dict[str, dict[str, Any]]:
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    return {row["check"]: row for row in rows if row["level"] == "fault"}


@pytest.mark.usefixtures("cluster")
def test_a_sound_cluster_has_no_faults() -> None:
    ran = doctor("--json")
    assert (ran.exit_code, faults(ran)) == (0, {})
    rows = {row["check"]: row for row in map(json.loads, ran.stdout.splitlines())}
    assert {"broker 1", "disk of broker 1", "clock", "redis", "redis persistence", "parquet"} <= set(rows)
    assert "version 4.3" in rows["broker 1"]["detail"]
    assert "folder" not in rows
    assert "append-only file, fsync everysec" in doctor().stdout


@pytest.mark.usefixtures("cluster")
def test_a_data_folder_that_is_named_is_looked_at_instead(tmp_path: Path) -> None:
    assert set(faults(doctor("--json", "--data", str(tmp_path / "gone")))) == {"folder", "data"}


def test_a_missing_topic_is_found(cluster: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMPROC_KAFKA__FACTS", f"{cluster}gone")
    ran = doctor("--json")
    assert ran.exit_code == 1
    assert faults(ran)[f"{cluster}gone"]["mend"] == "streamproc topics create"


def test_a_record_from_the_future_is_found(kafka: Broker, cluster: str) -> None:
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap)
    ahead = int(time.time() * 1000) + 1_800_000
    producer.send(f"{cluster}purchases", b"{}", timestamp_ms=ahead).get(30)
    producer.close()
    assert f"the newest record of {cluster}purchases is" in faults(doctor("--json"))["clock"]["detail"]


def test_a_redis_that_forgets_is_found_and_mended_as_told(
    tmp_path: Path, cluster: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert cluster
    server = RedisServer(tmp_path / "forgetful", append_only=False)
    server.start()
    try:
        monkeypatch.setenv("STREAMPROC_REDIS__URL", server.url)
        found = faults(doctor("--json"))
        assert set(found) == {"redis persistence"}
        for command in found["redis persistence"]["mend"].split(" && "):
            subprocess.run(shlex.split(command), check=True, capture_output=True)
        assert faults(doctor("--json")) == {}
        server.wait_written()
        server.restart()
        assert faults(doctor("--json")) == {}
    finally:
        server.kill()


@pytest.mark.usefixtures("cluster")
def test_a_secured_redis_is_reached_and_its_password_is_not_shown(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = RedisServer(tmp_path / "secured", secure=True)
    server.start()
    try:
        assert server.certificates is not None
        monkeypatch.setenv("STREAMPROC_REDIS__URL", server.url.replace("://", f"://{USER}:{QUOTED_PASSWORD}@"))
        monkeypatch.setenv("STREAMPROC_REDIS__AUTHORITY", str(server.certificates.authority))
        assert faults(doctor("--json")) == {}
        server.kill()
        gone = doctor("--json")
        told = faults(gone)["redis"]
        assert "does not answer" in told["detail"]
        assert f"--tls --cacert {server.certificates.authority} --user {USER} --askpass PING" in told["mend"]
        assert QUOTED_PASSWORD not in gone.stdout
    finally:
        server.kill()


@LEFT_OPEN
@pytest.mark.usefixtures("cluster")
def test_brokers_that_are_away_are_a_fault_and_redis_is_looked_at_all_the_same(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamproc.adapters.kafka.tools.PATIENCE_MS", 1000)
    monkeypatch.setenv("STREAMPROC_KAFKA__BROKERS", "127.0.0.1:1")
    monkeypatch.delenv("STREAMPROC_REDIS__URL")
    ran = doctor("--json")
    assert (ran.exit_code, set(faults(ran))) == (1, {"brokers", "redis"})
    assert faults(ran)["redis"]["mend"].startswith("STREAMPROC_REDIS__URL=")
    gc.collect()


@pytest.mark.parametrize(
    ("values", "brokers", "said"),
    [
        ({"transaction.max.timeout.ms": "59999"}, 1, "no worker can start a transaction"),
        ({"transaction.state.log.replication.factor": "1"}, 3, "transactions stop with one broker"),
        ({"auto.create.topics.enable": "true"}, 1, "nobody reads it"),
    ],
)
def test_a_broker_s_own_settings_are_judged(values: dict[str, str], brokers: int, said: str) -> None:
    [finding] = check_broker_settings(1, values, brokers, KafkaSettings(brokers="a:9092"))
    assert said in finding.detail
    assert finding.mend
    assert list(check_broker_settings(1, {}, brokers, KafkaSettings())) == []


@pytest.mark.parametrize(
    ("folder", "level"),
    [
        ({"error_code": 0, "total_bytes": 100 * GIB, "usable_bytes": 50 * GIB}, "ok"),
        ({"error_code": 0, "total_bytes": 100 * GIB, "usable_bytes": 4 * GIB}, "fault"),
        ({"error_code": 0, "total_bytes": 4 * GIB, "usable_bytes": GIB}, "fault"),
        ({"error_code": 56}, "fault"),
    ],
)
def test_a_full_disk_is_a_fault(folder: dict[str, int], level: str) -> None:
    [finding] = check_disks(1, [{"log_dir": "/data", **folder}])
    assert finding.level == level


def test_a_disk_that_is_not_told_is_not_judged() -> None:
    assert list(check_disks(1, [{"log_dir": "/data", "error_code": 0, "total_bytes": -1, "usable_bytes": -1}])) == []


def test_a_clock_may_be_a_little_ahead() -> None:
    assert [finding.level for finding in check_clocks({"a": 1_200_000, "b": -1}, 1_000_000)] == ["ok"]


@pytest.mark.parametrize(
    ("told", "fsync", "mend"),
    [
        ({"aof_enabled": 0}, "", "appendonly yes"),
        ({"aof_enabled": 1}, "no", "appendfsync everysec"),
        ({"aof_enabled": 1, "aof_last_write_status": "err"}, "always", "room on its disk"),
        ({"aof_enabled": 1, "maxmemory": 1, "maxmemory_policy": "allkeys-lru"}, "", "maxmemory-policy noeviction"),
    ],
)
def test_a_redis_that_may_lose_rows_is_a_fault(told: dict[str, Any], fsync: str, mend: str) -> None:
    [fault] = [finding for finding in check_persistence(told, fsync, "redis-cli") if finding.level == "fault"]
    assert mend in fault.mend
