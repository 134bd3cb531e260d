"""The program as a whole: its help, its exit codes, what it loads, what it does with a closed pipe."""

import inspect
import re
import subprocess
import sys
from pathlib import Path

import pytest
import typer

import streamproc
from streamproc.cli.main import COMMANDS
from tests.cli.shop import PROGRAM, Cli, asked

GROUPS = {
    "dead-letters": ("list", "show", "redrive"),
    "models": ("list", "show", "pin", "unpin", "rollback"),
    "topics": ("plan", "create", "check"),
}
EVERY: list[tuple[str, ...]] = [(name,) for name in COMMANDS if name not in GROUPS]
EVERY += [(group, name) for group, names in GROUPS.items() for name in names]
READERS = ["warnings", "status", "replay", "dead-letters list", "models list", "models rollback", "customer c", "why c"]


def test_help_lists_every_command(cli: Cli) -> None:
    shown = cli("--help")
    assert shown.code == 0
    for name, entry in COMMANDS.items():
        assert re.search(rf"^.\s*{name}\s+{re.escape(entry.short[:30])}", shown.out, re.MULTILINE), name


@pytest.mark.parametrize("name", COMMANDS)
def test_the_list_says_what_the_command_says_of_itself(name: str) -> None:
    loaded = COMMANDS[name].load()
    said = loaded.info.help if isinstance(loaded, typer.Typer) else inspect.getdoc(loaded)
    assert isinstance(said, str)
    assert said.replace("\n", " ").startswith(COMMANDS[name].short.removesuffix("."))


@pytest.mark.parametrize("words", EVERY)
def test_every_command_explains_itself(cli: Cli, words: tuple[str, ...]) -> None:
    shown = cli(*words, "--help")
    assert shown.code == 0
    assert len(shown.out.splitlines()) > 3
    assert "--help" in shown.out


def test_no_words_show_the_help(cli: Cli) -> None:
    assert "Commands" in cli().out


def test_the_version_is_told_both_ways(cli: Cli) -> None:
    assert cli("version").out == cli("--version").out == f"{streamproc.__version__}\n"


@pytest.mark.parametrize("words", [["bogus"], ["warnings", "--bogus"], ["status", "--lang", "fr"], ["customer"]])
def test_wrong_usage_is_exit_code_2(cli: Cli, words: list[str]) -> None:
    assert cli(*words).code == 2


@pytest.mark.parametrize("words", READERS)
def test_a_missing_folder_is_exit_code_3_and_says_how_to_begin(cli: Cli, tmp_path: Path, words: str) -> None:
    gone = tmp_path / "gone"
    ran = cli(*words.split(), "--data", gone)
    assert (ran.code, ran.out) == (3, "")
    assert f"streamproc run FILE --data {gone}" in ran.err
    assert not gone.exists()


@pytest.mark.parametrize("words", [*READERS, "backup copy.db", "dead-letters redrive --all", "run orders.csv"])
def test_a_folder_of_a_newer_program_is_exit_code_3_and_says_upgrade(cli: Cli, own: Path, words: str) -> None:
    asked(own, "PRAGMA user_version = 99")
    Path("orders.csv").write_text("customer_id,date,amount\n", encoding="utf-8")
    ran = cli(*words.split(), "--data", own)
    assert (ran.code, ran.out) == (3, "")
    assert "written by a newer streamproc (schema 99" in ran.err
    assert "upgrade" in ran.err


def test_wrong_settings_are_exit_code_2_and_name_the_field(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "streamproc.toml").write_text("horizon_days = 0\n", encoding="utf-8")
    ran = cli("status")
    assert ran.code == 2
    assert "horizon_days" in ran.err


def test_language_and_folder_may_come_from_the_settings(cli: Cli, tmp_path: Path, folder: Path) -> None:
    (tmp_path / "streamproc.toml").write_text(f'data = "{folder}"\nlanguage = "zh-CN"\n', encoding="utf-8")
    assert "顾客资产" in cli("status").out
    assert "Customer equity" in cli("status", "--lang", "en").out


def test_reading_commands_do_not_wait_for_what_they_do_not_need(folder: Path) -> None:
    program = (
        "import sys; from typer.testing import CliRunner; from streamproc.cli.main import app\n"
        "def loaded(*words):\n"
        "    assert CliRunner().invoke(app, words).exit_code == 0\n"
        "    return sorted({'river', 'scipy', 'pandas', 'starlette'} & set(sys.modules))\n"
        f"folder = {str(folder)!r}\n"
        "print(loaded('--help'), loaded('status', '--data', folder), loaded('replay', '--data', folder))"
    )
    shown = subprocess.run([sys.executable, "-c", program], check=True, capture_output=True, text=True)
    assert shown.stdout == "[] [] ['scipy']\n"  # a replay judges the days again


@pytest.mark.parametrize("words", [["warnings", "--json"], ["replay", "--json"], ["warnings"]])
def test_a_closed_pipe_ends_quietly(folder: Path, words: list[str]) -> None:
    program = subprocess.Popen(
        [*PROGRAM, *words, "--data", str(folder)], stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    assert program.stdout is not None
    assert program.stderr is not None
    program.stdout.close()
    with program:
        told = program.stderr.read()
    assert b"Traceback" not in told
    assert b"Error" not in told
    assert program.returncode == 0
