"""The benchmarks run and their figures come out; how large these are is not for a test to say."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import msgspec
import pytest

from tests.bench.__main__ import BENCHMARKS, main
from tests.bench.harness import AN_EVENT, Figure, judged, number

Bench = Callable[..., tuple[str, dict[str, Any]]]

ORDERS = "customer_id,ts,amount\n" + "".join(
    f"c{n % 40},2024-{1 + n // 40 % 12:02d}-{1 + n % 28:02d}T10:00:00Z,{10 + n % 7}.50\n" for n in range(480)
)


@pytest.fixture
def bench(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> Bench:
    """What a tiny run prints, and what it writes."""

    def run(*words: str) -> tuple[str, dict[str, Any]]:
        out = tmp_path / "made" / "bench.json"
        main(["--events", "1000", "--out", str(out), *words])
        return capsys.readouterr().out, msgspec.json.decode(out.read_bytes())

    return run


def test_every_benchmark_gives_figures_in_the_table_and_the_json(tmp_path: Path, bench: Bench) -> None:
    orders = tmp_path / "orders.csv"
    orders.write_text(ORDERS, encoding="utf-8")
    printed, written = bench("--real", str(orders), "--horizon", "60")
    figures = written["figures"]
    assert {figure["benchmark"] for figure in figures} == {"bare loop", *BENCHMARKS}
    for figure in figures:
        assert figure["value"] >= 0, figure
        assert figure["what"].strip() in printed
        assert (figure["met"] is None) == (figure["goal"] is None)
        assert (figure["ratio"] is None) == (figure["unit"] != AN_EVENT)
    assert written["machine"]["cores"] > 0
    assert written["events"] == 1000


def test_a_missing_file_of_real_events_is_said(bench: Bench) -> None:
    printed, written = bench("backtest")
    assert "not measured: name one by --real FILE" in printed
    assert written["figures"][-1]["met"] is None


def test_an_unknown_name_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit) as stopped:
        main(["decoed"])
    assert stopped.value.code == 2
    assert "no such benchmark: decoed" in capsys.readouterr().err


@pytest.mark.parametrize(("value", "met"), [(9.9, True), (10.0, True), (10.1, False)])
def test_a_goal_is_the_most_a_figure_may_be(value: float, met: bool) -> None:
    figure = judged(Figure(what="x", value=value, unit=AN_EVENT, goal=10), "b", 2.0)
    assert (figure.met, figure.ratio) == (met, value / 2.0)


@pytest.mark.parametrize(
    ("value", "shown"), [(1234.5, "1,234"), (99.96, "100.0"), (12.34, "12.3"), (1.234, "1.23"), (0.00744, "0.00744")]
)
def test_numbers_are_short(value: float, shown: str) -> None:
    assert number(value) == shown
