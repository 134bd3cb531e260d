"""`streamproc produce`: files or standard input into the firm's topics on Kafka."""

import signal
import sys
import time
from collections.abc import Iterator
from functools import partial
from itertools import count
from pathlib import Path
from types import FrameType
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from streamproc.adapters.kafka.produce import Outgoing, Sender, as_it_is, in_our_words, sender_to
from streamproc.adapters.sources import SourceError, StreamSource, open_sources, sorted_items
from streamproc.cli.common import UNUSABLE, ConfigOption, Screen, command, fail, wall
from streamproc.cli.session import read_mapping
from streamproc.intake.decode import Words
from streamproc.intake.intake import Settings as IntakeSettings
from streamproc.intake.mapping import Mapping
from streamproc.intake.rates import Rates

SHOW_EVERY = 1_000


def produce(
    files: Annotated[list[str], typer.Argument(help='JSON Lines, CSV or Parquet; "-" for standard input.')],
    *,
    map_file: Annotated[Path | None, typer.Option("--map", help="What the columns mean, as for run.")] = None,
    rate: Annotated[float | None, typer.Option(min=0.001, help="At most so many records a second.")] = None,
    topic: Annotated[
        str | None, typer.Option(help="Where what cannot be read goes.", show_default="the topic of purchases")
    ] = None,
    config: ConfigOption = None,
) -> None:
    """Send files to the firm's topics on Kafka, in order of time, keyed by customer.

    Lines of JSON are sent as they are; rows of a table, and JSON that `--map` explains, as events in our own words.
    What cannot be read is sent byte for byte, for the workers to judge. Ctrl-C stops; an event has the same id when
    its file is sent again, so that nothing counts twice within the allowed lateness.

    For example:

        streamproc produce orders.csv complaints.jsonl --rate 500
    """
    with command(config) as screen:
        kafka = screen.settings.kafka
        mapping = read_mapping(map_file)
        stop = _Stop()
        broken = ""
        with sender_to(kafka, topic or kafka.purchases) as sender:
            try:
                _send(_outgoing(screen, files, mapping), sender, screen, stop, rate)
            except SourceError as error:
                broken = str(error)
            except KeyboardInterrupt:
                stop.asked = True
        for name, taken in sorted(sender.taken.items()):
            screen.line(f"{name}: {taken:,}")
        if sender.too_large:
            screen.note(f"not sent, larger than their topic takes: {sender.too_large:,}")
        if broken:
            fail(broken, UNUSABLE)
        if stop.asked:
            raise KeyboardInterrupt


class _Stop:
    """Ctrl-C or SIGTERM: at once while waiting, else after the record in hand, which must not be cut short."""

    def __init__(self) -> None:
        self.asked = False
        self.waiting = False
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, self._ask)

    def _ask(self, _number: int, _frame: FrameType | None) -> None:
        self.asked = True
        if self.waiting:
            self.waiting = False
            raise KeyboardInterrupt


def _outgoing(screen: Screen, files: list[str], mapping: Mapping | None) -> Iterator[Outgoing]:
    """The records of all files in order of time, then those of standard input as they come. Raises SourceError."""
    currency = screen.settings.currency
    rates, settings = Rates(currency), IntakeSettings(keep_text=True, in_order=True)
    plain, ours = partial(as_it_is, words=Words(Mapping())), partial(in_our_words, currency=currency)
    paths = [Path(name) for name in files if name != "-"]
    sources = {source.name: source for source in open_sources(paths, rates, mapping=mapping, settings=settings)}
    if sources:
        untouched = {name for name, source in sources.items() if source.header is None and mapping is None}
        for item in sorted_items(list(sources.values()), wall()):
            turn = plain if item.position.source in untouched else ours
            yield turn(item.raw, item.outcome)._replace(source=item.position.source)
    if "-" in files:
        stream = StreamSource(sys.stdin.buffer, rates, mapping=mapping, settings=IntakeSettings(keep_text=True))
        turn = plain if stream.header is None and mapping is None else ours
        for item in stream.items(wall):
            yield turn(item.raw, item.outcome)._replace(source=item.position.source)


def _send(records: Iterator[Outgoing], sender: Sender, screen: Screen, stop: _Stop, rate: float | None) -> None:
    columns = (TextColumn("sending"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.fields[sent]:,} records"))
    with Progress(*columns, console=screen.err, transient=True, disable=not screen.err.is_terminal) as bar:
        task = bar.add_task("", total=None, sent=0)
        begun = time.monotonic()
        for number in count():
            stop.waiting = True
            record = next(records, None)
            if record is not None and rate is not None:
                time.sleep(max(0.0, begun + number / rate - time.monotonic()))
            stop.waiting = False
            if record is None or stop.asked:
                break
            sender.send(record)
            if rate is not None or number % SHOW_EVERY == 0:
                bar.update(task, sent=number + 1)
