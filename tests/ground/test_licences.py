"""What runs may be passed on under our licence, and what is known against it is read as it is meant."""

import re
from importlib.metadata import PackageNotFoundError, metadata

import pytest

from tests.audit import verdict
from tests.ground.source import ROOT

# As the packages write them: an SPDX expression, a classifier's last words, or some words of their own.
PERMISSIVE = re.compile(
    r"0BSD|BSD|BSD[- ]\d-Clause|BSD License|BSD-derived \(Repoze\)|Repoze Public License|MIT|MIT License|Zlib|CC0-1\.0"
    r"|Apache( License, Version)?[- ]2(\.0)?|Apache Software License|PSF-2\.0|Python Software Foundation License"
    r"|ISC License( \(ISCL\))?"
)
# A library that is used as it was released, beside ours and replaceable: its licence asks no more.
AS_A_LIBRARY = {"crc32c": "LGPL-2.1-or-later"}


def licences(name: str) -> list[str]:
    """What a package says of its licence: the most exact of what it says."""
    about = metadata(name)
    if expression := about.get_all("License-Expression"):
        return re.split(r" AND | OR ", expression[0])
    if name in AS_A_LIBRARY:
        return [about["License"]]
    listed = [line.split(" :: ")[-1] for line in about.get_all("Classifier") or [] if line.startswith("License ::")]
    return listed or [about["License"]]


def running() -> list[str]:
    """The packages of the lock that are installed here."""
    text = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    found = []
    for name in sorted(set(re.findall(r"^([a-z0-9-]+)==", text, re.MULTILINE))):
        try:
            metadata(name)
        except PackageNotFoundError:
            continue  # for another system
        found.append(name)
    return found


@pytest.mark.parametrize("name", running())
def test_what_runs_may_be_passed_on(name: str) -> None:
    for licence in licences(name):
        assert PERMISSIVE.fullmatch(licence) or AS_A_LIBRARY.get(name) == licence, licence


def test_a_licence_that_binds_ours_is_seen() -> None:
    for licence in (
        "GPL-3.0-or-later",
        "AGPL-3.0",
        "GNU General Public License v3 (GPLv3)",
        "LGPL-3.0",
        "BUSL-1.1",
        "",
    ):
        assert PERMISSIVE.fullmatch(licence) is None


FINE = {"name": "a", "version": "1", "vulns": []}
BAD = {"name": "b", "version": "2", "vulns": [{"id": "CVE-1", "fix_versions": ["3"]}]}
SKIPPED = {"name": "c", "skip_reason": "not found"}


def test_an_audit_says_what_it_found_and_what_it_could_not_look_up() -> None:
    assert verdict({"dependencies": [FINE, FINE]}).said == "2 packages without known vulnerabilities"
    assert verdict({"dependencies": [FINE, SKIPPED]}).said.endswith("1 are not known to the service")
    found = verdict({"dependencies": [FINE, BAD, SKIPPED]})
    assert found.found == ("b 2: CVE-1, mended in 3",)
    assert "CVE-1" in found.said


def test_an_audit_that_looked_nothing_up_is_none() -> None:
    for packages in ([SKIPPED, SKIPPED], []):
        seen = verdict({"dependencies": packages})
        assert seen.said.startswith("NOT AUDITED")
        assert seen.found == ()
