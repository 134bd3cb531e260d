"""The image's steps, read from its Dockerfile and run without an engine.

Root on Linux can give a process a file system of its own (`unshare`, bind mounts, `chroot`). Each stage gets a folder
in which the base is this machine's own Python and system, read-only, and all else is empty. So it is seen that the
steps work, that they need nothing but what they copy, and that what comes out runs as the image's user with a
read-only root. What is not seen is the base image itself.
"""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from shutil import which
from typing import NamedTuple

from tests.ground.source import ROOT

DOCKERFILE = ROOT / "deploy" / "image" / "Dockerfile"
BASE_PATH = "/base:/usr/bin:/bin:/usr/sbin:/sbin"
CHROOT = which("chroot", path="/usr/sbin:/sbin:/usr/bin:/bin") or "chroot"
"""Also where a user's own PATH leaves out what administrators run."""
CARRIED = {name: value for name, value in os.environ.items() if name in {"PIP_CERT", "PIP_INDEX_URL", "SSL_CERT_FILE"}}
LOOPBACK_UP = (
    "import fcntl, socket, struct; "
    "fcntl.ioctl(socket.socket(), 0x8914, struct.pack('16sh14x', b'lo', 1))"  # SIOCSIFFLAGS, IFF_UP
)


class Step(NamedTuple):
    """One instruction: `word` in capitals, `rest` on one line."""

    word: str
    rest: str


class Stage(NamedTuple):
    """What stands between two FROM."""

    base: str
    name: str
    steps: tuple[Step, ...]

    def all(self, word: str) -> list[str]:
        """The rest of each instruction of a kind."""
        return [step.rest for step in self.steps if step.word == word]

    @property
    def variables(self) -> dict[str, str]:
        """What ENV sets, with `$PATH` written out."""
        pairs = dict(pair.split("=", 1) for rest in self.all("ENV") for pair in shlex.split(rest))
        return {name: value.replace("$PATH", BASE_PATH) for name, value in pairs.items()}


def stages(text: str) -> list[Stage]:
    """The stages of a Dockerfile, in their order."""
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    found: list[Stage] = []
    for line in re.sub(r"\\\n\s*", "", "\n".join(lines)).splitlines():
        word, _, rest = line.strip().partition(" ")
        if word == "FROM":
            base, _, name = rest.partition(" AS ")
            found.append(Stage(base, name or "final", ()))
        elif word:
            found[-1] = found[-1]._replace(steps=(*found[-1].steps, Step(word, rest.strip())))
    return found


def may_rehearse() -> bool:
    """Whether this machine lets us give a process a file system of its own."""
    return os.geteuid() == 0 and subprocess.run(["unshare", "--mount", "true"], check=False).returncode == 0


class Rehearsal:
    """The image, built into `folder`: a folder a stage."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._stages = stages(DOCKERFILE.read_text(encoding="utf-8"))

    def build(self) -> None:
        """Runs every step. Raises AssertionError with what the step said."""
        self._folder.mkdir()
        for stage in self._stages:
            root = self._folder / stage.name
            _lay(root)
            process = _alone([*_mounts(root), *self._commands(stage, root)])
            said, _ = process.communicate()
            assert process.returncode == 0, said

    def remove(self) -> None:
        """Removes the folder: some hundred MB that nobody looks at again."""
        shutil.rmtree(self._folder)

    def start(self, command: str, *, writable: Sequence[str] = ()) -> "subprocess.Popen[str]":
        """Runs a command line as the image does: its user, variables and folder, with a read-only root.

        The folders in `writable` are empty and in memory; the network is its own, where port 8080 is free.
        """
        stage = self._stages[-1]
        root = self._folder / stage.name
        user, _, group = stage.all("USER")[-1].partition(":")
        memory = [f"mount -t tmpfs -o uid={user},gid={group},mode=0700 none {root}{place}" for place in writable]
        inner = f"cd {stage.all('WORKDIR')[-1]} && {command}"
        lines = [
            f"{sys.executable} -c {shlex.quote(LOOPBACK_UP)}",
            f"mount --bind {root} {root}",
            *_mounts(root),
            f"mount -o remount,bind,ro {root}",
            *memory,
            f"exec {CHROOT} --userspec={user}:{group} {root} {_with(stage.variables, inner)}",
        ]
        return _alone(lines, "--net")

    def _commands(self, stage: Stage, root: Path) -> Iterator[str]:
        variables: dict[str, str] = {}
        here = "/"
        for word, rest in stage.steps:
            if word == "ENV":
                variables |= Stage("", "", (Step(word, rest),)).variables
            elif word == "WORKDIR":
                here = rest
                yield f"mkdir -p {root}{here}"
            elif word == "COPY":
                yield self._copy(shlex.split(rest), root, here)
            elif word == "RUN":
                yield f"{CHROOT} {root} {_with(variables | CARRIED, f'cd {here} && {rest}')}"

    def _copy(self, words: list[str], root: Path, here: str) -> str:
        *sources, target = words
        if sources[0].startswith("--from="):
            other, place = self._folder / sources[0].removeprefix("--from="), Path(target).parent
            assert sources[1:] == [target], "a folder keeps its place between the stages"
            return (
                f"mkdir -p {root}{place} && cp -al {other}{target} {root}{place}"  # linked: 400 MB need no second copy
            )
        assert target == "./" or sources == [target.rstrip("/")], "what is copied keeps its name"
        # Nothing that git ignores: the build gets what a clean checkout would have.
        listed = f"git ls-files -zco --exclude-standard -- {shlex.join(sources)}"
        return f"cd {ROOT} && {listed} | xargs -0 cp --parents -t {root}{here}"


def _with(variables: Mapping[str, str], command: str) -> str:
    """The command, with these variables alone."""
    pairs = [f"{name}={value}" for name, value in ({"PATH": BASE_PATH} | dict(variables)).items()]
    return shlex.join(["/usr/bin/env", "-i", *pairs, "bash", "-euo", "pipefail", "-c", command])


def _lay(root: Path) -> None:
    """An empty system: `/usr` and what hangs on it is this machine's, `/base` says which Python is meant."""
    for name in ("usr", "dev", "proc", "tmp", "var/lib", "base", sys.base_prefix.strip("/")):
        (root / name).mkdir(parents=True, exist_ok=True)
    for name in ("bin", "sbin", "lib", "lib32", "lib64", "libx32"):
        if Path("/", name).is_symlink():
            (root / name).symlink_to(Path("/", name).readlink())
    (root / "base" / "python").symlink_to(Path(sys.base_prefix, "bin", f"python3.{sys.version_info.minor}"))


def _mounts(root: Path) -> list[str]:
    """The machine's system and Python read-only, and a copy of its settings."""
    binds = [f"mount --rbind /dev {root}/dev", f"mount -t proc none {root}/proc"]
    for place in dict.fromkeys(("/usr", sys.base_prefix)):
        binds += [f"mount --bind {place} {root}{place}", f"mount -o remount,bind,ro {root}{place}"]
    return [*binds, f"[ -d {root}/etc/ssl ] || cp -a /etc {root}"]


def _alone(lines: Sequence[str], *spaces: str) -> "subprocess.Popen[str]":
    """A process with mounts and process numbers of its own: all of it ends with its first."""
    script = "\n".join(lines)
    return subprocess.Popen(
        ["unshare", "--mount", "--pid", "--fork", "--kill-child", *spaces, "bash", "-euo", "pipefail", "-c", script],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        cwd=ROOT,
    )
