"""Sentences a retention person understands, in both languages."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamproc.core.policy import Outcome
from streamproc.desk.report import Rule, WhyAnswer
from streamproc.desk.warning import EvidenceText, ReasonText, Risk, Standing, Value
from streamproc.scoring.layout import GROUPS
from streamproc.words import (
    LANGUAGES,
    Language,
    main_reasons,
    model_note,
    money_notes,
    outcome_said,
    reason_said,
    words_in,
)

SEEN = (EvidenceText("returns", "e-1", "2025-03-04T10:30:00Z"),)


def standing(**given: Any) -> Standing:
    usual: dict[str, Any] = {
        "stage": "repeat",
        "phase": "growth",
        "grade": "A",
        "tier": "gold",
        "segment": "average",
        "orders": 15,
        "purchase_days": 12,
        "last_purchase": "2025-01-01T00:00:00Z",
        "recency_days": 73,
        "usual_gap_days": 31.4,
        "spend_trend": None,
        "last_gap_days": 20,
        "articles_a_day": 2.5,
        "discount_share": 0.4,
    }
    return Standing(**{**usual, **given})


def value(**given: Any) -> Value:
    usual: dict[str, Any] = {
        "currency": "EUR",
        "expected_loss": "40.00",
        "stake": "80.00",
        "lifetime_value": "60.00",
        "revenue_a_year": "1234.50",
        "contribution_a_year": "370.35",
        "assumed": False,
        "measured": True,
    }
    return Value(**{**usual, **given})


def rule(**given: Any) -> Rule:
    usual: dict[str, Any] = {
        "policy": "default",
        "probability": 0.41,
        "raise_at": 0.65,
        "clear_at": 0.45,
        "escalate_at": 0.85,
        "silent_days": 3,
        "least_silent_days": 15.5,
        "purchase_days": 1,
        "minimum_purchase_days": 2,
        "cooldown_until": "2025-04-01T00:00:00Z",
        "armed": True,
        "last_retention_contact": "2025-03-20T09:15:00Z",
        "recent_contact_days": 14,
        "do_not_contact": False,
        "customers_fitted": 12,
        "minimum_customers_fitted": 20,
        "expected_loss": "12.50",
        "minimum_expected_loss": "20.00",
        "currency": "EUR",
    }
    return Rule(**{**usual, **given})


def fact(language: Language, group: str, *, evidence: tuple[EvidenceText, ...] = (), **given: Any) -> str:
    money = {name: given.pop(name) for name in ("measured", "assumed") if name in given}
    reason = ReasonText(group, 0.5, None, evidence)
    return reason_said(words_in(language), reason, standing(**given), value(**money)).fact


def test_the_sentence_of_the_silent() -> None:
    reason = ReasonText("silence", 1.2, 0.4)
    said = [reason_said(words_in(language), reason, standing(), value()).text for language in LANGUAGES]
    assert said == [
        (
            "Last bought 73 days ago; usually buys every 31 days: raises the risk strongly (odds × 3.3); "
            "up since the last look (× 1.5)."
        ),
        "已有73天未购买，平常每31天购买一次：大幅推高风险（几率×3.3）；较上次评估上升（×1.5）。",
    ]


@pytest.mark.parametrize(
    ("group", "given_", "english", "chinese"),
    [
        ("silence", {"recency_days": 0}, "Bought on this very day", "当天刚刚购买"),
        (
            "silence",
            {"usual_gap_days": None, "recency_days": 1},
            "Last bought 1 day ago, on the only day of purchase so far",
            "已有1天未购买，至今只在一天购买过",
        ),
        (
            "silence",
            {"usual_gap_days": 1.6, "recency_days": 28},
            "Last bought 28 days ago; usually buys every 1.6 days",
            "已有28天未购买，平常每1.6天购买一次",
        ),
        ("frequency", {}, "Has placed 15 orders on 12 days so far", "至今有12天下过单，共15笔订单"),
        ("frequency", {"orders": 12}, "Has placed 12 orders so far", "至今共下过12笔订单"),
        ("newness", {}, "First bought about 418 days ago", "约418天前首次购买"),
        (
            "trend",
            {},
            "The latest gaps between purchases, the last one 20 days, against 31 days on average",
            "最近的购买间隔，上一次为20天，平均为31天",
        ),
        (
            "trend",
            {"purchase_days": 2, "last_gap_days": 31},
            "The latest gaps between purchases, against earlier ones",
            "最近的购买间隔与以往相比",
        ),
        (
            "basket",
            {},
            "On a day of purchase places 1.2 orders on average, of 2.5 articles",
            "每个购买日平均下1.2笔订单，共2.5种商品",
        ),
        (
            "basket",
            {"articles_a_day": None, "orders": 12},
            "On a day of purchase places 1 order on average",
            "每个购买日平均下1笔订单",
        ),
        (
            "discounts",
            {},
            "Of the last year's purchases with a known list price, 40 % was bought below it",
            "近一年已知标价的消费中，40%低于标价",
        ),
        (
            "discounts",
            {"discount_share": None},
            "No list price is known of the last year's purchases",
            "近一年的购买没有已知的标价",
        ),
        ("rhythm", {}, "42 days past the usual gap of 31 days", "已超出平常31天的间隔42天"),
        ("rhythm", {"recency_days": 9}, "Usually buys every 31 days", "平常每31天购买一次"),
        ("rhythm", {"usual_gap_days": None}, "Too few purchases to tell a rhythm", "购买次数太少，看不出规律"),
        ("money", {}, "Bought for €1,234.50 in the last year", "近一年消费€1,234.50"),
        ("money", {"measured": False}, "The data holds no amounts", "数据中没有金额"),
        (
            "money",
            {"spend_trend": 0.4},
            "Bought for €1,234.50 in the last year, in its second half 40 % of what it was in the first",
            "近一年消费€1,234.50，后半年为前半年的40%",
        ),
        ("money", {"spend_trend": 1.6}, "Bought for €1,234.50 in the last year", "近一年消费€1,234.50"),
        ("returns", {}, "No goods were returned", "没有退货"),
        ("returns", {"evidence": SEEN}, "Goods were returned, last on Mar 4, 2025", "有过退货，最近一次在2025年3月4日"),
        ("complaints", {}, "No complaint is known", "没有投诉记录"),
        (
            "complaints",
            {"evidence": SEEN},
            "There were complaints, last news on Mar 4, 2025",
            "有过投诉，最近动态在2025年3月4日",
        ),
        ("contacts", {}, "No contact is known", "没有接触记录"),
        (
            "contacts",
            {"evidence": SEEN},
            "There were contacts, the last on Mar 4, 2025",
            "有过接触，最近一次在2025年3月4日",
        ),
    ],
)
def test_what_is_so(group: str, given_: dict[str, Any], english: str, chinese: str) -> None:
    assert fact("en", group, **given_) == english
    assert fact("zh-CN", group, **given_) == chinese


@pytest.mark.parametrize(
    ("group", "given_", "english"),
    [
        ("rhythm", {"recency_days": 9}, "Still within the usual gap of 31 days"),
        ("rhythm", {"recency_days": 60}, "Usually buys every 31 days"),
        ("money", {"spend_trend": 0.4}, "Bought for €1,234.50 in the last year"),
        (
            "money",
            {"spend_trend": 1.6},
            "Bought for €1,234.50 in the last year, in its second half 160 % of what it was in the first",
        ),
    ],
)
def test_no_fact_contradicts_the_way_it_pushes(group: str, given_: dict[str, Any], english: str) -> None:
    assert reason_said(words_in("en"), ReasonText(group, -0.5, None), standing(**given_), value()).fact == english


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_group_has_a_fact_of_its_own(language: Language) -> None:
    said = [reason_said(words_in(language), ReasonText(g, 0.1, 0.0), standing(), value()) for g in GROUPS]
    assert len({s.fact for s in said}) == len({s.term for s in said}) == len(GROUPS)


@given(st.floats(-6, 6), st.none() | st.floats(-6, 6), st.sampled_from(GROUPS))
def test_effect_and_change_point_the_way_the_numbers_do(log_odds: float, change: float | None, group: str) -> None:
    said = reason_said(words_in("en"), ReasonText(group, log_odds, change), standing(), value())
    assert said.effect.startswith("raises") == (log_odds >= 0.05)
    assert said.effect.startswith("lowers") == (log_odds <= -0.05)
    assert ("strongly" in said.effect) == (abs(log_odds) >= 1)
    assert said.change.startswith("up") == (change is not None and change >= 0.05)
    assert said.change.startswith("down") == (change is not None and change <= -0.05)
    assert (said.change == "first look") == (change is None)
    assert said.text == f"{said.fact}: {said.effect}; {said.change}."


def test_main_reasons_are_the_heaviest_that_raise_the_risk() -> None:
    given_ = [("level", 3.0), ("silence", 0.4), ("money", 0.01), ("rhythm", 2.0), ("returns", -1.0), ("trend", 0.6)]
    reasons = [ReasonText(name, log_odds, None) for name, log_odds in given_]
    assert [r.reason for r in main_reasons(reasons)] == ["rhythm", "trend"]  # silence would say the same as rhythm
    assert [r.reason for r in main_reasons(reasons, 1)] == ["rhythm"]
    assert [r.reason for r in main_reasons(reasons[:3])] == ["silence"]


def test_assumed_costs_and_unknown_money_are_said() -> None:
    english = words_in("en")
    assert money_notes(english, value()) == []
    assert "70 % of revenue is assumed" in money_notes(english, value(assumed=True))[0]
    assert "no amounts" in money_notes(english, value(assumed=True, measured=False))[0]
    assert "70%" in money_notes(words_in("zh-CN"), value(assumed=True))[0]


@pytest.mark.parametrize("language", LANGUAGES)
def test_each_model_that_speaks_is_told_apart(language: Language) -> None:
    risks = [
        Risk(probability=0.5, log_odds=0.0, horizon_days=90, model="m", speaks=speaks)
        for speaks in ("prior", "blend", "learned")
    ]
    assert len({model_note(words_in(language), risk) for risk in risks}) == 3


def test_the_prior_says_nothing_of_outcomes_that_there_may_be() -> None:
    risk = Risk(probability=0.5, log_odds=0.0, horizon_days=90, model="m", speaks="prior")
    said = model_note(words_in("en"), risk)  # a model of the buying pattern may be in force when outcomes are known
    assert said == "The risk rests on the buying pattern alone: no outcome corrects it so far."


OUTCOMES_SAID = {
    "below_threshold": "The risk, 41 %, is below 65 %.",
    "minimum_evidence": "Bought on 1 day so far; warnings need 2 days.",
    "hysteresis": "The risk, 41 %, has not been below 45 % since the last warning, nor did a purchase come.",
    "cooldown": "A warning ended lately; the next is possible from Apr 1, 2025 on.",
    "recent_contact": "The firm tried to keep the customer on Mar 20, 2025 09:15 UTC; for 14 days that is given time "
    "to work.",
    "model_not_trusted": "The model rests on 12 customers only; it is trusted from 20 on.",
    "episode_open": "A warning is open already; it ends when the customer buys or the risk falls below 45 %.",
    "would_warn": "The risk, 41 %, reached 65 %, and nothing spoke against a warning.",
}


def answer(outcome: str | None, rule_: Rule | None) -> WhyAnswer:
    return WhyAnswer(customer_id="c", asked_at="2025-01-01T00:00:00Z", found="looked", outcome=outcome, rule=rule_)


@pytest.mark.parametrize("outcome", Outcome)
def test_every_outcome_is_told_with_the_rules_numbers(outcome: Outcome) -> None:
    english, chinese = (outcome_said(words_in(lang), answer(outcome, rule())) for lang in LANGUAGES)
    assert english == OUTCOMES_SAID.get(outcome, english)
    assert english
    assert chinese
    assert english != chinese


def test_one_who_just_bought_is_told_from_one_at_low_risk() -> None:
    said = outcome_said(words_in("en"), answer("below_threshold", rule(probability=0.7)))
    assert said == "The risk is 70 %, but the last purchase was only 3 days ago; a warning needs 15.5 days."


def test_too_little_at_stake_is_told_in_money() -> None:
    given = rule(probability=0.7, silent_days=16)
    said = outcome_said(words_in("en"), answer("below_threshold", given))
    assert said == "The risk is 70 %, but the expected loss, €12.50, is below €20.00."
    said = outcome_said(words_in("zh-CN"), answer("below_threshold", given))
    assert said == "风险为70%，但预期损失€12.50低于€20.00。"


def test_unknown_numbers_are_a_dash_and_no_look_says_nothing() -> None:
    words = words_in("en")
    blank = rule(probability=None, cooldown_until=None)
    assert outcome_said(words, answer("below_threshold", blank)) == "The risk, –, is below 65 %."
    assert outcome_said(words, answer("cooldown", blank)).endswith("from – on.")
    assert outcome_said(words, answer(None, None)) == ""
