"""What a look's figures say of the latest gap, of a day of purchase, and of discounts."""

import pytest

from streamproc.core.events import CustomerEvent, Purchase
from streamproc.core.policy import Policy
from streamproc.monitor.effects import Figures, WouldWarn
from streamproc.testing.events import bought, on
from tests.monitor.bench import TRUSTED, Bench

ALWAYS = Policy(raise_at=0.0, clear_at=0.0, escalate_at=1.0, minimum_silence=0.0)


def figures(*history: CustomerEvent, day: int = 40) -> Figures:
    """The figures of the look at the midnight before `day`, one day after the last event."""
    bench = Bench(policy=ALWAYS, snapshot=TRUSTED)
    bench.give(*history)
    bench.tick(on(day))
    return bench.all(WouldWarn)[-1].figures


def cancelled(order: Purchase) -> Purchase:
    return bought(order.at, order_id=order.order_id, event_id="gone", revision=1, cancelled=True)


def test_the_last_gap_is_that_of_the_last_two_days_whatever_the_order_of_arrival() -> None:
    days = [on(30), on(0), on(39), on(12), on(39, 5)]
    assert figures(*(bought(at) for at in days)).last_gap_days == 9


def test_a_cancelled_day_is_no_end_of_a_gap() -> None:
    wrong = bought(on(36))
    assert figures(bought(on(0)), bought(on(10)), wrong, bought(on(39)), cancelled(wrong)).last_gap_days == 29


def test_articles_are_averaged_over_the_days_that_tell_them() -> None:
    told = figures(bought(on(0), lines=2), bought(on(10), lines=3), bought(on(10, 3), lines=4), bought(on(39)))
    assert told.articles_a_day == 4.5
    assert figures(bought(on(0)), bought(on(39))).articles_a_day is None


@pytest.mark.parametrize(
    ("lists", "share"), [([None, None], None), ([1_000, 1_000], 0.0), ([1_000, 2_000], 0.5), ([None, 2_000], 1.0)]
)
def test_the_discount_share_is_of_what_has_a_list_price(lists: list[int | None], share: float | None) -> None:
    first, last = lists
    told = figures(bought(on(0), list_amount=first), bought(on(39), list_amount=last))
    assert told.discount_share == share
