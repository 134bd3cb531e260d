"""`streamproc replay`: the same journal gives the same feed, byte for byte, and another policy another one."""

from pathlib import Path

import pytest

from tests.cli.shop import Cli, asked, changed


def stored(folder: Path) -> bytes:
    return b"".join(body + b"\n" for body in asked(folder, "SELECT body FROM feed ORDER BY seq"))


@pytest.mark.parametrize("partitions", [1, 4])
def test_the_feed_comes_out_byte_for_byte(cli: Cli, folder: Path, partitions: int) -> None:
    ran = cli("replay", "--json", "--partitions", partitions, "--data", folder)
    assert ran.code == 0
    assert ran.raw == stored(folder)
    count = asked(folder, "SELECT count(*) FROM feed")[0]
    assert f"Identical: {count} lines." in ran.err
    assert f"Identical: {count} lines." in cli("replay", "--data", folder).out


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE feed SET body = CAST(replace(body, 'raised', 'roused') AS BLOB) WHERE seq = 3",
        "DELETE FROM feed WHERE seq = 3",
        "INSERT INTO feed SELECT 999, warning_id, customer, at, kind, body FROM feed WHERE seq = 3",
    ],
)
def test_the_first_difference_is_shown(cli: Cli, own: Path, change: str) -> None:
    changed(own, change)
    ran = cli("replay", "--data", own)
    assert ran.code == 1
    last = asked(own, "SELECT count(*) FROM feed")[0]
    assert f"Line {last if 'INSERT' in change else 3} of the feed differs." in ran.err
    assert "stored:" in ran.err
    assert "replayed:" in ran.err


def counts(shown: str) -> dict[str, list[str]]:
    """The table's rows by their first words."""
    rows = [line.strip().split("  ") for line in shown.splitlines() if line.strip()]
    return {row[0]: [cell.strip() for cell in row[1:] if cell.strip()] for row in rows}


def test_the_same_policy_changes_nothing(cli: Cli, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "same.toml").write_text("", encoding="utf-8")
    ran = cli("replay", "--policy", "same.toml", "--json", "--data", folder)
    assert (ran.code, ran.raw) == (0, stored(folder))
    table = counts(ran.err)
    raised = str(asked(folder, "SELECT count(*) FROM warnings")[0])
    assert table["warnings"] == table["raised both times"] == [raised, raised]
    assert table["raised only so"] == ["0", "0"]
    right, judged = asked(folder, "SELECT sum(verdict), count(verdict) FROM warnings")[0]
    assert table["of these right (precision)"] == [f"{right / judged:.0%}".replace("%", " %")] * 2


def test_a_stricter_policy_warns_less_and_nothing_is_written(cli: Cli, own: Path, tmp_path: Path) -> None:
    before = (own / "streamproc.db").read_bytes()
    (tmp_path / "strict.toml").write_text("raise_at = 0.7\nescalate_at = 0.9\n", encoding="utf-8")
    ran = cli("replay", "--policy", "strict.toml", "--json", "--data", own)
    then, now = (int(n) for n in counts(ran.err)["warnings"])
    assert now < then == asked(own, "SELECT count(*) FROM warnings")[0]
    raised = [line for line in ran.lines if line["kind"] == "raised"]
    assert len(raised) == now
    assert all(line["probability"] >= 0.7 for line in raised if line["warning_kind"] == "churn")
    assert (own / "streamproc.db").read_bytes() == before


def test_a_looser_policy_warns_more(cli: Cli, folder: Path, tmp_path: Path) -> None:
    (tmp_path / "loose.toml").write_text("raise_at = 0.3\nclear_at = 0.2\ncooldown_days = 0\n", encoding="utf-8")
    then, now = (int(n) for n in counts(cli("replay", "--policy", "loose.toml", "--data", folder).out)["warnings"])
    assert now > then


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("raise_at = 0.2", "clear_at <= raise_at"),
        ("raise_at = 'high'", "raise_at"),
        ("threshold = 1", "threshold; there are name, raise_at"),
        ("raise_at =", "cannot read"),
    ],
)
def test_a_wrong_policy_is_exit_code_2(cli: Cli, folder: Path, tmp_path: Path, text: str, told: str) -> None:
    (tmp_path / "wrong.toml").write_text(text, encoding="utf-8")
    ran = cli("replay", "--policy", "wrong.toml", "--data", folder)
    assert (ran.code, ran.raw) == (2, b"")
    assert told in ran.err
    assert cli("replay", "--policy", "gone.toml", "--data", folder).code == 2
