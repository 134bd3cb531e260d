"""A live run of a small shop, with a feed that is a process of its own, and what watches it.

Run as a program, it is that feed.
"""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import NamedTuple
from urllib.request import Request, urlopen

from deploy.grafana.panels import Teller
from deploy.grafana.write import BOARDS
from streamproc.simulate import Dirt, Shop, write
from tests.ground.source import ROOT
from tests.servers.monitoring import Alertmanager, Prometheus, Receiver
from tests.servers.process import ServerProcess, free_ports, wait_until

PROGRAM = Path(sys.executable).with_name("streamproc")
NAMES = ("purchases", "complaints", "contacts", "facts")
DAYS = 300
HORIZON = 30
"""Days: short, so that a small shop has verdicts, and models that learned from them."""

SILENT_AFTER = 6
"""Seconds without a purchase, in place of the day that the deployment waits."""


class Scene(NamedTuple):
    """A run at `page`, its feed, and those who watch it."""

    page: str
    feed: "subprocess.Popen[bytes]"
    prometheus: Prometheus
    receiver: Receiver


@contextmanager
def scene(folder: Path) -> Iterator[Scene]:
    """All of it, up and with data, for as long as the block runs."""
    shop = Shop(
        customers=120,
        days=DAYS,
        seed=7,
        start=date.today() - timedelta(days=DAYS + 1),  # noqa: DTZ011 - any day near today will do
        dirt=Dirt(duplicates=0.01, disorder=0.02, poison=0.01),
    )
    write(shop, folder / "shop")
    [port] = free_ports(1)
    page = f"127.0.0.1:{port}"
    files = [str(folder / "shop" / f"{name}.jsonl") for name in NAMES]
    options = ["--data", str(folder / "data"), "--horizon", str(HORIZON), "--live", "--listen", page]
    run = ServerProcess([PROGRAM, "run", *files, *options], folder / "run.log")
    receiver = Receiver()
    alertmanager = Alertmanager(folder / "alertmanager", receiver.url)
    numbers = {"expr: vector(24 * 3600)": f"expr: vector({SILENT_AFTER})"}
    prometheus = Prometheus(folder / "prometheus", [page], alertmanager.address, numbers)
    with ExitStack() as stack:
        stack.callback(receiver.close)
        stack.callback(run.kill)
        run.wait_ready(lambda: _ready(page))
        feed = stack.enter_context(subprocess.Popen([sys.executable, __file__, page], cwd=ROOT))
        stack.callback(feed.kill)
        alertmanager.start()
        stack.callback(alertmanager.kill)
        prometheus.start()
        stack.callback(prometheus.kill)
        wait_until(lambda: len(prometheus.ask("rate(streamproc_events_total[5s]) > 0")) > 0, "events are counted")
        yield Scene(page, feed, prometheus, receiver)


VARIABLES = {"$job": "streamproc", "$grade": ".+", "$instance": ".+", "$__rate_interval": "10s", "$__range": "60s"}
"""What stands for Grafana's variables."""


def asked_of(*tellers: Teller) -> set[str]:
    """The queries of all panels that these tell."""
    asked = {
        asks
        for board in BOARDS
        for row in board.rows
        for panel in row.panels
        for asks, _ in panel.asks
        if panel.teller in tellers
    }
    return {_filled(asks) for asks in asked}


def _filled(asks: str) -> str:
    for variable, value in VARIABLES.items():
        asks = asks.replace(variable, value)
    return asks


def shows(prometheus: Prometheus, asks: str) -> bool:
    """Whether there is a number to be drawn."""
    return any(series["value"][1] != "NaN" for series in prometheus.ask(asks))


def _ready(page: str) -> bool:
    try:
        with urlopen(f"http://{page}/readyz", timeout=2):
            return True
    except OSError:
        return False


def _sell(page: str) -> None:
    """A purchase of today every half second, and now and then something else, until it is killed."""
    number = 0
    while True:
        number += 1
        about = {
            "customer_id": f"c{number % 40:07}",
            "occurred_at": datetime.now(UTC).isoformat(),
            "event_id": f"l{number}",
        }
        event: dict[str, object] = {
            "stream": "purchases",
            "order_id": f"l{number}",
            "amount": "20.00",
            "currency": "EUR",
        }
        if number % 5 == 0:
            event = {"stream": "complaints", "complaint_id": f"k{number}", "status": "opened", "category": "quality"}
        body = json.dumps(event | about).encode()
        with urlopen(Request(f"http://{page}/events", data=body), timeout=60):  # what failed would be seen by the tests
            time.sleep(0.5)


if __name__ == "__main__":
    _sell(sys.argv[1])
