"""`streamproc backtest` as a person meets it: files in, files out, errors that say what to do."""

import csv
import json
import signal
import subprocess
import sys
from contextlib import chdir
from pathlib import Path
from typing import NamedTuple

import pytest
from typer.testing import CliRunner

from streamproc.cli.main import app
from streamproc.simulate import Shop, simulate

COMMAND = [sys.executable, "-c", "from streamproc.cli.main import app; app()", "backtest"]
SHOP = Shop(customers=60, days=300, seed=2)
CUTS = "2024-05-01,2024-06-01T00:00:00Z,2024-10-20"


class Ran(NamedTuple):
    code: int
    stdout: str
    stderr: str


def ran(folder: Path, *words: str) -> Ran:
    with chdir(folder):
        result = CliRunner().invoke(app, ["backtest", *words])
    return Ran(result.exit_code, result.stdout, result.stderr)


def orders(folder: Path, shop: Shop = SHOP) -> Path:
    path = folder / "orders.jsonl"
    path.write_bytes(b"\n".join(event.line for event in simulate(shop) if event.stream == "purchases"))
    return path


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    where = tmp_path_factory.mktemp("backtest")
    orders(where)
    return where


def rows(path: Path) -> list[dict[str, str]]:
    with path.open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def test_risks_are_written_and_judged(folder: Path) -> None:
    done = ran(folder, "orders.jsonl", "--horizon", "60d", "--cuts", CUTS, "--out", "risks.csv", "--report")
    assert done.code == 0, done.stderr
    written = rows(folder / "risks.csv")
    assert sorted({row["cut"] for row in written}) == [f"2024-{day}T00:00:00Z" for day in ("05-01", "06-01", "10-20")]
    assert len({(row["cut"], row["customer_id"]) for row in written}) == len(written)
    assert all(0 < float(row["risk"]) < 1 for row in written)
    for word in ("active", "BG/NBD", "recency", "base rate", "2024-10-20T00:00:00Z: not judged", "risks.html"):
        assert word in done.stdout
    html = (folder / "risks.html").read_text(encoding="utf-8")
    assert "Backtest: orders.jsonl" in html
    assert "prior" in html
    assert {path.name for path in folder.iterdir()} >= {"orders.jsonl", "risks.csv", "risks.html"}
    assert not list(folder.glob("*.part"))


def test_json_is_lines_and_the_same_risks(folder: Path) -> None:
    plain = ran(folder, "orders.jsonl", "--horizon", "60", "--cuts", CUTS, "--out", "plain.csv")
    assert plain.code == 0, plain.stderr
    assert not (folder / "plain.html").exists()
    done = ran(folder, "orders.jsonl", "--horizon", "60d", "--cuts", CUTS, "--out", "r.csv", "--report", "--json")
    assert done.code == 0, done.stderr
    lines = [json.loads(line) for line in done.stdout.splitlines()]
    assert [line["kind"] for line in lines] == ["backtest", *["figures"] * 8, *["cut"] * 2]
    assert lines[0]["risks"] == len(rows(folder / "r.csv"))
    assert lines[0]["page"] == "r.html"
    assert {"population", "model", "auc", "auc_by_cut", "log_loss", "lift_10"} <= set(lines[1])
    assert {"at", "speaks", "customers", "active", "auc"} <= set(lines[-1])
    assert (folder / "r.csv").read_bytes() == (folder / "plain.csv").read_bytes()


def test_cuts_come_from_a_file(folder: Path) -> None:
    (folder / "cuts.txt").write_text(
        "# horizon 60 d\n2024-05-01T00:00:00Z\n\n2024-06-01T02:00:00+02:00\n", encoding="utf-8"
    )
    done = ran(folder, "orders.jsonl", "--horizon", "60d", "--cuts", "cuts.txt", "--out", "f.csv")
    assert done.code == 0, done.stderr
    assert sorted({row["cut"] for row in rows(folder / "f.csv")}) == ["2024-05-01T00:00:00Z", "2024-06-01T00:00:00Z"]


def test_a_mapping_tells_how_to_read(folder: Path) -> None:
    (folder / "shop.csv").write_text(
        "Kunde;Tag;Betrag\n" + "".join(f"k{d % 7};2024-03-{d:02};5,00\n" for d in range(1, 31)), encoding="utf-8"
    )
    (folder / "map.toml").write_text(
        'decimal_comma = true\n[columns]\ncustomer_id = "Kunde"\noccurred_at = "Tag"\namount = "Betrag"\n',
        encoding="utf-8",
    )
    words = ("shop.csv", "--map", "map.toml", "--horizon", "7d", "--cuts", "2024-03-20", "--out", "m.csv")
    done = ran(folder, *words)
    assert done.code == 0, done.stderr
    assert [row["customer_id"] for row in rows(folder / "m.csv")] == [f"k{n}" for n in range(7)]


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("orders.jsonl", "--horizon", "1.5d", "--cuts", CUTS), 2, "whole days"),
        (("orders.jsonl", "--horizon", "0d", "--cuts", CUTS), 2, "whole days"),
        (("orders.jsonl", "--horizon", "60d", "--cuts", "#"), 2, "no time"),
        (("orders.jsonl", "--horizon", "60d", "--cuts", ","), 2, "no cut"),
        (("orders.jsonl", "--horizon", "60d", "--cuts", "cuts-of-mine.txt"), 2, "no file"),
        (("orders.jsonl", "--horizon", "60d", "--cuts", "2024-05-01T00:30:00Z"), 2, "full hour"),
        (("orders.jsonl", "--horizon", "60d", "--cuts", "2019-05-01"), 2, "first event"),
        (("orders.jsonl", "--horizon", "60d", "--cuts", CUTS, "--map", "none.toml"), 2, "none.toml"),
        (("none.csv", "--horizon", "60d", "--cuts", CUTS), 3, "there is no file none.csv"),
        (("orders.jsonl", "--horizon", "60d", "--cuts", "2024-10-20", "--report"), 1, "nothing to judge"),
    ],
)
def test_errors_say_what_to_do(folder: Path, words: tuple[str, ...], code: int, told: str) -> None:
    done = ran(folder, *words, "--out", "bad.csv")
    assert done.code == code
    assert told in done.stderr
    assert "Traceback" not in done.stderr
    assert (folder / "bad.csv").exists() == (code == 1)
    assert not list(folder.glob("*.part"))
    (folder / "bad.csv").unlink(missing_ok=True)


def test_ctrl_c_leaves_what_was_there(tmp_path: Path) -> None:
    orders(tmp_path, Shop(customers=500, days=700, seed=2))
    (tmp_path / "risks.csv").write_text("from before", encoding="utf-8")
    # So many cuts that the signal finds it at work, however late it comes.
    cuts = ",".join(f"2025-{month:02}-{day:02}" for month in range(1, 12) for day in range(1, 29))
    words = ["orders.jsonl", "--horizon", "60d", "--cuts", cuts, "--out", "risks.csv"]
    with subprocess.Popen([*COMMAND, *words], cwd=tmp_path, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert process.stderr.readline().startswith("orders.jsonl")
        process.send_signal(signal.SIGINT)
        told = process.stderr.read()
        assert process.wait() == 130, told
    assert "Traceback" not in told
    assert (tmp_path / "risks.csv").read_text(encoding="utf-8") == "from before"
    assert {path.name for path in tmp_path.iterdir()} == {"orders.jsonl", "risks.csv"}


def test_help_teaches() -> None:
    done = ran(Path(), "--help")
    assert done.code == 0
    assert "streamproc backtest orders.csv --horizon 91d" in done.stdout


@pytest.mark.parametrize(
    ("out", "why"),
    [
        ("gone/risks.csv", "there is no folder gone: make it"),
        ("pages", "that is a folder, and a file is wanted: pages/risks.csv"),
        (".", "that is a folder"),
        ("/proc/risks.csv", "/proc cannot be written"),
        ("risks.html", "--report writes its page there"),
        ("pages.csv", "--report: pages.html is a folder"),
    ],
)
def test_an_impossible_place_for_the_answer_is_told_before_the_work(
    folder: Path, monkeypatch: pytest.MonkeyPatch, out: str, why: str
) -> None:
    monkeypatch.setattr("streamproc.cli.backtest.open_sources", lambda *_, **__: pytest.fail("began to work"))
    for name in ("pages", "pages.html"):
        (folder / name).mkdir(exist_ok=True)
    found = ran(folder, "orders.jsonl", "--horizon", "60d", "--cuts", CUTS, "--out", out, "--report")
    assert (found.code, found.stdout) == (2, "")
    assert why in found.stderr
    assert "Errno" not in found.stderr


def test_an_answer_that_is_there_already_stays_until_there_is_another(folder: Path) -> None:
    (folder / "old.csv").write_text("precious", encoding="utf-8")
    assert ran(folder, "gone.jsonl", "--horizon", "60d", "--cuts", CUTS, "--out", "old.csv").code == 3
    assert (folder / "old.csv").read_text(encoding="utf-8") == "precious"
    assert not list(folder.glob("old.csv?*"))
