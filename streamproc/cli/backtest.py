"""`streamproc backtest`: what risks the monitor would have given at instants of the past, and how good they were."""

import contextlib
import csv
import re
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from streamproc.adapters.embedded.backtest import Backtest, BacktestError
from streamproc.adapters.embedded.runner import Arrival, TooManyFailuresError
from streamproc.adapters.sources import SourceError, open_sources, sorted_items
from streamproc.cli.session import read_mapping, wall
from streamproc.config import ConfigError, Settings, load
from streamproc.core.control import Setup
from streamproc.core.time import HOUR, from_datetime, to_text
from streamproc.intake.mapping import Mapping
from streamproc.intake.money import digits_of
from streamproc.intake.rates import Rates

CANNOT_READ = 3
SHOWN_EVERY = 500


def backtest(
    events: Annotated[
        list[Path],
        typer.Argument(help="CSV, JSON Lines or Parquet, plain, .gz or .zst; in any order.", show_default=False),
    ],
    *,
    cuts: Annotated[
        str,
        typer.Option(help="Instants to give risks at: a file of one ISO time a line, or several with commas between."),
    ],
    horizon: Annotated[str, typer.Option(help="Days without a purchase that count as leaving, such as 91d.")],
    out: Annotated[Path, typer.Option(help="The CSV to write: cut,customer_id,risk.")],
    map_file: Annotated[
        Path | None, typer.Option("--map", help="A TOML file that says how to read the columns.")
    ] = None,
    config: Annotated[
        Path | None, typer.Option(help="Settings (default: streamproc.toml, where there is one).")
    ] = None,
) -> None:
    """Run the monitor once through recorded events and write what risk it gave everybody at each cut.

    Nothing after a cut is known at it: a file that ends there gives the same risks. The model learns on the way, from
    labels that are a horizon old, just as `streamproc run` does. In a file of cuts, lines that begin with # are passed
    over.

    Examples:
      streamproc backtest orders.csv --horizon 91d --cuts 2024-06-01,2024-09-01 --out risks.csv

      streamproc backtest orders.csv returns.csv --map shop.toml --horizon 60d --cuts cuts.txt --out risks.csv
    """
    console = Console(stderr=True)
    try:
        settings = load(config, horizon_days=read_horizon(horizon))
        mapping = read_mapping(map_file)
        runs = Backtest(setup_of(settings), read_cuts(cuts), digits=digits_of(settings.currency))
        rows = _run(console, runs, _source(console, events, mapping, settings.currency), out)
    except (ConfigError, BacktestError) as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(2) from error
    except (SourceError, TooManyFailuresError, OSError) as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(CANNOT_READ) from error
    except KeyboardInterrupt:
        console.print(f"stopped; {out} was not written", markup=False)
        raise typer.Exit(130) from None
    counts = runs.counts
    console.print(f"{counts.events:,} events, {rows:,} risks in {out}", highlight=False, markup=False)
    for reason, number in sorted(counts.refused.items()):
        console.print(f"  {number:,} refused: {reason}", highlight=False, markup=False)


# ------------------------------------------------------------------------------------------- arguments


def read_horizon(text: str) -> int:
    """`91d` or `91` → 91. Raises ConfigError for anything but whole days."""
    found = re.fullmatch(r"(\d{1,4})\s*(?:d|days?)?", text.strip())
    if found is None or not int(found[1]):
        raise ConfigError(f"--horizon {text}: give whole days, such as --horizon 91d")
    return int(found[1])


def read_cuts(text: str) -> list[int]:
    """The instants (µs) in a file, or in the text itself. Raises ConfigError at one that is no time."""
    path = Path(text)
    if path.is_file():
        try:
            lines = path.read_text(encoding="utf-8").splitlines()
        except (OSError, UnicodeDecodeError) as error:
            raise ConfigError(f"cannot read {path}: {error}") from error
        words = [line.strip() for line in lines if not line.lstrip().startswith("#")]
    else:
        words = [word.strip() for word in text.split(",")]
    return [_instant(word, text) for word in words if word]


def _instant(word: str, given: str) -> int:
    try:
        when = datetime.fromisoformat(word)
    except ValueError:
        missing = "" if Path(given).suffix in ("", ".000Z") else f", and there is no file {given}"
        raise ConfigError(
            f'"{word}" is no time such as 2024-06-01T00:00:00Z{missing}: '
            "give --cuts a file of one time a line, or times with commas between"
        ) from None
    return from_datetime(when if when.tzinfo is not None else when.replace(tzinfo=UTC))


def setup_of(settings: Settings) -> Setup:
    """The set-up of a journal with these settings; one horizon holds for every kind of customer."""
    return Setup(
        at=0, horizon_days=settings.horizon_days, lateness=settings.lateness_hours * HOUR, currency=settings.currency
    )


# ------------------------------------------------------------------------------------------------- run


def _source(console: Console, paths: list[Path], mapping: Mapping | None, currency: str) -> Iterator[Arrival]:
    sources = open_sources(paths, Rates(currency), mapping=mapping)
    for source in sources:
        console.print(source.name, style="bold", highlight=False)
        for line in source.description:
            console.print(f"  {line}", markup=False, highlight=False)
    return sorted_items(sources, wall())


def _run(console: Console, runs: Backtest, arrivals: Iterable[Arrival], out: Path) -> int:
    """Runs to the end and writes the risks; how many there were."""
    rows = 0
    with _written(out) as file, _progress(console, runs, arrivals) as watched:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("cut", "customer_id", "risk"))
        for cut in runs.run(watched):
            at = to_text(cut.at)
            writer.writerows(
                (at, customer_id, f"{risk:.9f}")
                for customer_id, risk in zip(cut.customers, cut.risks.tolist(), strict=True)
            )
            rows += len(cut.customers)
    return rows


@contextlib.contextmanager
def _written(path: Path) -> Iterator[IO[str]]:
    """A file to write; it takes its name when all is written, and none of it stays if that does not happen."""
    part = path.with_name(f"{path.name}.part")
    try:
        with part.open("w", encoding="utf-8", newline="") as file:
            yield file
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


@contextlib.contextmanager
def _progress(console: Console, runs: Backtest, arrivals: Iterable[Arrival]) -> Iterator[Iterator[Arrival]]:
    """The arrivals, with a bar that shows which day of the past the run has come to."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.fields[when]}"))
    with Progress(*columns, console=console, transient=True) as bar:
        task = bar.add_task("reading", total=None, when="")

        def watched() -> Iterator[Arrival]:
            first = 0
            for number, arrival in enumerate(arrivals):
                yield arrival
                if number % SHOWN_EVERY == 0:
                    clock = runs.progress.clock
                    first = first or clock
                    when = f"{to_text(clock)[:10]}, {number:,} events"
                    bar.update(
                        task, description="running", completed=clock - first, total=runs.until - first, when=when
                    )

        yield watched()
