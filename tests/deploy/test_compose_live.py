"""The compose file's services as processes of this machine: its settings, commands and secrets, on the real servers.

What differs from a host with an engine: ports and folders, and that nothing is confined.
"""

import json
import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest
from redis import Redis
from redis.exceptions import NoPermissionError

from streamproc.adapters.redis.client import reading_client
from streamproc.adapters.redis.reader import RedisFeedReader
from streamproc.config import load
from streamproc.desk.forgetting import farewell_of
from streamproc.testing.feed_contract import CHECKS, Home
from streamproc.testing.feed_entries import warned
from tests.adapters.redis.kit import PREFIX, RedisFeed
from tests.deploy.composed import FOLDER, compose, make_secrets
from tests.servers.broker import JARS, JAVA
from tests.servers.process import ServerProcess, free_ports, needed, wait_until

SERVICES: dict[str, dict[str, Any]] = compose()["services"]
PROGRAM = str(Path(sys.executable).with_name("streamproc"))


@pytest.fixture(scope="module")
def secrets(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("compose") / "secrets"
    make_secrets(folder)
    return folder


def secret_settings(service: str, secrets: Path, port: int) -> str:
    """The secret settings of a service, with Redis where it is here."""
    text = (secrets / f"{service}.toml").read_text(encoding="utf-8")
    return text.replace("@redis:6379/", f"@127.0.0.1:{port}/")


# ------------------------------------------------------------------------------------------------------- Redis


@pytest.fixture(scope="module")
def redis_port(secrets: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[int]:
    """A Redis with the settings and users of the compose file, and one more that may do everything."""
    folder = tmp_path_factory.mktemp("redis")
    [port] = free_ports(1)
    users = (secrets / "redis.acl").read_text(encoding="utf-8") + "user tester on nopass ~* &* +@all\n"
    (folder / "redis.acl").write_text(users, encoding="utf-8")
    text = (FOLDER / "redis" / "redis.conf").read_text(encoding="utf-8")
    for there, here in (
        ("bind * -::*", "bind 127.0.0.1"),
        ("port 6379", f"port {port}"),
        ("dir /data", f"dir {folder}"),
        ("aclfile /run/secrets/redis.acl", f"aclfile {folder / 'redis.acl'}"),
    ):
        assert text.count(there) == 1
        text = text.replace(there, here)
    (folder / "redis.conf").write_text(text, encoding="utf-8")
    server = ServerProcess([needed("redis-server", "redis-server"), folder / "redis.conf"], folder / "log")
    health = SERVICES["redis"]["healthcheck"]["test"][1:]
    asked = [health[0], "-p", str(port), *health[1:]]
    server.wait_ready(lambda: subprocess.run(asked, capture_output=True, check=False).returncode == 0)
    yield port
    server.kill()


@pytest.fixture
def by_user(redis_port: int, secrets: Path, tmp_path: Path) -> Callable[[str], str]:
    """The address of Redis as a service's secret settings have it."""

    def url(service: str) -> str:
        path = tmp_path / f"{service}.toml"
        path.write_text(secret_settings(service, secrets, redis_port), encoding="utf-8")
        return load(path).redis.url.get_secret_value()

    with Redis(port=redis_port, username="tester", password="-") as tester:
        tester.flushall()
    return url


class OurFeed(RedisFeed):
    """The workers write it and the page reads it, each as who they are."""

    def __init__(self, by_user: Callable[[str], str]) -> None:
        super().__init__(by_user("worker"))
        self.client.close()
        self.client = reading_client(by_user("page"))
        RedisFeedReader.__init__(self, self.client, PREFIX)


@pytest.mark.parametrize("check", CHECKS, ids=lambda check: check.__name__)
def test_the_users_of_redis_may_do_all_they_must(check: Callable[[Home], None], by_user: Callable[[str], str]) -> None:
    with OurFeed(by_user) as feed:
        check(feed)


def test_the_workers_may_forget_somebody_and_see_that_all_is_written_down(by_user: Callable[[str], str]) -> None:
    with OurFeed(by_user) as feed:
        feed.write([warned("w1", "gone"), warned("w2", "other"), farewell_of("gone", "2026-02-01T00:00:00Z")])
        assert [warning.customer_id for warning in feed.warnings()] == ["other"]
        assert feed.run(lambda store: store.writes_down()) is True
    with Redis.from_url(by_user("worker")) as client:
        assert client.get("{streamproc-2026-02.feed}:2:position") is None  # the feed of a journal that was made anew


@pytest.mark.parametrize(
    ("service", "forbidden"),
    [
        ("page", "SET {streamproc.feed}:x 1"),
        ("page", "DEL {streamproc.feed}:x"),
        ("page", "HSET {streamproc.feed}:x a b"),
        ("page", "CLIENT PAUSE 1"),
        ("worker", "CLIENT KILL TYPE normal"),
        ("worker", "FLUSHALL"),
        ("worker", "CONFIG SET appendonly no"),
        ("worker", "SHUTDOWN"),
        ("worker", "ACL LIST"),
        ("worker", "GET other"),
        ("worker", "KEYS *"),
    ],
)
def test_and_nothing_else(service: str, forbidden: str, by_user: Callable[[str], str]) -> None:
    with Redis.from_url(by_user(service)) as client, pytest.raises(NoPermissionError):
        client.execute_command(*forbidden.split())


# -------------------------------------------------------------------------------------------- Kafka and our own


class ComposeKafka:
    """A Kafka with the settings of the compose file, formatted and started as `kafka/start` does.

    `settings` may be those of Kubernetes, which has no door for the host; what is said of both is there.
    """

    def __init__(self, folder: Path, settings: Path = FOLDER / "kafka" / "server.properties") -> None:
        self.data = folder / "data"
        self._folder = folder
        self._server: ServerProcess | None = None
        self.port, controller, host = free_ports(3)
        text = settings.read_text(encoding="utf-8")
        for there, here in (
            ("@(kafka|localhost):9093", f"@127.0.0.1:{controller}"),
            ("INSIDE://[a-z.]*:9092", f"INSIDE://127.0.0.1:{self.port}"),
            ("CONTROLLER://:9093", f"CONTROLLER://127.0.0.1:{controller}"),
            ("HOST://(localhost)?:9094", f"HOST://127.0.0.1:{host}"),
            ("/var/lib/kafka/data", str(self.data)),
        ):
            text, changed = re.subn(there, here, text)
            assert changed or settings.parent.name == "small"
        self._settings = folder / "server.properties"
        self._settings.write_text(text, encoding="utf-8")

    def start(self) -> None:
        """Formats the folder where that was not done, starts, and returns once it is healthy."""
        logging = f"-Dlog4j2.configurationFile={FOLDER / 'kafka' / 'log4j2.properties'}"
        java = [needed("java", "default-jre-headless"), *JAVA, logging, "-cp", f"{JARS}/*"]
        cluster = SERVICES["kafka"]["environment"]["CLUSTER_ID"]
        words = ["format", "--ignore-formatted", "--cluster-id", cluster, "--config", str(self._settings)]
        subprocess.run([*java, "kafka.tools.StorageTool", *words], check=True, capture_output=True)
        self._server = ServerProcess([*java, "kafka.Kafka", self._settings], self._folder / "log")
        *shell, script = SERVICES["kafka"]["healthcheck"]["test"][1:]
        asked = [*shell, script.replace("9092", str(self.port))]
        self._server.wait_ready(lambda: subprocess.run(asked, capture_output=True, check=False).returncode == 0)

    def stop(self) -> None:
        """Shuts it down in order; nothing if it does not run."""
        if self._server is not None:
            server, self._server = self._server, None
            server.stop()


@pytest.fixture(scope="module")
def kafka(tmp_path_factory: pytest.TempPathFactory) -> Iterator[ComposeKafka]:
    node = ComposeKafka(tmp_path_factory.mktemp("kafka"))
    node.start()
    yield node
    node.stop()


def test_kafka_of_kubernetes_begins_on_a_volume_as_clouds_give_it(tmp_path: Path) -> None:
    node = ComposeKafka(tmp_path, FOLDER.parent / "kubernetes" / "overlays" / "small" / "server.properties")
    (node.data / "lost+found").mkdir(parents=True)
    node.start()
    node.stop()


class Installation:
    """Our services, each in a folder of its own that holds its secret settings, as the image's does."""

    def __init__(self, folder: Path, secrets: Path, kafka_port: int, redis_port: int) -> None:
        self.folder = folder
        self._secrets, self._kafka, self._redis = secrets, kafka_port, redis_port
        self.started: list[ServerProcess] = []

    def start(self, service: str) -> str:
        """Starts a service that stays; gives where it answers."""
        [port] = free_ports(1)
        command = [word.replace("0.0.0.0:8080", f"127.0.0.1:{port}") for word in SERVICES[service]["command"]]
        process = ServerProcess(self._command(service, *command), self.folder / f"{service}.log")
        self.started.append(process)
        return f"http://127.0.0.1:{port}"

    def run(self, service: str, *command: str, given: bytes = b"") -> "subprocess.CompletedProcess[bytes]":
        """Runs a command to its end, as `docker compose run` does."""
        return subprocess.run(self._command(service, *command), input=given, capture_output=True, check=False)

    def _command(self, service: str, *command: str) -> list[str | Path]:
        place = self.folder / service
        place.mkdir(exist_ok=True)
        if "secrets" in SERVICES[service]:
            told = secret_settings(service, self._secrets, self._redis)
            (place / "streamproc.toml").write_text(told, encoding="utf-8")
        pairs = [f"{name}={value}" for name, value in SERVICES[service]["environment"].items()]
        pairs = [pair.replace("kafka:9092", f"127.0.0.1:{self._kafka}") for pair in pairs]
        script = f"cd {place} && exec env -i PATH={os.environ['PATH']} OPENBLAS_NUM_THREADS=1 OMP_NUM_THREADS=1"
        return ["bash", "-c", f"{script} {shlex.join([*pairs, PROGRAM, *command])}"]

    def end(self) -> None:
        """Kills what was started."""
        while self.started:
            self.started.pop().kill()


@pytest.fixture
def installation(secrets: Path, kafka: ComposeKafka, redis_port: int, tmp_path: Path) -> Iterator[Installation]:
    made = Installation(tmp_path, secrets, kafka.port, redis_port)
    yield made
    made.end()


def ready(address: str) -> bool:
    try:
        return bool(urlopen(f"{address}/readyz", timeout=5))
    except (URLError, OSError):
        return False


def customer(page: str, secrets: Path) -> Any:
    """What the page tells of a customer to whoever has the token; None while it knows nothing."""
    [token] = re.findall(r'^token = "(.*)"$', (secrets / "page.toml").read_text(encoding="utf-8"), re.MULTILINE)
    try:
        return json.load(urlopen(Request(f"{page}/api/customers/c-1", headers={"Authorization": f"Bearer {token}"})))
    except (URLError, OSError):
        return None


SOLD = b'{"event_id":"1","customer_id":"c-1","occurred_at":"2026-11-01T10:00:00Z","order_id":"o-1","amount":10}\n'


def doctor_finds(installation: Installation) -> list[bytes]:
    found = installation.run("worker", "doctor", "--json").stdout.splitlines()
    return [line for line in found if json.loads(line)["level"] == "fault"]


def test_the_services_work_and_a_copy_of_kafkas_folder_is_a_backup_of_them(
    installation: Installation, kafka: ComposeKafka, redis_port: int, secrets: Path, tmp_path: Path
) -> None:
    made = installation.run("topics", *SERVICES["topics"]["command"])
    assert made.returncode == 0, made.stderr
    worker, page = installation.start("worker"), installation.start("page")
    wait_until(lambda: ready(worker) and ready(page), "worker and page ready")
    assert installation.run("topics", "produce", "-", given=SOLD).returncode == 0
    wait_until(lambda: customer(page, secrets) is not None, "the page knows the customer")
    with pytest.raises(URLError, match="401"):
        urlopen(f"{page}/api/customers/c-1", timeout=10)
    assert doctor_finds(installation) == []

    # The host burns down; what is left is a copy of Kafka's folder, made while the broker was down.
    installation.end()
    kafka.stop()
    shutil.copytree(kafka.data, tmp_path / "copy")
    shutil.rmtree(kafka.data)
    with Redis(port=redis_port, username="tester", password="-") as tester:
        tester.flushall()
    shutil.copytree(tmp_path / "copy", kafka.data)
    kafka.start()
    worker, page = installation.start("worker"), installation.start("page")
    wait_until(lambda: ready(worker) and ready(page), "worker and page ready")
    wait_until(lambda: customer(page, secrets) is not None, "the page knows the customer")
    assert doctor_finds(installation) == []
