"""With --lang zh-CN what the commands say is Chinese: no English sentence is left between."""

import re
import subprocess
from pathlib import Path

import pytest

from tests.cli.shop import PROGRAM, Cli, asked, changed

HAN = re.compile(r"[\u4e00-\u9fff]")
ENGLISH = re.compile(r"(?:\b[A-Za-z]{2,}[ ,;:]+){3,}")
"""Three words of English one after another."""
QUOTED = re.compile(r"`[^`]*`|streamproc( [\w-]+)+( --[\w-]+ \S+)*")
"""Commands are the same in every language."""

ROWS = "customer_id,date,amount\nc-1,2025-01-01,5\nc-1,01.02.2025,5\nc-2,2025-02-01,much\nc-2,2025-02-01\n"


def english_in(text: str) -> list[str]:
    return [line for line in text.splitlines() if ENGLISH.search(QUOTED.sub("", line))]


def test_english_would_be_seen() -> None:
    assert english_in("ok\n3 records read, 0 new\nall that was taken in is kept\n") == ["all that was taken in is kept"]
    assert english_in("见`streamproc models list --data x`和streamproc run --data y") == []


def test_a_run_tells_all_in_chinese(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(ROWS, encoding="utf-8")
    ran = cli("run", "orders.csv", "--exit-when-done", "--data", "d", "--lang", "zh-CN")
    assert ran.code == 0
    assert "读取4条记录，新增1条，拒绝3条" in ran.out
    for said in (
        "拒绝1条：occurred_at：不是时间",
        "拒绝1条：amount：不是普通小数",
        "拒绝1条：有2格，而表头为3格",
        "streamproc dead-letters list --data d可列出它们",
        "date → occurred_at（",
        "时间为2025-01-01T",
    ):
        assert said in ran.out
    assert english_in(ran.out + ran.err) == []
    again = cli("run", "orders.csv", "--exit-when-done", "--data", "d", "--lang", "zh-CN")
    assert "新增0条，已有1条，拒绝3条" in again.out


def test_all_refused_is_told_in_chinese(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text("customer_id,date\nc-1,soon\n", encoding="utf-8")
    ran = cli("run", "orders.csv", "--exit-when-done", "--data", "d", "--lang", "zh-CN")
    assert ran.code == 1
    assert ran.err == "所有记录都被拒绝：`streamproc dead-letters list --data d`会说明原因；其他格式可用--map说明读法\n"


def test_dead_letters_tell_why_in_chinese_and_stay_as_they_were(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "orders.csv").write_text(ROWS, encoding="utf-8")
    cli("run", "orders.csv", "--exit-when-done", "--data", "d")
    listed = cli("dead-letters", "list", "--data", "d", "--lang", "zh-CN")
    assert "有2格，而表头为3格" in listed.out
    assert english_in(listed.out) == []
    (number,) = asked(tmp_path / "d", "SELECT id FROM dead_letters WHERE reason = 'bad_row'")
    shown = cli("dead-letters", "show", number, "--data", "d", "--lang", "zh-CN").out
    assert "有2格，而表头为3格" in shown
    assert shown.endswith("c-2,2025-02-01\n")
    (line,) = cli("dead-letters", "show", number, "--json", "--data", "d", "--lang", "zh-CN").lines
    assert line["detail"] == "2 cells where the header has 3"


@pytest.mark.parametrize(
    "words",
    [
        "run",
        "run --demo x.csv",
        "dead-letters redrive",
        "dead-letters show 4711",
        "models show nothing",
        "models rollback",
        "models unpin",
        "customer nobody",
    ],
)
def test_what_cannot_be_done_is_told_in_chinese(cli: Cli, own: Path, words: str) -> None:
    changed(own, "DELETE FROM models")
    ran = cli(*words.split(), "--data", own, "--lang", "zh-CN")
    assert ran.code in (1, 2)
    assert HAN.search(ran.err), ran.err
    assert english_in(ran.err) == []


@pytest.mark.parametrize("words", ["status", "warnings", "models list", "customer c0000019", "why c0000019", "replay"])
def test_answers_are_chinese(cli: Cli, folder: Path, words: str) -> None:
    ran = cli(*words.split(), "--data", folder, "--lang", "zh-CN")
    assert ran.code == 0
    assert HAN.search(ran.out)
    assert english_in(ran.out + ran.err) == []


def test_disorder_on_standard_input_is_told(tmp_path: Path) -> None:
    for language, said in (
        ("en", "up to 240 h out of order, more than the allowed lateness of 24 h"),
        ("zh-CN", "乱序最多达240小时，超过允许的迟到24小时"),
    ):
        command = [*PROGRAM, "run", "-", "--exit-when-done", "--data", str(tmp_path / language), "--lang", language]
        fed = b"customer_id,date\nc-1,2025-01-11\nc-1,2025-01-01\n"
        ran = subprocess.run(command, input=fed, capture_output=True, check=True, timeout=60)
        assert said in ran.stdout.decode().replace("\n", " ")
