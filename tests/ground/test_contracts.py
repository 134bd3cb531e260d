"""The rooms import downwards only: the contracts themselves are in pyproject.toml."""

import subprocess
import sys
from pathlib import Path

from tests.ground.source import PACKAGE, ROOT, modules, pyproject

PURE = "pure"


def test_every_import_contract_is_kept() -> None:
    command = Path(sys.executable).with_name("lint-imports")
    result = subprocess.run([command, "--no-logo"], cwd=ROOT, check=False, capture_output=True, text=True)
    assert result.returncode == 0, result.stdout + result.stderr


def test_what_is_pure_is_what_is_covered() -> None:
    contracts = {contract["id"]: contract for contract in pyproject()["tool"]["importlinter"]["contracts"]}
    covered = {path.replace("/", ".") for path in pyproject()["tool"]["coverage"]["run"]["source"]}
    assert covered == set(contracts[PURE]["source_modules"]) - {"streamproc.trainer"}


def test_every_folder_with_code_is_a_package() -> None:
    # The contracts see packages only: code in a folder without __init__.py would escape them.
    folders = {folder for path in modules() for folder in path.parents if PACKAGE in (folder, *folder.parents)}
    assert [folder for folder in folders if not (folder / "__init__.py").is_file()] == []
