"""`streamproc doctor`: what is wrong with a data folder or the installation, and what mends it."""

import sys
from collections.abc import Iterator, Sequence
from importlib.util import find_spec

from streamproc.adapters.embedded.checks import Finding, check_folder
from streamproc.cli.common import ConfigOption, DataOption, JsonOption, LanguageOption, command, wall
from streamproc.cli.findings import Finding as Shown
from streamproc.cli.findings import tell
from streamproc.config import Settings


def doctor(
    *, json: JsonOption = False, data: DataOption = None, lang: LanguageOption = None, config: ConfigOption = None
) -> None:
    """Look for what is wrong with a data folder or the installation; each fault comes with what mends it.

    Nothing is changed, and another process may run on the folder. Where Kafka brokers are set and no `--data` is
    given, it looks at the cluster instead: brokers, topics, clocks, disks, Redis. Exit code 1: there is a fault.

    For example:

        streamproc doctor --data streamproc-data
    """
    with command(config, data, lang) as screen:
        found = _cluster(screen.settings) if screen.settings.kafka.brokers and data is None else None
        findings = [*(found or check_folder(screen.settings.data, wall())), *_installation()]
        tell(screen, findings, json=json)


def _cluster(settings: Settings) -> Sequence[Shown]:
    from streamproc.cli.doctor_cluster import cluster_findings  # noqa: PLC0415 - a folder's doctor needs no Kafka

    return list(cluster_findings(settings, wall()))


def _installation() -> Iterator[Finding]:
    if find_spec("pyarrow") is None:
        detail = f"pyarrow is not installed: Parquet files cannot be read ({sys.executable} -m pip install pyarrow)"
        yield Finding(check="parquet", level="note", detail=detail)
    else:
        yield Finding(check="parquet", level="ok", detail="pyarrow is installed")
