"""One process a data folder: the writer's lock."""

import fcntl
import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from streamproc.adapters.embedded.schema import StoreError

FILE = "streamproc.lock"


@contextmanager
def writer_lock(folder: Path) -> Iterator[None]:
    """Holds the folder for writing. Raises StoreError where another process has it, or it cannot be written."""
    try:
        folder.mkdir(parents=True, exist_ok=True)
        handle = (folder / FILE).open("a+", encoding="utf-8")
    except OSError as error:
        raise StoreError(f"cannot write to {folder}: {error.strerror}; name another folder with --data") from error
    with handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            handle.seek(0)
            raise StoreError(
                f"{folder} is in use by process {handle.read().strip() or '?'}: stop it, or name another folder "
                "with --data"
            ) from error
        handle.truncate(0)
        handle.write(str(os.getpid()))
        handle.flush()
        yield


def holder(folder: Path) -> str | None:
    """The process that writes to the folder, None if there is none."""
    path = folder / FILE
    if not path.exists():
        return None
    with path.open("r", encoding="utf-8") as handle:
        try:
            fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
        except OSError:
            return handle.read().strip() or "?"
    return None
