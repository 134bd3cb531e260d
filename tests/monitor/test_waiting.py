"""A warning that waited goes out as of its customer's last look: figures, reasons and gravity belong together."""

from math import exp

from msgspec.structs import replace

from streamproc.core.policy import Policy, Severity
from streamproc.core.time import DAY, HOUR, to_text
from streamproc.desk.record import at_of
from streamproc.desk.warning import Warning  # noqa: A004 - the domain's word
from streamproc.monitor.effects import StepTaken, Verdict, WouldWarn
from streamproc.testing.events import bought, on
from tests.monitor.bench import Bench
from tests.monitor.test_episodes import look

POLICY = Policy(raise_at=0.3, clear_at=0.0, escalate_at=0.6, minimum_purchase_days=5, capacity_a_day=1)


def waiting() -> Bench:
    """Customer c bought every ten days; what each of twenty others has to lose is more."""
    bench = Bench(policy=POLICY)
    bench.go_live()
    others = [bought(on(day), 100_000 + n, customer_id=f"z{n}") for n in range(20) for day in range(0, 50, 10)]
    bench.read(sorted([*others, *(bought(on(day)) for day in range(0, 50, 10))], key=lambda e: (e.at, e.event_id)))
    return bench


def gone_out(bench: Bench, customer_id: str = "c") -> Warning:
    [told] = [e.warning for e in bench.entries if e.kind == "raised" and e.customer_id == customer_id]
    assert told is not None
    return told


def test_it_goes_out_with_the_figures_of_the_last_look_and_reasons_that_add_up() -> None:
    bench = waiting()
    bench.run_to(on(95))
    told = gone_out(bench)
    [first, *later] = bench.all(WouldWarn, "c")
    assert not first.anew
    assert all(would.anew for would in later)
    seen = [would for would in later if would.at == first.at][-1].figures
    risk = told.risk
    assert risk is not None
    assert told.standing.recency_days == seen.recency_days > first.figures.recency_days
    assert risk.probability == seen.probability > first.figures.probability
    assert abs(sum(reason.log_odds for reason in told.reasons) - risk.log_odds) < 1e-4
    assert abs(1 / (1 + exp(-risk.log_odds)) - risk.probability) < 1e-5
    assert [entry.kind for entry in bench.entries if entry.customer_id == "c"] == ["raised"]


def test_whenever_one_goes_out_its_figures_are_of_the_last_three_days() -> None:
    bench = waiting()
    bench.run_to(on(125))
    raised = [entry.warning for entry in bench.entries if entry.kind == "raised" and entry.at > to_text(on(60))]
    assert len(raised) > 20
    for told in raised:
        assert told is not None
        silent = at_of(told.raised_at) - at_of(told.standing.last_purchase)
        assert silent // DAY - told.standing.recency_days <= 3


def test_what_went_out_is_told_anew_no_more() -> None:
    bench = waiting()
    bench.run_to(on(95))
    before = len(bench.all(WouldWarn, "c"))
    look(bench, 96)
    assert len(bench.all(WouldWarn, "c")) == before


def test_how_grave_it_is_and_when_somebody_should_have_it_go_with_the_last_look() -> None:
    bench = Bench(policy=Policy(raise_at=0.2, clear_at=0.0, escalate_at=1.0, minimum_silence=0.0, capacity_a_day=1))
    bench.go_live()
    bench.give(
        *(bought(on(day), amount, customer_id=c) for c, amount in (("a", 90_000), ("c", 5_000)) for day in (0, 1))
    )
    bench.tick(on(3), grades=(10**7, 10**6, 10**5))
    assert bench.state().decisions.episodes[-1].severity is Severity.LOW
    bench.tick(on(3, 1), grades=(300, 200, 100))
    look(bench, 3.5)
    bench.run_to(on(4))
    told = gone_out(bench)
    assert told.severity == "critical"
    [episode] = bench.state().decisions.episodes
    assert (episode.severity, episode.due_at) == (Severity.CRITICAL, on(4) + 4 * HOUR)
    bench.run_to(on(5))
    assert [(step.customer_id, step.at) for step in bench.all(StepTaken, "c")] == [("c", on(4) + 4 * HOUR)]


def test_what_waits_is_neither_open_nor_at_risk_before_it_has_gone_out() -> None:
    bench = Bench(policy=Policy(raise_at=0.0, clear_at=0.0, escalate_at=1.0, minimum_silence=0.0, capacity_a_day=1))
    bench.give(*(bought(on(day), amount, customer_id=c) for c, amount in (("a", 90_000), ("c", 500)) for day in (0, 1)))
    bench.tick(on(3))
    [first] = bench.all(WouldWarn, "a")
    totals = bench.pipeline.partitions[0].meta.totals
    assert (totals.open_warnings, totals.at_risk) == (1, first.figures.expected_loss)
    bench.assert_totals()
    bench.run_to(on(4))
    counted = [bench.state(name).decisions.counted for name in "ac"]
    assert all(one is not None and one.warned and one.at_risk for one in counted)
    assert totals.open_warnings == 2
    bench.assert_totals()
    bench.run_to(on(100))
    assert (totals.open_warnings, totals.at_risk) == (0, 0)
    bench.assert_totals()


def test_a_verdict_says_whether_people_were_told() -> None:
    policy = Policy(raise_at=0.0, clear_at=0.0, escalate_at=1.0, minimum_silence=0.0, capacity_a_day=1)
    bench = Bench(policy=replace(policy, holdout_share=1e-9))
    bench.go_live()
    bench.give(*(bought(on(day), amount, customer_id=c) for c, amount in (("a", 90_000), ("c", 500)) for day in (0, 1)))
    bench.tick(on(3))
    bench.give(bought(on(3, 1), customer_id="c"))
    bench.run_to(on(95))
    assert {(verdict.customer_id, verdict.told) for verdict in bench.all(Verdict)} == {("a", True), ("c", False)}
    arm = bench.pipeline.partitions[0].meta.totals.arms["warned"]
    assert (arm.n, arm.untold) == (2, 1)
