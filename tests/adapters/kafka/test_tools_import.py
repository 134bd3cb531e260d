"""`streamproc journal import` on a real Kafka: whole, killed on the way, refused, and workers that go on behind it."""

import asyncio
import shutil
import signal
import subprocess
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from kafka import KafkaConsumer, TopicPartition

from streamproc.adapters.embedded.journal import Journal, Numbered, read
from streamproc.adapters.embedded.lock import writer_lock
from streamproc.adapters.embedded.replay import Replay
from streamproc.adapters.embedded.schema import connect
from streamproc.adapters.kafka.beginning import BeginningError, begin
from streamproc.adapters.kafka.importing import Reached, addressed, steps
from streamproc.adapters.kafka.names import Names
from streamproc.adapters.kafka.state_topics import ids_in, state_topics
from streamproc.adapters.kafka.transactions import Connection, Output, TransactionWriter
from streamproc.core.control import Setup
from streamproc.core.events import Purchase
from streamproc.desk.warning import Money
from tests.adapters.kafka.committed import Committed
from tests.adapters.kafka.filled import cli_in, environment
from tests.adapters.kafka.oracle import Judge
from tests.adapters.kafka.test_importing import feed_of, live, shop, states_of, times
from tests.adapters.kafka.test_processors import SETUP
from tests.adapters.kafka.workers import PROGRAM, Workers, journal_of
from tests.cli.shop import Cli, Ran
from tests.servers.broker import Broker
from tests.servers.redis_server import RedisServer

PARTITIONS = 3
ORDERS = 40_000
A_FEW = 100
"""Offsets: more than the marks of transactions, and less than what one brings to a partition."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("folder") / "data"
    live(path, [e for e in shop() if e.at < times().cut], end=True)
    return path


@pytest.fixture
def cli(kafka: Broker, topic_prefix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    """The program on a cluster whose topics are there and empty."""
    run = cli_in(monkeypatch, tmp_path, environment(kafka, topic_prefix, PARTITIONS))
    assert run("topics", "create").code == 0
    return run


@pytest.fixture
def committed(kafka: Broker, topic_prefix: str) -> Callable[[], Committed]:
    def look() -> Committed:
        found = Committed(kafka.bootstrap, {Names(topic_prefix).journal: PARTITIONS})
        found.look()
        found.close()
        return found

    return look


def begun(kafka: Broker, prefix: str, asked: Setup = SETUP) -> Setup:
    """What a worker does first."""
    return asyncio.run(begin(Connection(kafka.bootstrap), Names(prefix), PARTITIONS, asked)).setup


def written(kafka: Broker, prefix: str, output: Output) -> None:
    async def write() -> None:
        writer = TransactionWriter(Connection(kafka.bootstrap), f"{prefix}test", 5.0)
        await writer.fence()
        await writer.commit([output])
        await writer.close()

    asyncio.run(write())


def broken_off(kafka: Broker, prefix: str, folder: Path, by: signal.Signals) -> Ran:
    """An import that is ended once it has committed a transaction."""
    place = TopicPartition(Names(prefix).journal, 0)
    with closing(KafkaConsumer(bootstrap_servers=kafka.bootstrap, isolation_level="read_committed")) as consumer:
        before = consumer.end_offsets([place])[place]
        command = [PROGRAM, "journal", "import", "--data", str(folder)]
        with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
            while process.poll() is None and consumer.end_offsets([place])[place] < before + A_FEW:
                pass
            process.send_signal(by)
            out, err = process.communicate(timeout=60)
            return Ran(process.returncode, out, err.decode())


def test_a_folder_s_journal_gives_the_folder_s_feed(
    kafka: Broker, topic_prefix: str, folder: Path, cli: Cli, committed: Callable[[], Committed]
) -> None:
    told = cli("journal", "import", "--data", folder, "--json")
    assert told.code == 0
    [line] = told.lines
    assert (line["before"], line["partitions"]) == (0, PARTITIONS)
    parts = [journal_of(committed(), Names(topic_prefix), n) for n in range(PARTITIONS)]
    again = Replay(Money("EUR"), partitions=PARTITIONS)
    numbered = [(Numbered(n, record) for n, record in enumerate(part)) for part in parts]
    entries = [entry for step in again.run_parts(numbered) for entry in step.entries]
    assert [msgspec.json.encode(entry) for entry in entries] == feed_of(folder)
    assert {c: body for states in again.states for c, body in states.bodies.items()} == states_of(folder)
    assert begun(kafka, topic_prefix) == SETUP
    first = committed().records[Names(topic_prefix).journal, 0][0]
    assert set(ids_in(first.headers)) == set(state_topics(Names(topic_prefix)))
    twice = cli("journal", "import", "--data", folder)
    assert (twice.code, "has its past already" in twice.err) == (2, True)


def test_killed_on_the_way_it_goes_on_and_no_worker_starts_meanwhile(
    kafka: Broker, topic_prefix: str, folder: Path, cli: Cli, committed: Callable[[], Committed], tmp_path: Path
) -> None:
    large = tmp_path / "large"
    with closing(connect(large)) as db, db:
        kept = Journal(db)
        kept.append(SETUP)
        for n in range(ORDERS):
            kept.append(Purchase(event_id=f"p-{n}", customer_id=f"c-{n % 999}", at=n, order_id=f"o-{n}", amount=100))
        kept.flush()
    first = broken_off(kafka, topic_prefix, large, signal.SIGINT)
    assert (first.code, "goes on where it stopped" in first.err) == (130, True)
    assert broken_off(kafka, topic_prefix, large, signal.SIGKILL).code == -signal.SIGKILL
    with pytest.raises(BeginningError, match="a part of its past"):
        begun(kafka, topic_prefix)
    refused = subprocess.run([PROGRAM, "worker"], capture_output=True, check=False)
    assert (refused.returncode, b"`streamproc journal import`" in refused.stderr) == (2, True)
    other = cli("journal", "import", "--data", folder)
    assert (other.code, "another past" in other.err) == (2, True)
    rest = cli("journal", "import", "--data", large, "--json")
    assert rest.code == 0, rest.err
    assert 0 < rest.lines[0]["before"] < rest.lines[0]["records"] == ORDERS + 1
    found = committed()
    with closing(connect(large, readonly=True)) as db:
        past = addressed(read(db), PARTITIONS)
        expected = [o for s in steps(past, Names(topic_prefix), PARTITIONS, Reached(0, "")) for o in s.outputs]
    for number in range(PARTITIONS):
        own = [o.value for o in expected if (o.topic, o.partition) == (Names(topic_prefix).journal, number)]
        assert found.values((Names(topic_prefix).journal, number)) == own
    assert begun(kafka, topic_prefix) == SETUP


def test_what_does_not_fit_is_refused_and_nothing_is_written(
    kafka: Broker,
    topic_prefix: str,
    folder: Path,
    cli: Cli,
    committed: Callable[[], Committed],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def refusal(of: Path = folder, code: int = 2) -> str:
        ran = cli("journal", "import", "--data", of)
        assert (ran.code, ran.raw) == (code, b""), ran
        return ran.err

    assert "no data in" in refusal(tmp_path / "none", 3)
    with closing(connect(tmp_path / "empty")):
        assert "is empty" in refusal(tmp_path / "empty", 3)
    with writer_lock(folder):
        assert "is in use" in refusal(code=3)
    with monkeypatch.context() as other:
        other.setenv("STREAMPROC_KAFKA__PARTITIONS", "4")
        assert "has 3 partitions, and 4 are needed" in refusal()
    with monkeypatch.context() as other:
        other.setenv("STREAMPROC_HORIZON_DAYS", "91")
        assert "was begun with horizon_days = 45" in refusal()
    with monkeypatch.context() as other:
        other.setenv("STREAMPROC_KAFKA__PREFIX", f"{topic_prefix}none.")
        assert "`streamproc topics create`" in refusal(code=3)
    names = Names(topic_prefix)
    written(kafka, topic_prefix, Output(names.warnings, 0, b"c", b"{}"))
    assert f"{names.warnings}: there are records of an earlier journal" in refusal()
    assert not any(committed().records.values())
    begun(kafka, topic_prefix)
    assert "is not empty" in refusal()


def test_workers_go_on_behind_the_past(
    kafka: Broker, redis_server: RedisServer, topic_prefix: str, folder: Path, tmp_path: Path
) -> None:
    """One is killed while it reads the past. All that the cluster holds is judged; it begins with the folder's feed."""
    after = [e for e in shop() if times().cut <= e.at]
    data = shutil.copytree(folder, tmp_path / "data")
    workers = Workers(kafka, redis_server.url, topic_prefix, tmp_path)
    cluster = Committed(kafka.bootstrap, workers.topics)
    try:
        workers.make_topics()
        subprocess.run(
            [PROGRAM, "journal", "import", "--data", data], env=workers.environment, check=True, capture_output=True
        )
        workers.produce(after)
        workers.start()
        workers.supervise()
        names = workers.names
        workers.eventually(lambda: cluster.look() >= 0 and cluster.end((names.warnings, 0)) > 0, "a first line")
        workers.running[0].signal(signal.SIGKILL)
        workers.wait_quiet(cluster)
        before = feed_of(folder)
        assert cluster.values((names.warnings, 0))[: len(before)] == before
        judge = Judge(workers, cluster, after)
        judge.monitors_found_what_a_quiet_run_finds()
        judge.snapshots_are_those_of_a_quiet_run()
        assert len(judge.warnings_are_those_of_a_quiet_run()) > len(before) + 5
        judge.the_feed_is_the_topic()
    finally:
        workers.close()
        cluster.close()
