"""What people do about a warning: one of two has it, sleep holds through all, and what contradicts is answered."""

from typing import Any

import pytest
from msgspec.structs import replace

from streamproc.core.control import PolicyChange, Setup, Tick
from streamproc.core.events import DeskAction, DeskStep, FirmFact
from streamproc.core.policy import Outcome, Policy
from streamproc.core.time import DAY, FOREVER, SECOND
from streamproc.monitor.effects import DeadLettered, EpisodeChanged, Looked, StepTaken, Unseen, Verdict, WouldWarn
from streamproc.testing.events import bought, on, touched
from tests.monitor.bench import Bench
from tests.monitor.test_episodes import ALWAYS, changes, look, warned

ESCALATES = Policy(raise_at=0.0, clear_at=0.0, escalate_at=0.0, minimum_silence=0.0)
AGAIN = Policy(raise_at=0.0, clear_at=0.0, escalate_at=1.0, minimum_silence=0.0, cooldown_days=0)


def step(action: DeskAction, at: int, by: str = "Li", *, customer_id: str = "c", **more: Any) -> DeskStep:
    given: dict[str, Any] = {"event_id": f"{by}-{action}-{at}"} | more
    return DeskStep(customer_id=customer_id, at=at, action=action, by=by, **given)


def the_id(bench: Bench) -> str:
    return bench.all(WouldWarn)[-1].id


def told(bench: Bench) -> list[tuple[str, str, str | None, str]]:
    return [(s.action, s.by, s.refused, s.care.claimed_by) for s in bench.all(StepTaken)]


def lines(bench: Bench) -> list[str]:
    return [entry.kind for entry in bench.entries]


@pytest.mark.parametrize("first_read", ["Li", "Wang"])
def test_of_two_who_claim_the_earlier_has_it_and_the_other_is_told(first_read: str) -> None:
    bench = warned()
    steps = {
        "Li": step("claim", on(4, 1), "Li", warning_id=the_id(bench)),
        "Wang": step("claim", on(4, 1) + 1, "Wang", warning_id=the_id(bench)),
    }
    second = "Wang" if first_read == "Li" else "Li"
    bench.give(steps[first_read], steps[second])
    bench.tick(on(4, 2))
    assert told(bench) == [("claim", "Li", None, "Li"), ("claim", "Wang", "claimed", "Li")]
    assert lines(bench) == ["raised", "claimed", "refused"]
    refused = bench.entries[-1]
    assert refused.care is not None
    assert refused.desk is not None
    assert (refused.care.claimed_by, refused.desk.by, refused.desk.refused) == ("Li", "Wang", "claimed")


def test_what_is_somebodys_only_they_close_and_anybody_notes_or_hands_over() -> None:
    bench = warned()
    name = the_id(bench)
    bench.give(
        step("claim", on(4), warning_id=name),
        step("outcome", on(4, 1), "Wang", warning_id=name, outcome="kept"),
        step("note", on(4, 2), "Wang", warning_id=name, text="called"),
        step("hand_over", on(4, 3), "boss", warning_id=name, to="Wang"),
        step("outcome", on(4, 4), "Wang", warning_id=name, outcome="kept", cost=2_500),
    )
    bench.run_to(on(5))
    assert lines(bench) == ["raised", "claimed", "refused", "noted", "handed_over", "closed"]
    last = bench.entries[-1].care
    assert last is not None
    assert (last.claimed_by, last.outcome, last.cost) == ("Wang", "kept", "25.00")
    assert bench.entries[3].desk is not None
    assert bench.entries[3].desk.text == "called"


def test_a_step_about_no_warning_is_a_dead_letter_and_makes_no_customer() -> None:
    bench = warned()
    bench.give(
        step("claim", on(4), warning_id="w-none"),
        step("claim", on(4), warning_id=the_id(bench), customer_id="somebody"),
        step("outcome", on(4, 1), warning_id="w-none", outcome="kept"),
    )
    bench.run_to(on(5))
    letters = sorted((letter.reason, letter.customer_id) for letter in bench.all(DeadLettered))
    assert letters == [("no_such_warning", name) for name in ("c", "c", "somebody")]
    assert "somebody" not in bench.bodies()
    bench.assert_totals()


def test_a_step_dated_before_the_clock_is_taken_at_the_next_tick() -> None:
    bench = warned()
    bench.run_to(on(10))
    bench.give(step("claim", on(3, 1), warning_id=the_id(bench)))
    assert told(bench) == []
    bench.tick(on(10, 1))
    assert told(bench) == [("claim", "Li", None, "Li")]


def test_sleep_holds_through_what_would_escalate_and_through_what_would_raise_again() -> None:
    bench = warned(AGAIN)
    bench.give(step("snooze", on(4), warning_id=the_id(bench), until=on(20)))
    bench.run_to(on(5))
    bench.write(PolicyChange(at=0, policy=ESCALATES))
    look(bench, 6)
    assert bench.all(Looked)[-1].outcome is Outcome.SNOOZED
    assert changes(bench) == []
    bench.run_to(on(20))  # nothing comes: the end of the sleep is a reason to look
    assert changes(bench) == [("escalated", "risk", on(20))]
    bench.write(PolicyChange(at=0, policy=AGAIN))
    bench.give(step("snooze", on(20, 1), warning_id=the_id(bench), until=on(40)), bought(on(21)))
    bench.run_to(on(39))
    assert changes(bench)[-1] == ("recovered", "bought", on(21, 1))
    assert len(bench.all(WouldWarn)) == 1
    assert Outcome.SNOOZED in {seen.outcome for seen in bench.all(Looked) if seen.at > on(22)}
    bench.run_to(on(40))
    assert [warning.at for warning in bench.all(WouldWarn)] == [on(3), on(40)]


def test_an_ended_warning_is_claimed_no_more_but_gets_its_outcome() -> None:
    bench = warned()
    bench.give(bought(on(10)))
    bench.run_to(on(11))
    name = the_id(bench)
    bench.give(
        step("claim", on(12), warning_id=name), step("outcome", on(12, 1), warning_id=name, outcome="kept", cost=500)
    )
    bench.run_to(on(94))
    told_of_it = [entry.kind for entry in bench.entries if entry.warning_id == name]
    assert told_of_it == ["raised", "recovered", "refused", "closed", "verdict"]
    [verdict] = bench.all(Verdict)
    assert (verdict.right, verdict.cost, verdict.arm) == (False, 500, None)


@pytest.mark.parametrize("until", [None, on(30)])
def test_a_muted_customer_is_not_warned_of_until_unmuted(until: int | None) -> None:
    bench = Bench(policy=ALWAYS)
    bench.give(bought(on(0)), bought(on(1)), step("mute", on(1, 1), until=until))
    look(bench, 3)
    assert bench.all(Looked)[-1].outcome is Outcome.MUTED
    assert bench.state().decisions.muted_until == (until or FOREVER)
    if until is None:
        bench.give(bought(on(9)), step("unmute", on(29)))
    bench.run_to(on(31))
    assert bench.all(WouldWarn)


def test_who_is_muted_before_the_first_purchase_stays_so() -> None:
    bench = Bench(policy=ALWAYS)
    bench.give(step("mute", on(0)))
    bench.tick(on(1))
    bench.give(bought(on(1, 1)), bought(on(2, 1)))
    look(bench, 4)
    assert bench.all(Looked)[-1].outcome is Outcome.MUTED


def test_a_segment_is_muted_for_all_until_the_time_said_and_the_last_word_holds() -> None:
    bench = Bench(policy=ALWAYS)
    segment = "small_ordinary"
    end = float(on(40) // SECOND)
    bench.give(FirmFact(event_id="m1", at=on(0), kind="mute", subject=f"segment:{segment}", value=end))
    bench.give(bought(on(1)), bought(on(2)))
    bench.tick(on(3), grades=(10**9, 10**8, 10**7))
    assert bench.all(Looked)[-1].outcome is Outcome.MUTED
    lifted = FirmFact(event_id="m2", at=on(4), kind="mute", subject=f"segment:{segment}", value=float(on(4) // SECOND))
    bench.give(lifted)
    look(bench, 5)
    assert bench.all(Looked)[-1].outcome is Outcome.WOULD_WARN


def test_who_was_contacted_often_enough_is_left_alone() -> None:
    policy = Policy(raise_at=0.0, clear_at=0.0, escalate_at=1.0, minimum_silence=0.0, most_contacts=2, contacts_days=20)
    bench = Bench(policy=policy)
    bench.give(bought(on(0)), bought(on(1)), touched(on(1, 1), "out"), touched(on(1, 2), "out", purpose="sales"))
    bench.tick(on(2))
    assert bench.all(Looked)[-1].outcome is Outcome.CONTACTED_ENOUGH
    bench.run_to(on(30))
    assert [warning.at >= on(22) for warning in bench.all(WouldWarn)] == [True]


# ------------------------------------------------------------------------------------------ whose, and by when


def live(policy: Policy, **more: Any) -> Bench:
    bench = Bench(policy=policy, setup=Setup(at=0), **more)
    bench.go_live()
    bench.give(bought(on(0)), bought(on(1, 12)))
    bench.tick(on(3))
    return bench


def test_a_warning_that_nobody_has_when_somebody_should_is_overdue_once() -> None:
    bench = live(ALWAYS)
    [warning] = bench.all(WouldWarn)
    assert warning.due_at == on(6)  # unrated: 72 hours
    bench.run_to(on(9))
    assert [(s.action, s.at, s.care.overdue) for s in bench.all(StepTaken)] == [("overdue", on(6), True)]
    assert lines(bench) == ["raised", "overdue"]
    bench.give(step("claim", on(9, 1), warning_id=warning.id))
    bench.run_to(on(10))
    last = bench.entries[-1].care
    assert last is not None
    assert (last.claimed_by, last.overdue) == ("Li", True)


def test_a_grave_warning_is_overdue_at_the_tick_in_which_it_falls_due() -> None:
    bench = live(replace(ALWAYS, due_hours={"unrated": 4}))
    bench.run_to(on(9))
    assert [(s.action, s.at) for s in bench.all(StepTaken)] == [("overdue", on(3, 4))]
    assert bench.pipeline.desk.dues == []
    assert [tick.at for tick in bench.journal if isinstance(tick, Tick) and tick.at % DAY] == [on(3, 4)]


def test_the_desk_asks_for_a_tick_when_somebody_should_have_a_warning() -> None:
    bench = live(replace(ALWAYS, due_hours={"unrated": 4}))
    assert bench.pipeline.desk.next_due() == on(3, 4)
    bench.tick(on(3, 5))
    assert bench.pipeline.desk.next_due() is None


def test_a_claimed_warning_is_not_overdue_and_the_past_is_nobodys() -> None:
    bench = live(ALWAYS)
    bench.give(step("claim", on(3, 1), warning_id=the_id(bench)))
    bench.run_to(on(9))
    assert [s.action for s in bench.all(StepTaken)] == ["claim"]
    past = warned()
    past.run_to(on(20))
    assert (past.all(StepTaken), past.all(WouldWarn)[0].due_at) == ([], 0)


# ------------------------------------------------------------------------------------------------- the silent arm

HALF = Policy(raise_at=0.0, clear_at=0.0, escalate_at=0.9, minimum_silence=0.0, holdout_share=0.5)


def town(policy: Policy, *, go_live: bool = True, customers: int = 60) -> Bench:
    bench = Bench(policy=policy)
    if go_live:
        bench.go_live()
    for n in range(customers):
        bench.give(bought(on(0, 1), customer_id=f"c{n}"), bought(on(1, 1), customer_id=f"c{n}"))
        if n % 3 == 0:
            bench.give(bought(on(50, 1), customer_id=f"c{n}"))
    bench.run_to(on(100))
    return bench


def test_of_the_silent_arm_the_feed_hears_nothing_and_the_record_all() -> None:
    bench = town(HALF)
    unseen = bench.all(Unseen)
    silent = {seen.customer_id for seen in unseen}
    assert 15 < len(silent) < 45
    assert silent.isdisjoint(entry.customer_id for entry in bench.entries)
    assert silent.isdisjoint(record.customer_id for record in bench.all(WouldWarn))
    kinds = {type(seen.effect) for seen in unseen}
    assert kinds == {WouldWarn, EpisodeChanged, Verdict}
    assert {seen.outcome for seen in bench.all(Looked) if seen.customer_id in silent} >= {Outcome.HOLDOUT}
    verdicts = [seen.effect for seen in unseen if isinstance(seen.effect, Verdict)]
    assert {verdict.arm for verdict in verdicts} == {"holdout"}
    assert {verdict.arm for verdict in bench.all(Verdict)} == {"warned"}
    arms = bench.pipeline.partitions[0].meta.totals.arms
    assert (arms["holdout"].n, arms["warned"].n) == (len(verdicts), len(bench.all(Verdict)))
    assert arms["holdout"].kept == sum(not verdict.right for verdict in verdicts)
    bench.assert_totals()


def test_nobody_can_claim_a_warning_of_the_silent_arm() -> None:
    bench = town(HALF)
    seen = next(seen.effect for seen in bench.all(Unseen) if isinstance(seen.effect, WouldWarn))
    bench.give(step("claim", on(100, 1), warning_id=seen.id, customer_id=seen.customer_id))
    bench.tick(on(101))
    assert [letter.reason for letter in bench.all(DeadLettered)] == ["no_such_warning"]


def test_in_the_past_no_arm_is_drawn() -> None:
    bench = town(HALF, go_live=False)
    assert bench.all(Unseen) == []
    assert {verdict.arm for verdict in bench.all(Verdict)} == {None}
    assert bench.pipeline.partitions[0].meta.totals.arms == {}
