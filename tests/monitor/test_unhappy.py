"""A service warning is raised once for a customer who is unhappy and silent, and ends with a reason of its own."""

import pytest
from msgspec.structs import replace

from streamproc.core.control import PolicyChange
from streamproc.core.events import CustomerEvent, FirmFact
from streamproc.core.holdout import is_held_out
from streamproc.core.policy import Policy, Severity
from streamproc.core.time import HOUR, SECOND
from streamproc.monitor.effects import EpisodeChanged, ServiceWarn, Verdict, WouldWarn
from streamproc.testing.events import bought, complained, known, on, touched
from tests.monitor.bench import Bench

CALM = Policy(raise_at=1.0, clear_at=0.0, escalate_at=1.0)
"""Nobody is warned of as leaving: what is left are service warnings."""


def watched(history: list[CustomerEvent], until: float = 160) -> Bench:
    bench = Bench(policy=CALM)
    buys = [bought(on(20 * n)) for n in range(6)]  # days 0 to 100
    bench.read(sorted([*buys, *history], key=lambda event: event.at))
    bench.run_to(on(until))
    bench.assert_totals()
    return bench


def unresolved(day: float) -> CustomerEvent:
    return touched(on(day), purpose="support", result="unresolved", staff_id="s1")


def lives(bench: Bench) -> list[tuple[str, str]]:
    return [(c.change, c.why) for c in bench.all(EpisodeChanged) if c.id.startswith("s-")]


def test_it_is_raised_once_with_its_signs_and_neither_a_risk_nor_a_verdict_comes_of_it() -> None:
    bench = watched([unresolved(90), unresolved(95)])
    (told,) = bench.all(ServiceWarn)
    assert told.customer_id == "c"
    assert told.at == on(90) // HOUR * HOUR + HOUR
    assert [(sign.name, sign.event_id) for sign in told.signs] == [("unresolved", f"c-t{on(90)}")]
    assert told.by_when - told.at == 7 * 24 * HOUR
    assert bench.all(WouldWarn) == []
    assert bench.all(Verdict) == []


def test_it_ends_when_the_customer_is_content_again() -> None:
    bench = watched([unresolved(90), touched(on(94), purpose="support", result="resolved")], until=120)
    assert lives(bench) == [("recovered", "content")]
    assert not bench.state().decisions.is_unhappy()


def test_it_ends_when_the_customer_complains_for_that_is_not_silent() -> None:
    assert lives(watched([unresolved(90), complained(on(94))], until=120)) == [("recovered", "complained")]


def test_it_fades_where_nothing_more_is_seen() -> None:
    buys = [bought(on(day)) for day in range(110, 200, 15)]
    assert lives(watched([unresolved(90), *buys], until=200)) == [("withdrawn", "faded")]


def test_it_ends_with_the_loss_of_the_customer() -> None:
    assert lives(watched([unresolved(99)], until=200)) == [("lost", "silence")]
    gone = touched(on(97), purpose="cancellation", result="terminated")
    history: list[CustomerEvent] = [bought(on(0)), bought(on(20)), unresolved(90), gone]
    bench = Bench(policy=CALM)
    bench.read(history)
    bench.run_to(on(105))
    assert lives(bench) == [("lost", "terminated")]


def test_the_next_waits_for_a_while() -> None:
    again = [unresolved(90), touched(on(92), purpose="support", result="resolved"), unresolved(94)]
    assert len(watched(again, until=100).all(ServiceWarn)) == 1
    later = [bought(on(115)), bought(on(135)), unresolved(140)]
    assert len(watched([*again, *later], until=150).all(ServiceWarn)) == 2


def test_one_who_may_not_be_contacted_or_turns_out_to_be_another_is_left_alone() -> None:
    assert watched([known(on(50), do_not_contact=True), unresolved(90)]).all(ServiceWarn) == []
    bench = Bench(policy=CALM)
    bench.read([*(bought(on(20 * n)) for n in range(5)), unresolved(85), known(on(88), alias_of="d")])
    bench.run_to(on(100))
    assert lives(bench) == [("withdrawn", "alias")]
    assert [told.customer_id for told in bench.all(ServiceWarn)] == ["c", "d"]
    bench.assert_totals()


def test_who_costs_more_than_they_bring_is_no_grave_case() -> None:
    bench = Bench(policy=CALM)
    bench.give(bought(on(0), 100, cost=9_000), bought(on(1), 100, cost=9_000), unresolved(2))
    bench.tick(on(3), grades=(-20_000, -30_000, -40_000))
    [told] = bench.all(ServiceWarn)
    assert (told.figures.segment, told.figures.grade, told.severity) == ("bleeding", "A", Severity.LOW)


def test_who_is_watched_in_silence_is_so_to_the_verdict_whatever_is_wrong() -> None:
    policy = Policy(raise_at=0.0, clear_at=0.0, escalate_at=1.0, minimum_silence=0.0, holdout_share=0.5)
    silent = next(f"c{n}" for n in range(99) if is_held_out(f"c{n}", on(3), 0.5))
    bench = Bench(policy=policy)
    bench.go_live()
    bench.give(bought(on(0), customer_id=silent), bought(on(1), customer_id=silent))
    bench.tick(on(3))
    bench.give(touched(on(4), purpose="support", result="unresolved", customer_id=silent))
    bench.tick(on(5))
    assert bench.state(silent).decisions.is_silent_arm()
    assert bench.all(ServiceWarn) == []
    bench.write(PolicyChange(at=0, policy=CALM))
    bench.give(*(bought(on(day), customer_id=silent) for day in (30, 60, 90)))
    bench.run_to(on(94))  # the verdict is over
    bench.give(touched(on(94), purpose="support", result="unresolved", customer_id=silent, contact_id="t"))
    bench.tick(on(95))
    assert [told.customer_id for told in bench.all(ServiceWarn)] == [silent]


def two_buys(*more: CustomerEvent | FirmFact, policy: Policy = CALM) -> Bench:
    """Unhappy from day 2 on, looked at on day 3."""
    bench = Bench(policy=policy)
    bench.give(bought(on(0)), bought(on(1)), unresolved(2), *more)
    bench.tick(on(3), grades=(10**6, 10**5, 10**4))
    return bench


def test_what_keeps_a_churn_warning_from_being_raised_keeps_this_one() -> None:
    assert len(two_buys().all(ServiceWarn)) == 1
    assert two_buys(touched(on(2, 1), "out", purpose="retention")).all(ServiceWarn) == []
    calls = [touched(on(2, hour), "out", purpose="sales", contact_id=f"t{hour}") for hour in (1, 2)]
    assert two_buys(*calls, policy=replace(CALM, most_contacts=2)).all(ServiceWarn) == []
    assert len(two_buys(*calls, policy=replace(CALM, most_contacts=3)).all(ServiceWarn)) == 1


@pytest.mark.parametrize("subject", ["segment:small_ordinary", "cause:quality"])
def test_nobody_is_warned_of_a_muted_segment_or_for_a_muted_cause(subject: str) -> None:
    until = float(on(4) // SECOND)
    bench = two_buys(FirmFact(event_id="m", at=on(0), kind="mute", subject=subject, value=until))
    assert bench.all(ServiceWarn) == []
    bench.give(touched(on(5), purpose="survey"))
    bench.tick(on(6))
    assert len(bench.all(ServiceWarn)) == 1
