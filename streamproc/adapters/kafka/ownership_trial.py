"""Which record ends the process itself? Tried in forked children, where it ends a child.

An exception is none of it: it leaves no trace in the state, ends the worker, and is seen. This is for what no
`except` catches: a crash in compiled code, a stack run over, memory that is not there.
"""

import asyncio
import os
import signal
from collections.abc import Callable, Sequence
from functools import partial
from typing import TypeVar

T = TypeVar("T")

TRIAL_SECONDS = 20.0
"""A child that takes longer proves nothing: the record counts as harmless."""


async def _ends_the_process(attempt: Callable[[], object]) -> bool:
    child = os.fork()
    if child == 0:
        try:
            attempt()
        finally:
            os._exit(0)
    deadline = asyncio.get_running_loop().time() + TRIAL_SECONDS
    while True:
        ended, status = os.waitpid(child, os.WNOHANG)  # noqa: ASYNC222 - it does not wait
        if ended:
            return status != 0
        if asyncio.get_running_loop().time() > deadline:
            os.kill(child, signal.SIGKILL)
            os.waitpid(child, 0)  # noqa: ASYNC222 - it has ended
            return False
        await asyncio.sleep(0.01)


async def killer(process: Callable[[Sequence[T]], object], records: Sequence[T]) -> int | None:
    """The index of the first record that ends the process that takes it; None: they all pass.

    `process` changes nothing here: each attempt runs in a copy of this process, from the state as it is now.
    """
    if not await _ends_the_process(partial(process, records)):
        return None
    passing, failing = 0, len(records)
    while failing - passing > 1:
        middle = (passing + failing) // 2
        if await _ends_the_process(partial(process, records[:middle])):
            failing = middle
        else:
            passing = middle
    return passing
