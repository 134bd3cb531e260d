"""An episode's life: raised, escalated, then recovered, lost or withdrawn; its verdict at the by-when."""

import pytest
from msgspec.structs import replace

from streamproc.core.control import PolicyChange, Setup
from streamproc.core.policy import Outcome, Policy, Severity
from streamproc.core.time import DAY
from streamproc.monitor.effects import EpisodeChanged, Looked, Verdict, WouldWarn
from streamproc.testing.events import bought, known, on, sent_back, touched
from tests.monitor.bench import Bench

ALWAYS = Policy(raise_at=0.0, clear_at=0.0, escalate_at=1.0, minimum_silence=0.0)
GRADES = (100_000, 40_000, 10_000)


def warned(policy: Policy = ALWAYS, *, grades: tuple[int, int, int] | None = None) -> Bench:
    """A customer who bought on days 0 and 1, warned of at the midnight that ends day 2."""
    bench = Bench(policy=policy)
    bench.give(bought(on(0)), bought(on(1, 12)))
    bench.tick(on(3), grades=grades)
    [warning] = bench.all(WouldWarn)
    assert (warning.at, warning.by_when) == (on(3), on(93))
    return bench


def look(bench: Bench, day: float) -> None:
    """A look at the customer, for something that says nothing."""
    bench.give(touched(on(day) - 1, purpose="support"))
    bench.tick(on(day))


def changes(bench: Bench) -> list[tuple[str, str, int]]:
    return [(e.change, e.why, e.at) for e in bench.all(EpisodeChanged)]


def verdicts(bench: Bench) -> list[tuple[bool, int]]:
    return [(v.right, v.at) for v in bench.all(Verdict)]


def test_a_purchase_ends_the_episode_and_proves_it_wrong() -> None:
    bench = warned()
    bench.give(bought(on(10, 6)))
    bench.run_to(on(94))
    assert changes(bench) == [("recovered", "bought", on(10, 7))]
    assert verdicts(bench) == [(False, on(93))]


def test_silence_to_the_end_loses_the_customer_and_proves_it_right() -> None:
    bench = warned()
    bench.run_to(on(200))
    assert changes(bench) == [("lost", "silence", on(92))]  # 90 days after the purchase at noon of day 1
    assert verdicts(bench) == [(True, on(93))]
    assert bench.state().decisions.episodes == []


def test_a_termination_loses_the_customer_at_once_and_the_verdict_waits() -> None:
    bench = warned()
    bench.give(touched(on(5, 6), result="terminated"))
    bench.run_to(on(100))
    assert changes(bench) == [("lost", "terminated", on(5, 7))]
    assert verdicts(bench) == [(True, on(93))]


def test_who_is_lost_by_termination_and_buys_before_the_by_when_was_warned_of_wrongly() -> None:
    bench = warned()
    bench.give(touched(on(5), result="terminated"))
    bench.run_to(on(6))
    bench.give(bought(on(50)))
    bench.run_to(on(100))
    assert [c[0] for c in changes(bench)] == ["lost"]
    assert verdicts(bench) == [(False, on(93))]


def test_a_risk_that_falls_by_itself_ends_the_episode() -> None:
    bench = warned()
    bench.write(PolicyChange(at=0, policy=Policy(raise_at=1.0, clear_at=1.0, escalate_at=1.0)))
    look(bench, 4)
    assert changes(bench) == [("recovered", "risk_fell", on(4))]
    assert bench.all(Looked)[-1].outcome is Outcome.EPISODE_OPEN  # at this look it was
    assert bench.state().decisions.cooldown_until == on(34)
    bench.run_to(on(95))
    assert verdicts(bench) == [(True, on(93))]


def test_a_risk_over_the_second_threshold_escalates_once() -> None:
    bench = warned()
    bench.write(PolicyChange(at=0, policy=Policy(raise_at=0.0, clear_at=0.0, escalate_at=0.0)))
    look(bench, 4)
    look(bench, 5)
    assert changes(bench) == [("escalated", "risk", on(4))]


def test_a_warning_raised_over_the_second_threshold_does_not_escalate_for_it() -> None:
    bench = warned(Policy(raise_at=0.0, clear_at=0.0, escalate_at=0.0, minimum_silence=0.0))
    look(bench, 4)
    assert changes(bench) == []


def test_a_graver_loss_escalates_and_a_lesser_one_does_not_calm() -> None:
    bench = warned(grades=GRADES)
    assert bench.all(WouldWarn)[0].severity is Severity.LOW
    bench.tick(on(3, 1), grades=(100, 50, 10))
    look(bench, 4)
    bench.tick(on(4, 1), grades=GRADES)
    look(bench, 5)
    bench.tick(on(5, 1), grades=(100, 50, 10))
    look(bench, 6)
    [change] = bench.all(EpisodeChanged)
    assert (change.change, change.why, change.severity) == ("escalated", "severity", Severity.CRITICAL)
    assert change.expected_loss is not None


def test_grades_that_come_after_a_warning_rate_it_and_escalate_nothing() -> None:
    bench = warned()
    assert bench.all(WouldWarn)[0].severity is Severity.UNRATED
    bench.tick(on(3, 1), grades=GRADES)
    look(bench, 4)
    assert changes(bench) == []
    episode = bench.state().decisions.open_episode()
    assert episode is not None
    assert episode.severity is Severity.LOW


def test_a_late_purchase_from_before_the_warning_withdraws_it_and_gets_no_verdict() -> None:
    bench = warned()
    bench.write(PolicyChange(at=0, policy=Policy(raise_at=1.0, clear_at=0.0, escalate_at=1.0)))
    bench.give(bought(on(2, 20)))
    bench.run_to(on(100))
    assert changes(bench)[0] == ("withdrawn", "corrected", on(3, 1))
    assert verdicts(bench) == []


def test_after_a_withdrawal_the_right_facts_may_warn_at_once() -> None:
    bench = warned()
    bench.give(bought(on(2, 20)))
    bench.run_to(on(4))
    assert changes(bench) == [("withdrawn", "corrected", on(3, 1))]
    assert [w.at for w in bench.all(WouldWarn)] == [on(3), on(3, 1)]


def test_an_episode_of_one_who_turns_out_never_to_have_bought_is_withdrawn() -> None:
    bench = warned()
    for at in (on(0), on(1, 12)):
        bench.give(bought(on(4, at % 7), order_id=f"o{at}", revision=1, cancelled=True, event_id=f"x{at}"))
    bench.run_to(on(120))
    assert [c[:2] for c in changes(bench)] == [("withdrawn", "corrected")]
    assert verdicts(bench) == []
    assert bench.state().decisions.counted is None
    bench.assert_totals()


def test_the_verdict_counts_no_purchase_at_or_after_the_by_when() -> None:
    bench = warned()
    bench.give(touched(on(5), result="terminated"))  # else the silence would have lost the customer before
    bench.run_to(on(92))
    bench.give(bought(on(93)))
    bench.run_to(on(94))
    assert verdicts(bench) == [(True, on(93))]


@pytest.mark.parametrize("hour", [0, 7])
def test_the_verdict_falls_on_the_first_midnight_from_the_by_when_on(hour: int) -> None:
    bench = Bench(policy=ALWAYS)
    bench.give(bought(on(0)), bought(on(1)))
    bench.tick(on(3, hour))
    bench.run_to(on(100))
    assert verdicts(bench) == [(True, on(93) if hour == 0 else on(94))]


def test_a_horizon_that_grows_leaves_the_by_when_as_it_was() -> None:
    bench = Bench(setup=Setup(at=0, horizons={"business": 200}), policy=ALWAYS)
    bench.give(bought(on(0)), bought(on(1)))
    bench.tick(on(3))
    bench.give(touched(on(3), customer_kind="business"))
    bench.run_to(on(94))
    assert changes(bench)[-1] == ("lost", "silence", on(93))  # what is at stake may have grown before
    assert verdicts(bench) == [(True, on(93))]


def test_every_end_but_a_withdrawal_starts_the_cooldown() -> None:
    bench = warned()
    bench.run_to(on(92))
    assert bench.state().decisions.cooldown_until == on(92) + 30 * DAY


def test_a_disposition_is_noted_at_the_episode() -> None:
    bench = warned()
    episode = bench.state().decisions.open_episode()
    assert episode is not None
    assert episode.raised


def test_who_costs_more_than_they_bring_by_now_does_not_escalate() -> None:
    bench = Bench(policy=Policy(raise_at=0.2, clear_at=0.0, escalate_at=0.45, minimum_silence=0.0))
    bench.read([bought(on(day), 100_000) for day in range(0, 50, 10)])
    bench.tick(on(58), grades=(100_000, 500, 100))
    assert bench.state().decisions.open_warning() is not None
    bench.give(*(sent_back(on(58, n + 1), -90_000) for n in range(5)), known(on(58, 7), fixed_service_cost=9_000))
    bench.run_to(on(125))
    seen = [look.figures for look in bench.all(Looked) if look.at > on(59) and look.figures]
    assert max(figures.probability for figures in seen) > 0.45
    assert {figures.segment for figures in seen} == {"bleeding"}
    assert [change for change, _, at in changes(bench) if at > on(59)] == []


@pytest.mark.parametrize(("most", "outcome"), [(9, Outcome.CONTACTED_ENOUGH), (21, Outcome.WOULD_WARN)])
def test_contacts_count_beyond_the_eight_that_are_kept(most: int, outcome: Outcome) -> None:
    bench = Bench(policy=replace(ALWAYS, most_contacts=most))
    spoken = [touched(on(40, n), "out", purpose="sales") for n in range(20)]
    asked = [touched(on(41, n), purpose="inquiry") for n in range(8)]
    bench.give(bought(on(38)), bought(on(39)), *spoken, *asked)
    bench.tick(on(60))
    assert [look.outcome for look in bench.all(Looked)] == [outcome]
