"""A cut right after the last event sees no model that its own tick made."""

from streamproc.adapters.embedded.backtest import Backtest
from streamproc.core.control import Setup
from streamproc.core.time import DAY, HOUR
from streamproc.intake.refusal import Refusal
from streamproc.trainer.state import Config
from tests.monitor.shops import delivered, records

SETUP = Setup(at=0, horizon_days=60)


def test_a_file_that_ends_within_the_hour_before_a_training_gives_the_risks_of_the_whole_file() -> None:
    events = delivered(records(150, 300, 5))
    times = [d.outcome.at for d in events if not isinstance(d.outcome, Refusal)]
    step = Config(horizon=float(SETUP.horizon_days)).training_days * DAY
    cut = next(at // step * step + step for at in times[len(times) // 2 :] if at % step >= step - HOUR)
    until = [d for d, at in zip(events, times, strict=True) if at < cut]
    [whole], [short] = (list(Backtest(SETUP, [cut]).run(some)) for some in (events, until))
    assert short.model == whole.model
    assert short.risks.tobytes() == whole.risks.tobytes()
