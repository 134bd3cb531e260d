"""`streamproc backup` and `streamproc restore`."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn

from streamproc.adapters.embedded import queries
from streamproc.adapters.embedded.copies import copy_out, put_back
from streamproc.adapters.embedded.lock import writer_lock
from streamproc.adapters.embedded.schema import FILE
from streamproc.cli.common import ConfigOption, DataOption, LanguageOption, command, reading
from streamproc.config import ConfigError


def backup(
    target: Annotated[Path, typer.Argument(metavar="DIR_OR_FILE", help="A folder, or the file to write.")],
    *,
    data: DataOption = None,
    lang: LanguageOption = None,
    config: ConfigOption = None,
) -> None:
    """Copy a data folder into one file, while it is in use. A folder gets a file named after the time.

    For example:

        streamproc backup backups/
        streamproc backup before-the-change.db
    """
    with command(config, data, lang) as screen, reading(screen.settings.data, one_state=False) as db:
        queries.the_setup(db)
        path = target / f"streamproc-{datetime.now(UTC):%Y%m%dT%H%M%SZ}.db" if _is_folder(target) else target
        columns = (TextColumn("{task.description}"), BarColumn())
        with Progress(*columns, console=screen.err, transient=True, disable=not screen.err.is_terminal) as bar:
            task = bar.add_task(screen.words.say("copying"), total=None)
            copy_out(db, path, lambda done, total: bar.update(task, completed=done, total=total))
        screen.line(str(path))


def _is_folder(target: Path) -> bool:
    return target.is_dir() or not target.suffix


def restore(
    source: Annotated[Path, typer.Argument(metavar="FILE", help="What `streamproc backup` wrote.")],
    *,
    force: Annotated[bool, typer.Option("--force", help="Replace the data that is there.")] = False,
    data: DataOption = None,
    lang: LanguageOption = None,
    config: ConfigOption = None,
) -> None:
    """Make a data folder from a backup. No other process may run on the folder.

    For example:

        streamproc restore backups/streamproc-20260131T120000Z.db --data restored
    """
    with command(config, data, lang) as screen:
        folder = screen.settings.data
        if not source.is_file():
            raise ConfigError(f"there is no file {source}: name what `streamproc backup` wrote")
        with writer_lock(folder):
            if (folder / FILE).exists() and not force:
                raise ConfigError(f"{folder} holds data already: --force replaces it, --data names another folder")
            put_back(source, folder)
        screen.line(str(folder))
