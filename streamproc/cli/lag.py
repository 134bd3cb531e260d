"""`streamproc lag`: how far each processor on Kafka is behind what there is to read."""

import typer
from rich.table import Table

from streamproc.adapters.kafka.lag import Lag, read_lags
from streamproc.adapters.kafka.tools import admin_of
from streamproc.cli.common import FINDING, ConfigOption, JsonOption, Screen, command, print_json


def lag(*, json: JsonOption = False, config: ConfigOption = None) -> None:
    """How far each processor on Kafka is behind what there is to read, partition by partition.

    Counted in records that are committed; the positions are those that the workers told last, every few seconds.
    Exit code 1: records were deleted before they were read, or there are no topics.

    For example:

        streamproc lag --json
    """
    with command(config) as screen:
        kafka = screen.settings.kafka
        with admin_of(kafka) as admin:
            lags = read_lags(admin, kafka)
        if json:
            for one in lags:
                print_json(one)
        elif lags:
            _show(screen, lags)
        else:
            screen.note("none of the topics is there: `streamproc topics create`")
        if not lags or any(one.lost for one in lags):
            raise typer.Exit(FINDING)


def _show(screen: Screen, lags: list[Lag]) -> None:
    table = Table("processor", "topic", "partition", "position", "end", "lag", box=None, padding=(0, 2))
    for one in lags:
        position = "none" if one.position is None else f"{one.position:,}"
        behind = f"{one.lag:,}" + (f", and {one.lost:,} deleted unread" if one.lost else "")
        style = "bold red" if one.lost else ""
        table.add_row(one.processor, one.topic, str(one.partition), position, f"{one.end:,}", behind, style=style)
    screen.out.print(table)
