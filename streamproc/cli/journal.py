"""`streamproc journal`: the cluster's journal as files, as it comes, and begun with a data folder's past."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import msgspec
import typer

from streamproc.adapters.kafka.export import Part, export
from streamproc.adapters.kafka.reading import topics_of
from streamproc.adapters.kafka.reading_journal import Journal, Seen
from streamproc.cli import journal_import, journal_rewrite
from streamproc.cli.common import ConfigOption, JsonOption, Screen, command, print_json
from streamproc.cli.outputs import check_file, check_folder, long_work
from streamproc.config import ConfigError
from streamproc.core.ids import partition_of
from streamproc.core.time import to_text

app = typer.Typer(
    help="The journal on Kafka: into files, as it comes, out of a data folder.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)
app.command("import")(journal_import.import_)
app.command("rewrite")(journal_rewrite.rewrite)

PartitionOption = Annotated[int | None, typer.Option(min=0, help="Only this partition.")]


@app.command("export")
def export_(
    *,
    out: Annotated[Path, typer.Option(metavar="FILE|DIR", help="One file, or a folder for a file each.")],
    partition: PartitionOption = None,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Write the journal into files: JSON Lines, a record each, partition by partition, in their order.

    Before a partition's records stands a line of `"type": "manifest"` with its number and its offsets. A name that ends
    in `.jsonl` or `.gz` is one file, packed if it ends in `.gz`; any other is a folder, with a packed file a partition.
    Only what is committed by now is in it; workers may run meanwhile.

    For example:

        streamproc journal export --out journal.jsonl.gz
        streamproc journal export --out backup/ --partition 3
    """
    with command(config) as screen, _journal(screen) as journal:
        in_folder = out.is_dir() or out.suffix not in {".jsonl", ".gz"}
        (check_folder if in_folder else check_file)("--out", out)
        reader = journal.reader(*_chosen(journal, partition))
        with long_work(screen, "journal", reader.total) as done:
            for part in export(journal, reader, out, in_folder=in_folder):
                done(reader.done)
                if part is not None:
                    _tell(screen, part, json=json)


@app.command()
def tail(
    *,
    partition: PartitionOption = None,
    customer: Annotated[str | None, typer.Option(metavar="ID", help="Only this customer's own records.")] = None,
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Show what is committed to the journal from now on, until Ctrl-C.

    With `--json` a line has `partition`, `offset` and the `record`; a record that cannot be read is null.

    For example:

        streamproc journal tail --customer c-1017
        streamproc journal tail --json | jq 'select(.record.type == "tick").record.at'
    """
    with command(config) as screen, _journal(screen) as journal:
        numbers = _chosen(journal, partition) or sorted(journal.spans)
        if customer is not None:
            own = partition_of(customer, len(journal.spans))
            numbers = [number for number in numbers if number == own]
        if not numbers:
            raise ConfigError(f"{customer} belongs to another partition than --partition {partition}: leave that out")
        news = journal.news(numbers, customer)
        screen.note("Waiting for records; Ctrl-C ends.")
        for seen in news:
            print_json(_as_json(seen)) if json else screen.line(_line(seen))


@contextmanager
def _journal(screen: Screen) -> Iterator[Journal]:
    with topics_of(screen.settings.kafka) as topics:
        yield Journal(topics)


def _chosen(journal: Journal, partition: int | None) -> list[int]:
    """The one that was asked for, else none by name."""
    if partition is not None and partition not in journal.spans:
        last = len(journal.spans) - 1
        raise ConfigError(f"--partition {partition}: {journal.topic} has partitions 0 to {last}")
    return [] if partition is None else [partition]


def _tell(screen: Screen, part: Part, *, json: bool) -> None:
    manifest = part.manifest
    if json:
        print_json(
            {
                "partition": manifest.partition,
                "begin": manifest.begin,
                "end": manifest.end,
                "records": part.records,
                "file": part.file,
            }
        )
    else:
        screen.line(f"partition {manifest.partition}: {part.records:,} records in {part.file}")


def _as_json(seen: Seen) -> dict[str, object]:
    record = None if seen.read is None else msgspec.Raw(seen.body)
    return {"partition": seen.partition, "offset": seen.offset, "record": record}


def _line(seen: Seen) -> str:
    place = f"{seen.partition}:{seen.offset}"
    if seen.read is None:
        return f"{place}  cannot be read"
    kind = str(seen.read.__struct_config__.tag)
    return f"{place}  {to_text(seen.read.at)}  {kind}  {getattr(seen.read, 'customer_id', '')}".rstrip()
