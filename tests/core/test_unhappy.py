"""Silent and unhappy: unresolved contacts, falling satisfaction or returns, and no complaint."""

from collections.abc import Sequence

import pytest

from streamproc.core.events import CustomerEvent
from streamproc.core.facts import Facts, new_facts, take
from streamproc.core.time import day_of
from streamproc.core.unhappy import discontent, may_be
from streamproc.testing.events import bought, complained, on, sent_back, touched

TODAY = day_of(on(300))


def after(history: Sequence[CustomerEvent]) -> Facts:
    facts = new_facts()
    for event in [bought(on(100)), *history]:
        take(facts, event)
    return facts


def asked(day: float, result: str) -> CustomerEvent:
    return touched(on(day), purpose="support", result=result)


def answered(day: float, perceived: float) -> CustomerEvent:
    return touched(on(day), "out", purpose="survey", result="resolved", perceived=perceived, expected=8.0)


UNHAPPY: dict[str, list[CustomerEvent]] = {
    "unresolved": [asked(280, "unresolved")],
    "poor": [answered(280, 5.0)],
    "falling, and sent back": [answered(100, 9.6), answered(280, 7.6), sent_back(on(285))],
    "unanswered, and sent back": [asked(280, "no_answer"), sent_back(on(285))],
}
CONTENT: dict[str, list[CustomerEvent]] = {
    "nothing was heard": [],
    "solved": [asked(280, "resolved")],
    "solved in the end": [asked(280, "unresolved"), asked(282, "resolved")],
    "content again": [answered(270, 3.0), answered(280, 9.0)],
    "sent back": [sent_back(on(280)), sent_back(on(290))],
    "too long ago": [asked(200, "unresolved")],
    "hardly less than expected": [answered(280, 7.5)],
    "the firm did not reach them": [touched(on(280), "out", purpose="sales", result="no_answer")],
    "complained": [asked(280, "unresolved"), complained(on(281))],
    "complained half a year ago": [complained(on(130)), asked(280, "unresolved")],
}


@pytest.mark.parametrize("history", UNHAPPY.values(), ids=UNHAPPY)
def test_who_is_unhappy_and_says_nothing_is_found(history: list[CustomerEvent]) -> None:
    for order in (history, history[::-1]):
        found = discontent(after(order), TODAY)
        assert found.enough
        assert found.points == sum(sign.points for sign in found.signs) >= 2


@pytest.mark.parametrize("history", CONTENT.values(), ids=CONTENT)
def test_who_is_content_or_complains_is_not(history: list[CustomerEvent]) -> None:
    assert not discontent(after(history), TODAY).enough


def test_the_signs_name_their_events() -> None:
    (sign,) = discontent(after([asked(280, "unresolved")]), TODAY).signs
    assert (sign.name, sign.event_id, sign.at) == ("unresolved", f"c-t{on(280)}", on(280) // 1_000_000)


def test_one_of_whom_only_purchases_are_known_costs_nothing_to_look_at() -> None:
    assert not may_be(after([]), TODAY)
    assert may_be(after([asked(280, "unresolved")]), TODAY)
    assert not may_be(after([asked(100, "unresolved")]), TODAY)


def test_every_sign_names_its_event() -> None:
    facts = after([sent_back(on(285)), asked(286, "no_answer"), sent_back(on(287), cancelled=True)])
    found = discontent(facts, TODAY)
    assert [(sign.name, sign.event_id) for sign in found.signs] == [
        ("return", f"c-r{on(285)}"),
        ("unanswered", f"c-t{on(286)}"),
    ]
