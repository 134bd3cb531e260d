"""The embedded runtime end to end: into a data folder from decoded items and from a file, and read again."""

import tempfile
from collections.abc import Iterable, Iterator
from contextlib import closing
from pathlib import Path

from streamproc.adapters.embedded.inbox import BATCH
from streamproc.adapters.embedded.journal import read
from streamproc.adapters.embedded.replay import Replay
from streamproc.adapters.embedded.runner import Arrival, Runner, batches
from streamproc.adapters.embedded.schema import connect
from streamproc.adapters.sources import open_sources, sorted_items
from streamproc.intake.rates import Rates
from tests.bench.harness import Figure, an_event, cpu_seconds, say
from tests.bench.shop import MONEY, SETUP, Material

GOAL = 40


def fill(folder: Path, arrivals: Iterable[Arrival]) -> None:
    """Takes arrivals into a folder as `run FILE --exit-when-done` does."""
    with closing(connect(folder)) as db:
        runner = Runner(db, SETUP)
        for batch in batches(arrivals, BATCH):
            runner.take(batch)
        runner.end_of_data()


def embedded(material: Material) -> Iterator[Figure]:
    """Decoded items and a JSON Lines file into a folder each; then a replay of the journal."""
    items = material.items
    with tempfile.TemporaryDirectory(dir=material.folder) as name:
        folder = Path(name)
        say(f"embedded: {len(items):,} decoded items")
        yield an_event("from decoded items", cpu_seconds(lambda: fill(folder / "items", items)), len(items), GOAL)
        path = folder / "feed.jsonl"
        path.write_bytes(b"\n".join(event.line for event in material.feed) + b"\n")
        say("embedded: the same from a file")
        seconds = cpu_seconds(lambda: fill(folder / "file", _from_file(path, material.shop.ends)))
        yield an_event("from a JSON Lines file", seconds, len(items), GOAL)
        say("embedded: replay of the journal")
        yield an_event("replay of the journal", cpu_seconds(lambda: _replay(folder / "items")), len(items))


def _from_file(path: Path, now: int) -> Iterator[Arrival]:
    return sorted_items(open_sources([path], Rates(SETUP.currency)), now)


def _replay(folder: Path) -> None:
    with closing(connect(folder, readonly=True)) as db:
        for _ in Replay(MONEY).run(read(db)):
            pass
