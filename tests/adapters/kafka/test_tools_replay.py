"""`streamproc replay --from-kafka`: the journal, read back from real topics, gives the warnings topic's lines."""

import uuid
from collections.abc import Callable
from pathlib import Path

import pytest

from streamproc.adapters.kafka.transactions import Record
from tests.adapters.kafka.filled import Filled
from tests.adapters.kafka.test_processors import ran
from tests.cli.shop import Ran
from tests.servers.broker import Broker


@pytest.fixture(scope="module")
def filled(kafka: Broker) -> Filled:
    return Filled(kafka, f"t{uuid.uuid4().hex[:10]}.", ran(21, most=60, dies=0.02, poison=0.01))


@pytest.fixture
def cli(filled: Filled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Ran]:
    return filled.cli(monkeypatch, tmp_path)


def test_the_warnings_topic_comes_out_byte_for_byte(filled: Filled, cli: Callable[..., Ran]) -> None:
    again = cli("replay", "--from-kafka", "--json")
    count = filled.lines().count(b"\n")
    assert (again.code, again.raw) == (0, filled.lines())
    assert count > 10
    assert f"Identical: {count} lines." in again.err


def test_another_policy_is_compared_with_what_was_warned(
    filled: Filled, cli: Callable[..., Ran], tmp_path: Path
) -> None:
    (tmp_path / "strict.toml").write_text("raise_at = 0.45\nclear_at = 0.2\nminimum_customers_fitted = 20\n")
    again = cli("replay", "--from-kafka", "--policy", "strict.toml", "--json")
    raised = [line for line in again.lines if line["kind"] == "raised"]
    assert again.code == 0
    assert all(line["probability"] >= 0.45 for line in raised if line["warning_kind"] == "churn")
    then = filled.lines().count(b'"kind":"raised"')
    assert 0 < len(raised) < then
    assert f"{then} " in next(line for line in again.err.splitlines() if line.lstrip().startswith("warnings "))


def test_a_line_that_the_journal_does_not_give_is_shown(filled: Filled, cli: Callable[..., Ran]) -> None:
    count = filled.lines().count(b"\n")
    false = Record(0, b"c", b'{"kind":"raised"}', (("streamproc.tick", b"1"),), 0)
    filled.write({(filled.topic("streamproc.warnings"), 0): [false]})
    again = cli("replay", "--from-kafka")
    assert again.code == 1
    assert f"Line {count + 1} of the feed differs." in again.err


def test_a_cluster_without_topics_or_brokers_is_told(
    cli: Callable[..., Ran], monkeypatch: pytest.MonkeyPatch, topic_prefix: str
) -> None:
    monkeypatch.setenv("STREAMPROC_KAFKA__PREFIX", topic_prefix)
    nothing = cli("replay", "--from-kafka")
    assert (nothing.code, nothing.raw) == (3, b"")
    assert f"there is no topic {topic_prefix}journal" in nothing.err
    monkeypatch.delenv("STREAMPROC_KAFKA__BROKERS")
    assert cli("replay", "--from-kafka").code == 2
