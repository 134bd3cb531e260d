"""An open warning is taken back: of whom nobody may contact, or, while it waits, of whom nothing is to be said."""

import pytest
from msgspec.structs import replace

from streamproc.core.control import ClockMode
from streamproc.core.events import CustomerEvent, FirmFact
from streamproc.core.policy import Outcome, Policy
from streamproc.core.time import SECOND
from streamproc.monitor.effects import EpisodeChanged, Looked, ServiceWarn, Unseen, Verdict
from streamproc.monitor.state import encode_state
from streamproc.testing.events import bought, known, on, sent_back, touched
from tests.monitor.bench import Bench
from tests.monitor.test_desk_steps import step
from tests.monitor.test_episodes import ALWAYS, changes, look, warned
from tests.monitor.test_unhappy import CALM, lives, unresolved

ONE_A_DAY = replace(ALWAYS, capacity_a_day=1, minimum_expected_loss=1_000)


def waiting(policy: Policy = ONE_A_DAY, *, share: float = 0.0) -> Bench:
    """Customer a's warning has gone out on day 3, customer c's waits for the next midnight."""
    bench = Bench(policy=replace(policy, holdout_share=share))
    bench.give(
        *(bought(on(day), amount, customer_id=c) for c, amount in (("a", 90_000), ("c", 50_000)) for day in (0, 1))
    )
    if share:
        bench.write(ClockMode(at=0, mode="event", live=True))
    bench.tick(on(3))
    assert told_of(bench) == ["a"]
    return bench


def told_of(bench: Bench) -> list[str]:
    return [entry.customer_id for entry in bench.entries if entry.kind == "raised"]


def outcome(bench: Bench) -> Outcome:
    return bench.all(Looked, "c")[-1].outcome


@pytest.mark.parametrize("arm", ["warned", "holdout"])
def test_who_may_not_be_contacted_any_more_has_no_warning(arm: str) -> None:
    bench = warned()
    [episode] = (state := bench.state()).decisions.episodes
    assert episode.raised
    if arm == "holdout":
        episode.holdout = True
        bench.states[0].put("c", encode_state(state), state.decisions.next_look)
    bench.give(known(on(4), do_not_contact=True))
    bench.run_to(on(100))
    found = [e.effect for e in bench.all(Unseen)] if arm == "holdout" else bench.all(EpisodeChanged)
    [change] = [e for e in found if isinstance(e, EpisodeChanged)]
    assert (change.change, change.why) == ("withdrawn", "do_not_contact")
    assert bench.all(Verdict) == []
    assert outcome(bench) is Outcome.ALREADY_LOST
    bench.assert_totals()


def test_the_look_that_takes_it_back_says_why_and_once_it_is_allowed_there_is_a_new_one() -> None:
    bench = warned()
    bench.give(known(on(4), do_not_contact=True))
    bench.tick(on(4, 1))
    assert outcome(bench) is Outcome.DO_NOT_CONTACT
    bench.give(known(on(5), do_not_contact=False))
    bench.tick(on(5, 1))
    assert outcome(bench) is Outcome.WOULD_WARN


BARS: dict[str, tuple[CustomerEvent, Outcome, str]] = {
    "do_not_contact": (known(on(3, 1), do_not_contact=True), Outcome.DO_NOT_CONTACT, "do_not_contact"),
    "mute": (step("mute", on(3, 1)), Outcome.MUTED, "muted"),
    "contact": (touched(on(3, 1), "out", purpose="retention"), Outcome.RECENT_CONTACT, "contacted"),
    "cancelled": (bought(on(1), event_id="x", revision=1, cancelled=True), Outcome.MINIMUM_EVIDENCE, "corrected"),
    "too_little": (sent_back(on(3, 1), -99_000), Outcome.BELOW_THRESHOLD, "too_little"),
    "bleeding": (sent_back(on(3, 1), -150_000), Outcome.BLEEDING, "bleeding"),
}


@pytest.mark.parametrize("bar", list(BARS))
def test_one_that_waits_never_goes_out_once_something_speaks_against_it(bar: str) -> None:
    event, seen, why = BARS[bar]
    bench = waiting()
    bench.give(event)
    bench.tick(on(3, 2))
    assert outcome(bench) is seen
    assert [(c.customer_id, c.change, c.why) for c in bench.all(EpisodeChanged)] == [("c", "withdrawn", why)]
    bench.run_to(on(5))
    assert told_of(bench) == ["a"]


def test_the_same_leaves_one_alone_of_which_people_were_told() -> None:
    bench = warned()
    bench.give(touched(on(4), "out", purpose="retention"))
    look(bench, 5)
    assert changes(bench) == []


def test_where_arms_are_drawn_one_that_nobody_was_told_of_keeps_its_verdict() -> None:
    bench = waiting(share=1e-9)
    bench.give(BARS["contact"][0])
    bench.run_to(on(95))
    [verdict] = [e.effect for e in bench.all(Unseen, "c") if isinstance(e.effect, Verdict)]
    assert (verdict.arm, verdict.right) == ("warned", True)
    assert bench.pipeline.partitions[0].meta.totals.arms["warned"].n == 2
    assert "verdict" not in [entry.kind for entry in bench.entries if entry.customer_id == "c"]


def test_while_its_segment_is_muted_a_warning_goes_on_waiting() -> None:
    bench = waiting()
    until = float(on(10) // SECOND)
    for segment in ("average", "large_premium", "small_premium", "small_ordinary"):
        bench.give(FirmFact(event_id=segment, at=on(2), kind="mute", subject=f"segment:{segment}", value=until))
    bench.run_to(on(9))
    assert told_of(bench) == ["a"]
    bench.run_to(on(11))
    assert told_of(bench) == ["a", "c"]


def test_a_service_warning_ends_where_the_customer_may_not_be_contacted() -> None:
    bench = Bench(policy=CALM)
    bench.read([*(bought(on(20 * n)) for n in range(5)), unresolved(85), known(on(88), do_not_contact=True)])
    bench.run_to(on(90))
    assert len(bench.all(ServiceWarn)) == 1
    assert lives(bench) == [("withdrawn", "do_not_contact")]
