"""The nine causes by example: which events speak for which cause, how strongly, and what they are not taken for."""

from collections.abc import Sequence
from typing import Any

import pytest

from streamproc.core.causes import CAUSES, Cause, causes_of
from streamproc.core.events import CustomerEvent, FirmFact
from streamproc.core.facts import new_facts, take
from streamproc.core.firm import Firm, note
from streamproc.testing.events import bought, complained, known, on, sent_back, touched

GAP = 10
"""Every customer here buys ten times, every ten days, the last time on day 90."""

SEEN = on(130)


def orders(**more: Any) -> list[CustomerEvent]:
    given = {"category": "tools", "channel": "web", "region": "east"} | more
    return [bought(on(day), **given) for day in range(0, 100, GAP)]


def told(kind: str, day: float, subject: str | None = None, value: float | None = None, **detail: Any) -> FirmFact:
    return FirmFact(event_id=f"{kind}-{day}", at=on(day), kind=kind, subject=subject, value=value, detail=detail)


def seen(events: Sequence[CustomerEvent], *facts: FirmFact, at: int = SEEN) -> tuple[Cause, ...]:
    """The causes seen at `at` in these events and the firm's facts."""
    customer, firm = new_facts(), Firm()
    for event in events:
        take(customer, event)
    for fact in facts:
        note(firm, fact)
    return causes_of(customer, firm, at, GAP)


def first(*events: CustomerEvent, facts: Sequence[FirmFact] = (), **more: Any) -> Cause:
    found = seen([*orders(**more), *events], *facts)
    assert found
    return found[0]


def signs(cause: Cause) -> list[tuple[str, str]]:
    return [(clue.sign, clue.event_id) for clue in cause.clues]


def test_who_just_stops_has_no_known_cause() -> None:
    assert seen(orders()) == ()
    assert seen([]) == ()


@pytest.mark.parametrize("category", CAUSES)
def test_a_complaint_names_its_cause(category: str) -> None:
    cause = first(complained(on(92), category=category, event_id="k1"))
    assert cause.cause == category
    assert signs(cause)[0] == ("complaint", "k1")
    assert cause.clues[0].at == on(92)
    assert 0.7 < cause.strength < 0.9


def test_a_complaint_of_another_word_names_no_cause_of_ours() -> None:
    assert [c.cause for c in seen([*orders(), complained(on(92), category="parking")])] == ["service"]  # it is unsolved


@pytest.mark.parametrize(
    ("steps", "less"),
    [
        ([("resolved", {"resolution_score": 5})], 0.4),
        ([("resolved", {"resolution_score": 2})], 0.9),
        ([("resolved", {})], 0.6),
        ([("withdrawn", {})], 0.6),
        ([("resolved", {"resolution_score": 5, "valid": False})], 0.3),
    ],
)
def test_a_good_answer_takes_most_of_a_complaint_away(steps: list[tuple[Any, dict[str, Any]]], less: float) -> None:
    answer = [complained(on(93), status, event_id=f"a-{status}", **said) for status, said in steps]
    open_still = first(complained(on(92), category="quality"))
    answered = first(complained(on(92), category="quality"), *answer)
    assert answered.strength < less * open_still.strength + 0.05


@pytest.mark.parametrize(
    ("events", "facts", "cause", "sign"),
    [
        ([sent_back(on(95), event_id="r1")], [], "quality", ("return", "r1")),
        ([touched(on(92), purpose="inquiry", competitor=True, event_id="t1")], [], "competitor",
         ("competitor_named", "t1")),
        ([touched(on(92), purpose="support", result="resolved", wait_s=900)], [], "service", ("long_wait", "")),
        ([known(on(-1), owner="li")], [told("staff_left", 91, "li")], "staff_departure",
         ("staff_left", "staff_left-91")),
        ([known(on(-1), owner="li"), known(on(99), owner="wu", event_id="k")],
         [told("staff_left", 91, "li", successor="wu")], "staff_departure", ("staff_left", "staff_left-91")),
        ([], [told("list_price", 92, "tools", 1.1, change=0.1)], "price", ("price_raised", "list_price-92")),
        ([touched(on(96), purpose="inquiry", result="unresolved", event_id="t2")],
         [told("product", 92, "tools", change="discontinued")], "innovation", ("inquiry", "t2")),
    ],
)  # fmt: skip
def test_what_else_speaks_for_a_cause(
    events: list[CustomerEvent], facts: list[FirmFact], cause: str, sign: tuple[str, str]
) -> None:
    found = first(*events, facts=facts)
    assert found.cause == cause
    assert sign in signs(found)


def test_an_outage_of_the_own_channel_adds_to_inconvenience_but_is_no_cause_alone() -> None:
    outage = told("outage", 91, "web", 5.0, planned=False)
    complaint = complained(on(93), category="inconvenience")
    assert seen(orders(), outage) == ()
    with_it, without = first(complaint, facts=[outage]), first(complaint)
    assert with_it.strength > without.strength
    assert ("outage", "outage-91") in signs(with_it)
    assert ("outage", "outage-91") not in signs(first(complaint, facts=[outage], channel="store"))


@pytest.mark.parametrize("planned", [True, "true", "Yes", 1.0])
def test_maintenance_that_was_planned_is_no_cause(planned: bool | str | float) -> None:
    assert seen(orders(), told("outage", 91, "web", 48.0, planned=planned)) == ()
    assert [cause.cause for cause in seen(orders(), told("outage", 91, "web", 48.0))] == ["inconvenience"]


def test_orders_from_a_dealer_of_another_region_speak_for_lost_market_control() -> None:
    home = told("dealer_region", -9, "d1", region="east"), told("dealer_region", -8, "d2", region="west")
    stray = seen(orders(dealer_id="d2"), *home)
    assert stray[0].cause == "market_control"
    assert {clue.sign for clue in stray[0].clues} == {"cross_region"}
    assert seen(orders(dealer_id="d1"), *home) == ()
    assert seen(orders(dealer_id="d3"), *home) == ()


def test_a_dealers_region_is_the_one_assigned_when_the_order_was_made() -> None:
    home, moved = told("dealer_region", -9, "d1", region="east"), told("dealer_region", 85, "d1", region="west")
    assert seen(orders(dealer_id="d1")[:9], home, moved) == ()
    assert signs(seen(orders(dealer_id="d1"), home, moved)[0]) == [("cross_region", f"c-p{on(90)}")]


def test_a_discount_buyer_leaves_with_the_discount() -> None:
    ended = told("marketing", 91, "standing-discount", change="ended")
    cheap = first(facts=[ended], amount=800, list_amount=1_000)
    assert (cheap.cause, signs(cheap)) == ("price", [("discount_ended", "marketing-91")])
    assert seen(orders(amount=1_000, list_amount=1_000), ended) == ()
    assert seen(orders(amount=None, list_amount=1_000), ended) == ()


def test_a_price_counts_in_the_category_that_is_bought_most() -> None:
    mixed = [bought(on(day), category="tools" if day < 60 else "toys") for day in range(0, 100, GAP)]
    assert seen(mixed, told("list_price", 92, "tools", 1.1, change=0.1))
    assert seen(mixed, told("list_price", 92, "toys", 1.1, change=0.1)) == ()
    assert seen(mixed, told("list_price", 92, "tools", 0.9, change=-0.1)) == ()


def test_one_question_counts_once_however_many_prices_were_raised() -> None:
    raised = [told("list_price", 91 + n, "tools", change=0.01) for n in range(3)]
    gone = [told("product", 91 + n, "tools", change="discontinued") for n in range(3)]
    asked = touched(on(95), purpose="inquiry")
    for cause in seen([*orders(), asked], *raised, *gone):
        assert [clue.sign for clue in cause.clues].count("inquiry") == 1


def test_a_larger_rise_weighs_more() -> None:
    small, large = (first(facts=[told("list_price", 92, "tools", change=c)]).strength for c in (0.03, 0.15))
    assert small < large


def test_what_lies_long_before_the_last_purchase_has_faded() -> None:
    fresh, old = (first(complained(on(day), category="quality")).strength for day in (89, 0))
    assert old == pytest.approx(fresh / 2, abs=0.03)


def test_what_the_firm_did_after_the_customer_was_missing_is_no_cause() -> None:
    assert first(facts=[told("list_price", 99, "tools", change=0.1)]).cause == "price"
    assert seen(orders(), told("list_price", 150, "tools", change=0.1), at=on(160)) == ()


def test_what_the_customer_says_later_counts() -> None:
    assert first(touched(on(125), purpose="cancellation", result="terminated", competitor=True)).strength > 0.8


def test_nobody_sees_the_future() -> None:
    later = [complained(on(140), category="quality")]
    assert seen([*orders(), *later], told("list_price", 141, "tools", change=0.1)) == ()


def test_an_account_manager_who_left_before_the_customer_came_took_nobody_along() -> None:
    assert seen([*orders(), known(on(0), owner="wu")], told("staff_left", -50, "li", successor="wu")) == ()


@pytest.mark.parametrize("said_at", [-1, 99])
def test_who_always_was_the_successors_loses_nobody(said_at: int) -> None:
    """Told again after the other one has left, too."""
    told_of = [known(on(-1), owner="wu"), known(on(said_at), owner="wu", event_id="k")]
    assert seen([*orders(), *told_of], told("staff_left", 91, "li", successor="wu")) == ()


@pytest.mark.parametrize(
    ("events", "manner"),
    [
        ([complained(on(92), category="service"), complained(on(93), "reopened")], "skill"),
        ([complained(on(92), category="service"), complained(on(93), "resolved", resolution_score=2)], "skill"),
        ([touched(on(92), purpose="support", result="unresolved"), complained(on(93), category="service")], "skill"),
        ([complained(on(92), category="service"),
          touched(on(92), purpose="support", result="resolved", perceived=3.0, expected=8.0)], "attitude"),
        ([complained(on(92), category="service")], None),
    ],
)  # fmt: skip
def test_poor_service_is_told_apart_by_attitude_and_skill(events: list[CustomerEvent], manner: str | None) -> None:
    cause = first(*events)
    assert (cause.cause, cause.manner) == ("service", manner)


def test_several_causes_come_strongest_first_and_clues_add_up() -> None:
    found = seen(
        [*orders(), complained(on(92), category="quality"), sent_back(on(93))],
        told("list_price", 92, "tools", change=0.1),
    )
    assert [cause.cause for cause in found][:2] == ["quality", "price"]
    assert found[0].strength > first(complained(on(92), category="quality")).strength
    assert all(0 < cause.strength < 1 for cause in found)
