"""Small files and small functions: what one person can read at once."""

import ast
import statistics
from collections.abc import Sequence

import pytest

from tests.ground.source import modules, tree

FILE_LINES_MEDIAN, FILE_LINES_P95 = 150, 450
FUNCTION_LINES_P95, FUNCTION_LINES_MAX = 40, 70
CONSTRUCTOR_PARAMETERS = 8


def lines_of_code(text: str) -> int:
    return sum(1 for line in text.splitlines() if line.strip() and not line.strip().startswith("#"))


def body_lines(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """The lines of a function without its docstring."""
    whole = (function.end_lineno or function.lineno) - function.lineno + 1
    first = function.body[0]
    if ast.get_docstring(function, clean=False) is None:
        return whole
    return whole - ((first.end_lineno or first.lineno) - first.lineno + 1)


def parameters(function: ast.FunctionDef | ast.AsyncFunctionDef) -> int:
    """How many parameters a method takes, without `self`."""
    every = function.args
    return len(every.posonlyargs) + len(every.args) + len(every.kwonlyargs) - 1


def functions() -> list[tuple[str, ast.FunctionDef | ast.AsyncFunctionDef]]:
    return [
        (f"{path}:{node.lineno} {node.name}", node)
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


def percentile_95(values: Sequence[int]) -> int:
    return sorted(values)[min(len(values) - 1, int(0.95 * len(values)))]


@pytest.mark.parametrize(
    ("source", "lines", "count"),
    [("def f(self, a, *, b):\n    return a", 2, 2), ('def f(self):\n    """Doc\n    string."""\n    return 1', 2, 0)],
)
def test_sizes_are_measured(source: str, lines: int, count: int) -> None:
    [function] = ast.parse(source).body
    assert isinstance(function, ast.FunctionDef)
    assert (body_lines(function), parameters(function)) == (lines, count)


def test_files_are_small() -> None:
    sizes = [lines for path in modules() if (lines := lines_of_code(path.read_text(encoding="utf-8")))]
    assert statistics.median(sizes) <= FILE_LINES_MEDIAN
    assert percentile_95(sizes) <= FILE_LINES_P95


def test_functions_are_small() -> None:
    sizes = {name: body_lines(node) for name, node in functions()}
    assert {name: size for name, size in sizes.items() if size > FUNCTION_LINES_MAX} == {}
    assert percentile_95(list(sizes.values())) <= FUNCTION_LINES_P95


def test_constructors_take_few_parameters() -> None:
    sizes = {name: parameters(node) for name, node in functions() if node.name == "__init__"}
    assert {name: size for name, size in sizes.items() if size > CONSTRUCTOR_PARAMETERS} == {}
