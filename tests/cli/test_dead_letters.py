"""`streamproc dead-letters`: byte for byte, and sent again."""

from base64 import b64decode
from pathlib import Path

import pytest

from streamproc.adapters.embedded.lock import writer_lock
from streamproc.simulate import poisoned
from tests.cli.conftest import SHOP
from tests.cli.shop import Cli, asked, feed_into, lines_of


def test_every_poisoned_line_is_there_byte_for_byte_and_no_other(cli: Cli, folder: Path) -> None:
    lines = cli("dead-letters", "list", "--json", "--data", folder).lines
    assert sorted(b64decode(line["raw_base64"]) for line in lines) == sorted(e.line for e in poisoned(SHOP))
    assert {line["source"] for line in lines} <= {
        f"{n}.jsonl" for n in ("purchases", "complaints", "contacts", "facts")
    }
    reason = lines[0]["reason"]
    some = cli("dead-letters", "list", "--json", "--reason", reason, "--data", folder).lines
    assert some == [line for line in lines if line["reason"] == reason]


def test_the_raw_bytes_are_shown_exactly(cli: Cli, folder: Path) -> None:
    for number, raw in asked(folder, "SELECT id, raw FROM dead_letters"):
        assert cli("dead-letters", "show", number, "--raw", "--data", folder).raw == raw
        shown = cli("dead-letters", "show", number, "--data", folder)
        assert shown.code == 0
        line = cli("dead-letters", "show", number, "--json", "--data", folder).lines[0]
        assert b64decode(line["raw_base64"]) == raw


def test_people_read_a_table(cli: Cli, folder: Path) -> None:
    shown = cli("dead-letters", "list", "--limit", 3, "--data", folder)
    assert len(shown.out.splitlines()) == 4
    assert "There are more" in shown.err
    assert cli("dead-letters", "list", "--reason", "no_rate", "--data", folder).err == "There are no dead letters.\n"


def test_an_unknown_number_is_exit_code_1(cli: Cli, folder: Path) -> None:
    ran = cli("dead-letters", "show", 4711, "--data", folder)
    assert (ran.code, ran.raw) == (1, b"")


def purchase(number: int, **more: object) -> dict[str, object]:
    return {
        "event_id": f"e-{number}",
        "customer_id": f"c-{number % 3}",
        "occurred_at": f"2024-03-{number + 1:02}T10:00:00Z",
        "order_id": f"o-{number}",
        "amount": 10,
        **more,
    }


@pytest.fixture
def dollars(tmp_path: Path) -> Path:
    """A folder that refused five purchases in dollars, for want of a rate; the rate has come by now."""
    path = tmp_path / "dollars"
    first, second = tmp_path / "purchases.jsonl", tmp_path / "rates.jsonl"
    events = [purchase(n, currency="USD" if n < 5 else "EUR") for n in range(9)]
    first.write_bytes(lines_of(events))
    feed_into(path, [first])
    rate = {
        "event_id": "r",
        "occurred_at": "2024-01-01T00:00:00Z",
        "fact": "currency_rate",
        "subject": "USD",
        "value": 0.5,
    }
    second.write_bytes(lines_of([rate]))
    feed_into(path, [second])
    return path


def test_what_can_be_read_by_now_is_taken_once(cli: Cli, dollars: Path) -> None:
    assert asked(dollars, "SELECT reason FROM dead_letters") == ["no_rate"] * 5
    ran = cli("dead-letters", "redrive", "--reason", "no_rate", "--json", "--data", dollars)
    assert ran.code == 0
    assert ran.lines == [{"id": n, "status": "new"} for n in range(1, 6)]
    assert asked(dollars, "SELECT count(*) FROM journal WHERE event_id LIKE 'e-%'") == [9]
    bodies = asked(dollars, "SELECT body FROM journal WHERE event_id = 'e-0'")
    assert b'"amount":500' in bodies[0]
    assert b'"source":"redrive"' in bodies[0]
    assert None not in asked(dollars, "SELECT redriven FROM dead_letters")
    again = cli("dead-letters", "redrive", "--all", "--data", dollars)
    assert (again.code, again.raw) == (1, b"")
    assert "nothing to send" in again.err
    repeated = cli("dead-letters", "redrive", 2, "--json", "--data", dollars)
    assert repeated.lines == [{"id": 2, "status": "repeat"}]
    assert cli("replay", "--data", dollars).code == 0
    assert cli("doctor", "--data", dollars).code == 0


def test_what_is_still_refused_stays_as_it_was(cli: Cli, own: Path) -> None:
    held = asked(own, "SELECT id, reason, redriven, raw FROM dead_letters ORDER BY id")
    records = asked(own, "SELECT count(*) FROM journal")
    ran = cli("dead-letters", "redrive", "--all", "--json", "--data", own)
    assert ran.code == 1
    assert {line["status"] for line in ran.lines} == {"refused"}
    assert [(line["id"], line["reason"]) for line in ran.lines] == [row[:2] for row in held]
    assert asked(own, "SELECT id, reason, redriven, raw FROM dead_letters ORDER BY id") == held
    assert asked(own, "SELECT count(*) FROM journal") == records
    shown = cli("dead-letters", "redrive", held[0][0], "--data", own).out
    assert "still refused" in shown
    assert "0 dead letters were taken" in shown


def test_a_mapping_reads_what_was_not_understood(cli: Cli, tmp_path: Path) -> None:
    folder, feed, mapping = tmp_path / "d", tmp_path / "feed.jsonl", tmp_path / "m.toml"
    feed.write_bytes(lines_of([purchase(n, kind="Bestellung" if n % 2 else "purchase") for n in range(6)]))
    mapping.write_text('[kinds]\nBestellung = "purchase"\n', encoding="utf-8")
    feed_into(folder, [feed])
    assert asked(folder, "SELECT reason FROM dead_letters") == ["unknown_kind"] * 3
    assert cli("dead-letters", "redrive", "--all", "--data", folder).code == 1
    ran = cli("dead-letters", "redrive", "--all", "--map", mapping, "--data", folder)
    assert (ran.code, ran.out) == (0, "3 dead letters were taken.\n")


def test_rows_of_a_table_are_read_like_another_of_its_columns(cli: Cli, tmp_path: Path) -> None:
    folder, table = tmp_path / "d", tmp_path / "orders.csv"
    table.write_text(
        "customer_id,ts,amount\nc-1,2024-01-01,10\nc-1,2024-02-01,9 Euro\nc-2,2024-02-02,7\n", encoding="utf-8"
    )
    feed_into(folder, [table])
    assert asked(folder, "SELECT raw FROM dead_letters") == [b"c-1,2024-02-01,9 Euro"]
    assert cli("dead-letters", "redrive", 1, "--like", table, "--data", folder).code == 1
    assert cli("dead-letters", "redrive", 1, "--data", folder).code == 1
    mapping = tmp_path / "m.toml"
    mapping.write_text('ignore = ["amount"]\n', encoding="utf-8")
    ran = cli("dead-letters", "redrive", 1, "--like", table, "--map", mapping, "--json", "--data", folder)
    assert ran.lines == [{"id": 1, "status": "new"}]
    assert cli("dead-letters", "redrive", 1, "--like", tmp_path / "gone.csv", "--data", folder).code == 2


def test_what_was_too_old_comes_back_under_an_id_of_its_own(cli: Cli, tmp_path: Path) -> None:
    folder, feed, late = tmp_path / "d", tmp_path / "feed.jsonl", tmp_path / "late.jsonl"
    days = [f"2024-{1 + n // 28:02}-{1 + n % 28:02}T10:00:00Z" for n in range(40)]
    events = [purchase(n, customer_id="c", occurred_at=day) for n, day in enumerate(days, start=1)]
    feed.write_bytes(lines_of(events))
    feed_into(folder, [feed])
    late.write_bytes(lines_of([purchase(0, customer_id="c", occurred_at="2023-01-01T00:00:00Z")]))
    feed_into(folder, [late])
    assert asked(folder, "SELECT source, reason FROM dead_letters") == [("journal", "too_old")]
    ran = cli("dead-letters", "redrive", 1, "--json", "--data", folder)
    assert ran.lines == [{"id": 1, "status": "new"}]  # and it is too old once more
    assert asked(folder, "SELECT reason, redriven IS NULL FROM dead_letters") == [("too_old", 0), ("too_old", 1)]
    assert asked(folder, "SELECT count(*) FROM journal WHERE event_id = 'redrive-1-e-0'") == [1]


def test_nothing_is_sent_unless_it_is_said_what(cli: Cli, own: Path) -> None:
    ran = cli("dead-letters", "redrive", "--data", own)
    assert ran.code == 2
    assert "--all" in ran.err


def test_a_folder_in_use_is_refused(cli: Cli, own: Path) -> None:
    with writer_lock(own):
        ran = cli("dead-letters", "redrive", "--all", "--data", own)
    assert ran.code == 3
    assert "in use by process" in ran.err
