"""What the number of customers in a folder costs: idle ticks, the start, memory, the same events among more of them."""

import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from statistics import median

import msgspec

from streamproc.adapters.embedded.runner import Runner
from streamproc.adapters.embedded.schema import connect
from streamproc.core.control import Tick
from streamproc.core.time import DAY, SECOND
from streamproc.monitor.effects import Looked
from tests.bench.folders import SHOP_SIZE, Crowd, base_folder, crowd
from tests.bench.harness import AN_EVENT, MICRO, ROOT, Figure, cpu_seconds, say
from tests.bench.shop import SETUP, Material
from tests.bench.worker import Worked

IDLE_TICKS = 200
AN_EVENT_OF = 50
"""One event for so many customers of the largest folder: few enough that most are of customers not seen before."""

MORE = 5
"""So many times as many events follow in the largest folder, to fill the cache of states."""

MILLI = 1e3


def scale(material: Material) -> Iterator[Figure]:
    """State sizes; then folders of a hundredth, a tenth and all of as many customers as the run has events."""
    size = material.size
    with tempfile.TemporaryDirectory(dir=material.folder) as name:
        folder = Path(name)
        base = base_folder(folder / "base", max(20, min(SHOP_SIZE, size // 50)))
        yield from _state_sizes(base)
        events = max(20, size // AN_EVENT_OF)
        for customers in (size // 100, size // 10):
            some = crowd(base, folder / str(customers), customers)
            yield _rate(some, events, _work(some, [events]))
        everybody = crowd(base, folder / str(size), size)
        yield from _idle(everybody)
        yield from _started(everybody, events)


def _state_sizes(folder: Path) -> Iterator[Figure]:
    with closing(connect(folder, readonly=True)) as db:
        sizes = sorted(n for (n,) in db.execute("SELECT length(body) FROM states"))
    yield Figure(what="state, median", value=median(sizes), unit="bytes")
    yield Figure(what="state, 99th percentile", value=sizes[int(0.99 * (len(sizes) - 1))], unit="bytes")


def _rate(some: Crowd, events: int, worked: Worked) -> Figure:
    value = worked.files[0] * MICRO / events
    return Figure(what=f"an event among {some.customers:,} customers", value=value, unit=AN_EVENT)


def _idle(everybody: Crowd) -> Iterator[Figure]:
    say("idle ticks")
    began = everybody.at - DAY + SECOND
    with closing(connect(everybody.folder)) as db:
        pipeline = Runner(db, SETUP).pipeline
        ticks = [Tick(at=began + n * SECOND) for n in range(IDLE_TICKS)]
        seconds = cpu_seconds(lambda: [pipeline.apply(tick) for tick in ticks])
    among = f"among {everybody.customers:,} customers"
    yield Figure(what=f"a tick, none due {among}", value=seconds * MILLI / IDLE_TICKS, unit="ms", goal=1)
    took, looks = zip(*(_tick_with_due(everybody) for _ in range(3)), strict=True)
    yield Figure(what=f"a tick, {looks[0]:,} looks due {among}", value=median(took) * MILLI, unit="ms", goal=50)


def _tick_with_due(everybody: Crowd) -> tuple[float, int]:
    """Nothing is committed, so that it can be had again."""
    looks = 0

    def tick() -> None:
        nonlocal looks
        step = runner.pipeline.apply(Tick(at=everybody.at))
        looks = sum(isinstance(effect, Looked) for effect in step.effects)

    with closing(connect(everybody.folder)) as db:
        runner = Runner(db, SETUP)
        return cpu_seconds(tick), looks


def _started(everybody: Crowd, events: int) -> Iterator[Figure]:
    worked = _work(everybody, [events, events * MORE])
    yield _rate(everybody, events, worked)
    of = f"with {everybody.customers:,} customers"
    yield Figure(what=f"start {of}, first tick included", value=worked.start, unit="s CPU", goal=5)
    yield Figure(what="  imports alone", value=worked.imports, unit="s CPU")
    yield Figure(what="  folder opened, first tick", value=worked.start_wall, unit="s wall")
    yield Figure(what=f"memory {of}, at the start", value=worked.memory_at_start, unit="MB")
    what = f"memory {of}, {events * (1 + MORE):,} events on"
    yield Figure(what=what, value=worked.memory, unit="MB", goal=1536)


def _work(some: Crowd, numbers: list[int]) -> Worked:
    say(f"{sum(numbers):,} events among {some.customers:,} customers")
    files = []
    for seed, number in enumerate(numbers):
        path = some.folder / f"events-{seed}.jsonl"
        with path.open("wb") as file:
            file.writelines(msgspec.json.encode(event) + b"\n" for event in some.purchases(number, seed))
        files.append(str(path))
    words = [sys.executable, "-m", "tests.bench.worker", str(some.folder), str(some.at), *files]
    done = subprocess.run(words, cwd=ROOT, check=True, stdout=subprocess.PIPE)
    return msgspec.json.decode(done.stdout, type=Worked)
