"""`python -m tests.bench [NAME…]`: measures, prints a table, writes build/bench.json. Slowness is no error."""

import argparse
import tempfile
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import msgspec
from rich.console import Console

from tests.bench.decode import bare_loop, decode
from tests.bench.embedded import embedded
from tests.bench.harness import AN_EVENT, MICRO, ROOT, Figure, Results, git, judged, least_cpu, machine, say, table
from tests.bench.monitor import monitor
from tests.bench.real import backtest
from tests.bench.scale import scale
from tests.bench.shop import Material

BENCHMARKS: dict[str, Callable[[Material], Iterator[Figure]]] = {
    "decode": decode,
    "monitor": monitor,
    "embedded": embedded,
    "backtest": backtest,
    "scale": scale,
}
QUICK = 50_000


def asked(words: Sequence[str] | None) -> argparse.Namespace:
    """What the command line asks for."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Speed, memory and state size.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"{', '.join(BENCHMARKS)} (all, unless named)")
    parser.add_argument("--events", type=int, default=1_000_000, help="how many; as many customers where it is of them")
    parser.add_argument("--quick", action="store_const", dest="events", const=QUICK, help=f"--events {QUICK}")
    parser.add_argument("--real", type=Path, metavar="FILE", help="real events to backtest")
    parser.add_argument("--horizon", type=int, default=90, metavar="DAYS", help="that backtest's horizon")
    parser.add_argument("--out", type=Path, default=ROOT / "build" / "bench.json", metavar="FILE", help="the JSON")
    given = parser.parse_args(words)
    unknown = set(given.names) - set(BENCHMARKS)
    if unknown:
        parser.error(f"no such benchmark: {', '.join(sorted(unknown))}; there are {', '.join(BENCHMARKS)}")
    return given


def measure(given: argparse.Namespace, folder: Path) -> Results:
    """Runs the benchmarks asked for, one after the other; a run that is stopped leaves the figures it had."""
    material = Material(given.events, folder, given.real, given.horizon)
    results = Results(
        commit=git("rev-parse", "HEAD"),
        changed=bool(git("status", "--porcelain", "--untracked-files=no", "streamproc")),
        at=datetime.now(UTC).isoformat(timespec="seconds"),
        events=given.events,
        machine=machine(),
        bare_loop=0.0,
    )
    lines = material.lines
    results.bare_loop = least_cpu(lambda: bare_loop(lines)) * MICRO / len(lines)
    bare = Figure(what="decode, touch a dict", value=results.bare_loop, unit=AN_EVENT)
    results.figures.append(judged(bare, "bare loop", results.bare_loop))
    for name in given.names or BENCHMARKS:
        for figure in BENCHMARKS[name](material):
            say(f"  {figure.what}: {figure.value if figure.value is None else round(figure.value, 3)} {figure.unit}")
            results.figures.append(judged(figure, name, results.bare_loop))
            write(results, given.out)
    return results


def write(results: Results, out: Path) -> None:
    """Writes the figures so far."""
    out.parent.mkdir(parents=True, exist_ok=True)
    out.write_bytes(msgspec.json.format(msgspec.json.encode(results), indent=1) + b"\n")


def main(words: Sequence[str] | None = None) -> None:
    """Measures what the words ask for."""
    given = asked(words)
    with tempfile.TemporaryDirectory(prefix="streamproc-bench-") as folder:
        results = measure(given, Path(folder))
    Console(width=140 if not Console().is_terminal else None).print(table(results))


if __name__ == "__main__":
    main()
