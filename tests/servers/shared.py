"""One Kafka for a whole test run: the first process that needs it starts it, the run's end takes it away.

Under pytest-xdist the workers are children of the process that runs the tests; a folder named after that process holds
the lock and, once the node serves, where it is reached.
"""

import fcntl
import json
import os
import shutil
import signal
import tempfile
from contextlib import suppress
from pathlib import Path

from tests.servers.broker import Broker, Kafka, Ports

_STARTED: list[Kafka] = []
"""The node, in the process that started it: a child that is not to be ended is not to be forgotten either."""


def shared_kafka() -> Broker:
    """The run's node, started if nobody has yet. Raises ServerError if it cannot be."""
    folder = _folder()
    folder.mkdir(exist_ok=True)
    _clear_after_killed_runs()
    with (folder / "lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not _serving(folder).exists():
            node = Kafka(folder / "kafka", owner=_run())
            node.start()
            _STARTED.append(node)
            _serving(folder).write_text(json.dumps([node.pid, *node.ports]), encoding="utf-8")
        _, *ports = json.loads(_serving(folder).read_text(encoding="utf-8"))
    return Broker(folder / "kafka", Ports(*ports))


def end_shared_kafka() -> None:
    """Ends the run's node, where there is one; for the process that runs the tests alone, at their end."""
    folder = _folder()
    if "PYTEST_XDIST_WORKER" not in os.environ and folder.exists():
        if _serving(folder).exists():
            pid, *_ = json.loads(_serving(folder).read_text(encoding="utf-8"))
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        shutil.rmtree(folder, ignore_errors=True)


def _clear_after_killed_runs() -> None:
    for folder in _folder().parent.glob(_folder().name.replace(str(_run()), "*")):
        if not Path(f"/proc/{folder.name.rpartition('-')[2]}").exists():
            shutil.rmtree(folder, ignore_errors=True)


def _run() -> int:
    """The process that all processes of this run have in common."""
    return os.getppid() if "PYTEST_XDIST_WORKER" in os.environ else os.getpid()


def _folder() -> Path:
    return Path(tempfile.gettempdir()) / f"streamproc-servers-{_run()}"


def _serving(folder: Path) -> Path:
    return folder / "serving.json"
