"""`streamproc produce`: what a file holds is in the topics once, readable by intake as it would be from the file."""

import json
import os
import signal
import subprocess
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from hypothesis import assume, given
from hypothesis import strategies as st
from kafka import KafkaConsumer, TopicPartition

from streamproc.adapters.kafka.produce_feed import feed_body
from streamproc.core.events import Complaint, Contact, CustomerFact, FirmFact, Purchase
from streamproc.intake.intake import Intake, Settings
from streamproc.intake.journal import JournalEvent
from streamproc.intake.rates import Rates
from streamproc.intake.refusal import Position
from streamproc.simulate import Dirt, Shop, write
from tests.cli.shop import PROGRAM
from tests.servers.broker import Broker

STREAMS = ("purchases", "complaints", "contacts", "facts")
AFTER_ALL = 2_000_000_000_000_000


class Cluster:
    """A firm's four topics on the shared Kafka, and the program told of them."""

    def __init__(self, kafka: Broker, prefix: str, folder: Path) -> None:
        self.topics = {stream: f"{prefix}{stream}" for stream in STREAMS}
        self.kafka = kafka
        self.folder = folder
        named = {f"STREAMPROC_KAFKA__{stream.upper()}": topic for stream, topic in self.topics.items()}
        here = {"STREAMPROC_KAFKA__BROKERS": kafka.bootstrap, "STREAMPROC_KAFKA__PREFIX": prefix}
        self.environment = {**os.environ, **named, **here}

    def run(self, *words: object, given: bytes = b"") -> subprocess.CompletedProcess[bytes]:
        command = [*PROGRAM, *map(str, words)]
        return subprocess.run(
            command, input=given, capture_output=True, cwd=self.folder, env=self.environment, check=False, timeout=120
        )

    def start(self, *words: object) -> "subprocess.Popen[bytes]":
        pipe = subprocess.PIPE
        command = [*PROGRAM, *map(str, words)]
        return subprocess.Popen(command, cwd=self.folder, env=self.environment, stdin=pipe, stdout=pipe, stderr=pipe)

    def records(self, stream: str) -> list[Any]:
        consumer = KafkaConsumer(bootstrap_servers=self.kafka.bootstrap, consumer_timeout_ms=10_000)
        topic = self.topics[stream]
        places = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
        consumer.assign(places)
        consumer.seek_to_beginning(*places)
        wanted = sum(consumer.end_offsets(places).values())
        found = [next(consumer) for _ in range(wanted)]
        consumer.close()
        return found


@pytest.fixture
def cluster(kafka: Broker, topic_prefix: str, tmp_path: Path) -> Cluster:
    made = Cluster(kafka, topic_prefix, tmp_path)
    kafka.create(dict.fromkeys(made.topics.values(), 3), max_message_bytes=str(4 << 20))
    return made


def lines(path: Path) -> list[bytes]:
    return [line for line in path.read_bytes().split(b"\n") if line.strip()]


def test_lines_of_json_reach_their_topics_as_they_are(cluster: Cluster, tmp_path: Path) -> None:
    write(Shop(customers=60, days=200, seed=3, dirt=Dirt(poison=0.05)), tmp_path)
    files = [tmp_path / f"{stream}.jsonl" for stream in STREAMS]
    ran = cluster.run("produce", *files)
    assert ran.returncode == 0, ran.stderr
    sent = Counter(record.value for stream in STREAMS for record in cluster.records(stream))
    assert sent == Counter(line for file in files for line in lines(file))
    told = {line.split(": ")[0]: int(line.split(": ")[1].replace(",", "")) for line in ran.stdout.decode().splitlines()}
    assert sum(told.values()) == sent.total()
    assert set(told) <= set(cluster.topics.values())


def test_every_record_is_keyed_by_its_customer_and_poison_by_nothing(cluster: Cluster) -> None:
    events = [
        {"customer_id": "c-1", "occurred_at": "2026-01-02T00:00:00Z", "order_id": "o-1", "amount": 5},
        {"customer_id": "c-2", "occurred_at": "2026-01-01T00:00:00Z", "complaint_id": "k-1", "status": "opened"},
        {"customer_id": "c-3", "occurred_at": "2026-01-03T00:00:00Z", "stream": "contacts", "direction": "in"},
        {"customer_id": "c-4", "occurred_at": "2026-01-03T00:00:00Z", "alias_of": "c-3"},
        {"occurred_at": "2026-01-03T00:00:00Z", "fact": "holiday"},
    ]
    body = b"\n".join([*(json.dumps(event).encode() for event in events), b"not json \xff", b"{}"])
    ran = cluster.run("produce", "-", given=body)
    assert ran.returncode == 0, ran.stderr
    keys = {stream: sorted(r.key or b"" for r in cluster.records(stream)) for stream in STREAMS}
    assert keys == {
        "purchases": [b"", b"", b"c-1"],
        "complaints": [b"c-2"],
        "contacts": [b"c-3"],
        "facts": [b"", b"c-4"],
    }
    assert {r.value for r in cluster.records("purchases") if r.key is None} == {b"not json \xff", b"{}"}


def test_an_event_without_an_id_gets_that_of_its_content_each_time(cluster: Cluster, tmp_path: Path) -> None:
    line = b'{"customer_id": "c", "occurred_at": "2026-01-02T00:00:00Z", "amount": 5, "kind": "purchase"}\n'
    (tmp_path / "orders.jsonl").write_bytes(line + line)
    for _ in range(2):
        assert cluster.run("produce", "orders.jsonl").returncode == 0
    ids = Counter(dict(record.headers)["ce_id"] for record in cluster.records("purchases"))
    assert sorted(ids.values()) == [2, 2]
    assert len({record.partition for record in cluster.records("purchases")}) == 1


def test_rows_of_a_table_become_events_that_need_no_mapping(cluster: Cluster, tmp_path: Path) -> None:
    (tmp_path / "map.toml").write_text(
        'decimal_comma = true\ntime_zone = "Europe/Berlin"\ntime_format = "%d.%m.%Y"\n'
        '[columns]\ncustomer_id = "Kunde"\noccurred_at = "Tag"\namount = "Betrag"\norder_id = "Nr"\n',
        encoding="utf-8",
    )
    table = "Kunde;Tag;Betrag;Nr\nc-1;02.01.2026;12,50;7\nc-2;03.01.2026;-3,00;8\nc-3;gestern;1,00;9\n"
    (tmp_path / "orders.csv").write_text(table, encoding="utf-8")
    ran = cluster.run("produce", "orders.csv", "--map", "map.toml", "--topic", cluster.topics["facts"])
    assert ran.returncode == 0, ran.stderr
    sent = {r.key: json.loads(r.value) for r in cluster.records("purchases")}
    assert (sent[b"c-1"]["amount"], sent[b"c-1"]["occurred_at"]) == ("12.50", "2026-01-01T23:00:00Z")
    assert (sent[b"c-2"]["amount"], sent[b"c-2"]["kind"], sent[b"c-2"]["order_id"][:2]) == ("-3.00", "return", "8#")
    assert [record.value for record in cluster.records("facts")] == [b"c-3;gestern;1,00;9"]


def test_ctrl_c_keeps_what_was_sent_and_says_how_much(cluster: Cluster) -> None:
    running = cluster.start("produce", "-")
    assert running.stdin is not None
    running.stdin.write(b'{"customer_id": "c", "occurred_at": 1700000000, "order_id": "1"}\n' * 50)
    running.stdin.flush()
    arrived = waited(cluster, 50)
    running.send_signal(signal.SIGINT)
    out, _ = running.communicate(timeout=60)
    assert (running.returncode, arrived) == (130, 50)
    assert out.decode() == f"{cluster.topics['purchases']}: 50\n"


def waited(cluster: Cluster, wanted: int) -> int:
    deadline = time.monotonic() + 60
    while (there := len(cluster.records("purchases"))) < wanted and time.monotonic() < deadline:
        pass
    return there


def test_a_rate_is_kept(cluster: Cluster) -> None:
    began = time.monotonic()
    line = b'{"customer_id": "c", "occurred_at": 1700000000, "order_id": "1"}\n'
    assert cluster.run("produce", "-", "--rate", "20", given=line * 41).returncode == 0
    assert time.monotonic() - began > 2


def test_a_missing_topic_is_told_before_anything_is_sent(cluster: Cluster) -> None:
    cluster.environment["STREAMPROC_KAFKA__FACTS"] = "no-such-topic"
    ran = cluster.run("produce", "-", given=b'{"customer_id": "c", "occurred_at": 1700000000, "order_id": "1"}\n')
    assert ran.returncode == 3
    assert b"there is no topic no-such-topic: `streamproc topics create` makes it" in ran.stderr
    assert cluster.records("purchases") == []


# ------------------------------------------------------------------------- events and back again

texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), min_size=1, max_size=12)
maybe_text = st.none() | texts
minors = st.integers(-(10**9), 10**9)
head: dict[str, st.SearchStrategy[Any]] = {
    "event_id": texts,
    "customer_id": texts,
    "at": st.integers(0, AFTER_ALL - 1),
    "customer_kind": st.none() | st.sampled_from(["consumer", "business", "dealer"]),
    "strategic": st.none() | st.floats(0, 1),
    "fixed_service_cost": st.none() | st.integers(0, 10**9),
}
shared = {**head, "category": maybe_text, "channel": maybe_text}
purchases = st.builds(
    Purchase,
    **shared,
    order_id=texts,
    amount=st.none() | st.integers(0, 10**9),
    quantity=st.floats(0, 1e6),
    lines=st.none() | st.integers(0, 99),
    revision=st.integers(0, 3),
    cancelled=st.booleans(),
    cost=st.none() | st.integers(0, 10**9),
    list_amount=st.none() | minors,
    reward_amount=st.none() | minors,
    deliberation_s=st.none() | st.floats(0, 1e6),
    region=maybe_text,
    dealer_id=maybe_text,
    contract_until=st.none() | st.integers(0, AFTER_ALL),
)
events: st.SearchStrategy[JournalEvent] = st.one_of(
    purchases,
    st.builds(
        Complaint,
        **shared,
        complaint_id=texts,
        status=st.sampled_from(["opened", "resolved"]),
        severity=st.none() | st.integers(1, 5),
        valid=st.none() | st.booleans(),
        owner=maybe_text,
        text=maybe_text,
    ),
    st.builds(
        Contact,
        **head,
        contact_id=texts,
        direction=st.sampled_from(["in", "out"]),
        purpose=st.none() | st.just("sales"),
        perceived=st.none() | st.floats(0, 10),
        competitor=st.none() | st.booleans(),
    ),
    st.builds(CustomerFact, **head, alias_of=maybe_text, owner=maybe_text, do_not_contact=st.none() | st.booleans()),
    st.builds(
        FirmFact,
        event_id=texts,
        at=head["at"],
        kind=st.just("outage"),
        subject=maybe_text,
        value=st.none() | st.floats(-1e6, 1e6),
        detail=st.dictionaries(texts.map("d-{}".format), texts | st.booleans(), max_size=3),
    ),
)


def read_again(body: bytes, currency: str) -> Any:
    taken = Intake(Rates(currency), settings=Settings(keep_text=True)).take(body, Position("", 1), AFTER_ALL)
    assert taken is not None
    return taken


def unnamed(event: Any) -> dict[str, Any]:
    """What is of the event itself: the currency that a feed calls its own is not kept."""
    fields = {name: getattr(event, name) for name in event.__struct_fields__}
    return {name: value for name, value in fields.items() if name != "currency"}


@given(events, st.sampled_from(["EUR", "JPY", "KWD"]))
def test_intake_makes_the_same_event_of_what_is_sent(event: JournalEvent, currency: str) -> None:
    assume(not isinstance(event, CustomerFact) or event.alias_of != event.customer_id)
    again = read_again(feed_body(event, currency), currency)
    assert (type(again), unnamed(again)) == (type(event), unnamed(event))


returns = st.fixed_dictionaries(
    {"customer_id": texts, "occurred_at": st.just(1_700_000_000), "event_id": texts},
    optional={
        "order_id": texts | texts.map("return:{}".format),
        "kind": st.sampled_from(["purchase", "return"]),
        "amount": st.sampled_from(["-3.50", "0", "4.25"]),
        "quantity": st.sampled_from([-2, 0, 3]),
        "revision": st.integers(0, 2),
        "currency": st.just("EUR"),
    },
)


@given(returns)
def test_a_return_stays_one_whatever_told_it(sent: Mapping[str, object]) -> None:
    body = json.dumps({"stream": "purchases", **sent}).encode()
    event = read_again(body, "EUR")
    assert unnamed(read_again(feed_body(event, "EUR"), "EUR")) == unnamed(event)
