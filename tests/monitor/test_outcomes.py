"""Every look ends in exactly one named outcome, and each of them can be reached."""

from collections import Counter

import pytest
from msgspec.structs import replace

from streamproc.core.control import Disposition, Setup
from streamproc.core.events import CustomerEvent
from streamproc.core.policy import Outcome, Policy
from streamproc.core.time import DAY, HOUR
from streamproc.monitor.effects import Looked, WouldWarn
from streamproc.scoring.snapshot import default_snapshot
from streamproc.testing.events import bought, known, on, touched
from tests.monitor.bench import TRUSTED, Bench
from tests.monitor.shops import records

ALWAYS = Policy(raise_at=0.0, clear_at=0.0, escalate_at=1.0, minimum_silence=0.0)
"""Any risk is enough to warn, and none is ever low."""

TWICE: list[CustomerEvent] = [bought(on(0)), bought(on(1))]


def outcomes(bench: Bench) -> list[Outcome]:
    return [look.outcome for look in bench.all(Looked)]


def looked_after(*history: CustomerEvent, policy: Policy = ALWAYS, trusted: bool = True) -> Outcome:
    """The outcome of the one look at the midnight after day 2."""
    bench = Bench(policy=policy, snapshot=TRUSTED if trusted else default_snapshot())
    bench.give(*history)
    bench.tick(on(3))
    [outcome] = outcomes(bench)
    return outcome


@pytest.mark.parametrize(
    ("more", "outcome"),
    [
        ([], Outcome.WOULD_WARN),
        ([touched(on(2), "out", purpose="retention")], Outcome.RECENT_CONTACT),
        ([touched(on(2), "in", purpose="retention")], Outcome.WOULD_WARN),
        ([touched(on(2), "out", purpose="sales")], Outcome.WOULD_WARN),
        ([known(on(2), do_not_contact=True)], Outcome.DO_NOT_CONTACT),
        ([known(on(1), do_not_contact=True), known(on(2), do_not_contact=False)], Outcome.WOULD_WARN),
        ([bought(on(2), 100, cost=9_000)], Outcome.BLEEDING),
        ([touched(on(2), result="terminated")], Outcome.ALREADY_LOST),
    ],
)
def test_what_speaks_against_a_warning_names_the_outcome(more: list[CustomerEvent], outcome: Outcome) -> None:
    assert looked_after(*TWICE, *more) is outcome


def test_before_the_first_purchase_there_is_nothing_to_lose() -> None:
    assert looked_after(touched(on(0), purpose="inquiry")) is Outcome.NO_PURCHASE


def test_a_low_risk_is_below_the_threshold() -> None:
    assert looked_after(*TWICE, policy=Policy(raise_at=0.99, escalate_at=1.0)) is Outcome.BELOW_THRESHOLD


def at_stake(minimum: int) -> Policy:
    return replace(ALWAYS, minimum_expected_loss=minimum)


def test_less_at_stake_than_a_warning_is_worth_is_below_the_threshold() -> None:
    bench = Bench(policy=ALWAYS, snapshot=TRUSTED)
    bench.give(*TWICE)
    bench.tick(on(3))
    [warned] = bench.all(WouldWarn)
    loss = warned.figures.expected_loss
    assert loss > 1
    assert looked_after(*TWICE, policy=at_stake(loss)) is Outcome.WOULD_WARN
    assert looked_after(*TWICE, policy=at_stake(loss + 1)) is Outcome.BELOW_THRESHOLD


def test_unknown_money_is_not_held_against_a_warning() -> None:
    unpriced: list[CustomerEvent] = [bought(on(0), None), bought(on(1), None)]
    assert looked_after(*unpriced, policy=at_stake(10**9)) is Outcome.WOULD_WARN


def test_one_purchase_day_is_no_evidence() -> None:
    assert looked_after(bought(on(0)), bought(on(0, 1))) is Outcome.MINIMUM_EVIDENCE


def test_a_model_that_rests_on_few_customers_warns_nobody() -> None:
    assert looked_after(*TWICE, trusted=False) is Outcome.MODEL_NOT_TRUSTED


def test_silence_of_a_stale_feed_is_no_silence() -> None:
    bench = Bench(policy=ALWAYS)
    bench.give(*TWICE)
    bench.tick(on(3), stale=("purchases",))
    assert outcomes(bench) == [Outcome.FEED_STALE]
    bench.give(touched(on(3)))
    bench.tick(on(4), stale=("contacts",))
    assert outcomes(bench)[1:] == [Outcome.WOULD_WARN]


def test_while_an_episode_is_open_no_second_one_opens() -> None:
    bench = Bench(policy=ALWAYS)
    bench.give(*TWICE)
    bench.tick(on(3))
    bench.give(touched(on(3)))
    bench.tick(on(4))
    assert outcomes(bench) == [Outcome.WOULD_WARN, Outcome.EPISODE_OPEN]


def test_after_an_episode_comes_the_cooldown() -> None:
    bench = Bench(policy=ALWAYS)
    bench.give(*TWICE)
    bench.tick(on(3))
    bench.give(bought(on(3)))
    bench.tick(on(4))  # recovered here
    for day in (33, 34):
        bench.give(touched(on(day)))
        bench.tick(on(day, 1))
    assert outcomes(bench) == [Outcome.WOULD_WARN, Outcome.COOLDOWN, Outcome.COOLDOWN, Outcome.WOULD_WARN]


def test_who_is_lost_no_more_without_having_bought_is_no_news() -> None:
    bench = Bench(setup=Setup(at=0, horizons={"consumer": 30, "business": 200}), policy=ALWAYS)
    bench.give(bought(on(0), customer_kind="consumer"), bought(on(1)))
    bench.tick(on(3))
    bench.tick(on(40))
    bench.give(touched(on(75), customer_kind="business"))
    bench.tick(on(76))
    assert outcomes(bench) == [Outcome.WOULD_WARN, Outcome.ALREADY_LOST, Outcome.HYSTERESIS]


def test_a_purchase_after_the_loss_is_a_new_start() -> None:
    bench = Bench(policy=ALWAYS)
    bench.give(*TWICE)
    bench.tick(on(3))
    bench.give(touched(on(3), result="terminated"))
    bench.tick(on(4))
    bench.give(bought(on(40)))
    bench.tick(on(41))
    assert outcomes(bench) == [Outcome.WOULD_WARN, Outcome.ALREADY_LOST, Outcome.WOULD_WARN]


def test_who_was_silent_for_less_than_half_the_usual_gap_is_below_the_threshold() -> None:
    bench = Bench(policy=Policy(raise_at=0.0, clear_at=0.0, escalate_at=1.0, minimum_silence=0.5))
    bench.give(bought(on(0)), bought(on(20)))
    for day in (21, 30, 31):
        bench.give(touched(on(day) - 1))
        bench.tick(on(day))
    assert outcomes(bench) == [Outcome.BELOW_THRESHOLD, Outcome.BELOW_THRESHOLD, Outcome.WOULD_WARN]


def test_every_look_of_a_shop_has_one_outcome_and_every_warning_a_disposition() -> None:
    bench = Bench(policy=Policy(raise_at=0.4, clear_at=0.3, minimum_silence=0.0))
    bench.read(records(150, 400, 5))
    looks = Counter((look.customer_id, look.at) for look in bench.all(Looked))
    assert set(looks.values()) == {1}
    warned = [(look.customer_id, look.at) for look in bench.all(Looked) if look.outcome is Outcome.WOULD_WARN]
    assert warned == [(w.customer_id, w.at) for w in bench.all(WouldWarn)]
    answered = [r.warning_id for r in bench.journal if isinstance(r, Disposition)]
    assert answered == [w.id for w in bench.all(WouldWarn)]
    assert len(answered) > 10


def test_a_look_is_never_before_the_event_it_is_made_for() -> None:
    bench = Bench()
    bench.give(bought(on(0, 5)))
    bench.tick(on(0, 5))
    assert bench.all(Looked) == []
    bench.tick(on(0, 5) + HOUR)
    assert [look.at for look in bench.all(Looked)] == [on(0, 6)]
    assert on(0) % DAY == 0
