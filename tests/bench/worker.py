"""A process of its own that starts on a data folder and takes events: what it costs to start, an event, memory.

`python -m tests.bench.worker FOLDER AT FILE…`: starts, moves time to AT (µs), then takes each file of journal records;
prints one JSON object.
"""

import re
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import msgspec

from streamproc.adapters.embedded.inbox import BATCH
from streamproc.adapters.embedded.runner import Arrival, Runner, batches
from streamproc.adapters.embedded.schema import connect
from streamproc.cli.common import seldom_collecting
from streamproc.core.events import Purchase
from streamproc.intake.refusal import Position
from tests.bench.shop import SETUP
from tests.monitor.shops import Delivery

MEBIBYTE = 1024


class Worked(msgspec.Struct, kw_only=True):
    """CPU seconds: of the imports, of the whole start with its first tick, and of each file; peak memory in MB."""

    imports: float
    start: float
    start_wall: float
    files: list[float] = []
    memory_at_start: float = 0.0
    memory: float = 0.0


def work(folder: Path, at: int, files: list[Path]) -> Worked:
    """Starts on the folder and takes the files' records."""
    imports, began = time.process_time(), time.perf_counter()
    with seldom_collecting(), closing(connect(folder)) as db:
        runner = Runner(db, SETUP)
        runner.advance_to(at)
        done = Worked(imports=imports, start=time.process_time(), start_wall=time.perf_counter() - began)
        done.memory_at_start = peak_memory()
        for file in files:
            done.files.append(_take(runner, file))
        done.memory = peak_memory()
    return done


def _take(runner: Runner, file: Path) -> float:
    """CPU seconds of the runner, without reading the file."""
    spent = 0.0
    for batch in batches(_arrivals(file), BATCH):
        before = time.process_time()
        runner.take(batch)
        spent += time.process_time() - before
    return spent


def _arrivals(file: Path) -> Iterator[Arrival]:
    decoder = msgspec.json.Decoder(Purchase)
    with file.open("rb") as lines:
        for row, line in enumerate(lines, 1):
            yield Delivery(decoder.decode(line), line, Position(file.name, row))


def peak_memory() -> float:
    """The most memory resident so far in this program, MB (getrusage would count its parent's, too)."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    found = re.search(r"^VmHWM:\s+(\d+) kB", status, re.MULTILINE)
    return int(found[1]) / MEBIBYTE if found is not None else 0.0


if __name__ == "__main__":
    print(msgspec.json.encode(work(Path(sys.argv[1]), int(sys.argv[2]), [Path(f) for f in sys.argv[3:]])).decode())
