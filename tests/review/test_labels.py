"""A label reaches as far back as a late event may come, even of who buys every day."""

from streamproc.core.control import LONGEST_LATENESS, Setup
from streamproc.scoring.examples import Example
from streamproc.testing.events import bought, on
from tests.monitor.bench import Bench


def test_who_buys_daily_is_not_labelled_as_gone_at_the_longest_lateness() -> None:
    bench = Bench(setup=Setup(at=0, horizon_days=10, lateness=LONGEST_LATENESS))
    bench.read(bought(on(day, 1)) for day in range(120))
    labels = [e.label for e in bench.all(Example) if e.label is not None]
    assert len(labels) > 5
    assert set(labels) == {0}
