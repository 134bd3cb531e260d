"""`streamproc retract`: what came from where, the question before anything changes, and the way back."""

import os
import signal
import stat
import subprocess
import time
from contextlib import closing
from pathlib import Path

import pytest

from streamproc.adapters.embedded.rewriting import FOLDER
from streamproc.adapters.embedded.schema import FILE, connect
from tests.cli.shop import PROGRAM, Cli, asked, feed_into, lines_of


@pytest.fixture
def spoilt(own: Path, tmp_path: Path) -> Path:
    """A folder into which a wrong file came, twice under one name."""
    for number in range(2):
        wrong = [
            {
                "event_id": f"wrong-{number}-{n}", "customer_id": f"c{n:07}", "occurred_at": f"2025-0{3 + number}-01",
                "order_id": f"w{number}-{n}", "amount": 5,
            }
            for n in range(40)
        ]  # fmt: skip
        wrong.append({"event_id": f"none-{number}", "customer_id": "c1", "occurred_at": "never"})
        file = tmp_path / "wrong.jsonl"
        file.write_bytes(lines_of(wrong))
        feed_into(own, [file])
    return own


def test_it_lists_what_came_from_where(cli: Cli, spoilt: Path) -> None:
    found = cli("retract", "--list", "--json", "--data", spoilt).lines
    wrong = [one for one in found if one["source"] == "wrong.jsonl"]
    assert [(one["records"], one["since"]) for one in wrong] == [
        (40, "2025-03-01T00:00:00Z"),
        (40, "2025-04-01T00:00:00Z"),
    ]
    assert sum(one["records"] for one in found) == asked(spoilt, "SELECT count(event_id) FROM journal")[0]
    shown = cli("retract", "--list", "--data", spoilt).out
    assert all(one["source"] in shown and str(one["number"]) in shown for one in found)


def test_nothing_changes_where_nobody_agrees(cli: Cli, spoilt: Path) -> None:
    before = (spoilt / FILE).read_bytes()
    ran = cli("retract", "wrong.jsonl", "--data", spoilt)
    assert ran.code == 0
    assert "80 records are left out" in ran.out
    assert "Nothing was changed" in ran.out
    assert (spoilt / FILE).read_bytes() == before
    assert not (spoilt / FOLDER).exists()


def test_an_import_is_taken_back_and_what_is_left_replays(cli: Cli, spoilt: Path, folder: Path) -> None:
    ids = "SELECT event_id FROM journal WHERE event_id IS NOT NULL ORDER BY 1"
    letters = "SELECT reason, source, row, raw FROM dead_letters ORDER BY source, row"
    told = asked(spoilt, "SELECT seq, body FROM feed ORDER BY seq")
    ran = cli("retract", "wrong.jsonl", "--yes", "--json", "--data", spoilt)
    [answer] = ran.lines
    assert (answer["left_out"], answer["source"]) == (80, "wrong.jsonl")
    assert answer["clock"] == "2025-02-24T00:00:00Z" or answer["clock"] < answer["clock_before"]
    assert asked(spoilt, ids) == asked(folder, ids)
    assert asked(spoilt, letters) == asked(folder, letters)
    assert asked(spoilt, "SELECT seq, body FROM feed ORDER BY seq")[: len(told)] == told
    assert cli("replay", "--data", spoilt).code == 0
    assert cli("doctor", "--data", spoilt).code == 0
    open_now = "SELECT id FROM warnings WHERE state IN ('raised', 'escalated') ORDER BY 1"
    assert asked(spoilt, open_now) == asked(folder, open_now)

    back = cli("restore", answer["kept"], "--force", "--data", spoilt)
    assert back.code == 0
    assert asked(spoilt, "SELECT count(*) FROM journal WHERE event_id LIKE 'wrong-%'") == [80]


def test_one_of_two_imports_of_a_name(cli: Cli, spoilt: Path) -> None:
    second = [one for one in cli("retract", "--list", "--json", "--data", spoilt).lines if one["since"] >= "2025-04"]
    [one] = second
    assert cli("retract", "wrong.jsonl", "--import", one["number"], "--yes", "--data", spoilt).code == 0
    counts = "SELECT count(*) FROM journal WHERE event_id LIKE ?"
    assert (asked(spoilt, counts, "wrong-0-%"), asked(spoilt, counts, "wrong-1-%")) == ([40], [0])
    assert cli("replay", "--data", spoilt).code == 0
    left = cli("retract", "--list", "--json", "--data", spoilt).lines
    assert [(o["records"], o["begun"] is None) for o in left if o["source"] == "wrong.jsonl"] == [(40, False)]
    assert cli("retract", "wrong.jsonl", "--yes", "--data", spoilt).code == 0  # a journal made anew is made anew again
    assert cli("replay", "--data", spoilt).code == 0


def test_imports_stay_apart_though_their_first_records_are_gone(cli: Cli, spoilt: Path) -> None:
    assert cli("forget", "c0000000", "--yes", "--data", spoilt).code == 0
    before = [o for o in cli("retract", "--list", "--json", "--data", spoilt).lines if o["source"] == "wrong.jsonl"]
    assert [o["records"] for o in before] == [39, 39]
    assert cli("retract", "complaints.jsonl", "--yes", "--data", spoilt).code == 0
    after = [o for o in cli("retract", "--list", "--json", "--data", spoilt).lines if o["source"] == "wrong.jsonl"]
    assert [(o["records"], o["since"], o["begun"]) for o in after] == [
        (o["records"], o["since"], o["begun"]) for o in before
    ]


def test_while_somebody_reads_nothing_changes_and_nothing_is_left_there(cli: Cli, spoilt: Path) -> None:
    with closing(connect(spoilt, readonly=True)) as reader:
        reader.execute("SELECT count(*) FROM journal").fetchone()
        before = asked(spoilt, "SELECT * FROM journal")
        ran = cli("retract", "wrong.jsonl", "--yes", "--data", spoilt)
        assert (ran.code, "somebody reads" in ran.err) == (3, True)
    assert asked(spoilt, "SELECT * FROM journal") == before
    assert sorted(path.name for path in spoilt.glob("streamproc-*")) == []


def test_an_import_keeps_its_number_so_the_same_command_again_takes_no_other(cli: Cli, spoilt: Path) -> None:
    def imports() -> list[int]:
        found = cli("retract", "--list", "--json", "--data", spoilt).lines
        return [one["number"] for one in found if one["source"] == "wrong.jsonl"]

    first, second = imports()
    for code in (0, 1):
        assert cli("retract", "wrong.jsonl", "--import", first, "--yes", "--data", spoilt).code == code
        assert imports() == [second]
    assert cli("doctor", "--data", spoilt).code == 0
    assert cli("replay", "--data", spoilt).code == 0


def test_whom_the_file_is_for_stays(cli: Cli, spoilt: Path) -> None:
    (spoilt / FILE).chmod(0o600)
    [told] = cli("retract", "wrong.jsonl", "--yes", "--json", "--data", spoilt).lines
    assert stat.filemode((spoilt / FILE).stat().st_mode) == "-rw-------"
    (spoilt / FILE).chmod(0o640)
    assert cli("restore", told["kept"], "--force", "--data", spoilt).code == 0
    assert stat.filemode((spoilt / FILE).stat().st_mode) == "-rw-r-----"


def test_the_folder_goes_on_behind_it(cli: Cli, spoilt: Path, tmp_path: Path) -> None:
    cli("retract", "wrong.jsonl", "--yes", "--data", spoilt)
    event = {"event_id": "n", "customer_id": "c0000001", "occurred_at": "2025-07-01", "order_id": "n", "amount": 5}
    (tmp_path / "more.jsonl").write_bytes(lines_of([event]))
    feed_into(spoilt, [tmp_path / "more.jsonl"])
    assert cli("replay", "--data", spoilt).code == 0
    assert cli("doctor", "--data", spoilt).code == 0
    assert cli("record", "--data", spoilt).code == 0


@pytest.mark.parametrize("words", [["nothing.csv"], ["wrong.jsonl", "--import", "1"]])
def test_what_is_not_there_is_not_taken_back(cli: Cli, spoilt: Path, words: list[str]) -> None:
    ran = cli("retract", *words, "--yes", "--data", spoilt)
    assert ran.code == 1
    assert words[0] in ran.err


def test_killed_on_the_way_it_leaves_the_folder_as_it_was(cli: Cli, spoilt: Path) -> None:
    before = asked(spoilt, "SELECT * FROM journal")
    command = [*PROGRAM, "retract", "wrong.jsonl", "--yes", "--data", str(spoilt)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        while not (spoilt / FOLDER / FILE).exists():
            assert running.poll() is None
            time.sleep(0.01)
        os.kill(running.pid, signal.SIGKILL)
    assert asked(spoilt, "SELECT * FROM journal") == before
    assert cli("replay", "--data", spoilt).code == 0
    assert cli("retract", "wrong.jsonl", "--yes", "--data", spoilt).code == 0
    assert not (spoilt / FOLDER).exists()
