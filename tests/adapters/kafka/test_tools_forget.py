"""`streamproc forget`, `journal rewrite` on a real Kafka: a record for the workers, then topics without the person."""

import uuid
from contextlib import closing
from pathlib import Path

import msgspec
import pytest
from kafka import KafkaConsumer

from streamproc.adapters.embedded.journal import Numbered
from streamproc.adapters.embedded.replay import Replay
from streamproc.adapters.kafka.changelog import POSITION
from streamproc.adapters.kafka.importing import ImportingError
from streamproc.adapters.kafka.names import Names
from streamproc.adapters.kafka.reading import Topics, topics_of
from streamproc.adapters.kafka.rewriting import progress_of, unmoved
from streamproc.adapters.kafka.transactions import Record
from streamproc.cli.forget_cluster import Known, forget_on
from streamproc.config import KafkaSettings, Settings
from streamproc.core.control import Forget, JournalRecord
from streamproc.core.ids import mark_of
from streamproc.core.time import SECOND
from streamproc.desk.forgetting import Traces
from streamproc.desk.warning import Entry, Money
from tests.adapters.kafka.filled import Filled
from tests.adapters.kafka.test_forgotten import warned
from tests.adapters.kafka.test_processors import SETUP, lines, ran
from tests.cli.shop import Cli
from tests.servers.broker import Broker

PROGRESS = b"purchases/0/state"


@pytest.fixture
def filled(kafka: Broker) -> Filled:
    return Filled(kafka, f"t{uuid.uuid4().hex[:10]}.", ran(25))


@pytest.fixture
def cli(filled: Filled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    return filled.cli(monkeypatch, tmp_path)


def settings(filled: Filled, prefix: str) -> KafkaSettings:
    return KafkaSettings(brokers=filled.kafka.bootstrap, prefix=prefix)


def all_read(filled: Filled, topics: Topics) -> None:
    """What workers leave that have come to the end of all topics."""
    names = topics.names
    reads = {"monitor": names.journal, "trainer": names.examples, "desk": names.desk_inbox}
    kept = {
        (names.changelog(who), number): [Record(0, POSITION, b"%d" % span.end, (), 0)]
        for who, topic in reads.items()
        for number, span in topics.spans(topic).items()
    }
    filled.write({**kept, (names.progress, 0): [Record(0, PROGRESS, b"as far as that", (), 0)]})


def bodies(topics: Topics, topic: str) -> list[list[bytes]]:
    reader = topics.read(topic)
    return [[r.value or b"" for r in reader.records(number)] for number in sorted(reader.spans)]


def naming(topics: Topics, customer_id: str) -> list[str]:
    """The topics of ours in which a record names the customer."""
    names = topics.names
    every = [names.journal, names.examples, names.desk_inbox, names.warnings, names.alerts, names.dead_letters]
    found = []
    for topic in [*every, names.progress, *map(names.changelog, ("monitor", "trainer", "desk"))]:
        reader = topics.read(topic)
        records = [record for number in reader.spans for record in reader.records(number)]
        found += [topic for record in records if customer_id.encode() in (record.value or b"") + (record.key or b"")]
    return found


def replayed(topics: Topics) -> list[Entry]:
    parts = [
        (Numbered(n, msgspec.json.decode(body, type=JournalRecord)) for n, body in enumerate(part))
        for part in bodies(topics, topics.names.journal)
    ]
    return [entry for step in Replay(Money(SETUP.currency), partitions=3).run_parts(parts) for entry in step.entries]


def test_somebody_is_asked_to_be_forgotten_and_the_topics_are_made_anew_without_them(filled: Filled, cli: Cli) -> None:
    gone, new = warned(filled.run), f"{filled.prefix}new."
    assert cli("topics", "create").code == 0
    seen = cli("forget", gone, "--json").lines
    assert (seen[0]["done"], seen[0]["warnings"] > 0) == (False, True)
    [told] = cli("forget", gone, "--yes", "--json").lines
    assert (told["done"], told["ids"], told["records"] > 3) == (True, [gone], True)
    with topics_of(settings(filled, filled.prefix)) as topics:
        asked = [r for part in bodies(topics, topics.names.journal) for r in part if b'"forget"' in r]
        [record] = [msgspec.json.decode(body, type=Forget) for body in asked]
        assert (record.customer_id, record.who) == (gone, mark_of(gone))
        behind = cli("journal", "rewrite", "--to", new)
        assert (behind.code, "has not read all" in behind.err) == (2, True)
        all_read(filled, topics)
    [made] = cli("journal", "rewrite", "--to", new, "--json").lines
    assert (made["forgotten"], made["prefix"], made["partitions"]) == (1, new, 3)
    with topics_of(settings(filled, new)) as topics:
        assert naming(topics, gone) == []
        assert bodies(topics, Names(new).progress) == [[b"as far as that"]]
        expected = [entry for entry in lines(filled.run) if entry.customer_id != gone]
        assert replayed(topics) == expected
    twice = cli("journal", "rewrite", "--to", new)
    assert (twice.code, "has its past already" in twice.err) == (2, True)


def test_whose_clock_is_behind_the_journals_forgets_as_of_the_journal_s(filled: Filled) -> None:
    ahead = 4_000_000_000 * SECOND
    kafka = settings(filled, filled.prefix)
    found = Traces(ids=("somebody",), records=1, warnings=0, dead_letters=0)
    forget_on(Settings(kafka=kafka), Known(found, 3, ahead))
    with topics_of(kafka) as topics:
        [asked] = [r for part in bodies(topics, topics.names.journal) for r in part if b'"forget"' in r]
    assert msgspec.json.decode(asked, type=Forget).at == ahead + 1


def test_while_a_worker_runs_no_journal_is_made_anew(filled: Filled, cli: Cli) -> None:
    with topics_of(settings(filled, filled.prefix)) as topics:
        assert cli("topics", "create").code == 0
        all_read(filled, topics)
        group = f"{filled.prefix}desk"
        with closing(KafkaConsumer(bootstrap_servers=filled.kafka.bootstrap, group_id=group)) as worker:
            worker.subscribe([topics.names.desk_inbox])
            while not worker.assignment():
                worker.poll(100)
            for words in (["journal", "rewrite"], ["retract", "purchases/0", "--yes"]):
                ran = cli(*words, "--to", f"{filled.prefix}new.")
                assert (ran.code, f"workers still run, in {group}" in ran.err) == (2, True)
        before = progress_of(topics)
        filled.write({(topics.names.progress, 0): [Record(0, PROGRESS, b"further", (), 0)]})
        with pytest.raises(ImportingError, match="ran meanwhile"):
            next(unmoved(topics, before, Names("new.")))


def test_a_journal_with_other_partitions_is_no_place_for_it(filled: Filled, cli: Cli) -> None:
    new = f"{filled.prefix}new."
    with topics_of(settings(filled, filled.prefix)) as topics:
        assert cli("topics", "create").code == 0
        all_read(filled, topics)
    filled.kafka.create({f"{new}journal": 5})
    ran = cli("journal", "rewrite", "--to", new)
    assert (ran.code, "has 5 partitions, and 3 are needed" in ran.err) == (2, True)


def test_a_prefix_that_is_in_use_is_left_alone(filled: Filled, cli: Cli) -> None:
    same = cli("journal", "rewrite", "--to", filled.prefix)
    assert (same.code, "choose another" in same.err) == (2, True)
    assert cli("forget", "nobody", "--yes").code == 1
