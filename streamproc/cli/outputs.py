"""Where a command is asked to write, looked at before the long work starts; and how far the work is."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from streamproc.cli.common import Screen
from streamproc.config import ConfigError


def check_folder(option: str, folder: Path) -> None:
    """Makes the folder where it is missing. Raises ConfigError where it cannot be made, or nothing can be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        _try_in(folder)
    except FileExistsError as error:
        raise ConfigError(f"{option} {folder}: that is a file, and a folder is wanted") from error
    except NotADirectoryError as error:
        raise ConfigError(f"{option} {folder}: part of the path is a file; name another folder") from error
    except OSError as error:
        raise ConfigError(f"{option} {folder}: cannot be written: {error.strerror}; name another folder") from error


def check_file(option: str, file: Path) -> None:
    """Raises ConfigError where no file of the name can be written; what is there already stays as it is."""
    folder = file.parent
    if file.is_dir():
        raise ConfigError(f"{option} {file}: that is a folder, and a file is wanted: {file / 'risks.csv'}, say")
    if not folder.is_dir():
        raise ConfigError(f"{option} {file}: there is no folder {folder}: make it, or name another")
    try:
        _try_in(folder)
    except OSError as error:
        raise ConfigError(f"{option} {file}: {folder} cannot be written: {error.strerror}; name another") from error


def _try_in(folder: Path) -> None:
    """Writes as little as tells whether one may. Raises OSError."""
    with tempfile.TemporaryFile(dir=folder) as file:
        file.write(b"?")


@contextmanager
def long_work(screen: Screen, what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar at a terminal; it is told how much of the total is done."""
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen.err, transient=True, disable=not screen.err.is_terminal) as bar:
        task = bar.add_task(what, total=total)
        yield lambda done: bar.update(task, completed=done)
