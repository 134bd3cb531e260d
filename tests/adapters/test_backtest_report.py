"""A report judges risks as anybody would by hand, and is one page that needs nothing else."""

import math
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from streamproc.adapters.report import Known, Line, Report, judge, page
from streamproc.core.time import DAY

H = 30
DAY_0 = 18_300
RNG = np.random.default_rng(3)


def known(day: int, n: int = 400, *, recency: int | None = None) -> Known:
    """A cut at which those long silent leave more often, and the risks say so."""
    silent = np.full(n, recency) if recency is not None else RNG.integers(0, 2 * H, n)
    true = 1.0 / (1.0 + np.exp(-(silent - H) / 8.0))
    left = (RNG.random(n) < true).astype(np.int64)
    bought = [sorted({day - 120 + k % 40, day - 1 - int(s)}) for k, s in enumerate(silent)]
    return Known(day * DAY, f"m{day}", "learned", true, silent.astype(np.int64), bought, left)


CUTS = [known(DAY_0), known(DAY_0 + 28)]


def line(report: Report, population: str, model: str) -> Line:
    [found] = [line for line in report.lines if (line.population, line.model) == (population, model)]
    return found


def by_hand(left: list[int], risks: list[float]) -> float:
    pairs = [
        (r > s) + (r == s) / 2
        for r, a in zip(risks, left, strict=True)
        if a
        for s, b in zip(risks, left, strict=True)
        if not b
    ]
    return sum(pairs) / len(pairs)


def test_figures_are_those_of_the_population() -> None:
    report = judge(CUTS, H)
    risks = np.concatenate([cut.risks for cut in CUTS])
    left = np.concatenate([cut.left for cut in CUTS])
    active = np.concatenate([cut.recency for cut in CUTS]) <= H
    for population, who in (("active", active), ("all", np.ones(len(left), dtype=bool))):
        found = line(report, population, "streamproc")
        assert found.n == who.sum()
        assert found.left_rate == pytest.approx(left[who].mean())
        assert found.brier == pytest.approx(((risks - left)[who] ** 2).mean())
        assert found.auc == pytest.approx(by_hand(left[who].tolist(), risks[who].tolist()))
        assert found.lift_10 == pytest.approx(found.precision_10 / found.left_rate)
    each = [by_hand(c.left[c.recency <= H].tolist(), c.risks[c.recency <= H].tolist()) for c in CUTS]
    assert line(report, "active", "streamproc").auc_by_cut == pytest.approx(np.mean(each))


def test_the_rivals_stand_beside_it_and_know_less_here() -> None:
    report = judge(CUTS, H)
    assert [line.model for line in report.lines] == ["streamproc", "BG/NBD", "recency", "base rate"] * 2
    ours = line(report, "active", "streamproc")
    for rival in ("BG/NBD", "recency", "base rate"):
        assert ours.log_loss < line(report, "active", rival).log_loss
    assert line(report, "active", "base rate").auc_by_cut == 0.5


def test_the_cuts_say_who_spoke() -> None:
    report = judge(CUTS, H, [(DAY_0 + 56) * DAY])
    assert [(cut.model, cut.speaks) for cut in report.cuts] == [("m18300", "learned"), ("m18328", "learned")]
    assert [cut.active for cut in report.cuts] == [int((cut.recency <= H).sum()) for cut in CUTS]
    assert report.unknown == ("2020-04-04T00:00:00Z",)


def test_gain_curves_rise_from_nothing_to_all_and_chance_is_straight() -> None:
    gains = {curve.model: curve.points for curve in judge(CUTS, H).gains}
    for points in gains.values():
        assert points[0] == (0.0, 0.0)
        assert points[-1] == (1.0, 1.0)
        assert [y for _, y in points] == sorted(y for _, y in points)
    assert all(x == pytest.approx(y, abs=1e-3) for x, y in gains["base rate"])
    assert dict(gains["streamproc"])[0.5] > 0.6


def test_the_calibration_holds_every_active_customer_once() -> None:
    report = judge(CUTS, H)
    assert sum(b.n for b in report.calibration) == line(report, "active", "streamproc").n
    assert all(0 <= b.risk <= 1 and 0 <= b.rate <= 1 for b in report.calibration)


def test_where_nobody_is_active_all_are_judged() -> None:
    report = judge([known(DAY_0, 50, recency=2 * H)], H)
    assert {line.population for line in report.lines} == {"all"}
    assert math.isnan(report.cuts[0].auc)
    assert "Nobody was active" in page(report, "x")


def test_without_a_cut_there_is_nothing_to_judge() -> None:
    with pytest.raises(ValueError, match="horizon"):
        judge([], H)


# ------------------------------------------------------------------------------------------------ page


class Tags(HTMLParser):
    """Checks that every tag is closed; notes what would be fetched."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.fetched: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag not in ("meta", "br"):
            self.open.append(tag)
        self.fetched += [
            f"{tag} {k}={v}" for k, v in attrs if k in ("src", "href", "srcset") or tag in ("link", "script")
        ]

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        pass

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_is_whole_and_needs_nothing_else() -> None:
    html = page(judge(CUTS, H, [(DAY_0 + 56) * DAY]), "orders.csv")
    tags = Tags()
    tags.feed(html)
    tags.close()
    assert tags.open == []
    assert tags.fetched == []
    assert "url(" not in html
    assert "2020-04-04T00:00:00Z" in html


def test_the_page_shows_the_figures_of_the_report() -> None:
    report = judge(CUTS, H)
    html = page(report, "orders.csv")
    for found in report.lines:
        assert f"<td>{found.auc:.4f}</td>" in html
        assert f"<td>{found.log_loss:.4f}</td>" in html
    assert html.count("<circle") == len(report.calibration)
    drawn = [float(y) for _, y in re.findall(r"([\d.]+),([\d.]+)", re.findall(r'points="(0\.0,[^"]*)"', html)[0])]
    assert (drawn[0], drawn[-1]) == (300.0, 0.0)


def test_the_title_is_text() -> None:
    html = page(judge(CUTS, H), "<script>alert(1)</script>.csv")
    assert "<script" not in html
    assert "&lt;script&gt;alert(1)" in html
