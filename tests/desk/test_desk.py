"""The desk raises every would-warn with a disposition, writes the feed, and derives the grades from the base."""

from itertools import pairwise

import msgspec
import pytest
from msgspec.structs import replace

from streamproc.core.control import Disposition, PolicyChange, Tick
from streamproc.core.playbook import UNKNOWN
from streamproc.core.policy import Policy, Severity
from streamproc.core.population import GradeShares
from streamproc.core.time import to_text
from streamproc.core.value import Segment
from streamproc.desk.desk import Desk, end_of_tick
from streamproc.desk.warning import Entry, Money, Warning, warning_of  # noqa: A004 - it is the domain's word
from streamproc.monitor.effects import EpisodeChanged, FirmTold, Looked, Verdict, WouldWarn
from streamproc.monitor.totals import new_totals
from streamproc.testing.events import bought, complained, known, on
from tests.desk.test_playbook import OURS
from tests.monitor.bench import Bench
from tests.monitor.shops import records

ALWAYS = Policy(raise_at=0.0, clear_at=0.0, escalate_at=1.0, minimum_silence=0.0)
EUR = Money("EUR")


def warned() -> tuple[Bench, WouldWarn]:
    bench = Bench(policy=ALWAYS)
    bench.give(
        bought(on(0), 12_345, customer_kind="business"), bought(on(1), 1, event_id="last"),
        complained(on(1), event_id="angry"), known(on(1), owner="Li"),
    )  # fmt: skip
    bench.tick(on(3))
    [would] = bench.all(WouldWarn)
    return bench, would


@pytest.mark.parametrize(
    ("minor", "digits", "text"),
    [(12_345, 2, "123.45"), (-5, 2, "-0.05"), (0, 2, "0.00"), (12_345, 0, "12345"), (1, 3, "0.001")],
)
def test_money_is_written_in_units(minor: int, digits: int, text: str) -> None:
    assert Money("X", digits).text(minor) == text


def test_every_would_warn_is_raised_and_answered() -> None:
    bench, would = warned()
    answer = end_of_tick(Desk(EUR), on(3), [would], None)
    assert answer.records == [Disposition(at=on(3), customer_id="c", warning_id=would.id, outcome="raised")]
    [entry] = answer.entries
    assert entry == bench.entries[0]
    assert entry.warning == warning_of(would, EUR, history=True)
    assert (entry.kind, entry.at, entry.history) == ("raised", to_text(on(3)), True)


def test_a_warning_says_who_how_likely_by_when_what_is_at_stake_and_why() -> None:
    _, would = warned()
    warning = warning_of(would, EUR, history=False)
    figures = would.figures
    assert (warning.customer_id, warning.owner, warning.customer_kind) == ("c", "Li", "business")
    assert (warning.raised_at, warning.by_when) == ("2024-10-07T00:00:00Z", "2025-01-05T00:00:00Z")
    assert warning.risk is not None
    assert warning.risk.probability == figures.probability
    assert warning.risk.log_odds == pytest.approx(sum(r.log_odds for r in warning.reasons))
    assert warning.value.expected_loss == EUR.text(figures.expected_loss)
    assert (warning.value.revenue_a_year, warning.value.currency, warning.value.assumed) == ("123.46", "EUR", True)
    assert (warning.standing.stage, warning.standing.orders, warning.standing.recency_days) == ("repeat", 2, 1)
    evidence = {r.reason: [(e.stream, e.event_id) for e in r.evidence] for r in warning.reasons}
    assert evidence["silence"] == [("purchases", "last")]
    assert evidence["complaints"] == [("complaints", "angry")]
    assert not warning.history


def test_a_warning_says_how_its_segment_is_treated() -> None:
    _, would = warned()
    for segment, row in OURS.segments.items():
        figures = replace(would.figures, segment=None if segment == UNKNOWN else Segment(segment))
        warning = warning_of(replace(would, figures=figures), EUR, history=False, playbook=OURS)
        assert warning.stance == row.stance
    assert warning_of(would, EUR, history=False).stance is None


def test_warnings_read_from_json_are_the_same() -> None:
    _, would = warned()
    warning = warning_of(would, EUR, history=False, playbook=OURS)
    assert msgspec.json.decode(msgspec.json.encode(warning), type=Warning) == warning


def test_the_feed_tells_how_each_warning_went_on() -> None:
    changed = EpisodeChanged(
        id="w", customer_id="c", at=on(5), change="escalated", why="risk", probability=0.9, severity=Severity.HIGH,
        expected_loss=250,
    )  # fmt: skip
    ended = EpisodeChanged(id="w", customer_id="c", at=on(6), change="recovered", why="bought")
    verdict = Verdict(id="w", customer_id="c", at=on(90), right=False)
    entries = end_of_tick(Desk(EUR, live=True), on(6), [changed, ended, verdict], None).entries
    assert entries == [
        Entry(
            warning_id="w", customer_id="c", at=to_text(on(5)), kind="escalated", history=False, why="risk",
            probability=0.9, severity="high", expected_loss="2.50",
        ),
        Entry(warning_id="w", customer_id="c", at=to_text(on(6)), kind="recovered", history=False, why="bought"),
        Entry(warning_id="w", customer_id="c", at=to_text(on(90)), kind="verdict", history=False, right=False),
    ]  # fmt: skip


def test_what_is_no_warning_s_business_leaves_no_line() -> None:
    bench, _ = warned()
    assert end_of_tick(Desk(EUR), on(3), [e for e in bench.effects if isinstance(e, Looked)], None) == ([], [], [])


def test_what_is_warned_while_time_lies_in_the_past_is_history() -> None:
    bench = Bench(policy=ALWAYS)
    bench.give(bought(on(0)), bought(on(1)), bought(on(0), customer_id="d"), bought(on(3), customer_id="d"))
    bench.tick(on(3))
    bench.go_live()
    bench.tick(on(5))
    assert [(e.customer_id, e.history) for e in bench.entries if e.kind == "raised"] == [("c", True), ("d", False)]


def test_grades_come_from_the_whole_base_and_are_announced_once() -> None:
    desk = Desk(EUR)
    assert desk.news() is None
    base = new_totals()
    for value in range(100, 10_100, 100):
        base.contribution.add(value)
    end_of_tick(desk, on(1), [], base)
    grades = desk.news()
    assert grades is not None
    assert grades[0] > grades[1] > grades[2] > 0
    assert desk.news() is None
    end_of_tick(desk, on(2), [], base)
    assert desk.news() is None
    base.contribution.add(10**7)
    end_of_tick(desk, on(3), [], new_totals())
    assert desk.grades == grades  # an emptied base leaves the last ones


def test_a_policy_says_how_the_base_is_parted() -> None:
    base = new_totals()
    for value in range(100, 10_100, 100):
        base.contribution.add(value)
    few, many = Desk(EUR), Desk(EUR)
    told = FirmTold(at=on(0), record=PolicyChange(at=on(0), policy=Policy(grade_shares=GradeShares(a=0.05))))
    end_of_tick(few, on(1), [told], base)
    end_of_tick(many, on(1), [], base)
    assert few.grades is not None
    assert many.grades is not None
    assert few.grades[0] > many.grades[0]


def test_a_tick_carries_the_thresholds_of_the_midnight_before_it() -> None:
    bench = Bench()
    bench.read(records(60, 120, 3))
    carried = [(r.at, r.grades) for r in bench.journal if isinstance(r, Tick) and r.grades]
    assert len(carried) > 10
    assert bench.pipeline.partitions[0].meta.grades == carried[-1][1]
    assert all(a[1] != b[1] for a, b in pairwise(carried))
    graded = {look.figures.grade for look in bench.all(Looked) if look.figures}
    assert {str(g) for g in graded if g} == {"A", "B", "C", "D"}
