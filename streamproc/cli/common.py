"""What all commands share: their common options, the folder they read, and what becomes of an error.

Exit codes: 0 fine; 1 a finding, or nothing found; 2 wrong usage or settings; 3 the data folder, a source or a disk
cannot be used; 130 stopped by Ctrl-C.
"""

import gc
import os
import sqlite3
import sys
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from typing import Annotated, NoReturn, TextIO

import msgspec
import typer
from rich.console import Console

from streamproc.adapters.embedded.schema import StoreError, connect
from streamproc.config import ConfigError, Settings, load
from streamproc.words import Language, Words, words_in

FINDING = 1
USAGE = 2
UNUSABLE = 3
STOPPED = 130

PIPE_WIDTH = 160
"""Columns where the output is no terminal and has no width of its own."""

DataOption = Annotated[Path | None, typer.Option("--data", help="The data folder.", show_default="streamproc-data")]
LanguageOption = Annotated[Language | None, typer.Option("--lang", help="The language of texts.", show_default="en")]
JsonOption = Annotated[bool, typer.Option("--json", help="JSON Lines with stable fields, for programs.")]
ConfigOption = Annotated[
    Path | None, typer.Option("--config", help="Settings.", show_default="streamproc.toml, where there is one")
]


class Out(Console):
    """A console that tells a closed pipe like any other write does, and breaks no lines where nobody looks."""

    def __init__(self, file: TextIO) -> None:
        at_terminal = file.isatty()
        super().__init__(file=file, highlight=False, width=None if at_terminal else PIPE_WIDTH)

    def on_broken_pipe(self) -> NoReturn:
        """Raises BrokenPipeError, for `guarded` to end quietly."""
        raise BrokenPipeError


class Screen:
    """Where a command answers: `out` for the answer, `err` for all else, and the words for both."""

    def __init__(self, settings: Settings) -> None:
        self.settings = settings
        self.words: Words = words_in(settings.language)
        self.out = Out(sys.stdout)
        self.err = Out(sys.stderr)

    def line(self, text: str = "", style: str | None = None) -> None:
        """One line of the answer, as it is."""
        self.out.print(text, style=style, markup=False, soft_wrap=True)

    def note(self, text: str) -> None:
        """Something beside the answer."""
        self.err.print(text, markup=False, soft_wrap=True)


@contextmanager
def command(config: Path | None = None, data: Path | None = None, language: Language | None = None) -> Iterator[Screen]:
    """Settings read, errors told on stderr with what to do, and the exit code that goes with them."""
    with guarded():
        screen = Screen(load(config, data=data, language=language))
        yield screen


@contextmanager
def guarded() -> Iterator[None]:
    """Turns errors into messages and exit codes."""
    try:
        yield
        sys.stdout.flush()
    except ConfigError as error:
        fail(str(error), USAGE)
    except BrokenPipeError:  # whoever read our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise typer.Exit from None
    except sqlite3.OperationalError as error:
        if "full" in str(error):
            fail("the disk is full: the last batch was not kept, all before it is; free space, run again", UNUSABLE)
        fail(f"the data folder cannot be used: {error}; `streamproc doctor` looks for the cause", UNUSABLE)
    except sqlite3.DatabaseError as error:
        fail(f"the data folder cannot be read: {error}; `streamproc doctor` says what can be done", UNUSABLE)
    except (StoreError, OSError) as error:
        fail(str(error), UNUSABLE)
    except KeyboardInterrupt:
        raise typer.Exit(STOPPED) from None


COLLECT_EVERY = 200_000
"""Allocations between the cyclic collector's runs on long work: it finds no cycles, and would take a third of it."""


@contextmanager
def seldom_collecting() -> Iterator[None]:
    """Long work without the cyclic collector's usual haste."""
    before = gc.get_threshold()
    gc.set_threshold(COLLECT_EVERY, *before[1:])
    try:
        yield
    finally:
        gc.set_threshold(*before)


def wall() -> int:
    """The wall clock, µs."""
    return time.time_ns() // 1_000


def fail(message: str, code: int) -> NoReturn:
    """Says on stderr what is wrong, and ends with the exit code."""
    Out(sys.stderr).print(message, style="red", markup=False, soft_wrap=True)
    raise typer.Exit(code)


@contextmanager
def reading(folder: Path, *, one_state: bool = True, follow: bool = False) -> Iterator[sqlite3.Connection]:
    """A data folder to read from: `one_state` of it, whatever another process commits meanwhile, or always the newest.

    Raises StoreError where there is none, or none that can be `follow`ed.
    """
    with closing(connect(folder, readonly=True, follow=follow)) as db:
        if one_state:
            db.execute("BEGIN")
        yield db


def print_json(value: object) -> None:
    """One line of JSON on stdout."""
    print_raw(msgspec.json.encode(value) + b"\n")


def print_raw(raw: bytes) -> None:
    """Bytes on stdout, as they are."""
    sys.stdout.flush()
    sys.stdout.buffer.write(raw)
    sys.stdout.buffer.flush()
