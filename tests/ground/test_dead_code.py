"""Code that nothing in the package uses is dead, however well it is tested."""

import ast
from collections.abc import Iterable
from pathlib import Path

from vulture import Vulture

from tests.ground.source import PACKAGE, modules, tree

CALLED_BY_DECORATION = ["@*.command", "@*.callback"]  # Typer calls what is registered with it
CALLED_BY_LIBRARIES = {
    "list_commands": "typer asks for the names of a group's commands",
    "on_broken_pipe": "rich says so when nobody reads any more",
    "_multiclass": "river asks each classifier",
    "collect": "prometheus asks each collector",
    "_loads": "faust asks a codec",
    "_create_directories": "faust's app calls it before it starts",
    "_new_transport": "faust's app calls it when it first needs one",
    "_create_worker_consumer": "faust's consumer thread calls it when it starts",
    "_fetch_records": "faust's consumer thread calls it for each fetch",
    "_new_consumer_thread": "faust's consumer calls it when it is made",
    "_drain_messages": "faust's fetcher runs it",
    "_fetch_max_wait_ms": "aiokafka's fetcher puts it into each request",
    "perform_seek": "faust calls it after a rebalance",
    "verify_all_partitions_active": "faust's consumer calls it now and then",
    "_stop_on_signal": "mode's worker runs it on SIGTERM and SIGINT",
    "on_start": "mode calls it when a service starts",
    "learn_many": "river's pipelines call it",
    "predict_proba_many": "river's pipelines call it",
    "_unit_test_skips": "river's estimator checks read it",
    "should_exit": "uvicorn looks at it between requests",
    "readable": "io.BufferedReader asks a raw stream before it reads",
    "readinto": "io.BufferedReader reads a raw stream through it",
}
"""Names that a library calls, each with the reason; one that is no longer defined fails the last test."""


def fields(paths: Iterable[Path]) -> set[tuple[Path, int]]:
    """The lines of class-level assignments: fields and enum members are read by encoders, not by name."""
    return {
        (path, statement.lineno)
        for path in paths
        for node in ast.walk(tree(path))
        if isinstance(node, ast.ClassDef)
        for statement in node.body
        if isinstance(statement, ast.AnnAssign | ast.Assign)
    }


def unused(folder: Path, *, exclude: tuple[Path, ...] = ()) -> list[str]:
    """What no code in the folder uses, as `path:line kind name`; code in `exclude` counts as a user only."""
    finder = Vulture(ignore_decorators=CALLED_BY_DECORATION)
    finder.scavenge([str(folder)])
    harmless = fields(folder.rglob("*.py"))
    return [
        f"{item.filename}:{item.first_lineno} {item.typ} {item.name}"
        for item in finder.get_unused_code(min_confidence=60)
        if (Path(item.filename).resolve(), item.first_lineno) not in harmless
        and not any(folder in Path(item.filename).resolve().parents for folder in exclude)
        and item.name not in CALLED_BY_LIBRARIES
    ]


def test_the_check_sees_dead_code(tmp_path: Path) -> None:
    (tmp_path / "sample.py").write_text(
        "class Event:\n    at: int\n\ndef used(): return Event()\n\ndef dead(): return used()\n", encoding="utf-8"
    )
    assert [line.split(" ", 1)[1] for line in unused(tmp_path)] == ["function dead"]


def test_nothing_in_the_package_is_dead() -> None:
    assert modules()
    # The testing room is there to be used from outside.
    dead = unused(PACKAGE, exclude=(PACKAGE / "testing",))
    assert not dead, "\n".join(dead)


def test_every_exception_is_still_needed() -> None:
    nodes = [node for path in modules() for node in ast.walk(tree(path))]
    defined = {n.name for n in nodes if isinstance(n, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)}
    defined |= {n.attr for n in nodes if isinstance(n, ast.Attribute) and isinstance(n.ctx, ast.Store)}
    assert set(CALLED_BY_LIBRARIES) - defined == set()
