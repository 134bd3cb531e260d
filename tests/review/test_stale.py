"""While the purchases feed is stale, its silence raises no risk that anybody is told of."""

from streamproc.core.lifecycle import Stage
from streamproc.core.policy import Outcome, Policy
from streamproc.core.time import DAY
from streamproc.monitor.effects import EpisodeChanged, Looked, Transition, Verdict, WouldWarn
from streamproc.scoring.examples import Example
from streamproc.testing.events import bought, on
from tests.monitor.bench import Bench


def test_an_open_warning_does_not_escalate_on_a_stale_feed() -> None:
    def escalated(*, stale: bool) -> int:
        bench = Bench(policy=Policy(raise_at=0.2, clear_at=0.05, escalate_at=0.5))
        bench.read(bought(on(day)) for day in range(0, 80, 8))
        bench.run_to(on(110))
        assert len(bench.all(WouldWarn)) == 1
        bench.run_to(on(150), stale=("purchases",) if stale else ())
        return sum(e.change == "escalated" for e in bench.all(EpisodeChanged))

    assert (escalated(stale=False), escalated(stale=True)) == (1, 0)


def test_a_broken_feed_loses_nobody_gives_no_verdict_and_no_label() -> None:
    bench = Bench()
    bench.read(bought(on(day)) for day in range(0, 200, 8))
    bench.run_to(on(196))
    bench.stale_since = on(193)
    deaf = bench.run_to(on(330), stale=("purchases",))
    assert not [e for e in deaf if isinstance(e, Transition | Verdict)]
    looks = [e.outcome for e in deaf if isinstance(e, Looked)]
    assert set(looks) == {Outcome.FEED_STALE}
    overlapping = [e for e in deaf if isinstance(e, Example) and e.label is not None and e.at + 90 * DAY > on(193)]
    assert not overlapping
    heard = bench.run_to(on(332))
    assert [e.after for e in heard if isinstance(e, Transition)] == [Stage.LOST]


def test_a_late_purchase_from_before_the_loss_wins_nobody_back() -> None:
    bench = Bench()
    bench.read([bought(on(0)), bought(on(10))])
    bench.run_to(on(100.5))
    bench.write(bought(on(99.8)))
    back = [e for e in bench.run_to(on(102)) if isinstance(e, Transition)]
    assert [(e.before, e.won_back) for e in back] == [(Stage.LOST, False)]


def test_a_verdict_that_waits_for_a_broken_feed_is_due_once_a_day() -> None:
    bench = Bench(policy=Policy(raise_at=0.2, clear_at=0.05, escalate_at=0.5))
    bench.read(bought(on(day)) for day in range(0, 80, 8))
    bench.run_to(on(110))
    assert len(bench.all(WouldWarn)) == 1
    deaf = bench.run_to(on(300), stale=("purchases",))
    assert 0 < sum(isinstance(e, Looked) for e in deaf) <= 300 - 110
