"""`streamproc doctor`: what is wrong with a data folder or the installation, and what mends it."""

import sys
from collections.abc import Iterator
from importlib.util import find_spec

import typer
from rich.markup import escape
from rich.table import Table

from streamproc.adapters.embedded.checks import Finding, check_folder
from streamproc.cli.common import (
    FINDING,
    ConfigOption,
    DataOption,
    JsonOption,
    LanguageOption,
    Screen,
    command,
    print_json,
    wall,
)

STYLES = {"ok": "", "note": "cyan", "fault": "bold red"}


def doctor(
    *, json: JsonOption = False, data: DataOption = None, lang: LanguageOption = None, config: ConfigOption = None
) -> None:
    """Look for what is wrong with a data folder or the installation; each fault comes with what mends it.

    Nothing is changed, and another process may run on the folder. Exit code 1: there is a fault.

    For example:

        streamproc doctor --data streamproc-data
    """
    with command(config, data, lang) as screen:
        findings = [*check_folder(screen.settings.data, wall()), *_installation()]
        if json:
            for finding in findings:
                print_json(finding)
        else:
            _show(screen, findings)
        if any(finding.level == "fault" for finding in findings):
            raise typer.Exit(FINDING)


def _installation() -> Iterator[Finding]:
    if find_spec("pyarrow") is None:
        detail = f"pyarrow is not installed: Parquet files cannot be read ({sys.executable} -m pip install pyarrow)"
        yield Finding(check="parquet", level="note", detail=detail)
    else:
        yield Finding(check="parquet", level="ok", detail="pyarrow is installed")


def _show(screen: Screen, findings: list[Finding]) -> None:
    table = Table(box=None, padding=(0, 2), show_header=False)
    levels = {"ok": screen.words.say("ok"), "note": screen.words.say("note"), "fault": screen.words.say("FAULT")}
    for finding in findings:
        mend = f"\n→ {finding.mend}" if finding.mend else ""
        text = escape(f"{finding.detail}{mend}")
        table.add_row(levels[finding.level], finding.check, text, style=STYLES[finding.level])
    screen.out.print(table)
