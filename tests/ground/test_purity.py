"""What imports cannot show: the same journal gives the same result only if no pure room asks the world."""

import ast
from collections.abc import Iterator

import pytest

from tests.ground.source import modules, pyproject, tree

# hash() of text differs from process to process; id() is an address.
BUILTINS = {"eval", "exec", "hash", "id", "input", "open", "print"}
CLOCK = {"now", "today", "utcnow", "fromtimestamp", "astimezone", "localtime", "monotonic", "perf_counter"}
CHANCE = {"random", "default_rng"}


def impurities(node: ast.AST) -> Iterator[str]:
    """What the code asks of the world, each as `line: name`."""
    for part in ast.walk(node):
        match part:
            case ast.Call(func=ast.Name(id=name)) if name in BUILTINS:
                yield f"{part.lineno}: {name}()"
            case ast.Call(func=ast.Attribute(attr=name)) if name in CLOCK:
                yield f"{part.lineno}: .{name}()"
            case ast.Attribute(attr=name) if name in CHANCE:
                yield f"{part.lineno}: .{name}"
            case _:
                pass


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("datetime.now(UTC)", ["1: .now()"]),
        ("x = 1\ny = hash(customer_id)", ["2: hash()"]),
        ("numpy.random.default_rng(1).normal()", ["1: .default_rng", "1: .random"]),
        ("open('f')", ["1: open()"]),
        ("day_of(at)\nhashes.stable(customer_id)\nself.now", []),
    ],
)
def test_impurities_are_seen(source: str, found: list[str]) -> None:
    assert sorted(impurities(ast.parse(source))) == found


def test_pure_rooms_ask_nothing_of_the_world() -> None:
    covered = pyproject()["tool"]["coverage"]["run"]["source"]
    rooms = [name.removeprefix("streamproc/") for name in covered]
    found = {str(path): list(impurities(tree(path))) for path in modules(*rooms, "trainer")}
    assert found
    assert {path: where for path, where in found.items() if where} == {}
