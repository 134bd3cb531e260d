"""Satisfaction, service and loyalty as lines in both languages; what is unmeasured is said to be."""

import re

import pytest

from streamproc.core.events import CustomerEvent
from streamproc.core.facts import new_facts, take
from streamproc.desk.bond import Bond, bond_of
from streamproc.testing.events import bought, complained, on, sent_back, touched
from streamproc.words import Language, bond_lines, words_in

HAN = re.compile(r"[\u4e00-\u9fff]")


def bond() -> Bond:
    facts = new_facts()
    history: list[CustomerEvent] = [
        *(bought(on(20 * n), list_amount=2_000, deliberation_s=600.0, customer_kind="consumer") for n in range(5)),
        touched(on(30), "out", purpose="survey", result="resolved", perceived=9.0, expected=7.5),
        touched(on(85), purpose="support", result="unresolved", perceived=3.0, expected=8.0, wait_s=5_400.0),
        touched(on(86), purpose="inquiry", result="saved", competitor=True, wait_s=0.0, perceived=2.0, expected=8.0),
        sent_back(on(87)),
    ]
    for event in history:
        take(facts, event)
    return bond_of(facts, on(100))


def said(told: Bond, language: Language) -> dict[str, str]:
    return dict(bond_lines(words_in(language), told))


def test_a_buyer_at_a_discount_leaves_with_it() -> None:
    lines = said(bond(), "en")
    assert lines["Kind of loyalty"] == (
        "price (days of purchase 5, share bought at a discount 100 %). Leaves with the discount."
    )
    assert said(bond(), "zh-CN")["忠诚类型"].startswith("价格忠诚")


def test_the_figures_are_told_with_what_they_rest_on() -> None:
    lines = said(bond(), "en")
    assert lines["Satisfaction, last answer"] == "25 % of what was expected, on Dec 29, 2024"
    assert lines["Satisfaction, cumulative"].endswith(
        "by 3 answers; 55 % before 0 valid complaints and 1 return on 5 orders in a year"
    )
    assert lines["Service: timely"] == "waited 45 minutes on average"
    assert lines["Service: accurate"] == "50 % of 2 questions and complaints solved the first time"
    assert lines["Service: reliable"] == "unmeasured"
    assert lines["Loyalty: time taken to choose"] == "0.86: usually chooses within 10 minutes"
    assert lines["Loyalty: attitude to competitors"] == "0.00: 1 mention of a competitor in a year"
    assert lines["Loyalty: tolerance of faulty quality"] == "unmeasured"
    assert "a question unresolved" in lines["Silent and unhappy"]


def test_of_a_stranger_everything_is_unmeasured() -> None:
    lines = said(bond_of(new_facts(), on(1)), "en")
    assert set(lines.values()) == {"unmeasured", "not enough to say"}


def test_of_all_answers_is_told_although_the_last_is_not_kept() -> None:
    facts = new_facts()
    take(facts, touched(on(1), "out", purpose="survey", perceived=3.0, expected=10.0))
    for day in range(2, 12):
        take(facts, touched(on(day), "in", purpose="inquiry"))
    lines = said(bond_of(facts, on(20)), "en")
    assert lines["Satisfaction, last answer"] == "unmeasured"
    assert lines["Satisfaction, cumulative"].startswith("30 % of what was expected, by 1 answer")


@pytest.mark.parametrize("told", [bond(), bond_of(new_facts(), on(1))], ids=["known", "stranger"])
def test_every_line_is_said_in_chinese(told: Bond) -> None:
    assert all(HAN.search(line.name) and HAN.search(line.text) for line in bond_lines(words_in("zh-CN"), told))


def test_complaints_are_told_by_how_they_were_answered() -> None:
    facts = new_facts()
    for event in (complained(on(1)), complained(on(4), "resolved", valid=True), complained(on(5), "reopened")):
        take(facts, event)
    lines = said(bond_of(facts, on(10)), "en")
    assert lines["Service: timely"] == "complaints answered after 3 days on average"
    assert lines["Service: reliable"] == "0 % of 1 complaints neither reopened nor repeated"
