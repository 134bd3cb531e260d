"""Whether a package that runs is known to be dangerous: pip-audit over the lock, and what its answer is worth.

`make lint` runs it. Where no advisory service can be reached nothing is known, and that is said: it is neither a
finding nor a clean bill. pip-audit itself ends with "no known vulnerabilities" then, having looked at none.
"""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any, NamedTuple

LOCK = Path(__file__).resolve().parents[1] / "requirements.lock"
PATIENCE = 120.0
"""Seconds: a service that cannot be reached may be tried for each package in turn."""


class Verdict(NamedTuple):
    """How many packages were looked up and how many not; what was found, a line each."""

    looked_up: int
    unknown: int
    found: tuple[str, ...]

    @property
    def said(self) -> str:
        """What to tell."""
        if self.found:
            return "\n".join(["packages with known vulnerabilities:", *(f"  {line}" for line in self.found)])
        if not self.looked_up:
            return "NOT AUDITED: no advisory service is reached from here; run `make audit` where there is one"
        rest = f"; {self.unknown} are not known to the service" if self.unknown else ""
        return f"{self.looked_up} packages without known vulnerabilities{rest}"


def verdict(report: dict[str, Any]) -> Verdict:
    """What pip-audit's JSON comes to."""
    packages = report.get("dependencies", [])
    unknown = [package for package in packages if "skip_reason" in package]
    found = [
        f"{package['name']} {package['version']}: {one['id']}, mended in {', '.join(one['fix_versions']) or 'none yet'}"
        for package in packages
        for one in package.get("vulns", [])
    ]
    return Verdict(len(packages) - len(unknown), len(unknown), tuple(found))


def main() -> None:
    """Audits the lock; ends with 1 where something was found."""
    words = ["--requirement", str(LOCK), "--no-deps", "--disable-pip", "--format=json", "--progress-spinner=off"]
    command = [str(Path(sys.executable).with_name("pip-audit")), *words]
    try:
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=PATIENCE)
        seen = verdict(json.loads(done.stdout))
    except (subprocess.TimeoutExpired, json.JSONDecodeError):  # away, or broken off with a traceback
        seen = Verdict(0, 0, ())
    print(seen.said)
    sys.exit(bool(seen.found))


if __name__ == "__main__":
    main()
