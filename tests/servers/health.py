"""Asking a worker, or a page, over HTTP whether it is at work."""

import re
from contextlib import suppress
from http import HTTPStatus
from pathlib import Path
from urllib.request import urlopen

_TOLD = re.compile(rb"http://(\S+)/readyz")


def door_in(log: Path) -> str | None:
    """`host:port` where the worker that writes this log tells how it is; None: it has not said so yet."""
    found = _TOLD.search(log.read_bytes())
    return found[1].decode() if found else None


def is_ready(door: str | None) -> bool:
    """Whether what listens there, if anything does, says that all is at work."""
    with suppress(OSError):
        if door is not None:
            with urlopen(f"http://{door}/readyz", timeout=5) as answer:
                return bool(answer.status == HTTPStatus.OK)
    return False


def figures_of(door: str | None) -> str:
    """What it tells Prometheus."""
    assert door is not None
    with urlopen(f"http://{door}/metrics", timeout=5) as answer:
        return str(answer.read().decode())
