"""A server as a process: started, awaited, stopped, killed, and never left behind."""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Callable, Sequence
from pathlib import Path

PATIENCE = 90.0
"""Seconds for a server to come up or go down: two busy cores may need many."""
LOOK_EVERY = 0.02
PORTS = range(15_000, 32_000)
"""Below those that outgoing connections are given: the port of a server that is down stays free for its return."""

# What outlives its tests is ended by this, which looks once a second whether they still run.
GUARD = 'while kill -0 "$1" 2>/dev/null; do kill -0 "$2" 2>/dev/null || exit 0; sleep 1; done; kill -9 "$2"'


class ServerError(Exception):
    """A server is not installed, does not come up, or does not go down; the message says what to do or what it said."""


def needed(program: str, packages: str) -> str:
    """The path of an installed program. Raises ServerError with the command that installs it."""
    found = shutil.which(program)
    if found is None:
        raise ServerError(f"no {program} here; run: sudo apt-get install {packages}")
    return found


def free_ports(count: int) -> list[int]:
    """Ports of 127.0.0.1 that nobody listens on; each process begins its search at another place."""
    found: list[int] = []
    start = os.getpid() * 61 + int(time.monotonic() * 1000) % len(PORTS)
    for step in range(len(PORTS)):
        port = PORTS[(start + step) % len(PORTS)]
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise ServerError("no free port")


def wait_until(condition: Callable[[], bool], what: str, seconds: float = PATIENCE) -> None:
    """Returns once the condition holds. Raises ServerError if it never does."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise ServerError(f"not within {seconds:.0f} s: {what}")
        time.sleep(LOOK_EVERY)


class ServerProcess:
    """One server's process: what it says goes to `log`, and it does not outlive the process `owner`."""

    def __init__(self, command: Sequence[str | Path], log: Path, *, owner: int | None = None) -> None:
        self.log = log
        self._said_before = log.stat().st_size if log.exists() else 0
        with log.open("ab") as output:
            # A session of its own: Ctrl-C in the terminal is for the tests, which stop their servers in order.
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=output, stderr=output, cwd=log.parent, start_new_session=True
            )
        self._guard = subprocess.Popen(
            ["sh", "-c", GUARD, "guard", str(owner or os.getpid()), str(self.pid)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            start_new_session=True,
        )

    @property
    def pid(self) -> int:
        return self._process.pid

    def said(self) -> str:
        """What it has said since it was started."""
        with self.log.open("rb") as file:
            file.seek(self._said_before)
            return file.read().decode("utf-8", "replace")

    def wait_ready(self, ready: Callable[[], bool]) -> None:
        """Returns once it is ready. Raises ServerError with its last words if it ends before, or takes too long."""

        def ready_or_ended() -> bool:
            return self._process.poll() is not None or ready()

        try:
            wait_until(ready_or_ended, f"{self.log} ready")
        except ServerError as error:
            self.kill()
            raise ServerError(f"{error}\n{self._last_words()}") from error
        if self._process.poll() is not None:
            self.kill()
            raise ServerError(f"ended with {self._process.returncode} while starting\n{self._last_words()}")

    def stop(self) -> None:
        """Asks it to end, and waits until it has. Raises ServerError if it will not."""
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired as error:
            raise ServerError(f"does not stop within {PATIENCE:.0f} s\n{self._last_words()}") from error
        finally:
            self.kill()

    def kill(self) -> None:
        """Ends it as a power cut would (SIGKILL); nothing if it has ended."""
        for process in (self._process, self._guard):
            process.kill()
            process.wait()

    def _last_words(self) -> str:
        return self.said()[-4000:]
