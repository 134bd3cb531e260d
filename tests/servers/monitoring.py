"""Prometheus and Alertmanager as processes, with the deployment's own configuration in a test's clothes.

What a test changes of it, and nothing else: addresses, how often is asked, how long is waited before something is said,
and the thresholds' numbers. Of the alerts' rules only the `for` lines change, which `hurried` makes sure of.
"""

import json
import re
import shutil
import threading
from collections.abc import Mapping, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.parse import urlencode
from urllib.request import urlopen

import yaml

from tests.servers.process import ServerProcess, free_ports, needed

DEPLOY = Path(__file__).resolve().parents[2] / "deploy"
FOR = re.compile(r"^( *for: ).*$", re.MULTILINE)


def hurried(rules: str) -> str:
    """Alert rules that fire after a second of what they are about."""
    changed = FOR.sub(r"\g<1>1s", rules)
    assert FOR.sub("", changed) == FOR.sub("", rules)
    return changed


class Prometheus:
    """A Prometheus in a folder of its own that asks the targets of one job every second."""

    def __init__(
        self, folder: Path, targets: Sequence[str], alertmanager: str = "", thresholds: Mapping[str, str] | None = None
    ) -> None:
        """`thresholds`: by the text that stands in thresholds.yml, what stands there instead."""
        [self.port] = free_ports(1)
        self._folder = folder
        shutil.copytree(DEPLOY / "prometheus" / "rules", folder / "rules")
        alerts = folder / "rules" / "alerts.yml"
        alerts.write_text(hurried(alerts.read_text(encoding="utf-8")), encoding="utf-8")
        numbers = folder / "rules" / "thresholds.yml"
        text = numbers.read_text(encoding="utf-8")
        for stands, instead in (thresholds or {}).items():
            assert text.count(stands) == 1, stands
            text = text.replace(stands, instead)
        numbers.write_text(text, encoding="utf-8")
        config = yaml.safe_load((DEPLOY / "prometheus" / "prometheus.yml").read_text(encoding="utf-8"))
        config["global"] = {"scrape_interval": "1s", "evaluation_interval": "1s", "scrape_timeout": "1s"}
        config["alerting"]["alertmanagers"] = [
            {"static_configs": [{"targets": [alertmanager] if alertmanager else []}]}
        ]
        [job] = config["scrape_configs"]
        job.pop("dns_sd_configs")
        job["static_configs"] = [{"targets": list(targets)}]
        (folder / "prometheus.yml").write_text(yaml.safe_dump(config), encoding="utf-8")

    def start(self) -> None:
        """Returns once it answers. Raises ServerError if it is not installed or will not."""
        command = [
            needed("prometheus", "prometheus"),
            "--config.file=prometheus.yml",
            "--storage.tsdb.path=data",
            f"--web.listen-address=127.0.0.1:{self.port}",
        ]
        self._process = ServerProcess(command, self._folder / "prometheus.log")
        self._process.wait_ready(lambda: _answers(f"http://127.0.0.1:{self.port}/-/ready"))

    def kill(self) -> None:
        """Ends it."""
        self._process.kill()

    def ask(self, query: str) -> list[dict[str, Any]]:
        """The result of an instant query: metric and value of each series. Raises HTTPError where it is wrong."""
        with urlopen(f"http://127.0.0.1:{self.port}/api/v1/query?{urlencode({'query': query})}", timeout=30) as answer:
            found: list[dict[str, Any]] = json.load(answer)["data"]["result"]
        return found


class Alertmanager:
    """An Alertmanager whose receivers all tell `receivers`, each at a path of its own name, as soon as may be."""

    def __init__(self, folder: Path, receivers: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        [self.port] = free_ports(1)
        self._folder = folder
        config = yaml.safe_load((DEPLOY / "alertmanager" / "alertmanager.yml").read_text(encoding="utf-8"))
        for route in (config["route"], *config["route"]["routes"]):
            route |= {"group_wait": "1s", "group_interval": "1s"}
        for receiver in config["receivers"]:
            receiver["webhook_configs"] = [{"url": f"{receivers}/{receiver['name']}", "send_resolved": True}]
        (folder / "alertmanager.yml").write_text(yaml.safe_dump(config), encoding="utf-8")

    @property
    def address(self) -> str:
        """Where Prometheus sends its alerts."""
        return f"127.0.0.1:{self.port}"

    def start(self) -> None:
        """Returns once it answers. Raises ServerError if it is not installed or will not."""
        command = [
            needed("prometheus-alertmanager", "prometheus-alertmanager"),
            "--config.file=alertmanager.yml",
            "--storage.path=data",
            "--cluster.listen-address=",
            f"--web.listen-address={self.address}",
        ]
        self._process = ServerProcess(command, self._folder / "alertmanager.log")
        self._process.wait_ready(lambda: _answers(f"http://{self.address}/-/ready"))

    def kill(self) -> None:
        """Ends it."""
        self._process.kill()


class Receiver:
    """Whoever is told of alerts: a webhook that keeps what it is sent, by the receiver's name."""

    def __init__(self) -> None:
        self.told: list[tuple[str, dict[str, Any]]] = []
        told = self.told

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                told.extend((self.path.strip("/"), alert) for alert in body["alerts"])
                self.send_response(200)
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as in the base class
                """Nothing: what it was sent is in `told`."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()

    @property
    def url(self) -> str:
        """Where it is."""
        return f"http://127.0.0.1:{self._server.server_port}"

    def close(self) -> None:
        """Takes nothing more."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=2):
            return True
    except (URLError, OSError):
        return False
