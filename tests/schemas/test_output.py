"""What the program really reads and writes keeps the contract: a simulated shop, checked line by line."""

import json
import sqlite3
from collections import Counter
from collections.abc import Iterator

import msgspec
import pytest

from streamproc.adapters.embedded import deadletters, feed, journal
from streamproc.adapters.embedded.replay import Replay, Replayed
from streamproc.core.control import JournalRecord, ModelSnapshot
from streamproc.desk.warning import Money
from streamproc.monitor.effects import (
    ComplaintStep,
    EpisodeChanged,
    FirmTold,
    PartitionSummary,
    ServiceWarn,
    Verdict,
    WouldWarn,
)
from streamproc.scoring.examples import Example
from streamproc.simulate import Dirt, Shop, poisoned, simulate
from tests.schemas.contracts import FEEDS, Json, faults, load
from tests.schemas.shop import run_shop

SHOP = Shop(customers=40, days=500, seed=5, dirt=Dirt(duplicates=0.02, disorder=0.02, poison=0.02))
STREAMS = ("purchases", "complaints", "contacts", "facts")


@pytest.fixture(scope="module")
def db(tmp_path_factory: pytest.TempPathFactory) -> Iterator[sqlite3.Connection]:
    connection = run_shop(SHOP, tmp_path_factory.mktemp("shop"))
    yield connection
    connection.close()


@pytest.fixture(scope="module")
def replayed(db: sqlite3.Connection) -> list[Replayed]:
    return list(Replay(Money("EUR")).run(journal.read(db)))


def plain(value: object) -> Json:
    """What is written of a value, as JSON says it."""
    return json.loads(msgspec.json.encode(value))


def check(name: str, values: list[Json]) -> None:
    assert values
    found = [(value, wrong) for value in values if (wrong := faults(name, value))]
    assert found == []


@pytest.mark.parametrize("stream", STREAMS)
def test_every_simulated_event_keeps_its_schema(stream: str) -> None:
    clean = Shop(customers=150, days=500, seed=3)
    check(FEEDS[stream], [json.loads(event.line) for event in simulate(clean) if event.stream == stream])


UNSEEN = {"year_2999"}
"""Schemas do not know the wall clock. All else that is poison, they refuse."""


def not_json(word: str) -> None:
    raise ValueError(word)


def test_every_poisoned_event_breaks_its_schema() -> None:
    dirty = Shop(customers=60, days=500, seed=3, dirt=Dirt(poison=0.6))
    seen = set()
    for event in poisoned(dirty):
        try:
            value = json.loads(event.line, parse_constant=not_json)
        except ValueError:
            continue  # nothing a schema could be asked about
        refused = bool(faults(FEEDS[event.stream], value)) or event.line.count("客".encode()) == 100
        assert refused == (event.fault not in UNSEEN), event
        seen.add(event.fault)
    assert {"wrong_type", "missing", "unknown_kind", "long_id", "year_1890", "no_time", *UNSEEN} <= seen


def test_every_journal_record_keeps_the_schema(db: sqlite3.Connection) -> None:
    records = [json.loads(body) for (body,) in db.execute("SELECT body FROM journal")]
    check("journal-record", records)
    written = Counter(record["type"] for record in records)
    known = {one["$ref"].rpartition("/")[2] for one in load("journal-record")["oneOf"]}
    assert set(written) == known - {
        "desk_step",
        "forget",
    }  # nobody works at this shop's desk, nobody asks to be forgotten


def test_every_line_of_the_feed_keeps_the_schema(db: sqlite3.Connection) -> None:
    lines = [plain(entry) for _, entry in feed.lines(db)]
    check("feed-entry", lines)
    check("warning", [json.loads(body) for (body,) in db.execute("SELECT body FROM warnings")])
    assert {line["kind"] for line in lines} >= {"raised", "escalated", "recovered", "lost", "verdict"}


def test_every_snapshot_keeps_the_schema(db: sqlite3.Connection) -> None:
    check("model-snapshot", [json.loads(body) for (body,) in db.execute("SELECT body FROM models")])


def test_every_dead_letter_keeps_the_schema(db: sqlite3.Connection) -> None:
    check("dead-letter", [plain(kept.letter) for kept in deadletters.read(db)])


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("example", Example),
        ("would-warn", WouldWarn),
        ("episode-changed", EpisodeChanged),
        ("verdict", Verdict),
        ("partition-summary", PartitionSummary),
        ("service-warn", ServiceWarn),
        ("complaint-step", ComplaintStep),
        ("firm-told", FirmTold),
    ],
)
def test_every_effect_keeps_its_schema(name: str, kind: type, replayed: list[Replayed]) -> None:
    check(name, [plain(effect) for step in replayed for effect in step.effects if isinstance(effect, kind)])


def test_examples_come_without_and_with_both_labels(replayed: list[Replayed]) -> None:
    labels = {e.label for step in replayed for e in step.effects if isinstance(e, Example)}
    assert labels == {None, 0, 1}


def test_a_snapshot_has_a_weight_for_each_mean(replayed: list[Replayed]) -> None:
    records: list[JournalRecord] = [step.numbered.record for step in replayed]
    models = [json.loads(bytes(r.snapshot)) for r in records if isinstance(r, ModelSnapshot)]
    assert {len(model["means"]) - len(model["weights"]) for model in models} == {0}
