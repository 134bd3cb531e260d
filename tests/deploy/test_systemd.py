"""The units of systemd: verified, hardened, installed under a folder, and their commands run as they stand."""

import os
import re
import shlex
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Callable, Iterator
from configparser import RawConfigParser
from pathlib import Path
from urllib.error import URLError
from urllib.request import Request, urlopen

import pytest

import streamproc
from streamproc.config import load
from tests.ground.source import ROOT
from tests.servers.process import ServerProcess, free_ports, needed, wait_until

FOLDER = ROOT / "deploy" / "systemd"
UNITS = sorted(path.name for path in FOLDER.iterdir() if path.suffix in {".service", ".timer"})
SERVICES = [name for name in UNITS if name.endswith(".service")]
STAYING = [name for name in SERVICES if name != "streamproc-backup.service"]
PROGRAM = Path(sys.executable).with_name("streamproc")
INSTALLED = "/opt/streamproc/bin/streamproc"
TARGETS = {
    "embedded": {"streamproc.service", "streamproc-backup.timer"},
    "worker": {"streamproc-worker@1.service", "streamproc-worker@2.service"},
    "page": {"streamproc-page.service"},
}
# What MemoryDenyWriteExecute= does, asked for by the process itself: PR_SET_MDWE, PR_MDWE_REFUSE_EXEC_GAIN.
DENIED = "import ctypes, os, sys; ctypes.CDLL(None).prctl(65, 1, 0, 0, 0); os.execv(sys.argv[1], sys.argv[1:])"


def unit(name: str) -> RawConfigParser:
    """A unit's sections; of a setting that is given twice the last."""
    parser = RawConfigParser(strict=False, delimiters=("=",), comment_prefixes=("#",))
    parser.optionxform = str  # type: ignore[method-assign, assignment] # names of settings have capitals
    parser.read_string((FOLDER / name).read_text(encoding="utf-8"))
    return parser


@pytest.fixture(scope="module")
def here(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The units with the program where it is here, and the template as its first instance."""
    folder = tmp_path_factory.mktemp("units")
    for name in UNITS:
        text = (FOLDER / name).read_text(encoding="utf-8").replace(INSTALLED, str(PROGRAM))
        (folder / name.replace("@", "@1")).write_text(text, encoding="utf-8")
    return folder


def analyze(*words: str | Path) -> "subprocess.CompletedProcess[str]":
    command = [needed("systemd-analyze", "systemd"), *words]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("name", UNITS)
def test_systemd_understands_every_line(name: str, here: Path) -> None:
    done = analyze("verify", "--man=no", here / name.replace("@", "@1"))
    said = [line for line in done.stderr.splitlines() if "streamproc" in line]  # of the machine's own units, nothing
    assert said == []


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_may_do_little(name: str, here: Path) -> None:
    done = analyze("security", "--offline=true", "--threshold=15", here / name.replace("@", "@1"))
    assert done.returncode == 0, done.stdout


@pytest.mark.parametrize("name", STAYING)
def test_what_ends_is_started_again_for_ever(name: str) -> None:
    found = unit(name)
    assert found["Unit"]["StartLimitIntervalSec"] == "0"
    assert found["Service"]["Restart"] == "always"
    assert {"MemoryMax", "TasksMax", "TimeoutStopSec"} <= found["Service"].keys()
    assert found["Service"]["LoadCredential"].startswith("streamproc.toml:/etc/streamproc/")
    assert "--config ${CREDENTIALS_DIRECTORY}/streamproc.toml" in found["Service"]["ExecStart"]
    assert "Environment" not in found["Service"]


@pytest.mark.parametrize("name", ["embedded", "worker", "page"])
def test_an_example_of_settings_can_be_used(name: str) -> None:
    settings = load(FOLDER / f"{name}.toml")
    assert bool(settings.kafka.brokers) == (name != "embedded")


def test_install_asks_what_for() -> None:
    done = subprocess.run([FOLDER / "install", "everything"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert all(f"install {target}" in done.stderr for target in TARGETS)


@pytest.mark.parametrize(
    ("answer", "said"),
    [
        (str(Path("/", "home", "li", ".pyenv")), "which services do not see"),
        (str(Path("/", "root", ".local")), "which services do not see"),
        ("", "is too old, 3.11 is needed"),
    ],
)
def test_a_python_that_services_cannot_run_is_refused(answer: str, said: str, tmp_path: Path) -> None:
    python = tmp_path / "python"
    python.write_text(f"#!/bin/sh\necho '{answer}'\n", encoding="utf-8")
    python.chmod(0o755)
    told = {**os.environ, "ROOT": str(tmp_path / "root"), "HOME": "/nobody", "PYTHON": str(python)}
    done = subprocess.run([FOLDER / "install", "embedded"], env=told, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert said in done.stderr
    assert not (tmp_path / "root").exists()


def user_line(passwd: Path) -> str:
    [found] = [line for line in passwd.read_text(encoding="utf-8").splitlines() if line.startswith("streamproc:")]
    return found


@pytest.mark.parametrize("target", TARGETS)
def test_install_puts_all_in_its_place_and_leaves_settings_alone(target: str, tmp_path: Path) -> None:
    program = tmp_path / "opt" / f"streamproc-{streamproc.__version__}" / "bin"
    program.mkdir(parents=True)
    (program / "streamproc").symlink_to(PROGRAM)  # this version is there: nothing is fetched
    command = [str(FOLDER / "install"), target, *(["2"] if target == "worker" else [])]
    installed = {**os.environ, "ROOT": str(tmp_path)}
    told = subprocess.run(command, env=installed, check=True, capture_output=True, text=True).stdout
    assert "look at /etc/streamproc/" in told
    system = tmp_path / "etc" / "systemd" / "system"
    assert list(system.glob("*.wants/*")) == [], "the first start fixes settings, and no past goes in after it"
    [settings] = (tmp_path / "etc" / "streamproc").iterdir()
    if target == "embedded" and os.geteuid() == 0:
        assert stat.S_IMODE(settings.stat().st_mode) == 0o640
        assert f":{settings.stat().st_gid}:" in user_line(tmp_path / "etc" / "passwd")
        assert f":{(tmp_path / 'var/lib/streamproc').stat().st_uid}:" in user_line(tmp_path / "etc" / "passwd")
    else:
        assert stat.S_IMODE(settings.stat().st_mode) == 0o600
    settings.write_text("# ours", encoding="utf-8")
    subprocess.run(command, env=installed, check=True, capture_output=True)
    assert settings.read_text(encoding="utf-8") == "# ours"
    assert {path.name for path in system.iterdir() if path.is_file() and not path.is_symlink()} == set(UNITS)
    assert {path.name for path in system.glob("*.wants/*")} == TARGETS[target]
    loaded = {
        unit(re.sub(r"@\d", "@", name))["Service"]["LoadCredential"] for name in TARGETS[target] if "timer" not in name
    }
    assert loaded == {f"streamproc.toml:/etc/streamproc/{settings.name}"}
    assert (tmp_path / "opt" / "streamproc" / "bin" / "streamproc").samefile(PROGRAM)
    assert (tmp_path / "opt" / "streamproc" / "deploy" / "README.md").is_file()


# ------------------------------------------------------------------------------------ what the units start


class Host:
    """The embedded units' commands, with the host's folders below one of ours."""

    def __init__(self, folder: Path) -> None:
        [self.port] = free_ports(1)
        self.pause: Callable[[], None] = lambda: None
        self.data = folder / "var/lib/streamproc"
        credentials = folder / "credentials"
        credentials.mkdir()
        text = (FOLDER / "embedded.toml").read_text(encoding="utf-8").replace(":8080", f":{self.port}")
        (credentials / "streamproc.toml").write_text(text, encoding="utf-8")
        self._places = {
            INSTALLED: str(PROGRAM),
            "/var/lib/": f"{folder}/var/lib/",
            "${CREDENTIALS_DIRECTORY}": str(credentials),
        }

    def words(self, name: str) -> list[str]:
        """What a service's ExecStart runs."""
        line = unit(name)["Service"]["ExecStart"]
        for there, place in self._places.items():
            line = line.replace(there, place)
        return [sys.executable, "-c", DENIED, *shlex.split(line)]

    def ask(self, data: Path, *words: str) -> "subprocess.CompletedProcess[str]":
        """What a command says of a data folder."""
        command = [str(PROGRAM), *words, "--data", str(data)]
        return subprocess.run(command, check=False, capture_output=True, text=True)

    def post(self, body: bytes) -> None:
        """Sends events as a shop would."""
        request = Request(f"http://127.0.0.1:{self.port}/events", data=body)
        with urlopen(request, timeout=60) as answer:
            assert answer.status in {200, 202}

    def is_ready(self) -> bool:
        try:
            return bool(urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=5))
        except (URLError, OSError):
            return False


@pytest.fixture
def host(tmp_path: Path) -> Iterator[Host]:
    made = Host(tmp_path)
    made.data.mkdir(parents=True)
    server = ServerProcess(made.words("streamproc.service"), tmp_path / "log")
    wait_until(made.is_ready, "the page")
    made.pause = lambda: os.kill(server.pid, signal.SIGSTOP)
    yield made
    server.kill()


EVENTS = b"\n".join(
    b'{"event_id":"e%d","customer_id":"c-%d","occurred_at":"2026-0%d-01T10:00:00Z","order_id":"o%d","amount":%d}'
    % (n, n % 7, n % 9 + 1, n, n + 1)
    for n in range(60)
)


def test_a_backup_that_was_restored_gives_the_same_answers(host: Host, tmp_path: Path) -> None:
    host.post(EVENTS)
    wait_until(lambda: host.ask(host.data, "why", "c-3").returncode == 0, "the customers were looked at")
    host.pause()  # the copy is of a folder in use, and time stands still for the questions
    subprocess.run(host.words("streamproc-backup.service"), check=True, capture_output=True, cwd=tmp_path)
    [copy] = (tmp_path / "var/lib/streamproc-backups").iterdir()
    shutil.move(copy, tmp_path / "elsewhere.db")
    restored = tmp_path / "restored"
    assert host.ask(restored, "restore", str(tmp_path / "elsewhere.db")).returncode == 0
    for question in (["customer", "c-3", "--json"], ["why", "c-3", "--json"], ["status", "--json"]):
        answer = host.ask(restored, *question)
        assert (answer.returncode, answer.stdout) == (0, host.ask(host.data, *question).stdout)
    assert [host.ask(restored, check).returncode for check in ("doctor", "replay")] == [0, 0]
