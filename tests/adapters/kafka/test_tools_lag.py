"""`streamproc lag`: records that can be read and were not, on a real broker with transactions."""

import asyncio
import json
from typing import Any

import aiokafka
import pytest
from kafka import TopicPartition
from kafka.admin import KafkaAdminClient
from kafka.errors import CoordinatorNotAvailableError, NoError
from kafka.structs import OffsetAndMetadata
from typer.testing import CliRunner, Result

from streamproc.cli.main import app
from tests.servers.broker import Broker
from tests.servers.process import wait_until

Place = tuple[str, str, int]


@pytest.fixture
def firm(kafka: Broker, topic_prefix: str, tmp_path: Any, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("STREAMPROC_KAFKA__BROKERS", kafka.bootstrap)
    monkeypatch.setenv("STREAMPROC_KAFKA__PREFIX", topic_prefix)
    for name in ("PURCHASES", "COMPLAINTS", "CONTACTS", "FACTS"):
        monkeypatch.setenv(f"STREAMPROC_KAFKA__{name}", f"{topic_prefix}{name.lower()}")
    return topic_prefix


def told(prefix: str) -> tuple[int, dict[Place, dict[str, Any]]]:
    ran = lag("--json")
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    return ran.exit_code, {(row["processor"], row["topic"].removeprefix(prefix), row["partition"]): row for row in rows}


def lag(*words: str) -> Result:
    return CliRunner().invoke(app, ["lag", *words])


async def write(kafka: Broker, topic: str, transactions: int, *, abort: bool = False, leave_open: bool = False) -> Any:
    """Two records into partition 0 in each transaction."""
    producer = aiokafka.AIOKafkaProducer(bootstrap_servers=kafka.bootstrap, transactional_id=f"{topic}-writer")
    await producer.start()
    for _ in range(transactions):
        await producer.begin_transaction()
        for _ in range(2):
            await producer.send_and_wait(topic, b"x", partition=0)
        if not leave_open:
            await (producer.abort_transaction() if abort else producer.commit_transaction())
    await producer.stop()


def read_up_to(kafka: Broker, group: str, topic: str, offset: int) -> None:
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)

    def told() -> bool:
        try:
            answer = admin.alter_group_offsets(group, {TopicPartition(topic, 0): OffsetAndMetadata(offset, "", -1)})
        except CoordinatorNotAvailableError:  # until the first group of a new cluster has its topic
            return False
        return set(answer.values()) == {NoError}

    wait_until(told, "the position is told")
    admin.close()


def test_what_was_read_is_taken_off_what_there_is(kafka: Broker, firm: str) -> None:
    kafka.create({f"{firm}purchases": 2, f"{firm}journal": 1})
    asyncio.run(write(kafka, f"{firm}purchases", 2))
    asyncio.run(write(kafka, f"{firm}journal", 40))
    read_up_to(kafka, f"{firm}intake", f"{firm}purchases", 2)
    code, rows = told(firm)
    assert code == 0
    assert set(rows) == {("intake", "purchases", 0), ("intake", "purchases", 1), ("monitor", "journal", 0)}
    assert (rows["intake", "purchases", 0]["position"], rows["intake", "purchases", 0]["lag"]) == (2, 4)
    assert (rows["intake", "purchases", 1]["position"], rows["intake", "purchases", 1]["lag"]) == (None, 0)
    assert (rows["monitor", "journal", 0]["end"], rows["monitor", "journal", 0]["lag"]) == (120, 120)
    assert "monitor" in lag().stdout


def test_marks_of_transactions_are_nothing_to_read(kafka: Broker, firm: str) -> None:
    kafka.create({f"{firm}journal": 1, f"{firm}examples": 1})
    asyncio.run(write(kafka, f"{firm}journal", 1))
    asyncio.run(write(kafka, f"{firm}journal", 3, abort=True))
    asyncio.run(write(kafka, f"{firm}examples", 1, leave_open=True))
    read_up_to(kafka, f"{firm}monitor", f"{firm}journal", 2)
    _, rows = told(firm)
    assert {place: (row["end"], row["lag"]) for place, row in rows.items()} == {
        ("monitor", "journal", 0): (12, 0),
        ("trainer", "examples", 0): (0, 0),
    }


def test_what_was_deleted_unread_is_exit_code_1(kafka: Broker, firm: str) -> None:
    topic = f"{firm}journal"
    kafka.create({topic: 1})
    asyncio.run(write(kafka, topic, 3))
    read_up_to(kafka, f"{firm}monitor", topic, 1)
    admin = KafkaAdminClient(bootstrap_servers=kafka.bootstrap)
    admin.delete_records({TopicPartition(topic, 0): 6})
    wait_until(lambda: told(firm)[0] == 1, "the loss is told")
    admin.close()
    row = told(firm)[1]["monitor", "journal", 0]
    assert (row["position"], row["lag"], row["lost"]) == (1, 3, 5)
    assert "deleted unread" in lag().stdout


@pytest.mark.usefixtures("firm")
def test_no_topics_are_a_finding() -> None:
    ran = lag()
    assert (ran.exit_code, ran.stdout) == (1, "")
    assert "streamproc topics create" in ran.stderr
