"""`streamproc doctor`: what is wrong with a data folder or the installation, and what mends it."""

import sys
from collections.abc import Iterator
from importlib.util import find_spec

from streamproc.adapters.embedded.checks import Finding, check_folder
from streamproc.cli.common import ConfigOption, DataOption, JsonOption, LanguageOption, command, wall
from streamproc.cli.findings import tell


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
        tell(screen, findings, json=json)


def _installation() -> Iterator[Finding]:
    if find_spec("pyarrow") is None:
        detail = f"pyarrow is not installed: Parquet files cannot be read ({sys.executable} -m pip install pyarrow)"
        yield Finding(check="parquet", level="note", detail=detail)
    else:
        yield Finding(check="parquet", level="ok", detail="pyarrow is installed")
