"""A backtest of a file of real events, as a process of its own."""

import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from streamproc.adapters.sources import open_sources, sorted_items
from streamproc.core.time import DAY, day_of, to_text
from streamproc.intake.rates import Rates
from streamproc.intake.refusal import Refusal
from tests.bench.harness import MICRO, Figure, child_cpu, say
from tests.bench.shop import SETUP, Material

EVERY_DAYS = 28
FAR_AWAY = 1 << 60
PROGRAM = [sys.executable, "-c", "from streamproc.cli.main import app; app()"]


def backtest(material: Material) -> Iterator[Figure]:
    """CPU seconds of `streamproc backtest FILE`, its start included; a cut every four weeks."""
    path, horizon = material.real, material.horizon
    if path is None:
        yield Figure(what="a file of real events", value=None, unit="s", note="not measured: name one by --real FILE")
        return
    say(f"backtest: {path.name}")
    times = [i.outcome.at for i in sorted_items(open_sources([path], Rates(SETUP.currency)), FAR_AWAY)
             if not isinstance(i.outcome, Refusal)]  # fmt: skip
    cuts = [to_text(day * DAY) for day in range(day_of(times[0]) + horizon, day_of(times[-1]) + 1, EVERY_DAYS)]
    with tempfile.TemporaryDirectory(dir=material.folder) as name:
        instants, out = Path(name) / "cuts", Path(name) / "risks.csv"
        instants.write_text("\n".join(cuts), encoding="utf-8")
        words = ["backtest", str(path.resolve()), "--horizon", f"{horizon}d", "--cuts", str(instants)]
        seconds = child_cpu([*PROGRAM, *words, "--out", str(out)])
    yield Figure(what=f"{path.name}, {len(cuts)} cuts", value=seconds, unit="s CPU", goal=15)
    yield Figure(what=f"  {len(times):,} events", value=seconds * MICRO / len(times), unit="µs/event")
