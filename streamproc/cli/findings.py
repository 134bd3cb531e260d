"""How findings are shown, whoever looked: a data folder's checks or a cluster's."""

from collections.abc import Sequence
from typing import Protocol

import typer
from rich.markup import escape
from rich.table import Table

from streamproc.cli.common import FINDING, Screen, print_json

STYLES = {"ok": "", "note": "cyan", "fault": "bold red"}


class Finding(Protocol):
    """One check: `ok`, a `note`, or a `fault` with what mends it."""

    @property
    def check(self) -> str:
        """What was looked at."""

    @property
    def level(self) -> str:
        """How bad it is."""

    @property
    def detail(self) -> str:
        """What was found."""

    @property
    def mend(self) -> str:
        """The command that mends it, or nothing."""


def tell(screen: Screen, findings: Sequence[Finding], *, json: bool) -> None:
    """Shows all of them; ends with exit code 1 if there is a fault."""
    if json:
        for finding in findings:
            print_json(finding)
    else:
        _show(screen, findings)
    if any(finding.level == "fault" for finding in findings):
        raise typer.Exit(FINDING)


def _show(screen: Screen, findings: Sequence[Finding]) -> None:
    table = Table(box=None, padding=(0, 2), show_header=False)
    levels = {"ok": screen.words.say("ok"), "note": screen.words.say("note"), "fault": screen.words.say("FAULT")}
    for finding in findings:
        mend = f"\n→ {finding.mend}" if finding.mend else ""
        text = escape(f"{finding.detail}{mend}")
        table.add_row(levels[finding.level], escape(finding.check), text, style=STYLES[finding.level])
    screen.out.print(table)
