"""While the purchases feed is stale, its silence raises no risk that anybody is told of."""

from streamproc.core.policy import Policy
from streamproc.monitor.effects import EpisodeChanged, WouldWarn
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
