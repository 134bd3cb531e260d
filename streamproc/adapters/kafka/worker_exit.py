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


def leave(code: ExitCode, why: str) -> NoReturn:
    """Ends the process at once: no finally, no handler, no library gets to commit or to retry anything."""
    unforeseen = sys.exc_info()[1] if code in (ExitCode.BATCH, ExitCode.TAKEOVER) else None
    log.critical("worker ends with code %d (%s): %s", code, code.name.lower(), why, exc_info=unforeseen)
    logging.shutdown()
    sys.stderr.flush()
    os._exit(code)
