"""`streamproc run`: events in, warnings out, in one process."""

import contextlib
import sqlite3
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import date, timedelta
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from streamproc.adapters.embedded.inbox import BATCH, InboxFullError
from streamproc.adapters.embedded.lock import writer_lock
from streamproc.adapters.embedded.runner import Arrival, TooManyFailuresError, batches
from streamproc.adapters.embedded.schema import StoreError, connect
from streamproc.adapters.sources import Item, SourceError, StreamSource, open_sources, sorted_items
from streamproc.cli import serve
from streamproc.cli.render import print_open_warnings
from streamproc.cli.session import Session, read_mapping, wall
from streamproc.config import ConfigError, load
from streamproc.core.control import ClockMode
from streamproc.core.time import DAY, HOUR, to_text
from streamproc.intake.intake import Intake
from streamproc.intake.intake import Settings as IntakeSettings
from streamproc.intake.mapping import Mapping
from streamproc.intake.refusal import Position
from streamproc.simulate import demo_shop, simulate

DEMO_DAYS_PACED = 90
DEMO_SECONDS_A_DAY = 1.0
IDLE = 0.2

FAILED = 3


def run(
    files: Annotated[
        list[str] | None, typer.Argument(help="CSV, JSON Lines or Parquet, plain, .gz or .zst; - reads standard input.")
    ] = None,
    *,
    demo: Annotated[bool, typer.Option("--demo", help="A simulated shop instead of files.")] = False,
    live: Annotated[bool, typer.Option("--live", help="Go on with the wall clock once the files are read.")] = False,
    data: Annotated[Path | None, typer.Option(help="The data folder (made if need be).")] = None,
    listen: Annotated[
        str | None, typer.Option(help="Where the page and the API are served; 'off' for nowhere.")
    ] = None,
    exit_when_done: Annotated[bool, typer.Option("--exit-when-done", help="Leave once the files are read.")] = False,
    map_file: Annotated[
        Path | None, typer.Option("--map", help="A TOML file that says how to read the columns.")
    ] = None,
    horizon: Annotated[int | None, typer.Option(help="Days without a purchase after which a customer is lost.")] = None,
    config: Annotated[
        Path | None, typer.Option(help="Settings (default: streamproc.toml, where there is one).")
    ] = None,
) -> None:
    """Read events, keep each customer's state, learn, and warn of those about to leave.

    The past is replayed as fast as it goes and warns silently; the warnings open at its end are listed. What was
    read is kept in the data folder: run again with the same or a longer export, and only what is new is taken.

    Examples:
      streamproc run --demo

      streamproc run my-orders.csv --exit-when-done

      streamproc run orders.csv complaints.jsonl --live --data /var/lib/streamproc

      zcat orders.jsonl.gz | streamproc run -
    """
    console = Console(stderr=not sys.stdout.isatty())
    if not files and not demo and not live:
        console.print("nothing to read: name a file, or try `streamproc run --demo`; --live waits for POST /events")
        raise typer.Exit(2)
    try:
        settings = load(config, data=data, listen=listen, horizon_days=horizon)
        mapping = read_mapping(map_file)
        with writer_lock(settings.data):
            session = Session(connect(settings.data), settings, console)
            _run(session, files or [], mapping, demo=demo, live=live, leave=exit_when_done)
    except ConfigError as error:
        console.print(str(error), style="red", markup=False)
        raise typer.Exit(2) from error
    except (StoreError, SourceError, TooManyFailuresError, OSError, sqlite3.Error) as error:
        console.print(_explained(error), style="red", markup=False)
        raise typer.Exit(FAILED) from error
    if session.stop.asked.is_set():
        raise typer.Exit(130)


def _explained(error: Exception) -> str:
    if isinstance(error, sqlite3.OperationalError) and "full" in str(error):
        return "the disk is full: nothing of the last batch was kept, all before it is safe. Free space and run again."
    return str(error)


def _run(session: Session, files: list[str], mapping: Mapping | None, *, demo: bool, live: bool, leave: bool) -> None:
    settings = IntakeSettings(keep_text=session.settings.keep_text)
    with _served(session, leave=leave):
        paths = [Path(name) for name in files if name != "-"]
        if paths:
            import_files(session, paths, mapping, settings)
        producers: list[threading.Thread] = []
        if demo:
            producers.append(_demo(session))
        elif paths:
            session.skip_news()
            print_open_warnings(session.console, session.settings)
        if "-" in files:
            producers.append(_from_stdin(session, mapping, settings))
        if live:
            session.runner.set_mode(ClockMode(at=wall(), mode="wall", live=True))
        if not leave or producers:
            serve_inbox(session, producers if leave else [])
        if not live:
            session.runner.end_of_data()
    session.inbox.close()


@contextlib.contextmanager
def _served(session: Session, *, leave: bool) -> Iterator[None]:
    """The page and the API beside the run, unless it is to leave by itself."""
    if leave or session.settings.listen == "off":
        yield
        return
    with serve.start(session.settings, session.inbox, session.rates) as address:
        session.console.print(f"page: {address}", style="bold", highlight=False)
        yield


def import_files(session: Session, paths: list[Path], mapping: Mapping | None, settings: IntakeSettings) -> None:
    """Replays files in event time, as fast as it goes. Raises SourceError for a file that cannot be read whole."""
    sources = open_sources(paths, session.rates, mapping=mapping, settings=settings)
    for source in sources:
        session.console.print(source.name, style="bold", highlight=False)
        for line in source.description:
            session.console.print(f"  {line}", markup=False, highlight=False)
    with _progress_bar(session.console) as show:
        taken = 0
        for batch in batches(sorted_items(sources, wall(), progress=show.bytes_done), BATCH):
            session.runner.take(batch)
            taken += len(batch)
            show.reached(taken, session.runner.progress.clock)
            if session.stop.asked.is_set():
                return
    session.runner.end_of_data()
    session.console.print(f"{taken:,} records read, up to {to_text(session.runner.progress.clock)}", highlight=False)


class _Shown:
    """A progress bar: how far each file is read, and which day it is there."""

    def __init__(self, bar: Progress) -> None:
        self._bar = bar
        self._task = bar.add_task("reading", total=None, when="")

    def bytes_done(self, phase: str, done: int, total: int) -> None:
        self._bar.update(self._task, description=phase, completed=done, total=total)

    def reached(self, taken: int, clock: int) -> None:
        self._bar.update(self._task, when=f"{taken:,} records, {to_text(clock)[:10]}")


@contextlib.contextmanager
def _progress_bar(console: Console) -> Iterator[_Shown]:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.fields[when]}"))
    with Progress(*columns, console=console, transient=True) as bar:
        yield _Shown(bar)


def serve_inbox(session: Session, producers: list[threading.Thread]) -> None:
    """Takes what arrives until asked to stop, or until all producers (if any) have ended and nothing waits."""
    runner = session.runner
    while not session.stop.asked.is_set():
        ended = bool(producers) and not any(p.is_alive() for p in producers)
        took = session.inbox.serve(runner, IDLE)
        if runner.progress.mode == "wall":
            runner.advance_to(wall())
        session.show_news()
        if ended and not took:
            return


def _start(session: Session, produce: Callable[[], None], name: str) -> threading.Thread:
    def guarded() -> None:
        try:
            produce()
        except InboxFullError:
            return  # shutting down
        except SourceError as error:
            session.console.print(str(error), style="red", markup=False)

    thread = threading.Thread(target=guarded, name=name, daemon=True)
    thread.start()
    return thread


def _from_stdin(session: Session, mapping: Mapping | None, settings: IntakeSettings) -> threading.Thread:
    lateness = session.settings.lateness_hours * HOUR

    def produce() -> None:
        source = StreamSource(sys.stdin.buffer, session.rates, mapping=mapping, settings=settings)
        for line in source.description:
            session.console.print(f"  {line}", markup=False, highlight=False)
        for item in source.items(wall):
            session.inbox.submit([item], wait=True)
        if source.disorder > lateness:
            session.console.print(
                f"events on standard input were up to {source.disorder / HOUR:.0f} h out of order, more than the "
                f"allowed lateness of {lateness / HOUR:.0f} h: those changed facts but no label. Sort the input, or "
                "read it from a file.",
                style="yellow",
                highlight=False,
            )

    return _start(session, produce, "stdin")


def _demo(session: Session) -> threading.Thread:
    """The demo shop: its past at once, then its last days at a pace that can be watched."""
    shop = demo_shop(until=date.today() + timedelta(days=1))  # noqa: DTZ011 - any day near today will do
    intake = Intake(session.rates)
    paced_from = shop.ends - DEMO_DAYS_PACED * DAY
    events = (
        Item(outcome, event.line, Position("demo", row))
        for row, event in enumerate(simulate(shop), 1)
        if (outcome := intake.take(event.line, Position("demo", row), shop.ends)) is not None
    )
    session.console.print("the demo shop's past is being read …", highlight=False)
    ahead: list[Arrival] = []
    for batch in batches(events, BATCH):
        past = [item for item in batch if _time_of(item) < paced_from]
        session.runner.take(past)
        ahead += batch[len(past) :]
    session.skip_news()
    session.runner.set_mode(ClockMode(at=session.runner.progress.clock, mode="event", live=True))
    print_open_warnings(session.console, session.settings)
    days = f"one day every {DEMO_SECONDS_A_DAY:g} s"
    session.console.print(f"the last {DEMO_DAYS_PACED} days now stream, {days}; Ctrl-C stops", highlight=False)

    def produce() -> None:
        for before, item in zip([None, *ahead], ahead, strict=False):
            if before is not None:
                pause = (_time_of(item) - _time_of(before)) / DAY * DEMO_SECONDS_A_DAY
                if session.stop.asked.wait(max(0.0, pause)):
                    return
            session.inbox.submit([item], wait=True)

    return _start(session, produce, "demo")


def _time_of(item: Arrival) -> int:
    return getattr(item.outcome, "at", 0)
