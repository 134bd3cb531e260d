"""What an older version wrote is read by today's; what a newer one wrote is refused with words that help.

A failure on version 1's fixtures means that a format changed. Before its release: write them anew with
`python -m tests.schemas.make_fixtures`. After it: raise the version, keep reading the old one, and add fixtures.
"""

import json
import sqlite3
from collections import Counter
from pathlib import Path

import msgspec
import pytest

from streamproc.adapters.embedded import journal
from streamproc.adapters.embedded.journal import Numbered
from streamproc.adapters.embedded.replay import Replay
from streamproc.adapters.embedded.runner import Runner
from streamproc.adapters.embedded.schema import FILE, SCHEMA_VERSION, NewerFolderError, StoreError, connect
from streamproc.core.control import CORE_VERSION, Handover, JournalRecord, PolicyChange, Setup, Tick
from streamproc.desk.warning import Entry, Money, Warning  # noqa: A004 - it is the domain's word
from streamproc.intake.intake import Intake
from streamproc.intake.rates import Rates
from streamproc.intake.refusal import Position, Refusal
from streamproc.monitor.effects import DeadLettered, Looked
from streamproc.monitor.memory import MemoryStates
from streamproc.monitor.partition import Partition
from streamproc.monitor.state import VERSION, StateTooNewError, decode_facts, decode_state, encode_facts, encode_state
from streamproc.scoring.snapshot import Snapshot
from streamproc.wire.journal import DecodeFailure, decode, encode
from tests.schemas.contracts import Json, faults, load
from tests.schemas.make_fixtures import FOLDER

JOURNAL = (FOLDER / "journal.jsonl").read_bytes().splitlines()
FEED = (FOLDER / "feed.jsonl").read_bytes().splitlines()
STATES = sorted(FOLDER.glob("state-*.msgpack"))


def record_of(body: bytes) -> JournalRecord:
    record = decode(body)
    assert not isinstance(record, DecodeFailure), record.why
    return record


# ---------------------------------------------------------------------------------------- older: read


def test_the_fixtures_hold_every_sort_of_record() -> None:
    kinds = Counter(json.loads(body)["type"] for body in JOURNAL)
    known = {one["$ref"].rpartition("/")[2] for one in load("journal-record")["oneOf"]}
    assert set(kinds) == known - {"desk_step", "forget", "playbook"}  # these came later
    assert {json.loads(body)["kind"] for body in FEED} >= {"raised", "escalated", "recovered", "lost", "verdict"}
    assert STATES


def says(whole: Json, part: Json) -> bool:
    """Whether all that `part` says is said by `whole`, which may say more: what is new since, at its default."""
    if isinstance(whole, dict) and isinstance(part, dict):
        return all(name in whole and says(whole[name], value) for name, value in part.items())
    return bool(whole == part)


def test_version_1_journal_records_are_read_whole() -> None:
    assert [body for body in JOURNAL if not says(json.loads(encode(record_of(body))), json.loads(body))] == []


def test_a_member_that_is_no_longer_read_would_be_seen() -> None:
    assert not says({"a": {"b": 1}}, {"a": {"b": 1, "c": 2}})
    assert not says({"a": [1, 2]}, {"a": [1]})
    assert says({"a": {"b": 1, "c": 2}, "d": 3}, {"a": {"b": 1}})


def test_version_1_journal_records_keep_todays_schema() -> None:
    assert [wrong for body in JOURNAL if (wrong := faults("journal-record", json.loads(body)))] == []


def test_a_version_1_journal_is_replayed() -> None:
    records = (Numbered(number, record_of(body)) for number, body in enumerate(JOURNAL, 1))
    steps = list(Replay(Money("EUR")).run(records))
    effects = [effect for step in steps for effect in step.effects]
    assert [effect.trace for effect in effects if isinstance(effect, DeadLettered)] == []
    assert sum(isinstance(effect, Looked) for effect in effects) > 100
    assert {entry.kind for step in steps for entry in step.entries} >= {"raised", "verdict"}


@pytest.mark.parametrize("path", STATES, ids=lambda path: path.stem)
def test_a_version_1_state_is_read_whole(path: Path) -> None:
    state = decode_state(path.read_bytes())
    assert state.facts.n_days > 0
    assert decode_state(encode_state(state)) == state


def begins_with(today: Json, stored: Json) -> bool:
    """Whether arrays begin as they did: what is new since stands behind it."""
    if isinstance(today, list) and isinstance(stored, list):
        return len(today) >= len(stored) and all(map(begins_with, today, stored))
    return bool(today == stored)


def test_version_1_facts_are_taken_over_whole() -> None:
    handed = [record for body in JOURNAL if isinstance(record := record_of(body), Handover)]
    assert handed
    for record in handed:
        facts = decode_facts(record.facts)
        assert facts.known_at > 0
        assert decode_facts(encode_facts(facts)) == facts
        version, stored = msgspec.msgpack.decode(record.facts)
        _, today = msgspec.msgpack.decode(encode_facts(facts))
        assert version == 1
        assert begins_with(today, stored)


def test_a_version_1_snapshot_is_read_whole() -> None:
    body = json.loads((FOLDER / "snapshot.json").read_bytes())
    again = json.loads(msgspec.json.encode(msgspec.convert(body, Snapshot)))
    assert {name: again.get(name) for name in body} == body
    assert faults("model-snapshot", body) == []


def test_a_version_1_warning_and_feed_are_read_whole() -> None:
    wrote: list[tuple[str, type[msgspec.Struct], bytes]] = [("feed-entry", Entry, body) for body in FEED]
    wrote.append(("warning", Warning, (FOLDER / "warning.json").read_bytes()))
    for name, kind, body in wrote:
        before = json.loads(body)
        again = json.loads(msgspec.json.encode(msgspec.json.decode(body, type=kind)))
        assert says(again, before)
        assert faults(name, before) == []


# -------------------------------------------------------------------------------------- newer: refused


def test_a_newer_state_is_refused() -> None:
    body = bytearray(encode_state(decode_state(STATES[0].read_bytes())))
    assert body[1] == VERSION
    body[1] = VERSION + 1
    with pytest.raises(StateTooNewError, match=f"version {VERSION + 1}.*knows {VERSION}.*upgrade"):
        decode_state(bytes(body))


def test_newer_facts_are_refused_and_not_lost() -> None:
    facts = decode_state(STATES[0].read_bytes()).facts
    body = bytearray(encode_facts(facts))
    assert decode_facts(bytes(body)) == facts
    body[1] = VERSION + 1
    newer = Handover(at=1, customer_id="new", alias="old", facts=bytes(body))
    with pytest.raises(StateTooNewError, match=f"version {VERSION + 1}.*knows {VERSION}.*upgrade"):
        Partition(0, MemoryStates()).apply(newer)


@pytest.mark.parametrize("body", [b"", b"x", b"\x92", b"\x92\xc0\xc0", msgspec.msgpack.encode({"facts": 1})])
def test_what_is_no_facts_is_a_dead_letter(body: bytes) -> None:
    partition = Partition(0, MemoryStates())
    [effect] = partition.apply(Handover(at=1, customer_id="new", alias="old", facts=body))
    assert isinstance(effect, DeadLettered)
    assert effect.reason == "apply_failed"


@pytest.mark.parametrize("readonly", [False, True])
def test_a_newer_data_folder_is_refused_and_left_as_it_is(tmp_path: Path, readonly: bool) -> None:
    connect(tmp_path).close()
    db = sqlite3.connect(tmp_path / FILE)
    db.execute("PRAGMA journal_mode = DELETE")
    db.execute(f"PRAGMA user_version = {SCHEMA_VERSION + 1}")
    db.close()
    before = (tmp_path / FILE).read_bytes()
    with pytest.raises(NewerFolderError, match=r"written by a newer streamproc.*upgrade"):
        connect(tmp_path, readonly=readonly)
    assert (tmp_path / FILE).read_bytes() == before


@pytest.mark.parametrize(
    ("body", "why"),
    [
        ({"type": "prophecy", "at": 1}, "prophecy"),
        ({"type": "clock_mode", "at": 1, "mode": "lunar"}, "lunar"),
        ({"type": "policy", "at": 1, "policy": {"name": "p", "raise_softly": True}}, "raise_softly"),
    ],
)
def test_a_newer_journal_record_is_refused(tmp_path: Path, body: dict[str, object], why: str) -> None:
    db = connect(tmp_path)
    db.execute("INSERT INTO journal (body) VALUES (?)", (msgspec.json.encode(body),))
    with pytest.raises(StoreError, match=f"journal record 1 cannot be read .*{why}.*version of streamproc"):
        list(journal.read(db))
    db.close()
    assert faults("journal-record", body)


def test_a_journal_of_newer_rules_is_refused(tmp_path: Path) -> None:
    newer = Setup(at=0, core_version=CORE_VERSION + 1)
    words = f"newer streamproc .core version {CORE_VERSION + 1}, this one knows {CORE_VERSION}.*upgrade"
    with pytest.raises(StoreError, match=words):
        list(Replay(Money("EUR")).run([Numbered(1, newer)]))
    db = connect(tmp_path)
    with pytest.raises(StoreError, match=words):
        Runner(db, newer)
    db.execute("INSERT INTO journal (body) VALUES (?)", (encode(newer),))
    with pytest.raises(StoreError, match=words):
        Runner(db, Setup(at=0))
    db.close()


def test_a_newer_feed_event_is_refused() -> None:
    body = b'{"customer_id":"c-1","occurred_at":"2026-01-31T10:20:30Z","order_id":"o-1","schema_version":2}'
    refusal = Intake(Rates("EUR")).take(body, Position("feed", 1), 2 * 10**15)
    assert isinstance(refusal, Refusal)
    assert (refusal.reason, refusal.field) == ("out_of_range", "schema_version")


def test_what_has_no_version_of_its_own_is_told_by_its_type() -> None:
    """Records without news keep their bytes when a member with a default is added: defaults are not written."""
    assert encode(Tick(at=5)) == b'{"type":"tick","at":5}'
    assert isinstance(record_of(b'{"type":"policy","at":1,"policy":{}}'), PolicyChange)
