"""The project's own source, as the checks of the ground read it."""

import ast
import subprocess
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[2]
PACKAGE = ROOT / "streamproc"


def modules(*rooms: str) -> list[Path]:
    """All Python files of the package, or of some of its rooms, in order of path."""
    folders = [PACKAGE / room for room in rooms] or [PACKAGE]
    return sorted(path for folder in folders for path in folder.rglob("*.py"))


def tree(path: Path) -> ast.Module:
    return ast.parse(path.read_text(encoding="utf-8"), str(path))


def tracked() -> list[Path]:
    """The files that git tracks, without those just removed from the work tree."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, capture_output=True, text=True)
    return [path for name in listed.stdout.split("\0") if name and (path := ROOT / name).is_file()]


def pyproject() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
