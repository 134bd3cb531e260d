"""Satisfaction is perceived over expected, decayed and corrected; service has four properties; nothing is guessed."""

from collections.abc import Sequence

import pytest

from streamproc.core.events import CustomerEvent
from streamproc.core.facts import Facts, new_facts, take
from streamproc.core.satisfaction import satisfaction, satisfied, service, service_sums
from streamproc.core.time import HOUR, day_of
from streamproc.testing.events import bought, complained, on, sent_back, touched

TODAY = day_of(on(400))


def after(history: Sequence[CustomerEvent]) -> Facts:
    facts = new_facts()
    for event in history:
        take(facts, event)
    return facts


def asked(day: float, perceived: float, expected: float) -> CustomerEvent:
    return touched(on(day), "out", purpose="survey", result="resolved", perceived=perceived, expected=expected)


def test_nobody_asked_is_unmeasured_and_not_guessed() -> None:
    facts = after([bought(on(10)), complained(on(20), valid=True), touched(on(30), perceived=9.0)])
    found = satisfaction(facts, TODAY)
    assert (found.transaction, found.cumulative, found.surveys) == (None, None, 0)
    unheard = service(service_sums(after([bought(on(10))]), TODAY))
    assert (unheard.mean_wait_s, unheard.accurate, unheard.spread, unheard.reliable) == (None, None, None, None)


@pytest.mark.parametrize(("perceived", "expected", "ratio"), [(9.0, 7.5, 1.2), (6.0, 8.0, 0.75), (0.0, 5.0, 0.0)])
def test_satisfaction_is_what_was_perceived_over_what_was_expected(
    perceived: float, expected: float, ratio: float
) -> None:
    found = satisfaction(after([asked(390, perceived, expected)]), TODAY)
    assert found.transaction == pytest.approx(ratio)
    assert found.cumulative == pytest.approx(ratio)


def test_where_nothing_was_expected_there_is_no_ratio() -> None:
    found = satisfaction(after([asked(390, 5.0, 0.0)]), TODAY)
    assert (found.transaction, found.cumulative) == (None, None)
    both = satisfaction(after([asked(380, 5.0, 10.0), asked(390, 5.0, 0.0)]), TODAY)
    assert both.uncorrected == pytest.approx(0.5)


def test_the_last_answer_and_all_of_them_are_two_figures() -> None:
    found = satisfaction(after([asked(300, 9.0, 9.0), asked(390, 3.0, 10.0)]), TODAY)
    assert found.transaction == pytest.approx(0.3)
    assert found.cumulative is not None
    assert 0.3 < found.cumulative < 1.0
    assert found.event_id == f"c-t{on(390)}"


def test_an_answer_half_a_year_older_weighs_half() -> None:
    found = satisfaction(after([asked(205, 10.0, 10.0), asked(385, 4.0, 10.0)]), TODAY)
    assert found.cumulative == pytest.approx((0.5 * 10 + 4) / (0.5 * 10 + 10))


def test_valid_complaints_and_returns_correct_it_by_their_rate() -> None:
    history: list[CustomerEvent] = [bought(on(200 + n)) for n in range(10)]
    calm = satisfaction(after([*history, asked(390, 8.0, 8.0)]), TODAY)
    assert calm.cumulative == 1.0
    trouble: list[CustomerEvent] = [
        sent_back(on(220)),
        sent_back(on(230)),
        complained(on(240), complaint_id="k1", valid=True),
        complained(on(250), complaint_id="k2", valid=False),
        complained(on(260), complaint_id="k3"),
        complained(on(10), complaint_id="k4", valid=True),  # over a year ago
    ]
    found = satisfaction(after([*history, asked(390, 8.0, 8.0), *trouble]), TODAY)
    assert (found.valid_complaints, found.returns, found.orders) == (1, 2, 10)
    assert found.uncorrected == 1.0
    assert found.cumulative == pytest.approx(0.9 * 0.8)


def test_the_four_properties_of_the_service() -> None:
    history = [
        touched(on(300), purpose="support", result="resolved", wait_s=60.0),
        touched(on(301), purpose="support", result="unresolved", wait_s=120.0),
        asked(310, 5.0, 8.0),
        asked(320, 9.0, 8.0),
        complained(on(330), complaint_id="a", category="quality"),
        complained(on(330, 4), "acknowledged", complaint_id="a"),
        complained(on(331), "resolved", complaint_id="a"),
        complained(on(340), complaint_id="b", category="quality"),  # the same again
        complained(on(340, 2), "resolved", complaint_id="b"),
        complained(on(341), "reopened", complaint_id="b"),
        complained(on(350), complaint_id="c", category="service"),
    ]
    found = service(service_sums(after(history), TODAY))
    assert (found.mean_wait_s, found.waits) == (90.0, 2)
    assert (found.mean_answer_s, found.answers) == (3 * HOUR / 1_000_000, 2)
    assert (found.accurate, found.ended) == (0.5, 4)  # one question and one complaint, of two each
    assert found.spread == pytest.approx(2.0)  # -3 and 1 lie 2 from their middle
    assert found.reliable == pytest.approx(2 / 3)
    assert (found.surveys, found.complaints) == (2, 3)


def test_a_complaint_that_was_withdrawn_was_not_solved() -> None:
    found = service(service_sums(after([complained(on(390)), complained(on(391), "withdrawn")]), TODAY))
    assert (found.accurate, found.ended) == (None, 0)


def test_the_sums_of_two_customers_tell_of_both() -> None:
    mine = service_sums(after([asked(380, 5.0, 10.0)]), TODAY)
    theirs = service_sums(after([asked(390, 10.0, 10.0), complained(on(390))]), TODAY)
    assert mine is not None
    assert theirs is not None
    both = [a + b for a, b in zip(mine, theirs, strict=True)]
    assert satisfied(both) == 0.75
    assert service(both).spread == pytest.approx(2.5)
    assert service(both).reliable == 1.0
    assert satisfied(None) is None
