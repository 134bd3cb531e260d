"""`streamproc run`: events in, warnings out, in one process."""

import contextlib
import signal
import threading
import time
from collections.abc import Callable, Iterator
from io import BufferedReader
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from streamproc.adapters.embedded.inbox import BATCH, InboxFullError
from streamproc.adapters.embedded.lock import writer_lock
from streamproc.adapters.embedded.runner import TooManyFailuresError, batches
from streamproc.adapters.embedded.schema import connect
from streamproc.adapters.sources import Pipe, SourceError, StreamSource, open_sources, sorted_items
from streamproc.cli import serve
from streamproc.cli.common import (
    FINDING,
    STOPPED,
    UNUSABLE,
    USAGE,
    ConfigOption,
    DataOption,
    LanguageOption,
    Screen,
    fail,
    guarded,
    seldom_collecting,
    wall,
)
from streamproc.cli.demo import demo, paced
from streamproc.cli.lists import Lists
from streamproc.cli.render import print_open_warnings
from streamproc.cli.session import Session, read_mapping
from streamproc.cli.tally import Tally, all_refused
from streamproc.config import load
from streamproc.core.control import ClockMode
from streamproc.core.time import HOUR, to_text
from streamproc.intake.intake import Settings as IntakeSettings
from streamproc.intake.mapping import Mapping
from streamproc.words import Words, told

IDLE = 0.2
STDIN = 0
PIPE_BYTES = 1 << 16

QUIET = 10.0
"""Seconds without news after which a stream is taken to have told its past."""
DEMO_FOLDER = Path("streamproc-demo")


def run(  # noqa: PLR0913 - each is an option of the command line
    files: Annotated[
        list[str] | None, typer.Argument(help="CSV, JSON Lines or Parquet, plain, .gz or .zst; - reads standard input.")
    ] = None,
    *,
    demo_shop: Annotated[bool, typer.Option("--demo", help="A simulated shop instead of files.")] = False,
    live: Annotated[bool, typer.Option("--live", help="Go on with the wall clock once the files are read.")] = False,
    exit_when_done: Annotated[bool, typer.Option("--exit-when-done", help="Leave once all is read.")] = False,
    listen: Annotated[
        str | None, typer.Option(help="Where page and API are served; off: nowhere.", show_default="127.0.0.1:8080")
    ] = None,
    map_file: Annotated[Path | None, typer.Option("--map", help="A TOML file: how to read the columns.")] = None,
    horizon: Annotated[
        int | None, typer.Option(help="Days of silence after which a customer is lost.", show_default="90")
    ] = None,
    data: DataOption = None,
    lang: LanguageOption = None,
    config: ConfigOption = None,
) -> None:
    """Read events, keep each customer's state, learn, and warn of those about to leave.

    The past is replayed as fast as it goes and warns silently; the warnings open at its end are listed. What was
    read is kept in the data folder: run again with the same or a longer export, and only what is new is taken.
    Exit code 1, with `--exit-when-done`: all that was read was refused.

    For example:

        streamproc run --demo
        streamproc run my-orders.csv --exit-when-done
        streamproc run orders.csv complaints.jsonl --live --data /var/lib/streamproc
        zcat orders.jsonl.gz | streamproc run -
    """
    with guarded():
        given = load(config, data=data, listen=listen, horizon_days=horizon, language=lang)
        if demo_shop and "data" not in given.model_fields_set:  # no simulated customers among one's own
            given = given.model_copy(update={"data": DEMO_FOLDER})
        screen = Screen(given)
        words = screen.words
        if files and demo_shop:
            fail(words.say("--demo is a simulated shop instead of files: leave one of the two out"), USAGE)
        if not files and not demo_shop and not live:
            fail(
                words.say(
                    "nothing to read: name a file, or try `streamproc run --demo`; --live waits for POST /events"
                ),
                USAGE,
            )
        mapping = read_mapping(map_file)
        with writer_lock(screen.settings.data), seldom_collecting():
            session = Session(connect(screen.settings.data), screen.settings, screen.out)
            try:
                tallies = _run(session, files or [], mapping, demo_shop=demo_shop, live=live, leave=exit_when_done)
            except (SourceError, TooManyFailuresError) as error:
                fail(str(error), UNUSABLE)
    if session.stop.asked.is_set():
        screen.note(words.say("stopped; all that was taken in is kept, and running again goes on from there"))
        raise typer.Exit(STOPPED if session.stop.by == signal.SIGINT else 0)  # a supervisor's stop is no failure
    if exit_when_done and session.broken:
        raise typer.Exit(UNUSABLE)
    if exit_when_done and all_refused(tallies):
        fail(
            words.say(
                "every record was refused: `{command}` shows why; --map tells how to read other forms",
                command=f"streamproc dead-letters list --data {screen.settings.data}",
            ),
            FINDING,
        )


def _run(
    session: Session, files: list[str], mapping: Mapping | None, *, demo_shop: bool, live: bool, leave: bool
) -> list[Tally]:
    """Reads and serves; what became of the records of the files, and of standard input."""
    keep_text = session.settings.keep_text
    with _served(session, leave=leave):
        paths = [Path(name) for name in files if name != "-"]
        producers: list[threading.Thread] = []
        tallies: list[Tally] = []
        if paths:
            tallies.append(import_files(session, paths, mapping, IntakeSettings(keep_text=keep_text, in_order=True)))
        later = live and (demo_shop or "-" in files)  # what a stream brings first is the past
        if live and not later and not session.stop.asked.is_set():
            go_live(session)
        elif paths and not session.stop.asked.is_set():
            reach_the_end(session)
        if paths or (live and not later):
            _tell_what_is_open(session, live=live, leave=leave)
        if demo_shop:
            producers.append(_demo(session))
        if "-" in files:
            tallies.append(Tally())
            producers.append(_from_stdin(session, mapping, IntakeSettings(keep_text=keep_text), tallies[-1]))
        if producers or not leave:
            serve_inbox(session, producers, leave=leave, live_later=later)
        if producers and leave:
            print_open_warnings(session.console, session.settings)
    session.inbox.close()
    return tallies


def _tell_what_is_open(session: Session, *, live: bool, leave: bool) -> None:
    """The past warned silently; nothing is said of a past that was left in the middle."""
    session.skip_news()
    if session.stop.asked.is_set():
        return
    print_open_warnings(session.console, session.settings)
    if not leave:
        words = session.words
        wall_clock = words.say("time goes on with the wall clock; Ctrl-C stops")
        stays_open = words.say("all is read; page and POST /events stay open; Ctrl-C stops")
        session.console.print(wall_clock if live else stays_open, style="bold")


@contextlib.contextmanager
def _served(session: Session, *, leave: bool) -> Iterator[None]:
    """The page and the API beside the run, unless it is to leave by itself."""
    if leave or session.settings.listen == "off":
        yield
        return
    settings, timings = session.settings, session.runner.timings
    with serve.start(settings, session.inbox, session.rates, settings.hosts, timings) as address:
        session.console.print(session.words.say("page: {address}", address=address), style="bold")
        yield


# --------------------------------------------------------------------------------------------- files


def import_files(session: Session, paths: list[Path], mapping: Mapping | None, settings: IntakeSettings) -> Tally:
    """Replays files in event time, as fast as it goes. Raises SourceError for a file that cannot be read whole."""
    sources = open_sources(paths, session.rates, mapping=mapping, settings=settings)
    for source in sources:
        _describe(session, source.name, source.description)
    tally = Tally()
    with _progress_bar(session) as show:
        for batch in batches(sorted_items(sources, wall(), progress=show.bytes_done), BATCH):
            settled = session.settled
            tally.add(batch, session.runner.take(batch).statuses, settled)
            show.reached(tally.read, session.runner.progress.clock)
            if session.stop.asked.is_set():
                return tally
    _tell(session, tally, skipped=sum(source.intake.skipped for source in sources))
    return tally


def reach_the_end(session: Session) -> None:
    """Moves time to the end of what was read, or to the wall clock where time goes by that."""
    runner = session.runner
    if runner.progress.mode == "wall":
        runner.advance_to(wall())
    else:
        runner.end_of_data(wall())
    if runner.progress.clock:
        session.console.print(session.words.say("time is {time}", time=to_text(runner.progress.clock)))


def go_live(session: Session) -> None:
    """Time goes by the wall clock from now on; what lies between the end of the data and now is still history."""
    runner = session.runner
    if not runner.progress.live:
        runner.set_mode(ClockMode(at=wall(), mode="wall"))
        runner.advance_to(wall())
    runner.set_mode(ClockMode(at=wall(), mode="wall", live=True))


def _describe(session: Session, name: str, description: list[str]) -> None:
    session.console.print(name, style="bold", markup=False)
    for line in description:
        session.console.print(f"  {told(session.words, line)}", markup=False)


def _tell(session: Session, tally: Tally, skipped: int) -> None:
    tally.tell(session.console, session.words, session.settings.data, skipped=skipped)


class _Shown:
    """A progress bar: how far the files are read, and which day it is there."""

    def __init__(self, bar: Progress, words: Words) -> None:
        self._bar = bar
        self._words = words
        self._phases = {"check": words.say("looking"), "sort": words.say("sorting"), "read": words.say("reading")}
        self._task = bar.add_task(self._phases["read"], total=None, when="")

    def bytes_done(self, phase: str, done: int, total: int) -> None:
        self._bar.update(self._task, description=self._phases[phase], completed=done, total=total)

    def reached(self, taken: int, clock: int) -> None:
        records = self._words.count("{n} record", "{n} records", taken)
        self._bar.update(self._task, when=f"{records}, {to_text(clock)[:10]}")


@contextlib.contextmanager
def _progress_bar(session: Session) -> Iterator[_Shown]:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn(), TextColumn("{task.fields[when]}"))
    with Progress(*columns, console=session.console, transient=True) as bar:
        yield _Shown(bar, session.words)


# ------------------------------------------------------------------------------------------- streams


def serve_inbox(session: Session, producers: list[threading.Thread], *, leave: bool, live_later: bool = False) -> None:
    """Takes what arrives until asked to stop, or (`leave`) until all producers have ended and nothing waits.

    `live_later`: once they have brought the past, and ended or been quiet for a while, time goes by the wall clock.

    The data ends where the producers do, not where somebody stops us: what is read of a tick's interval after a restart
    must not come late.
    """
    runner, over = session.runner, not producers
    heard = time.monotonic()
    while not session.stop.asked.is_set():
        ended = not any(p.is_alive() for p in producers) and not session.stop.asked.is_set()
        took = session.inbox.serve(runner, IDLE)
        heard = time.monotonic() if took else heard
        if live_later:
            if (ended and not took) or time.monotonic() - heard > QUIET:
                go_live(session)
                runner.advance_to(wall())
                live_later = False
        elif runner.progress.mode == "wall":
            runner.advance_to(wall())
        elif ended and not took and not over:
            runner.end_of_data(wall())
        over = over or (ended and not took)
        session.show_news()
        if over and leave:
            return


def _start(session: Session, produce: Callable[[], None], name: str) -> threading.Thread:
    def guarded_produce() -> None:
        try:
            produce()
        except InboxFullError:
            return  # shutting down
        except SourceError as error:
            session.broken.append(str(error))
            session.console.print(str(error), style="red", markup=False)

    thread = threading.Thread(target=guarded_produce, name=name, daemon=True)
    thread.start()
    return thread


def _from_stdin(session: Session, mapping: Mapping | None, settings: IntakeSettings, tally: Tally) -> threading.Thread:
    lateness = session.settings.lateness_hours * HOUR

    def produce() -> None:
        lists = Lists(session.inbox, tally)
        source = StreamSource(
            BufferedReader(Pipe(STDIN, lists.hand_over), PIPE_BYTES), session.rates, mapping=mapping, settings=settings
        )
        _describe(session, source.name, source.description)
        try:
            for item in source.items(wall):
                lists.add(item)
        finally:
            lists.end()
        _tell(session, tally, skipped=source.intake.skipped)
        if source.disorder > lateness:
            words = session.words
            said = words.say(
                "events on standard input were up to {hours} h out of order, more than the allowed lateness of "
                "{allowed} h: those changed facts but no label. Sort the input, or read it from a file.",
                hours=words.number(round(source.disorder / HOUR)),
                allowed=words.number(round(lateness / HOUR)),
            )
            session.console.print(said, style="yellow")

    return _start(session, produce, "stdin")


def _demo(session: Session) -> threading.Thread:
    words, folder = session.words, str(session.settings.data)
    session.console.print(words.say("the demo shop's past is being read …"))
    shop = demo(session.rates, session.runner.progress)
    for batch in batches(shop.past, BATCH):
        session.runner.take(batch)
    session.skip_news()
    session.runner.set_mode(ClockMode(at=session.runner.progress.clock, mode="event", live=True))
    print_open_warnings(session.console, session.settings)
    ask = words.say("ask it: {command}", command=f"streamproc warnings --data {folder}")
    session.console.print(ask, markup=False)
    if shop.ahead:
        said = words.say("now its last days stream, one a second; Ctrl-C stops, and running again goes on")
        session.console.print(said, style="bold")
    else:
        gone = words.say("its days have all gone by; to see them again, remove {folder}", folder=folder)
        session.console.print(gone, markup=False)

    def produce() -> None:
        for item in paced(shop.ahead, session.stop.asked.wait):
            session.inbox.submit([item], wait=True)
        if shop.ahead and not session.stop.asked.is_set():
            session.console.print(words.say("the demo shop has reached its last day; Ctrl-C stops"), style="bold")

    return _start(session, produce, "demo")
