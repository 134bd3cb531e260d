"""`streamproc backtest`: what risks the monitor would have given at instants of the past, and how good they were."""

import contextlib
import csv
import os
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import IO, Annotated

import typer
from msgspec import Struct
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from streamproc.adapters.embedded.backtest import Backtest, BacktestError, Cut
from streamproc.adapters.embedded.runner import Arrival, TooManyFailuresError
from streamproc.adapters.report import CutLine, Known, Line, Report, judge, page
from streamproc.adapters.sources import SourceError, open_sources, sorted_items
from streamproc.cli.common import (
    FINDING,
    STOPPED,
    UNUSABLE,
    ConfigOption,
    JsonOption,
    Screen,
    command,
    fail,
    print_json,
    seldom_collecting,
    wall,
)
from streamproc.cli.outputs import check_file
from streamproc.cli.session import read_mapping
from streamproc.config import ConfigError, Settings, load
from streamproc.core.control import Setup
from streamproc.core.time import HOUR, from_datetime, to_text
from streamproc.intake.mapping import Mapping
from streamproc.intake.money import digits_of
from streamproc.intake.rates import Rates

SHOWN_EVERY = 500
"""Events between two movements of the progress bar."""


class Done(Struct, frozen=True, kw_only=True, tag="backtest", tag_field="kind"):
    """What `--json` says of the run."""

    events: int
    repeats: int
    refused: dict[str, int]
    cuts: int
    risks: int
    out: str
    page: str | None


class Figures(Line, frozen=True, kw_only=True, tag="figures", tag_field="kind"):
    """A line of the report as `--json` writes it."""


class CutFigures(CutLine, frozen=True, kw_only=True, tag="cut", tag_field="kind"):
    """A cut of the report as `--json` writes it."""


def backtest(
    events: Annotated[
        list[Path],
        typer.Argument(help="CSV, JSON Lines or Parquet, plain, .gz or .zst; in any order.", show_default=False),
    ],
    *,
    cuts: Annotated[
        str,
        typer.Option(
            help="When to give risks: a file of one ISO time a line (# begins a comment), or times with commas."
        ),
    ],
    horizon: Annotated[str, typer.Option(help="Days without a purchase that count as leaving, such as 91d.")],
    out: Annotated[Path, typer.Option(help="The CSV to write: cut,customer_id,risk.")],
    report: Annotated[
        bool,
        typer.Option("--report", help="Judge the risks by what happened; print that and write it as HTML beside OUT."),
    ] = False,
    map_file: Annotated[
        Path | None, typer.Option("--map", help="A TOML file that says how to read the columns.")
    ] = None,
    as_json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Run the monitor once through recorded events and write what risk it gave everybody at each cut.

    A risk is the probability of no purchase within the horizon. It is given as it would have been at the time: the
    model learns on the way, from labels that are a horizon old; a file that ends at a cut gives the same risks there.

    For example:

        streamproc backtest orders.csv --horizon 91d --cuts 2024-06-01,2024-09-01 --out risks.csv --report

        streamproc backtest orders.csv returns.csv --map shop.toml --horizon 60d --cuts cuts.txt --out risks.csv
    """
    with command(config) as screen:
        _check_outputs(out, report=report)
        try:
            mapping, days, instants = read_mapping(map_file), read_horizon(horizon), read_cuts(cuts)
            settings = load(config, horizon_days=days)
            runs = Backtest(setup_of(settings), instants, digits=digits_of(settings.currency), labelled=report)
            arrivals = _source(screen, events, mapping, settings.currency)
            found = _run(screen, runs, arrivals, out, kept=report)
        except BacktestError as error:
            raise ConfigError(str(error)) from error
        except (SourceError, TooManyFailuresError) as error:
            fail(str(error), UNUSABLE)
        except KeyboardInterrupt:
            fail(f"stopped; {out} was not written", STOPPED)
        _tell(screen, runs, found, out, as_json=as_json)
        if report:
            _report(
                screen, found.cuts, days, out.with_suffix(".html"), " ".join(p.name for p in events), as_json=as_json
            )


# ------------------------------------------------------------------------------------------- arguments


def _check_outputs(out: Path, *, report: bool) -> None:
    """Raises ConfigError where the risks, or the page beside them, could not be written in the end."""
    check_file("--out", out)
    if report and out.with_suffix(".html") == out:
        raise ConfigError(
            f"--out {out}: --report writes its page there; give the risks another name, such as risks.csv"
        )
    if report and out.with_suffix(".html").is_dir():
        raise ConfigError(f"--report: {out.with_suffix('.html')} is a folder, and the page is to be written there")


def read_horizon(text: str) -> int:
    """`91d` or `91` → 91. Raises ConfigError for anything but whole days."""
    found = re.fullmatch(r"(\d{1,4})\s*(?:d|days?)?", text.strip())
    if found is None or not int(found[1]):
        raise ConfigError(f"--horizon {text}: give whole days, such as --horizon 91d")
    return int(found[1])


def read_cuts(text: str) -> list[int]:
    """The instants (µs) in a file, or in the text itself. Raises ConfigError at one that is no time."""
    path = Path(text)
    if os.path.isfile(text):  # noqa: PTH113 - a path's own question raises where a list of times is too long for a name
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


class _Found(Struct):
    """What a run gave: how many cuts and risks, and the cuts themselves where they are wanted for judging."""

    passed: int = 0
    risks: int = 0
    cuts: list[Cut] = []


def _source(screen: Screen, paths: list[Path], mapping: Mapping | None, currency: str) -> Iterator[Arrival]:
    sources = open_sources(paths, Rates(currency), mapping=mapping)
    for source in sources:
        screen.note(source.name)
        for line in source.description:
            screen.note(f"  {line}")
    return sorted_items(sources, wall())


def _run(screen: Screen, runs: Backtest, arrivals: Iterator[Arrival], out: Path, *, kept: bool) -> _Found:
    """Runs to the end and writes the risks."""
    found = _Found()
    with _written(out) as file, seldom_collecting(), _watched(screen, runs, arrivals) as watched:
        writer = csv.writer(file, lineterminator="\n")
        writer.writerow(("cut", "customer_id", "risk"))
        for cut in runs.run(watched):
            at = to_text(cut.at)
            risks = zip(cut.customers, cut.risks.tolist(), strict=True)
            writer.writerows((at, customer_id, f"{risk:.9f}") for customer_id, risk in risks)
            found.passed += 1
            found.risks += len(cut.customers)
            if kept:
                found.cuts.append(cut)
    return found


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
def _watched(screen: Screen, runs: Backtest, arrivals: Iterable[Arrival]) -> Iterator[Iterator[Arrival]]:
    """The arrivals, with a bar that shows which day of the past the run has come to."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.fields[when]}"))
    with Progress(*columns, console=screen.err, transient=True) as bar:
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


# ---------------------------------------------------------------------------------------------- answer


def _tell(screen: Screen, runs: Backtest, found: _Found, out: Path, *, as_json: bool) -> None:
    counts = runs.counts
    if as_json:
        page_path = str(out.with_suffix(".html")) if found.cuts else None
        print_json(
            Done(
                events=counts.events,
                repeats=counts.repeats,
                refused=counts.refused,
                cuts=found.passed,
                risks=found.risks,
                out=str(out),
                page=page_path,
            )
        )
        return
    screen.line(f"{counts.events:,} events; {found.risks:,} risks at {found.passed} cuts written to {out}")
    if counts.repeats:
        screen.line(f"  {counts.repeats:,} repeats passed over")
    for reason, number in sorted(counts.refused.items()):
        screen.line(f"  {number:,} refused: {reason}")


def _report(screen: Screen, cuts: Sequence[Cut], days: int, path: Path, title: str, *, as_json: bool) -> None:
    known = [
        Known(cut.at, cut.model, cut.speaks, cut.risks, cut.recency, cut.purchase_days, cut.left)
        for cut in cuts
        if cut.left is not None and len(cut.left)
    ]
    if not known:
        fail(f"there is nothing to judge: no cut lies {days} days or more before the end of the events", FINDING)
    report = judge(known, days, [cut.at for cut in cuts if cut.left is None])
    with _written(path) as file:
        file.write(page(report, title))
    if as_json:
        for line in report.lines:
            print_json(Figures(**{name: getattr(line, name) for name in line.__struct_fields__}))
        for cut in report.cuts:
            print_json(CutFigures(**{name: getattr(cut, name) for name in cut.__struct_fields__}))
        return
    screen.out.print(_table(report))
    for cut in report.cuts:
        screen.line(
            f"{cut.at}: {cut.active:,} active of {cut.customers:,}, AUC {cut.auc:.4f}, {cut.speaks} {cut.model}"
        )
    for at in report.unknown:
        screen.line(f"{at}: not judged, its horizon ends after the events")
    screen.line(f"page: {path}")


def _table(report: Report) -> Table:
    table = Table("population", "model", box=None, pad_edge=False, header_style="bold")
    for name in ("AUC", "by cut", "AP", "Brier", "log-loss", "ECE", "P@5%", "P@10%", "lift@10%", "risks"):
        table.add_column(name, justify="right", no_wrap=True)
    for line in report.lines:
        figures = (line.auc, line.auc_by_cut, line.average_precision, line.brier, line.log_loss, line.calibration_error)
        table.add_row(
            line.population,
            line.model,
            *(f"{value:.4f}" for value in figures),
            f"{line.precision_5:.3f}",
            f"{line.precision_10:.3f}",
            f"{line.lift_10:.2f}",
            f"{line.n:,}",
            style="bold" if line.model == report.lines[0].model else None,
        )
    return table
