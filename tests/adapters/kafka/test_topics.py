"""`streamproc topics` on a real broker: what it makes is what it wants, and every dangerous setting is found."""

import gc
import json
import re
import shlex
from collections.abc import Callable
from typing import Any

import msgspec
import pytest
from typer.testing import CliRunner, Result

from streamproc.adapters.kafka.checks import Finding, check_topics
from streamproc.adapters.kafka.tools import ClusterError, admin_of
from streamproc.adapters.kafka.topics import (
    DAY_MS,
    Found,
    Wanted,
    create_topics,
    found_topics,
    in_sync_for,
    replicas_for,
    wanted_topics,
)
from streamproc.cli.main import app
from streamproc.config import KafkaSettings
from tests.servers.broker import PASSWORD, USER, Broker

OWN = {"journal", "examples", "desk-inbox", "warnings", "alerts", "dead-letters", "progress"}
OWN |= {"monitor-changelog", "trainer-changelog", "desk-changelog"}
INPUTS = ("purchases", "complaints", "contacts", "facts")
LARGE = {"max_message_bytes": str(4 << 20)}
LEFT_OPEN = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
"""kafka-python forgets a socket that was refused: collect it where it is expected."""
Run = Callable[..., Result]


@pytest.fixture
def run(kafka: Broker, topic_prefix: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> Run:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STREAMPROC_KAFKA__BROKERS", kafka.bootstrap)
    monkeypatch.setenv("STREAMPROC_KAFKA__PREFIX", topic_prefix)
    monkeypatch.setenv("STREAMPROC_KAFKA__PARTITIONS", "3")
    for name in INPUTS:
        monkeypatch.setenv(f"STREAMPROC_KAFKA__{name.upper()}", f"{topic_prefix}{name}")

    def call(*words: str) -> Result:
        return CliRunner().invoke(app, words)

    return call


def told(result: Result) -> list[dict[str, Any]]:
    return [json.loads(line) for line in result.stdout.splitlines()]


def findings(run: Run, level: str = "fault") -> dict[str, dict[str, Any]]:
    return {row["check"].split(".")[-1]: row for row in told(run("topics", "check", "--json")) if row["level"] == level}


def make(kafka: Broker, prefix: str, name: str, **changed: str) -> None:
    """One topic as it is wanted but for what is changed."""
    named = {stream: f"{prefix}{stream}" for stream in INPUTS}
    settings = KafkaSettings.model_validate({"prefix": prefix, "partitions": 3, **named})
    [wanted] = [topic for topic in wanted_topics(settings, DAY_MS) if topic.name == f"{prefix}{name}"]
    kafka.create({wanted.name: wanted.partitions or 3}, **{**wanted.settings, **changed})


def test_what_is_made_is_what_is_wanted(run: Run, topic_prefix: str) -> None:
    planned = told(run("topics", "plan", "--json"))
    assert {row["topic"] for row in planned} == {f"{topic_prefix}{name}" for name in OWN | set(INPUTS)}
    assert {row["exists"] for row in planned} == {False}
    missing = run("topics", "check", "--json")
    assert missing.exit_code == 1
    assert {row["mend"] for row in told(missing)} == {"streamproc topics create"}

    assert run("topics", "create").exit_code == 0
    checked = run("topics", "check", "--json")
    assert (checked.exit_code, {row["level"] for row in told(checked)}) == (0, {"ok"})
    assert {row["exists"] for row in told(run("topics", "plan", "--json"))} == {True}
    again = run("topics", "create")
    assert (again.exit_code, again.stdout) == (0, "all topics are there\n")
    assert "partitions: 3, copies: 1, kept: all" in run("topics", "check").stdout
    assert "retention.ms=-1" in run("topics", "plan").stdout


def test_only_what_is_missing_is_made(run: Run, kafka: Broker, topic_prefix: str) -> None:
    kafka.create({f"{topic_prefix}purchases": 5}, retention_ms=str(3 * DAY_MS))
    made = {row["topic"] for row in told(run("topics", "create", "--json"))}
    assert made == {f"{topic_prefix}{name}" for name in OWN | set(INPUTS)} - {f"{topic_prefix}purchases"}
    assert run("topics", "check").exit_code == 0


def test_dangerous_settings_are_found_with_what_mends_them(run: Run, kafka: Broker, topic_prefix: str) -> None:
    make(kafka, topic_prefix, "journal", cleanup_policy="compact")
    make(kafka, topic_prefix, "examples", retention_ms=str(30 * DAY_MS))
    make(kafka, topic_prefix, "monitor-changelog", cleanup_policy="compact,delete")
    make(kafka, topic_prefix, "desk-changelog", cleanup_policy="delete")
    make(kafka, topic_prefix, "warnings", max_message_bytes="100000")
    make(kafka, topic_prefix, "dead-letters", retention_bytes="1000000")
    make(kafka, topic_prefix, "progress", unclean_leader_election_enable="true")
    make(kafka, topic_prefix, "trainer-changelog", min_insync_replicas="2")
    make(kafka, topic_prefix, "purchases", cleanup_policy="compact")
    make(kafka, topic_prefix, "contacts", retention_ms="60000")
    run("topics", "create")
    assert run("topics", "check").exit_code == 1
    found = findings(run)
    wanted = {
        "journal": "cleanup.policy=delete",
        "examples": "retention.ms=-1",
        "monitor-changelog": "cleanup.policy=compact",
        "desk-changelog": "cleanup.policy=compact",
        "warnings": "max.message.bytes=4194304",
        "dead-letters": "retention.bytes=-1",
        "progress": "unclean.leader.election.enable=false",
        "trainer-changelog": "min.insync.replicas=1",
        "purchases": "cleanup.policy=delete",
        "contacts": f"retention.ms={7 * DAY_MS}",
    }
    assert {name: row["mend"].rsplit(" ", 1)[1] for name, row in found.items()} == wanted
    for name, row in found.items():
        words = shlex.split(row["mend"])
        assert words[0] == "kafka-configs.sh"
        assert words[words.index("--entity-name") + 1] == f"{topic_prefix}{name}"


def test_partitions_that_do_not_agree_are_found(run: Run, kafka: Broker, topic_prefix: str) -> None:
    kafka.create({f"{topic_prefix}journal": 4, f"{topic_prefix}examples": 2}, retention_ms="-1", **LARGE)
    kafka.create(
        {f"{topic_prefix}monitor-changelog": 2, f"{topic_prefix}progress": 2}, cleanup_policy="compact", **LARGE
    )
    run("topics", "create")
    found = {name: row["mend"] for name, row in findings(run).items()}
    assert set(found) == {"journal", "monitor-changelog", "examples"}
    assert found["journal"].startswith("STREAMPROC_KAFKA__PARTITIONS=4, if")
    assert found["monitor-changelog"].endswith(f"--alter --topic {topic_prefix}monitor-changelog --partitions 3")
    assert found["examples"].endswith(f"--topic {topic_prefix}examples && streamproc topics create")
    assert "the first alone is used" in findings(run, "note")["progress"]["detail"]


def test_a_shorter_journal_is_a_note_until_it_is_shorter_than_the_horizon(
    run: Run, kafka: Broker, topic_prefix: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    make(kafka, topic_prefix, "journal", retention_ms=str(100 * DAY_MS))
    run("topics", "create")
    assert findings(run) == {}
    assert "nothing older can be replayed" in findings(run, "note")["journal"]["detail"]
    monkeypatch.setenv("STREAMPROC_HORIZONS", '{"business": 100}')
    assert "kept for 100 days, but at least 101 days" in findings(run)["journal"]["detail"]


def checked(there: Found, brokers: int) -> list[Finding]:
    kafka = KafkaSettings(brokers="a:1", security="SSL")
    [wanted] = [topic for topic in wanted_topics(kafka, 90 * DAY_MS) if topic.name == "streamproc.journal"]
    settings = {**wanted.settings, "min.insync.replicas": "2", **there.settings}
    return list(check_topics(kafka, [wanted], {wanted.name: there._replace(settings=settings)}, brokers))


def test_copies_are_as_many_as_the_cluster_allows() -> None:
    assert [(replicas_for(n), in_sync_for(replicas_for(n))) for n in (1, 2, 3, 9)] == [(1, 1), (2, 1), (3, 2), (3, 2)]
    assert [finding.level for finding in checked(Found(8, 3, {}), 3)] == ["ok"]
    [alone] = checked(Found(8, 3, {"min.insync.replicas": "1"}), 3)
    assert alone.mend.endswith("min.insync.replicas=2")
    assert "--command-config client.properties" in alone.mend
    [few] = checked(Found(8, 2, {}), 3)
    assert (few.level, "2 of 3 possible copies" in few.detail) == ("note", True)


def test_a_finding_is_encoded_as_the_doctor_does() -> None:
    [finding] = check_topics(KafkaSettings(), [Wanted("a", 1, {})], {}, 1)
    assert set(json.loads(msgspec.json.encode(finding))) == {"check", "level", "detail", "mend"}


@LEFT_OPEN
def test_a_broker_that_is_not_there_is_exit_code_3(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamproc.adapters.kafka.tools.PATIENCE_MS", 1000)
    monkeypatch.setenv("STREAMPROC_KAFKA__BROKERS", "127.0.0.1:1")
    gone = run("topics", "check")
    assert gone.exit_code == 3
    assert "127.0.0.1:1" in gone.stderr
    assert "ECONNREFUSED" in gone.stderr
    gc.collect()


@LEFT_OPEN
def test_a_refused_password_is_told_without_it(run: Run, kafka: Broker, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("streamproc.adapters.kafka.tools.PATIENCE_MS", 3000)
    given = {"BROKERS": kafka.sasl_ssl, "SECURITY": "SASL_SSL", "USER": USER, "PASSWORD": "guessed"}
    given["AUTHORITY"] = str(kafka.certificates.authority)
    for name, value in given.items():
        monkeypatch.setenv(f"STREAMPROC_KAFKA__{name}", value)
    refused = run("topics", "plan")
    assert refused.exit_code == 3
    assert re.search("invalid credentials with SASL mechanism SCRAM-SHA-512|it hung up; do security", refused.stderr)
    assert "guessed" not in refused.stderr
    gc.collect()
    monkeypatch.setenv("STREAMPROC_KAFKA__PASSWORD", PASSWORD)
    assert run("topics", "plan").exit_code == 0


def test_without_brokers_it_is_wrong_settings(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("STREAMPROC_KAFKA__BROKERS")
    unset = run("topics", "plan")
    assert unset.exit_code == 2
    assert "STREAMPROC_KAFKA__BROKERS=host:9092" in unset.stderr


def test_what_cannot_be_made_is_told_and_the_rest_is_made(kafka: Broker, topic_prefix: str) -> None:
    settings = KafkaSettings(brokers=kafka.bootstrap)
    wrong, right = Wanted(f"{topic_prefix}a", 1, {"retention.ms": "soon"}), Wanted(f"{topic_prefix}b", 1, {})
    with pytest.raises(ClusterError, match=rf"{topic_prefix}a: .*retention\.ms"), admin_of(settings) as admin:
        create_topics(admin, [wrong, right], replicas=1, partitions=1)
    with admin_of(settings) as admin:
        assert set(found_topics(admin, [wrong.name, right.name])) == {right.name}
