"""`streamproc dead-letters` on a cluster: letters as they were written, and sent again once."""

import uuid
from base64 import b64decode
from pathlib import Path
from typing import Any

import pytest

from streamproc.adapters.kafka.letters import letter, of_effect
from streamproc.adapters.kafka.names import Names
from streamproc.adapters.kafka.reading import topics_of
from streamproc.adapters.kafka.transactions import Record
from streamproc.config import KafkaSettings
from streamproc.core.events import Purchase
from streamproc.monitor.effects import DeadLettered
from streamproc.wire import journal
from tests.adapters.kafka.filled import Filled
from tests.adapters.kafka.simulated import NAMES
from tests.adapters.kafka.test_processors import ran
from tests.cli.shop import Cli
from tests.servers.broker import Broker

ORDER = Purchase(event_id="p-1", customer_id="c-1", at=1, order_id="o-1", amount=100)


@pytest.fixture(scope="module")
def filled(kafka: Broker) -> Filled:
    return Filled(kafka, f"t{uuid.uuid4().hex[:10]}.", ran(23, most=60, poison=0.03))


@pytest.fixture
def cli(filled: Filled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    return filled.cli(monkeypatch, tmp_path)


def records(filled: Filled, topic: str) -> list[tuple[int, Record]]:
    with topics_of(KafkaSettings(brokers=filled.kafka.bootstrap, prefix=filled.prefix)) as topics:
        reader = topics.read(topic)
        return [(number, record) for number in reader.spans for record in reader.records(number)]


def letters(filled: Filled) -> list[Record]:
    return filled.run.log.records[NAMES.dead_letters, 0]


def test_letters_are_listed_as_they_were_written(filled: Filled, cli: Cli) -> None:
    listed = cli("dead-letters", "list", "--json").lines
    assert [b64decode(row["raw_base64"]) for row in listed] == [record.value for record in letters(filled)]
    written = [dict(record.headers) for record in letters(filled)]
    assert [row["reason"] for row in listed] == [h["__streams.errors.exception"].decode() for h in written]
    assert [str(row["offset"]) for row in listed] == [h["__streams.errors.offset"].decode() for h in written]
    assert {row["redriven"] for row in listed} == {None}
    reason = listed[0]["reason"]
    some = cli("dead-letters", "list", "--reason", reason, "--json").lines
    assert some == [row for row in listed if row["reason"] == reason]
    assert f"{listed[0]['topic']}/{listed[0]['partition']}" in cli("dead-letters", "list").out


def test_one_letter_is_shown_with_its_bytes(cli: Cli) -> None:
    row = cli("dead-letters", "list", "--json").lines[3]
    assert cli("dead-letters", "show", row["id"], "--raw").raw == b64decode(row["raw_base64"])
    assert cli("dead-letters", "show", row["id"], "--json").lines == [row]
    assert row["reason"] in cli("dead-letters", "show", row["id"]).out
    assert cli("dead-letters", "show", 10_000_000).code == 1


def test_letters_go_back_where_they_came_from_once(filled: Filled, cli: Cli) -> None:
    before = cli("dead-letters", "list", "--json").lines
    reason = before[0]["reason"]
    wanted = [row for row in before if row["reason"] == reason]
    sent = cli("dead-letters", "redrive", "--reason", reason, "--json")
    assert sent.code == 0
    assert [(row["id"], row["status"]) for row in sent.lines] == [(row["id"], "sent") for row in wanted]
    arrived: list[Any] = []
    for topic in {row["topic"] for row in wanted}:
        for number, record in records(filled, topic):
            again = dict(record.headers)["streamproc.redrive"]
            assert not any(name.startswith("__streams.errors") for name, _ in record.headers)
            arrived.append((int(again), topic, number, record.value))
    told = [(row["id"], row["topic"], row["partition"], b64decode(row["raw_base64"])) for row in wanted]
    assert sorted(arrived) == sorted(told)
    after = cli("dead-letters", "list", "--json").lines
    assert [row["id"] for row in after] == [row["id"] for row in before]
    assert {row["id"] for row in after if row["redriven"]} == {row["id"] for row in wanted}
    assert cli("dead-letters", "redrive", "--reason", reason).code == 1


def test_an_event_that_failed_goes_back_to_the_journal_and_a_look_does_not(filled: Filled, cli: Cli) -> None:
    names, place = Names(filled.prefix), (filled.topic(NAMES.journal), 1)
    applied = Record(7, b"c-1", journal.encode(ORDER), (), 0)
    failed = DeadLettered(event=ORDER, customer_id="c-1", reason="apply_failed", at=1, trace="ValueError: no")
    look = DeadLettered(event=None, customer_id="c-1", reason="look_failed", at=1, trace="ValueError: no")
    inner = letter(names.dead_letters, applied, (names.desk_inbox, 0), "killed_the_process")
    made = [of_effect(names.dead_letters, applied, place, effect) for effect in (failed, look)]
    written = [Record(0, o.key, o.value, tuple(o.headers), 0) for o in (*made, inner)]
    filled.write({(names.dead_letters, 0): written})
    ids = [row["id"] for row in cli("dead-letters", "list", "--json").lines[-3:]]
    sent = cli("dead-letters", "redrive", *ids, "--json")
    assert sent.code == 1
    assert [(row["id"], row["status"]) for row in sent.lines] == list(
        zip(ids, ["sent", "refused", "refused"], strict=True)
    )
    [(number, last)] = [
        found for found in records(filled, names.journal) if "streamproc.redrive" in dict(found[1].headers)
    ]
    assert (number, last.key, last.value) == (1, b"c-1", journal.encode(ORDER))


def test_what_is_for_folders_alone_is_refused(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "m.toml").write_text("")
    assert cli("dead-letters", "redrive", "--all", "--map", "m.toml").code == 2
    assert cli("dead-letters", "redrive").code == 2
