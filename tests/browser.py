"""A page of a headless Chromium, driven over a pair of pipes.

With `--remote-debugging-pipe` Chromium speaks its DevTools protocol on file descriptors 3 and 4, one JSON
object at a time, each ended by a NUL byte: no socket, no driver program, no package.
"""

import base64
import json
import os
import select
import shutil
import subprocess
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

NAMES = ("chromium", "chromium-browser", "google-chrome")
OPTIONS = (
    "--headless=new",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
    "--hide-scrollbars",
    "--window-size=1280,900",
    "--remote-debugging-pipe",
)
PATIENCE = 60.0
"""Seconds for one answer: a browser that starts on two busy cores may need many."""


class BrowserError(Exception):
    """The browser did not answer, or the page's script failed."""


class NavigatedError(BrowserError):
    """The page went elsewhere while it was asked."""


def executable() -> str:
    """The path of the installed browser. Raises BrowserError, with the command that installs one."""
    found = next(filter(None, map(shutil.which, NAMES)), None)
    if found is None:
        raise BrowserError("no Chromium here; run: sudo apt-get install chromium")
    return found


class Browser:
    """One browser process with one page; `errors` holds what went wrong in the page, oldest first."""

    def __init__(self, profile: Path) -> None:
        self.errors: list[str] = []
        self._buffer = b""
        self._last_id = 0
        self._session: str | None = None
        self._loaded = False
        to_read, self._write = os.pipe()
        self._read, to_write = os.pipe()
        command = [executable(), *OPTIONS, f"--user-data-dir={profile}", "about:blank"]
        # bash, as other shells cannot name a descriptor above 9.
        script = f'exec "$@" 3<&{to_read} 4>&{to_write}'
        self._process = subprocess.Popen(
            ["bash", "-c", script, "bash", *command],
            pass_fds=(to_read, to_write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(to_read)
        os.close(to_write)

    def __enter__(self) -> Self:
        target = self._call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self._call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Log"):
            self._call(f"{domain}.enable")
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        os.close(self._write)  # the browser ends when its input does
        try:
            self._process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        os.close(self._read)

    def open(self, url: str) -> None:
        """Goes to the address and waits for the page's load event. Raises BrowserError if it cannot."""
        self._loaded = False
        self.errors.clear()
        answer = self._call("Page.navigate", url=url)
        if "errorText" in answer:
            raise BrowserError(f"{url}: {answer['errorText']}")
        deadline = time.monotonic() + PATIENCE
        while not self._loaded:
            self._heard(self._receive(deadline))

    def evaluate(self, expression: str) -> Any:
        """The JSON value of a JavaScript expression, promises awaited. Raises BrowserError if it throws."""
        answer = self._call(
            "Runtime.evaluate", expression=expression, awaitPromise=True, returnByValue=True, userGesture=True
        )
        if "exceptionDetails" in answer:
            raise BrowserError(_exception(answer["exceptionDetails"]))
        return answer["result"].get("value")

    def wait_until(self, condition: str, seconds: float = 15.0) -> None:
        """Waits, inside the page, until the expression is true. Raises BrowserError if it never is."""
        deadline = time.monotonic() + seconds
        while True:
            try:
                reached = self._reached(condition, max(0.0, deadline - time.monotonic()))
                break
            except NavigatedError:  # the page that was asked has made way for another: that one is asked
                continue
        if not reached:
            raise BrowserError(f"not so after {seconds} s: {condition}")

    def _reached(self, condition: str, seconds: float) -> bool:
        reached = self.evaluate(f"""new Promise(resolve => {{
            const end = performance.now() + {seconds * 1000};
            const look = () => ({condition}) ? resolve(true)
                : performance.now() > end ? resolve(false) : setTimeout(look, 20);
            look();
        }})""")
        return bool(reached)

    def text(self) -> str:
        """The visible text of the page."""
        return str(self.evaluate("document.body.innerText"))

    def screenshot(self, path: Path) -> None:
        """Writes what the page shows as a PNG."""
        path.write_bytes(base64.b64decode(self._call("Page.captureScreenshot", format="png")["data"]))

    def _call(self, method: str, **params: object) -> dict[str, Any]:
        self._last_id += 1
        message: dict[str, object] = {"id": self._last_id, "method": method, "params": params}
        if self._session is not None:
            message["sessionId"] = self._session
        os.write(self._write, json.dumps(message).encode() + b"\0")
        deadline = time.monotonic() + PATIENCE
        while True:
            answer = self._receive(deadline)
            if answer.get("id") != self._last_id:
                self._heard(answer)
            elif "error" in answer:
                said = answer["error"]["message"]
                kind = NavigatedError if "navigated" in said or "context was destroyed" in said else BrowserError
                raise kind(f"{method}: {said}")
            else:
                result: dict[str, Any] = answer["result"]
                return result

    def _receive(self, deadline: float) -> dict[str, Any]:
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._read], [], [], max(0.0, deadline - time.monotonic()))
            chunk = os.read(self._read, 1 << 20) if ready else b""
            if not chunk:
                raise BrowserError("the browser has ended" if ready else f"no answer in {PATIENCE} s")
            self._buffer += chunk
        line, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(line)
        return message

    def _heard(self, event: dict[str, Any]) -> None:
        match event.get("method"):
            case "Page.loadEventFired":
                self._loaded = True
            case "Runtime.exceptionThrown":
                self.errors.append(_exception(event["params"]["exceptionDetails"]))
            case "Log.entryAdded" if event["params"]["entry"]["level"] == "error":
                self.errors.append(event["params"]["entry"]["text"])


def _exception(details: dict[str, Any]) -> str:
    return str(details.get("exception", {}).get("description", details["text"]))
