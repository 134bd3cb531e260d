"""The demo: a simulated shop whose past is read at once and whose last days stream at a pace that can be watched."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from typing import NamedTuple

from streamproc.adapters.embedded.clock import Progress
from streamproc.adapters.sources import Item
from streamproc.core.time import DAY
from streamproc.intake.intake import Intake
from streamproc.intake.rates import Rates
from streamproc.intake.refusal import Position
from streamproc.simulate import demo_shop, simulate

PACED_DAYS = 90
SECONDS_A_DAY = 1.0


SOURCE = "demo-"
"""What its events come from, with the shop's last day: running again the next day goes on with the same shop."""


class Demo(NamedTuple):
    """The shop's events, as intake reads them: those of its past, and those to be paced."""

    past: list[Item]
    ahead: list[Item]


def demo(rates: Rates, progress: Progress) -> Demo:
    """A shop whose last day is today, or that of the run that began the folder; what was read is of its past."""
    today = date.today() + timedelta(days=1)  # noqa: DTZ011 - any day near today will do
    begun = (name.removeprefix(SOURCE) for name in progress.sources if name.startswith(SOURCE))
    until = next(map(date.fromisoformat, begun), today)
    shop = demo_shop(until=until)
    intake, paced_from = Intake(rates), max(shop.ends - PACED_DAYS * DAY, progress.read + 1)
    past: list[Item] = []
    ahead: list[Item] = []
    for row, event in enumerate(simulate(shop), 1):
        position = Position(f"{SOURCE}{until}", row)
        outcome = intake.take(event.line, position, shop.ends)
        if outcome is not None:
            (past if event.at < paced_from else ahead).append(Item(outcome, event.line, position))
    return Demo(past, ahead)


def paced(items: Iterable[Item], sleep: Callable[[float], bool]) -> Iterator[Item]:
    """The items, one simulated day a second; ends where `sleep` (seconds) says that somebody asked to stop."""
    before: int | None = None
    for item in items:
        at = _time_of(item)
        if before is not None and sleep(max(0.0, (at - before) / DAY * SECONDS_A_DAY)):
            return
        yield item
        before = at


def _time_of(item: Item) -> int:
    return int(getattr(item.outcome, "at", 0))
