"""The only right answer to anything unexpected: commit nothing, end the process, be started again."""

import logging
import os
import sys
from enum import IntEnum
from typing import NoReturn

log = logging.getLogger(__name__)


class ExitCode(IntEnum):
    """Why a worker ended itself."""

    BATCH = 70  # processing or committing a batch failed
    TAKEOVER = 71  # partitions could not be taken over, or their state not be read back
    FENCED = 72  # the group went on without this process: another owns what was ours
    POSITION = 73  # what comes after our position is not in the log
    REBALANCE = 74  # a rebalance does not end, or a fetch did not stop for it
    BESIDE = 75  # what runs beside the apps, the feed's writer or the rates, cannot go on


_UNFORESEEN = (ExitCode.BATCH, ExitCode.TAKEOVER, ExitCode.BESIDE)


def leave(code: ExitCode, why: str) -> NoReturn:
    """Ends the process at once: no finally, no handler, no library gets to commit or to retry anything."""
    unforeseen = sys.exc_info()[1] if code in _UNFORESEEN else None
    log.critical("worker ends with code %d (%s): %s", code, code.name.lower(), why, exc_info=unforeseen)
    logging.shutdown()
    sys.stderr.flush()
    os._exit(code)


def end() -> NoReturn:
    """Ends the process after a stop that was asked for: all is committed that ever will be."""
    logging.shutdown()
    sys.stderr.flush()
    os._exit(0)
