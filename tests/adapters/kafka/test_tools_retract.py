"""`streamproc retract` on a real Kafka: the journal without an import begins another prefix; nobody else notices."""

import os
import signal
import subprocess
import time
import uuid
from pathlib import Path

import msgspec
import pytest

from streamproc.adapters.kafka.names import Names
from streamproc.adapters.kafka.reading import topics_of
from streamproc.core.time import to_text
from streamproc.desk.warning import Entry
from streamproc.simulate import SimEvent
from tests.adapters.kafka.filled import Filled
from tests.adapters.kafka.simulated import Cluster
from tests.adapters.kafka.test_processors import EAGER, SETUP, feeds, lines, shop
from tests.adapters.kafka.test_tools_forget import all_read, bodies, replayed, settings
from tests.cli.shop import PROGRAM, Cli
from tests.servers.broker import Broker

BAD = ("purchases", 2)


def wrong(events: tuple[SimEvent, ...]) -> list[bytes]:
    """Orders of a third of the customers that there never were, all over the shop's time."""
    times = [event.at for event in events]
    customers = sorted({msgspec.json.decode(e.line)["customer_id"] for e in events if e.stream == "purchases"})[::3]
    return [
        msgspec.json.encode(
            {"event_id": f"bad-{n}", "customer_id": customers[n % len(customers)], "order_id": f"bad-{n}",
             "occurred_at": to_text(times[n * len(times) // 60]), "amount": 1}
        )
        for n in range(60)
    ]  # fmt: skip


@pytest.fixture(scope="module")
def filled(kafka: Broker) -> Filled:
    run = Cluster({**feeds(shop()), BAD: wrong(shop())}, seed=26, setup=SETUP, policy=EAGER)
    run.run()
    return Filled(kafka, f"t{uuid.uuid4().hex[:10]}.", run)


@pytest.fixture
def cli(filled: Filled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    made = filled.cli(monkeypatch, tmp_path)
    assert made("topics", "create").code == 0
    with topics_of(settings(filled, filled.prefix)) as topics:
        all_read(filled, topics)
    return made


def raised(entries: list[Entry]) -> dict[str, str]:
    return {entry.warning_id: entry.customer_id for entry in entries if entry.kind == "raised"}


def test_it_lists_what_came_from_where(filled: Filled, cli: Cli) -> None:
    found = {one["source"]: one["records"] for one in cli("retract", "--list", "--json").lines}
    assert found["purchases/2"] == 60
    assert set(found) == {"purchases/0", "purchases/1", "purchases/2", "complaints/0", "contacts/0", "facts/0"}
    assert filled.run.partitions == 3


def test_nothing_is_written_where_nobody_agrees(filled: Filled, cli: Cli) -> None:
    assert cli("retract", "purchases/2").code == 2
    one = cli("retract", "purchases/2", "--import", "7", "--to", f"{filled.prefix}none.", "--yes")
    assert (one.code, "leave --import out" in one.err) == (2, True)
    assert cli("retract", "nothing", "--to", f"{filled.prefix}none.").code == 1
    [told] = cli("retract", "purchases/2", "--to", f"{filled.prefix}none.", "--json").lines
    assert (told["left_out"], told["kept"]) == (60, None)


def test_ended_on_the_way_it_leaves_nothing_of_anybody_on_the_disk(filled: Filled, cli: Cli, tmp_path: Path) -> None:  # noqa: ARG001 - makes the topics
    (tmp_path / "tmp").mkdir()
    words = [*PROGRAM, "retract", "purchases/2", "--to", f"{filled.prefix}none.", "--yes"]
    environment = os.environ | filled.environment | {"TMPDIR": str(tmp_path / "tmp")}
    with subprocess.Popen(words, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        while not list((tmp_path / "tmp").glob("streamproc-retract-*/*")):
            assert running.poll() is None
            time.sleep(0.01)
        running.terminate()
        assert running.wait(30) == 128 + signal.SIGTERM
    assert list((tmp_path / "tmp").iterdir()) == []


def test_the_new_journal_gives_a_feed_without_the_import(filled: Filled, cli: Cli) -> None:
    new = f"{filled.prefix}new."
    [told] = cli("retract", "purchases/2", "--to", new, "--yes", "--json").lines
    assert (told["left_out"], told["kept"]) == (60, new)
    before = raised(lines(filled.run))
    with topics_of(settings(filled, new)) as topics:
        after = raised(replayed(topics))
        written = [body for part in bodies(topics, Names(new).journal) for body in part]
        assert bodies(topics, Names(new).progress) == [[b"as far as that"]]
    assert not [body for body in written if b'"bad-' in body]
    bad = {msgspec.json.decode(line)["customer_id"] for line in wrong(shop())}
    untouched = {name for name, customer in before.items() if customer not in bad}
    assert len(untouched) > 10
    assert {name for name, customer in after.items() if customer not in bad} == untouched
    assert before != after
    twice = cli("retract", "purchases/2", "--to", new, "--yes")
    assert (twice.code, "has its past already" in twice.err) == (2, True)
