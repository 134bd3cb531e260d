"""`streamproc forget`: nothing in the folder names the person any more, and all others' past stays as it was."""

import os
import re
import shutil
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from streamproc.adapters.embedded.copies import PART
from streamproc.adapters.embedded.rewriting import FOLDER
from streamproc.adapters.embedded.schema import FILE, connect
from tests.cli.shop import Cli, Feeds, asked, feed_into, lines_of

OTHER = Feeds.OWN_ID
"""With the alias that was told of it, these are two ids of one person."""


def names(of: str) -> re.Pattern[bytes]:
    """An id, or what is made of its number: orders, events, complaints."""
    return re.compile(rf"(?<!\d){re.escape(of.lstrip('c'))}(?!\d)".encode())


def found_in(folder: Path, of: str) -> dict[str, list[bytes]]:
    """Where in the files' bytes somebody is named, with what is around it."""
    found = {}
    for path in sorted(folder.iterdir()):
        raw = path.read_bytes()
        around = [raw[max(0, m.start() - 40) : m.end() + 20] for m in names(of).finditer(raw)]
        if around:
            found[path.name] = around
    return found


def others(folder: Path, table: str, columns: str = "*") -> list[object]:
    known = f"customer NOT IN ('{Feeds.ALIAS}', '{OTHER}', '')"
    return asked(folder, f"SELECT {columns} FROM {table} WHERE {known} ORDER BY 1")


def test_no_byte_of_the_folder_names_them_and_all_others_stay(cli: Cli, own: Path, folder: Path) -> None:
    assert found_in(own, OTHER)
    assert found_in(own, Feeds.ALIAS)
    ran = cli("forget", OTHER, "--yes", "--json", "--data", own)
    [told] = ran.lines
    assert told["ids"] == [Feeds.ALIAS, OTHER]
    assert told["done"]
    assert told["records"] > 10
    for of in (OTHER, Feeds.ALIAS):
        assert found_in(own, of) == {}
    for table in ("journal", "states", "feed", "warnings", "waiting"):
        assert others(own, table) == others(folder, table), table
    control = "SELECT body FROM journal WHERE customer IS NULL ORDER BY seq"
    assert [body for body in asked(own, control) if b'"forget"' not in body] == asked(folder, control)
    assert cli("replay", "--data", own).code == 0
    assert cli("doctor", "--data", own).code == 0
    assert cli("customer", OTHER, "--data", own).code == 1
    assert asked(own, "SELECT count(*) FROM dead_letters")[0] > 0


@pytest.fixture
def warned(folder: Path) -> str:
    """Somebody who was warned of."""
    [name, *_] = asked(folder, "SELECT customer FROM warnings ORDER BY raised_at")
    return str(name)


def test_the_feeds_readers_are_told_without_a_name(cli: Cli, own: Path, warned: str) -> None:
    ids = asked(own, "SELECT id FROM warnings WHERE customer = ? ORDER BY 1", warned)
    [last] = asked(own, "SELECT max(seq) FROM feed")
    cli("forget", warned, "--yes", "--data", own)
    told = asked(
        own,
        "SELECT warning_id, customer, kind, json_extract(CAST(body AS TEXT), '$.why') FROM feed WHERE seq > ?",
        last,
    )
    assert told == [(name, "", "withdrawn", "forgotten") for name in ids]
    assert asked(own, "SELECT count(*) FROM warnings WHERE customer = ?", warned) == [0]
    assert found_in(own, warned) == {}
    assert cli("record", "--data", own).code == 0
    assert cli("warnings", "--data", own).code == 0


def test_an_old_export_brings_them_not_back_and_what_is_new_is_a_new_customers(
    cli: Cli, own: Path, feeds: Feeds, tmp_path: Path
) -> None:
    cli("forget", OTHER, "--yes", "--data", own)
    feed_into(own, feeds.paths)
    assert [found_in(own, of).get(FILE) for of in (OTHER, Feeds.ALIAS)] == [None, None]
    assert asked(own, "SELECT n FROM counts WHERE label = 'forgotten'")[0] > 10
    soon = f"{datetime.now(UTC) + timedelta(minutes=1):%Y-%m-%dT%H:%M:%SZ}"
    later = {"event_id": "n", "customer_id": OTHER, "occurred_at": soon, "order_id": "n", "amount": 5}
    (tmp_path / "later.jsonl").write_bytes(lines_of([later]))
    feed_into(own, [tmp_path / "later.jsonl"])
    assert asked(own, "SELECT event_id FROM journal WHERE customer = ?", OTHER) == ["n"]
    assert cli("replay", "--data", own).code == 0
    assert cli("customer", OTHER, "--data", own).code == 0


def test_nothing_changes_where_nobody_agrees(cli: Cli, own: Path) -> None:
    before = (own / FILE).read_bytes()
    ran = cli("forget", OTHER, "--data", own)
    assert (ran.code, "Nothing was changed" in ran.out) == (0, True)
    assert (own / FILE).read_bytes() == before
    assert cli("forget", "nobody", "--yes", "--data", own).code == 1


def test_what_was_broken_off_beside_the_file_goes_too_and_a_backup_there_is_named(cli: Cli, own: Path) -> None:
    for half in (own / FOLDER / FILE, own / PART, own / "streamproc-20260131T120000Z.db"):
        half.parent.mkdir(exist_ok=True)
        shutil.copyfile(own / FILE, half)
    [told] = cli("forget", OTHER, "--yes", "--json", "--data", own).lines
    assert told["kept_beside"] == [str(own / "streamproc-20260131T120000Z.db")]
    assert sorted(path.name for path in own.iterdir()) == [
        "streamproc-20260131T120000Z.db", "streamproc.db", "streamproc.lock",
    ]  # fmt: skip


def test_a_table_that_is_written_otherwise_is_looked_through_too(cli: Cli, own: Path, tmp_path: Path) -> None:
    rows = ("王小明,2024-03-01", "王小明2,2024-03-01", "另一个,2024-03-01", "王小明,never")
    (tmp_path / "a.csv").write_bytes("\n".join(["customer,date", *rows, "另一个,never", ""]).encode("gb18030"))
    (tmp_path / "b.csv").write_bytes("customer,date\n王小明,2024-03-01\n另一个,never\n".encode())
    feed_into(own, [tmp_path / "a.csv", tmp_path / "b.csv"])
    of = "SELECT count(*) FROM dead_letters WHERE source IN ('a.csv', 'b.csv')"
    assert asked(own, of) == [6]
    assert cli("forget", "王小明", "--yes", "--data", own).code == 0
    assert asked(own, of) == [4]
    assert not [path for path in own.iterdir() if "王小明,".encode("gb18030") in path.read_bytes()]


@pytest.mark.parametrize("word", ["", os.fsdecode(b"c\xff")])
def test_what_is_no_id_is_nobody_s(cli: Cli, own: Path, word: str) -> None:
    letters = asked(own, "SELECT count(*) FROM dead_letters")
    assert cli("forget", word, "--yes", "--data", own).code == 2
    assert asked(own, "SELECT count(*) FROM dead_letters") == letters


def test_while_somebody_reads_it_says_that_the_log_still_holds_them(cli: Cli, own: Path) -> None:
    with closing(connect(own, readonly=True)) as reader:
        reader.execute("BEGIN")
        reader.execute("SELECT count(*) FROM journal").fetchone()
        ran = cli("forget", OTHER, "--yes", "--data", own)
        assert ran.code == 3
    assert cli("forget", OTHER, "--yes", "--data", own).code == 1
    assert found_in(own, OTHER) == {}


def test_a_file_that_a_retraction_left_is_named_and_a_journal_made_anew_replays(
    cli: Cli, own: Path, warned: str, tmp_path: Path
) -> None:
    wrong = [
        {"event_id": f"w{n}", "customer_id": f"c{n:07}", "occurred_at": "2025-03-01", "order_id": f"w{n}", "amount": 5}
        for n in range(50)
    ]
    (tmp_path / "wrong.jsonl").write_bytes(lines_of(wrong))
    feed_into(own, [tmp_path / "wrong.jsonl"])
    [done] = cli("retract", "wrong.jsonl", "--yes", "--json", "--data", own).lines
    [told] = cli("forget", warned, "--yes", "--json", "--data", own).lines
    assert told["kept_beside"] == [done["kept"]]
    Path(done["kept"]).unlink()
    assert found_in(own, warned) == {}
    assert cli("replay", "--data", own).code == 0
    assert cli("retract", "complaints.jsonl", "--yes", "--data", own).code == 0
    assert cli("replay", "--data", own).code == 0
    assert names(warned).search((own / FILE).read_bytes()) is None
