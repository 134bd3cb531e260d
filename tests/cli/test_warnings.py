"""`streamproc warnings`: as they stand, and as they come."""

import select
import signal
import subprocess
from contextlib import closing
from pathlib import Path
from typing import IO

import msgspec
import pytest

from streamproc.adapters.embedded import feed, queries
from streamproc.adapters.embedded.schema import connect
from streamproc.desk.feed import Order
from streamproc.desk.report import WarningNow
from streamproc.desk.warning import Entry
from tests.cli.shop import PROGRAM, Cli, asked

FIELDS = {
    "id", "customer_id", "raised_at", "by_when", "severity", "risk", "value", "standing", "reasons", "owner",
    "customer_kind", "history", "state", "updated_at", "current", "verdict",
    "care", "causes", "discontent", "due_at", "incident", "loyalty", "stance", "steps", "warning_kind",
}  # fmt: skip


def test_json_has_every_warning_with_how_it_stands(cli: Cli, folder: Path) -> None:
    lines = cli("warnings", "--json", "--data", folder).lines
    rows = asked(folder, "SELECT id, state, verdict, severity, expected_loss FROM warnings")
    assert len(rows) > 3
    assert {line["id"]: line["state"] for line in lines} == {row[0]: row[1] for row in rows}
    assert {line["id"]: line["verdict"] for line in lines} == {
        row[0]: None if row[2] is None else bool(row[2]) for row in rows
    }
    assert {line["id"]: line["current"]["expected_loss"] for line in lines} == {row[0]: row[4] for row in rows}
    assert {frozenset(line) for line in lines} == {frozenset(FIELDS)}


def test_a_warnings_reasons_add_up_to_its_risk(cli: Cli, folder: Path) -> None:
    for line in cli("warnings", "--json", "--data", folder).lines:
        warning = msgspec.convert(line, WarningNow)
        if warning.risk is not None:
            assert sum(r.log_odds for r in warning.reasons) == pytest.approx(warning.risk.log_odds, abs=1e-9)


def test_most_at_stake_first_unless_the_newest_are_asked_for(cli: Cli, folder: Path) -> None:
    losses = [float(line["current"]["expected_loss"]) for line in cli("warnings", "--json", "--data", folder).lines]
    raised = [line["raised_at"] for line in cli("warnings", "--json", "--newest", "--data", folder).lines]
    assert losses == sorted(losses, reverse=True)
    assert raised == sorted(raised, reverse=True)


def test_only_open_ones_only_one_customers_only_so_many(cli: Cli, folder: Path) -> None:
    everything = cli("warnings", "--json", "--data", folder).lines
    shown = cli("warnings", "--json", "--open", "--data", folder)
    wanted = {line["id"] for line in everything if line["state"] in {"raised", "escalated"}}
    assert {line["id"] for line in shown.lines} == wanted
    assert shown.code == (0 if wanted else 1)
    customer = everything[0]["customer_id"]
    theirs = cli("warnings", "--json", "--customer", customer, "--data", folder).lines
    assert theirs == [line for line in everything if line["customer_id"] == customer]
    assert cli("warnings", "--json", "--limit", 2, "--data", folder).lines == everything[:2]


def test_nothing_found_is_exit_code_1(cli: Cli, folder: Path) -> None:
    assert cli("warnings", "--customer", "nobody", "--data", folder).code == 1
    assert cli("warnings", "--customer", "nobody", "--json", "--data", folder)[:2] == (1, b"")


def test_people_read_who_how_likely_by_when_at_stake_and_why(cli: Cli, folder: Path) -> None:
    first = cli("warnings", "--json", "--limit", 1, "--data", folder).lines[0]
    shown = cli("warnings", "--limit", 1, "--data", folder)
    head, *why = shown.out.splitlines()
    for part in (first["customer_id"], first["id"], f"{first['risk']['probability']:.0%}"[:-1], "expected loss"):
        assert part in head
    assert "raises the risk" in why[0]
    assert "There are more" in shown.err


def test_people_read_chinese(cli: Cli, folder: Path) -> None:
    shown = cli("warnings", "--lang", "zh-CN", "--limit", 3, "--data", folder).out
    assert "预期损失" in shown
    assert "天未购买" in shown
    assert "likely" not in shown


def read_line(stream: IO[bytes]) -> bytes:
    """The next line, which must come within a minute."""
    ready, _, _ = select.select([stream], [], [], 60)
    assert ready
    return stream.readline()


@pytest.fixture
def following(own: Path) -> "subprocess.Popen[bytes]":
    program = subprocess.Popen(
        [*PROGRAM, "warnings", "--follow", "--json", "--data", str(own)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        bufsize=0,
    )
    assert program.stderr is not None
    assert b"Waiting" in read_line(program.stderr)
    return program


def test_follow_tells_what_comes_and_ends_with_ctrl_c(following: "subprocess.Popen[bytes]", own: Path) -> None:
    known = cli_entries(own)
    assert following.stdout is not None
    assert following.stderr is not None
    with closing(connect(own)) as db:
        for entry in (known[0], known[-1]):
            again = msgspec.structs.replace(entry, warning_id="w-new", warning=None, kind="escalated", why="risk")
            db.execute("BEGIN")
            feed.write(db, [again])
            db.execute("COMMIT")
            line = msgspec.json.decode(read_line(following.stdout), type=Entry)
            assert line == again
    following.send_signal(signal.SIGINT)
    with following:
        told = following.stderr.read()
        assert following.stdout.read() == b""
    assert (following.returncode, told) == (130, b"")


def cli_entries(folder: Path) -> list[Entry]:
    with closing(connect(folder, readonly=True)) as db:
        return [entry for _, entry in feed.lines(db)]


@pytest.mark.parametrize("order", ["newest_first", "most_at_stake"])
def test_pages_of_warnings_are_the_whole_list(folder: Path, order: Order) -> None:
    with closing(connect(folder, readonly=True)) as db:
        whole = [w.id for w in queries.warnings(db, order=order)]
        paged: list[str] = []
        while page := queries.warnings(db, order=order, limit=2, after=paged[-1] if paged else None):
            paged += [w.id for w in page]
        assert paged == whole
        assert [queries.warning(db, warning_id) for warning_id in whole] == queries.warnings(db, order=order)
        assert queries.warning(db, "w-none") is None
