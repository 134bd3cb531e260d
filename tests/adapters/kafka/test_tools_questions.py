"""`customer`, `why`, `warnings` and `models` on a cluster say what a quiet run over its journal comes to."""

import signal
import subprocess
import uuid
from pathlib import Path
from threading import Timer
from typing import Any

import msgspec
import pytest

from streamproc.adapters.kafka.transactions import Record
from streamproc.core.alerts import Alert, standing
from streamproc.core.control import ModelSnapshot
from streamproc.core.ids import partition_of
from streamproc.core.time import to_text
from streamproc.monitor.effects import Looked
from streamproc.monitor.state import decode_state
from streamproc.testing.feed_entries import warned
from tests.adapters.embedded.sqlite_feed import SqliteFeed
from tests.adapters.kafka.filled import Filled, fill_redis
from tests.adapters.kafka.quiet import Quiet
from tests.adapters.kafka.test_processors import lines, oracle, ran
from tests.cli.shop import PROGRAM, Cli
from tests.servers.broker import Broker
from tests.servers.redis_server import RedisServer


@pytest.fixture(scope="module")
def filled(kafka: Broker) -> Filled:
    return Filled(kafka, f"t{uuid.uuid4().hex[:10]}.", ran(22, most=60))


@pytest.fixture(scope="module")
def quiet(filled: Filled) -> Quiet:
    return oracle(filled.run)


@pytest.fixture
def cli(filled: Filled, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Cli:
    return filled.cli(monkeypatch, tmp_path)


def looks(filled: Filled, quiet: Quiet, customer: str) -> list[Looked]:
    number = partition_of(customer, filled.run.partitions)
    return [e for e in quiet.effects[number] if isinstance(e, Looked) and e.customer_id == customer]


def customers(quiet: Quiet, number: int) -> list[str]:
    return sorted(quiet.states[number])


# ----------------------------------------------------------------------------------------- one customer


def test_a_customer_s_report_is_the_state_of_the_customer_s_partition(filled: Filled, quiet: Quiet, cli: Cli) -> None:
    for number in range(filled.run.partitions):
        for customer in customers(quiet, number)[::10]:
            (report,) = cli("customer", customer, "--json").lines
            state = decode_state(quiet.states[number][customer])
            assert report["stage"] == state.decisions.stage.code
            told = [(look["at"], look["outcome"]) for look in report["looks"]]
            assert told == [(to_text(look.at), look.outcome) for look in looks(filled, quiet, customer)]
    warned_of = lines(filled.run)[0].customer_id
    (report,) = cli("customer", warned_of, "--json").lines
    assert [w["id"] for w in report["warnings"]]
    assert warned_of in cli("customer", warned_of).out


def test_nobody_knows_a_customer_without_records(cli: Cli) -> None:
    assert cli("customer", "nobody").code == 1
    assert cli("why", "nobody").code == 1


def test_why_is_the_last_look_by_then(filled: Filled, quiet: Quiet, cli: Cli) -> None:
    first = next(entry for entry in lines(filled.run) if entry.kind == "raised" and entry.warning_kind == "churn")
    own = looks(filled, quiet, first.customer_id)
    (now,) = cli("why", first.customer_id, "--json").lines
    assert (now["looked_at"], now["outcome"]) == (to_text(own[-1].at), own[-1].outcome)
    (then,) = cli("why", first.customer_id, "--at", first.at, "--json").lines
    assert (then["outcome"], then["warning_id"], then["disposition"]) == ("would_warn", first.warning_id, "raised")
    assert [e["kind"] for e in then["life"]] == [e.kind for e in lines(filled.run) if e.warning_id == first.warning_id]
    before = cli("why", first.customer_id, "--at", "2001-01-01", "--json")
    assert (before.code, before.lines[0]["next_look"]) == (1, to_text(own[0].at))


# -------------------------------------------------------------------------------------------- warnings


def folder_says(filled: Filled, **asked: Any) -> list[Any]:
    with SqliteFeed() as feed:
        feed.write(lines(filled.run))
        return [msgspec.json.decode(msgspec.json.encode(warning)) for warning in feed.warnings(**asked)]


@pytest.mark.parametrize("redis", [False, True])
def test_warnings_stand_as_they_would_in_a_folder(
    filled: Filled, cli: Cli, redis_server: RedisServer, monkeypatch: pytest.MonkeyPatch, redis: bool
) -> None:
    if redis:
        fill_redis(redis_server.url, filled.prefix, filled.run)
        monkeypatch.setenv("STREAMPROC_REDIS__URL", redis_server.url)
    customer = lines(filled.run)[0].customer_id
    assert cli("warnings", "--json").lines == folder_says(filled, order="most_at_stake")
    assert cli("warnings", "--newest", "--json").lines == folder_says(filled, order="newest_first")
    assert cli("warnings", "--open", "--limit", 3, "--json").lines == folder_says(
        filled, open_only=True, limit=3, order="most_at_stake"
    )
    assert cli("warnings", "--customer", customer, "--json").lines == folder_says(
        filled, customers=[customer], order="most_at_stake"
    )
    assert cli("warnings", "--customer", "nobody").code == 1


def test_alerts_stand_as_a_quiet_run_leaves_them(quiet: Quiet, cli: Cli) -> None:
    assert quiet.alerts
    shown = [msgspec.convert(line, Alert) for line in cli("alerts", "--json").lines]
    assert shown == standing(quiet.alerts)
    still = [msgspec.convert(line, Alert) for line in cli("alerts", "--open", "--json").lines]
    assert still == standing(quiet.alerts, open_only=True)


def test_a_redis_that_is_away_is_told(cli: Cli, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STREAMPROC_REDIS__URL", "redis://127.0.0.1:9/0")
    asked = cli("warnings")
    assert asked.code == 3
    assert "Redis" in asked.err


@pytest.mark.usefixtures("cli")
def test_following_shows_what_comes_until_ctrl_c(filled: Filled) -> None:
    new = msgspec.json.encode(warned("w-new", "c-new"))
    command = [*PROGRAM, "warnings", "--follow", "--json"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE) as process:
        watchdog = Timer(60, process.kill)
        watchdog.start()
        assert process.stderr is not None
        assert process.stdout is not None
        assert b"Ctrl-C" in process.stderr.readline()
        filled.write({(filled.topic("streamproc.warnings"), 0): [Record(0, b"c-new", new, (), 0)]})
        assert process.stdout.readline() == new + b"\n"
        process.send_signal(signal.SIGINT)
        assert process.wait() == 130
        watchdog.cancel()
        assert process.stderr.read() == b""


# ---------------------------------------------------------------------------------------------- models


def test_models_are_those_of_the_journal(filled: Filled, cli: Cli) -> None:
    made = [r for r in filled.run.journal(0) if isinstance(r, ModelSnapshot)]
    listed = cli("models", "list", "--json").lines
    assert [(m["at"], m["running"]) for m in listed] == [(to_text(record.at), record is made[-1]) for record in made]
    shown = cli("models", "show", listed[-1]["id"], "--json")
    assert shown.raw.strip() == bytes(made[-1].snapshot)
    assert cli("models", "show", "no-such").code == 1
