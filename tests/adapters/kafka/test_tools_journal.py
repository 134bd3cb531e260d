"""`streamproc journal export` and `tail`: what is committed, byte for byte, and as it comes."""

import gzip
import json
import signal
import subprocess
import uuid
from collections.abc import Iterator
from pathlib import Path
from threading import Timer
from typing import Any

import msgspec
import pytest

from streamproc.adapters.embedded.journal import Numbered
from streamproc.adapters.embedded.replay import Replay
from streamproc.adapters.kafka.letters import letter
from streamproc.adapters.kafka.names import Names
from streamproc.adapters.kafka.reading import topics_of
from streamproc.adapters.kafka.transactions import Record
from streamproc.config import KafkaSettings
from streamproc.core.events import Purchase
from streamproc.core.ids import partition_of
from streamproc.desk.warning import Money
from streamproc.wire import journal
from tests.adapters.kafka.filled import Filled
from tests.adapters.kafka.simulated import NAMES
from tests.adapters.kafka.test_processors import ran
from tests.cli.shop import PROGRAM, Cli
from tests.servers.broker import Broker

ORDER = Purchase(event_id="p-1", customer_id="c-new", at=1, order_id="o-1", amount=100)


@pytest.fixture(scope="module")
def filled(kafka: Broker) -> Filled:
    return Filled(kafka, f"t{uuid.uuid4().hex[:10]}.", ran(24, most=60, dies=0.02))


@pytest.fixture
def cli(filled: Filled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    return filled.cli(monkeypatch, tmp_path)


def parts(exported: bytes) -> list[list[bytes]]:
    """Each partition's lines; what its manifest says is right."""
    found: list[list[bytes]] = []
    for line in exported.splitlines():
        if json.loads(line)["type"] == "manifest":
            assert (json.loads(line)["partition"], json.loads(line)["begin"]) == (len(found), 0)
            found.append([])
        else:
            found[-1].append(line)
    return found


def records(lines: list[bytes]) -> Iterator[Numbered]:
    for number, line in enumerate(lines):
        read = journal.decode(line)
        assert not isinstance(read, journal.DecodeFailure)
        yield Numbered(number, read)


def test_one_file_holds_every_partition_in_its_order(filled: Filled, cli: Cli, tmp_path: Path) -> None:
    told = cli("journal", "export", "--out", "all.jsonl", "--json")
    assert told.code == 0
    found = parts((tmp_path / "all.jsonl").read_bytes())
    assert found == [filled.run.log.values((NAMES.journal, n)) for n in range(filled.run.partitions)]
    assert [row["records"] for row in told.lines] == [len(lines) for lines in found]
    assert sorted(path.name for path in tmp_path.iterdir()) == ["all.jsonl"]


def test_the_exported_journal_gives_the_warnings_topic(filled: Filled, cli: Cli, tmp_path: Path) -> None:
    cli("journal", "export", "--out", "all.jsonl.gz")
    found = parts(gzip.decompress((tmp_path / "all.jsonl.gz").read_bytes()))
    again = Replay(Money("EUR"), partitions=len(found))
    entries = [entry for step in again.run_parts([records(lines) for lines in found]) for entry in step.entries]
    assert b"".join(msgspec.json.encode(entry) + b"\n" for entry in entries) == filled.lines()


def test_a_folder_takes_a_packed_file_a_partition(filled: Filled, cli: Cli, tmp_path: Path) -> None:
    assert cli("journal", "export", "--out", "kept", "--partition", 1).code == 0
    [file] = (tmp_path / "kept").iterdir()
    assert file.name == "partition-0001.jsonl.gz"
    manifest, *lines = gzip.decompress(file.read_bytes()).splitlines()
    assert json.loads(manifest)["partition"] == 1
    assert lines == filled.run.log.values((NAMES.journal, 1))


def test_what_cannot_be_is_told(cli: Cli) -> None:
    gone = cli("journal", "export", "--out", "a.jsonl", "--partition", 7)
    assert (gone.code, "partitions 0 to 2" in gone.err) == (2, True)
    assert cli("journal", "export", "--out", "nowhere/a.jsonl").code == 2
    other = (partition_of("c-new", 3) + 1) % 3
    assert cli("journal", "tail", "--customer", "c-new", "--partition", other).code == 2


def test_what_the_monitor_could_not_take_is_left_out(
    kafka: Broker, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A record that cannot be read, and one that ended the process: both are in the dead letters."""
    run = ran(24, most=60, dies=0.02)
    place = (NAMES.journal, 0)
    good = run.log.values(place)
    run.log.append(place, b"c", b"{")
    run.log.append(place, b"c", journal.encode(ORDER))
    filled = Filled(kafka, topic_prefix, run)
    cli = filled.cli(monkeypatch, tmp_path)
    killer = Record(offsets(filled)[-1], b"c", journal.encode(ORDER), (), 0)
    out = letter(Names(topic_prefix).dead_letters, killer, (filled.topic(NAMES.journal), 0), "killed_the_process")
    filled.write({(out.topic, 0): [Record(0, out.key, out.value, tuple(out.headers), 0)]})
    cli("journal", "export", "--out", "some.jsonl", "--partition", 0)
    assert (tmp_path / "some.jsonl").read_bytes().splitlines()[1:] == good
    assert cli("replay", "--from-kafka").code == 0


def offsets(filled: Filled) -> list[int]:
    with topics_of(KafkaSettings(brokers=filled.kafka.bootstrap, prefix=filled.prefix)) as topics:
        return [record.offset for record in topics.read(topics.names.journal, [0]).records(0)]


@pytest.mark.usefixtures("cli")
def test_a_tail_shows_what_is_committed_until_ctrl_c(filled: Filled) -> None:
    number = partition_of("c-new", filled.run.partitions)
    place = (filled.topic(NAMES.journal), number)
    others = Record(0, b"c-other", journal.encode(msgspec.structs.replace(ORDER, customer_id="c-other")), (), 0)
    own = Record(0, b"c-new", journal.encode(ORDER), (), 0)
    command = [*PROGRAM, "journal", "tail", "--customer", "c-new", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        watchdog = Timer(60, process.kill)
        watchdog.start()
        assert process.stderr is not None
        assert process.stdout is not None
        assert b"Ctrl-C" in process.stderr.readline()
        filled.write({place: [others, own]})
        seen: dict[str, Any] = json.loads(process.stdout.readline())
        assert (seen["partition"], seen["record"]) == (number, json.loads(journal.encode(ORDER)))
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
        watchdog.cancel()
        assert process.stderr.read() == b""
