"""The repository speaks of itself alone, and its set-up fetches nothing that is not locked."""

import re
import subprocess
import zipfile
from pathlib import Path

import pytest
from flit_core import buildapi

import streamproc
from tests.ground.source import PACKAGE, ROOT, pyproject, tracked

TOP_LEVEL = {
    "ARCHITECTURE.md",
    "CHANGELOG.md",
    "LICENSE",
    "Makefile",
    "README.md",
    "deploy",
    "pyproject.toml",
    "requirements-dev.lock",
    "requirements.lock",
    "schemas",
    "streamproc",
    "tests",
}
LOCKS = ("requirements.lock", "requirements-dev.lock")

# Written in pieces, as this file is one of those that are searched.
FOLDERS = "work|root|home|Users|mnt"
HOSTS = "|".join(["pypi" + r"\.", "python" + "hosted", "npm" + "js", "crates" + r"\.io", "maven" + r"\.org"])
ELSEWHERE = re.compile(rf"(?<![\w.$}}*-])/(?:{FOLDERS})/|(?:{HOSTS})", re.IGNORECASE)


@pytest.mark.parametrize(
    ("line", "strange"),
    [
        ("see /" + "work/notes", True),
        ("cd /" + "root/x", True),
        ("https://" + "pypi" + ".org/simple", True),
        ("https://files.python" + "hosted.org", True),
        ("a network/of/work/shops", False),
        ("the home page is /customers/c-1", False),
    ],
)
def test_what_lies_elsewhere_is_seen(line: str, strange: bool) -> None:
    assert bool(ELSEWHERE.search(line)) == strange


def test_no_file_names_a_machine_or_a_registry() -> None:
    found = []
    for path in tracked():
        content = path.read_bytes()
        if b"\0" not in content:
            lines = enumerate(content.decode("utf-8").splitlines(), 1)
            found += [f"{path.relative_to(ROOT)}:{n}: {hit[0]}" for n, line in lines if (hit := ELSEWHERE.search(line))]
    assert found == []


def test_the_top_level_holds_what_belongs_there() -> None:
    names = {path.relative_to(ROOT).parts[0] for path in tracked()}
    assert {name for name in names if not name.startswith(".")} - TOP_LEVEL == set()
    assert {"LICENSE", "Makefile", "pyproject.toml", *LOCKS} <= names


def requirements(lock: str) -> dict[str, str]:
    """The pinned versions of a lock file with their hashes, by package and marker."""
    text = (ROOT / lock).read_text(encoding="utf-8").replace("\\\n", " ")
    lines = [line for line in text.splitlines() if line.strip() and not line.lstrip().startswith("#")]
    return {re.sub(r"==\S+| --hash=\S+|\s+", "", line): line for line in lines}


@pytest.mark.parametrize("lock", LOCKS)
def test_every_locked_package_has_one_version_and_a_hash(lock: str) -> None:
    pinned = requirements(lock)
    assert pinned
    assert [line for line in pinned.values() if not re.match(r"[a-z0-9-]+==\S+ .*--hash=sha256:", line)] == []


@pytest.mark.parametrize("lock", LOCKS)
def test_a_lock_file_says_nothing_of_where_packages_come_from(lock: str) -> None:
    text = (ROOT / lock).read_text(encoding="utf-8")
    assert "://" not in text
    assert re.findall(r"--(?:index|extra-index|find-links|trusted)\S*", text) == []


def test_what_is_tested_is_what_runs() -> None:
    running, testing = (requirements(lock) for lock in LOCKS)
    assert {name: line for name, line in running.items() if testing.get(name) != line} == {}


def test_every_declared_dependency_is_locked() -> None:
    project = pyproject()
    running = project["project"]["dependencies"] + project["dependency-groups"]["build"]
    testing = project["dependency-groups"]["dev"] + project["project"]["optional-dependencies"]["parquet"]
    for lock, wanted in zip(LOCKS, (running, running + testing), strict=True):
        locked = {line.split("==")[0] for line in requirements(lock).values()}
        assert {re.split(r"[<>=\[]", name)[0].replace("_", "-").lower() for name in wanted} - locked == set()


def test_ci_runs_the_same_command_as_everybody() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8").splitlines()
    assert [line for line in script if line.startswith("make")] == ["make test"]


def test_make_alone_lists_its_targets() -> None:
    shown = subprocess.run(["make"], cwd=ROOT, check=True, capture_output=True, text=True).stdout
    listed = {line.split()[1] for line in shown.splitlines()}
    assert {"run", "test", "setup", "lint", "bench", "lock", "help", "clean"} <= listed


def test_a_wheel_holds_every_file_of_the_package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(ROOT)
    with zipfile.ZipFile(tmp_path / buildapi.build_wheel(str(tmp_path))) as wheel:
        packed = set(wheel.namelist())
    files = {str(path.relative_to(ROOT)) for path in tracked() if PACKAGE in path.parents}
    assert files
    assert files - packed == set()


def test_the_package_and_the_project_have_the_same_version() -> None:
    assert pyproject()["project"]["version"] == streamproc.__version__


def test_the_changelog_has_room_for_what_comes() -> None:
    assert "\n## [Unreleased]\n" in (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
