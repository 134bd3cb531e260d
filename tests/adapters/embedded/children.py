"""Work done in a forked process, which may be killed."""

import os
import signal
from collections.abc import Callable


def in_a_process_of_its_own(work: Callable[[], None]) -> int:
    """Forks, works, and tells the signal that ended the child (0: it came to its end)."""
    pid = os.fork()
    if not pid:
        code = 1
        try:
            work()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(pid, 0)
    assert not os.WIFEXITED(status) or os.WEXITSTATUS(status) == 0, "the child failed; its traceback is above"
    return os.WTERMSIG(status) if os.WIFSIGNALED(status) else 0


def kill_me() -> None:
    os.kill(os.getpid(), signal.SIGKILL)
