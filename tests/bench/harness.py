"""What all benchmarks share: figures, CPU time, facts about the machine, the table and the JSON."""

import gc
import os
import platform
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import msgspec
import numpy as np
from rich.table import Table

from streamproc.cli.common import seldom_collecting

ROOT = Path(__file__).resolve().parents[2]
AN_EVENT = "µs/event"
MICRO = 1e6


class Figure(msgspec.Struct, kw_only=True):
    """One measured value; `goal` is the most it may be. `value` None: not measured, `note` says why.

    `ratio` is that to the bare loop of the same run, for figures in µs an event; `met` None without a goal.
    """

    benchmark: str = ""
    what: str
    value: float | None
    unit: str
    goal: float | None = None
    note: str = ""
    ratio: float | None = None
    met: bool | None = None


class Machine(msgspec.Struct, kw_only=True):
    """Where the figures come from."""

    system: str
    processor: str
    cores: int
    memory_gb: float
    python: str
    sqlite: str
    numpy: str
    load: tuple[float, float, float]


class Results(msgspec.Struct, kw_only=True):
    """What build/bench.json holds. `events` is the size of the run; the goals are meant for a million."""

    commit: str
    changed: bool
    at: str
    events: int
    machine: Machine
    bare_loop: float
    figures: list[Figure] = []


def cpu_seconds(work: Callable[[], object]) -> float:
    """CPU seconds that the work takes in this process, with the garbage collector set as the long commands set it.

    What was there before is no burden to it.
    """
    gc.collect()
    gc.freeze()
    try:
        with seldom_collecting():
            before = time.process_time()
            work()
            return time.process_time() - before
    finally:
        gc.unfreeze()


def least_cpu(work: Callable[[], object], times: int = 3) -> float:
    """The least CPU seconds of some runs of work that can be repeated."""
    return min(cpu_seconds(work) for _ in range(times))


def an_event(what: str, seconds: float, events: int, goal: float | None = None) -> Figure:
    """A figure in µs an event."""
    return Figure(what=what, value=seconds * MICRO / events, unit=AN_EVENT, goal=goal)


def child_cpu(words: list[str]) -> float:
    """CPU seconds of a child process, its own start included. Raises CalledProcessError where it fails."""
    child = subprocess.Popen(words, cwd=ROOT, stdout=subprocess.DEVNULL)
    _, status, used = os.wait4(child.pid, 0)
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode:
        raise subprocess.CalledProcessError(child.returncode, words)
    return used.ru_utime + used.ru_stime


def say(text: str) -> None:
    """A line of progress."""
    print(f"{time.strftime('%H:%M:%S')} {text}", file=sys.stderr, flush=True)


def git(*words: str) -> str:
    """What git answers, nothing where there is no git or no repository."""
    try:
        return subprocess.run(["git", *words], cwd=ROOT, check=True, capture_output=True, text=True).stdout.strip()
    except (OSError, subprocess.CalledProcessError):
        return ""


def machine() -> Machine:
    """The facts of this machine, with the load on it now."""
    about = Path("/proc/cpuinfo").read_text(encoding="utf-8") if Path("/proc/cpuinfo").exists() else ""
    models = [line.split(":", 1)[1].strip() for line in about.splitlines() if line.startswith("model name")]
    return Machine(
        system=platform.platform(),
        processor=models[0] if models else platform.processor(),
        cores=os.cpu_count() or 1,
        memory_gb=round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        python=platform.python_version(),
        sqlite=sqlite3.sqlite_version,
        numpy=np.__version__,
        load=os.getloadavg(),
    )


def judged(figure: Figure, benchmark: str, bare_loop: float) -> Figure:
    """The figure with its benchmark's name, its ratio to the bare loop (µs an event), and whether the goal is met."""
    value = figure.value
    ratio = value / bare_loop if value is not None and figure.unit == AN_EVENT else None
    met = value <= figure.goal if value is not None and figure.goal is not None else None
    return msgspec.structs.replace(figure, benchmark=benchmark, ratio=ratio, met=met)


def table(results: Results) -> Table:
    """The figures for reading."""
    changed = " with changes" if results.changed else ""
    title = f"{results.events:,} events, commit {results.commit[:10] or 'unknown'}{changed}"
    made = Table("benchmark", "figure", title=title, box=None, pad_edge=False, header_style="bold")
    for name in ("value", "unit", "bare loops", "goal"):
        made.add_column(name, justify="left" if name == "unit" else "right", no_wrap=True)
    made.add_column("")
    last = ""
    for figure in results.figures:
        name = "" if figure.benchmark == last else figure.benchmark
        last = figure.benchmark
        verdict = {True: "met", False: "[red]not met[/red]", None: ""}[figure.met]
        if figure.value is None:
            made.add_row(name, figure.what, "", "", "", "", figure.note)
            continue
        ratio = "" if figure.ratio is None else f"{figure.ratio:.1f}"
        goal = "" if figure.goal is None else f"≤ {figure.goal:g}"
        remark = f"{verdict}  {figure.note}".strip()
        made.add_row(name, figure.what, number(figure.value), figure.unit, ratio, goal, remark)
    return made


def number(value: float) -> str:
    """Three or more digits that count."""
    if value >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if value >= 10 else f"{value:.3g}"
