"""The demo: a simulated shop whose past is read at once and whose last days stream at a pace that can be watched."""

from collections.abc import Callable, Iterable, Iterator
from datetime import date, timedelta
from itertools import pairwise
from typing import NamedTuple

from streamproc.adapters.sources import Item
from streamproc.core.time import DAY
from streamproc.intake.intake import Intake
from streamproc.intake.rates import Rates
from streamproc.intake.refusal import Position
from streamproc.simulate import demo_shop, simulate

PACED_DAYS = 90
SECONDS_A_DAY = 1.0


class Demo(NamedTuple):
    """The shop's events, as intake reads them: those of its past, and those to be paced."""

    past: list[Item]
    ahead: list[Item]


def demo(rates: Rates) -> Demo:
    """A shop whose last day is today."""
    shop = demo_shop(until=date.today() + timedelta(days=1))  # noqa: DTZ011 - any day near today will do
    intake, paced_from = Intake(rates), shop.ends - PACED_DAYS * DAY
    past: list[Item] = []
    ahead: list[Item] = []
    for row, event in enumerate(simulate(shop), 1):
        position = Position("demo", row)
        outcome = intake.take(event.line, position, shop.ends)
        if outcome is not None:
            (past if event.at < paced_from else ahead).append(Item(outcome, event.line, position))
    return Demo(past, ahead)


def paced(items: Iterable[Item], sleep: Callable[[float], bool]) -> Iterator[Item]:
    """The items, one simulated day a second; ends where `sleep` (seconds) says that somebody asked to stop."""
    first = True
    for before, item in pairwise(items):
        if first:
            yield before
            first = False
        if sleep(max(0.0, (_time_of(item) - _time_of(before)) / DAY * SECONDS_A_DAY)):
            return
        yield item


def _time_of(item: Item) -> int:
    return int(getattr(item.outcome, "at", 0))
