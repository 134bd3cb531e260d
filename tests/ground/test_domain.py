"""The table of the domain (tests/domain.md) names tests that are there."""

import ast
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

TESTS = Path(__file__).parents[1]
NAMED = re.compile(r"`([a-z0-9_/]+): ([a-z0-9_]+)`")


def rows() -> Iterator[tuple[str, str]]:
    """Each line of the domain with the cell that names its tests."""
    for line in (TESTS / "domain.md").read_text(encoding="utf-8").splitlines():
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if line.startswith("|") and cells[0] not in ("what", "---"):
            what, tests = cells
            yield what, tests


@cache
def named_in(file: str) -> frozenset[str]:
    """The names of a file's tests, without `test_`."""
    folder, _, name = file.rpartition("/")
    source = (TESTS / folder / f"test_{name}.py").read_text(encoding="utf-8")
    found = (node.name for node in ast.parse(source).body if isinstance(node, ast.FunctionDef))
    return frozenset(name.removeprefix("test_") for name in found if name.startswith("test_"))


def test_each_line_of_the_domain_has_tests_that_are_there() -> None:
    missing = [
        f"{what}: {file}: {name}"
        for what, tests in rows()
        for file, name in NAMED.findall(tests) or [("", "names no test")]
        if not file or name not in named_in(file)
    ]
    assert missing == []


def test_no_line_stands_twice_and_no_cell_says_more_than_tests() -> None:
    lines = list(rows())
    assert len({what for what, _ in lines}) == len(lines) > 60
    assert [what for what, tests in lines if NAMED.sub("", tests).strip(", ")] == []
