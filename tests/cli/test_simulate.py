"""`streamproc simulate`: the simulator's own bytes, from the command line."""

from datetime import date
from pathlib import Path

import pytest

from streamproc.simulate import STREAMS, Dirt, Shop, write
from tests.cli.shop import Cli, asked, feed_into


def test_the_files_are_the_simulators(cli: Cli, tmp_path: Path) -> None:
    dirt = Dirt(duplicates=0.05, disorder=0.1, poison=0.02)
    shop = Shop(customers=20, days=90, seed=9, start=date(2023, 5, 1), currency="USD", dirt=dirt)
    counts = write(shop, tmp_path / "wanted")
    words = "--customers 20 --days 90 --seed 9 --start 2023-05-01 --currency USD --duplicates 0.05 --disorder 0.1"
    ran = cli("simulate", *words.split(), "--poison", "0.02", "--out", "made")
    assert ran.code == 0
    for name in STREAMS:
        made = (tmp_path / "made" / f"{name}.jsonl").read_bytes()
        assert made == (tmp_path / "wanted" / f"{name}.jsonl").read_bytes()
        assert f"{counts[name]:,}  made/{name}.jsonl" in ran.out


def test_what_it_writes_can_be_read(cli: Cli, tmp_path: Path) -> None:
    assert cli("simulate", "--customers", 5, "--days", 60, "--out", "shop").code == 0
    feed_into(tmp_path / "d", [tmp_path / "shop" / "purchases.jsonl"])
    assert asked(tmp_path / "d", "SELECT count(*) FROM dead_letters") == [0]
    assert cli("status", "--data", "d").code == 0


@pytest.mark.parametrize(
    "words",
    [
        ["--customers", "0"],
        ["--poison", "2"],
        ["--days", "x"],
        ["--start", "1850-01-01"],
        ["--start", "tomorrow"],
        ["--seed"],
    ],
)
def test_wrong_wishes_are_exit_code_2(cli: Cli, words: list[str]) -> None:
    assert cli("simulate", "--out", "shop", *words).code == 2


@pytest.mark.parametrize(
    ("out", "why"),
    [("file", "that is a file"), ("file/shop", "part of the path is a file"), ("/proc/shop", "cannot be")],
)
def test_a_folder_that_cannot_be_written_is_wrong_usage_and_told_at_once(
    cli: Cli, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, out: str, why: str
) -> None:
    monkeypatch.setattr("streamproc.cli.simulate.write", lambda *_: pytest.fail("began to work"))
    (tmp_path / "file").write_bytes(b"")
    ran = cli("simulate", "--customers", 1, "--days", 1, "--out", out)
    assert (ran.code, ran.out) == (2, "")
    assert ran.err.startswith(f"--out {out}: ")
    assert why in ran.err
    assert "Errno" not in ran.err
