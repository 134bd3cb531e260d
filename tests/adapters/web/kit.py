"""What the tests of the page share: a small data folder, and a run that serves it on a port of its own."""

import json
import shutil
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

from streamproc.adapters.embedded.inbox import Inbox
from streamproc.adapters.embedded.runner import Runner
from streamproc.adapters.embedded.schema import connect
from streamproc.adapters.sources import Item
from streamproc.cli import serve
from streamproc.config import Settings
from streamproc.core.control import Setup
from streamproc.core.policy import Policy
from streamproc.intake.intake import Intake
from streamproc.intake.rates import Rates
from streamproc.intake.refusal import Position

BEGIN = datetime(2024, 1, 1, 9, tzinfo=UTC)
HOSTILE = "<img src=x onerror=\"document.title='broken in'\">/../?a=b&c#d%41"
STEADY = 30
"""Customers who buy every week."""

DAYS = 280
QUIET_SINCE = 225
LEFT = (90, 120, 150, 180, 210, 234, 252)
"""The days since which others have been quiet."""
POLICY = Policy(name="eager", raise_at=0.5, clear_at=0.3, escalate_at=0.7)


def when(day: float) -> str:
    return (BEGIN + timedelta(days=day)).isoformat().replace("+00:00", "Z")


def purchase(customer_id: str, day: float, event_id: str | None = None, **fields: object) -> dict[str, object]:
    order = event_id or f"{customer_id}-{day:g}"
    event = {"stream": "purchases", "customer_id": customer_id, "occurred_at": when(day), "order_id": order}
    named = {} if event_id == "" else {"event_id": order}
    return {**event, **named, "amount": "40.00", "currency": "EUR", **fields}


def history() -> list[dict[str, object]]:
    """A steady base, some who left, and one of a hostile name who stopped buying after a complaint and a contact."""
    events = [purchase(f"steady-{n:02}", day + n % 7) for n in range(STEADY) for day in range(0, DAYS, 7)]
    events += [purchase(HOSTILE, day, f"hostile-{day}", amount="90.00") for day in range(0, QUIET_SINCE, 9)]
    events += [purchase(f"left-{end}", day) for end in LEFT for day in range(0, end, 6)]
    about = {"customer_id": HOSTILE, "occurred_at": when(QUIET_SINCE - 2)}
    events.append(
        {"stream": "complaints", "event_id": "k-1", "complaint_id": "k-1", "status": "opened", "severity": 4, **about}
    )
    events.append(
        {"stream": "contacts", "event_id": "t-1", "contact_id": "t-1", "direction": "in", "purpose": "support", **about}
    )
    return sorted(events, key=lambda event: str(event["occurred_at"]))


def read_history(folder: Path, more: Sequence[dict[str, object]] = ()) -> None:
    """Reads the history, and more, into a new data folder."""
    db = connect(folder)
    runner = Runner(db, Setup(at=0))
    runner.set_policy(POLICY)
    intake = Intake(Rates("EUR"))
    items = []
    for row, event in enumerate(sorted([*history(), *more], key=lambda event: str(event["occurred_at"])), 1):
        body, position = json.dumps(event).encode(), Position("past", row)
        outcome = intake.take(body, position, 2**60)
        assert outcome is not None
        items.append(Item(outcome, body, position))
    runner.take(items)
    db.close()


def copy_of(folder: Path, to: Path) -> Path:
    shutil.copytree(folder, to, dirs_exist_ok=True)
    return to


class Site:
    """A run over a data folder: its runner in one thread, its server in another, a client for it."""

    def __init__(self, folder: Path, **settings: Any) -> None:
        self.db = connect(folder)
        self.runner = Runner(self.db, Setup(at=0))
        self.inbox = Inbox(bound=8)
        self.settings = Settings(data=folder, **{"listen": "127.0.0.1:0", **settings})
        self._leave = threading.Event()
        self._serving = serve.start(self.settings, self.inbox, Rates("EUR"), hosts=("shop.example",))
        self._writer = threading.Thread(target=self._write)

    def __enter__(self) -> Self:
        self.url = self._serving.__enter__()
        self.client = httpx.Client(base_url=self.url, timeout=60)
        self._writer.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.client.close()
        self._serving.__exit__(kind, error, trace)
        self._leave.set()
        self._writer.join()
        self.inbox.close()
        self.db.close()

    def _write(self) -> None:
        while not self._leave.is_set():
            self.inbox.serve(self.runner, 0.05)

    @contextmanager
    def writer_away(self) -> Iterator[None]:
        """The writer takes nothing while the block runs."""
        self._leave.set()
        self._writer.join()
        try:
            yield
        finally:
            self._leave.clear()
            self._writer = threading.Thread(target=self._write)
            self._writer.start()

    def post(self, content: object, **headers: str) -> httpx.Response:
        body = content if isinstance(content, bytes) else json.dumps(content).encode()
        return self.client.post(
            "/events", content=body, headers={name.replace("_", "-"): v for name, v in headers.items()}
        )


def chunks(response: httpx.Response) -> Iterator[dict[str, str]]:
    """The events of a stream, each as its fields; comments are left out."""
    fields: dict[str, str] = {}
    for line in response.iter_lines():
        if line:
            name, _, value = line.partition(": ")
            fields[name] = value
        else:
            if "data" in fields:
                yield fields
            fields = {}
