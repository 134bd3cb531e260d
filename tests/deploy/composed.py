"""The compose file as Compose reads it: variables written out with their defaults, services, secrets."""

import re
import subprocess
from pathlib import Path
from typing import Any

import yaml

from tests.ground.source import ROOT

FOLDER = ROOT / "deploy" / "compose"
VARIABLE = re.compile(r"\$\{([A-Z_]+):-([^}]*)\}")


def compose_text() -> str:
    """The file as it is written."""
    return (FOLDER / "compose.yaml").read_text(encoding="utf-8")


def compose() -> dict[str, Any]:
    """What the file says where no variable is set."""
    text = VARIABLE.sub(lambda found: found[2], compose_text())
    found: dict[str, Any] = yaml.safe_load(text)
    return found


def make_secrets(folder: Path) -> subprocess.CompletedProcess[str]:
    """Runs the script that makes them."""
    return subprocess.run([FOLDER.parent / "make-secrets", folder], capture_output=True, text=True, check=False)
