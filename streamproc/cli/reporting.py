"""The firm's report for a page: made by a process of its own, for it reads the whole journal again.

The rules kept here: at most one is being made; while a newer one is, the one before is shown; one is made anew when it
is asked for, the clock is in another day, and the last one is AGAIN old.
"""

import os
import threading
import time
from multiprocessing import get_context
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path

import msgspec

from streamproc.adapters.report.document import html, policy
from streamproc.adapters.report.firm import firm_document
from streamproc.adapters.web.ports import AwayError, Drawn
from streamproc.cli.report import of_cluster, of_folder, tell
from streamproc.config import Settings
from streamproc.core.time import day_of
from streamproc.words import LANGUAGES, Language, words_in

AGAIN = 600.0
"""Seconds a report holds at least: in a replay a day passes in no time."""

POLITE = 10
"""How far the making stands back behind the run: the process's niceness."""


class Reporter:
    """Makes the report of a data folder, or of the cluster of some settings."""

    def __init__(self, source: Path | Settings) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._pages: dict[str, str] = {}
        self._day, self._made = -1, 0.0
        self._failed = False
        self._process: BaseProcess | None = None

    def page(self, language: Language, clock: int) -> Drawn | None:
        """The report at hand, None while the first one is being made. Raises AwayError where it could not be."""
        with self._lock:
            failed, self._failed = self._failed, False
            if failed:
                raise AwayError("the report could not be made; `streamproc report` says why")
            old = self._day != day_of(clock) and time.monotonic() - self._made > AGAIN
            if self._process is None and (not self._pages or old):
                self._start(day_of(clock))
            return Drawn(self._pages[language], policy()) if self._pages else None

    def close(self) -> None:
        """Ends what is being made."""
        with self._lock:
            if self._process is not None:
                self._process.kill()

    def _start(self, day: int) -> None:
        context = get_context("spawn")
        receiving, sending = context.Pipe(duplex=False)
        self._process = context.Process(target=_make, args=(self._source, sending), daemon=True)
        self._process.start()
        sending.close()
        threading.Thread(target=self._wait, args=(self._process, receiving, day), daemon=True).start()

    def _wait(self, process: BaseProcess, receiving: Connection, day: int) -> None:
        try:
            pages = msgspec.json.decode(receiving.recv_bytes(), type=dict[str, str])
        except EOFError:
            pages = {}
        process.join()
        with self._lock:
            self._process, self._failed = None, not pages
            if pages:
                self._pages, self._day, self._made = pages, day, time.monotonic()


def _make(source: Path | Settings, sending: Connection) -> None:
    """In the process: sends the report in every language; an error ends it with nothing sent."""
    os.nice(POLITE)
    with of_folder(source) if isinstance(source, Path) else of_cluster(source) as told:
        story = tell(told, lambda _: None)
    pages = {language: html(firm_document(story, told.now, words_in(language))) for language in LANGUAGES}
    sending.send_bytes(msgspec.json.encode(pages))
