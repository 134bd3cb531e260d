"""Causes, evidence and steps as sentences, in both languages."""

import pytest

from streamproc.core.playbook import StepText
from streamproc.desk.warning import CauseText, ClueText
from streamproc.words import Language, cause_said, clues_said, first_steps, no_cause_said, step_said, words_in

RISE = ClueText(
    sign="price_raised", stream="facts", event_id="f-9", occurred_at="2025-01-05T00:00:00Z", weight=0.4, size=0.14
)
WAIT = ClueText(
    sign="long_wait", stream="contacts", event_id=None, occurred_at="2025-01-07T10:00:00Z", weight=0.2, size=900.0
)
SERVICE = CauseText(cause="service", strength=0.434, evidence=(WAIT, RISE), manner="attitude")
PRICE = CauseText(cause="price", strength=0.5, evidence=(RISE,))


def step(due_by: str, tie: str | None = None) -> StepText:
    return StepText(
        origin="cause.price", id="club", en="Invite to the club", zh="邀请加入俱乐部", role="marketing",
        role_en="marketing", role_zh="市场部", due_by=due_by, tie=tie,
    )  # fmt: skip


@pytest.mark.parametrize(
    ("language", "price", "service", "unknown"),
    [
        ("en", "Likely cause: price too high, strength 50 %", "Likely cause: poor service (attitude), strength 43 %",
         "Likely cause: not known"),
        ("zh-CN", "可能原因：价格过高，强度50%", "可能原因：服务差（态度），强度43%", "可能原因：未知"),
    ],
)  # fmt: skip
def test_a_cause_is_said_with_its_strength(language: Language, price: str, service: str, unknown: str) -> None:
    words = words_in(language)
    assert cause_said(words, PRICE) == price
    assert cause_said(words, SERVICE) == service
    assert no_cause_said(words) == unknown


def test_evidence_is_said_with_its_day_and_its_event() -> None:
    said = "long wait on Jan 7, 2025; list price raised by 14 % on Jan 5, 2025 (f-9)"
    assert clues_said(words_in("en"), SERVICE) == said
    assert clues_said(words_in("zh-CN"), PRICE) == "标价上调14%，于2025年1月5日（f-9）"


def test_a_step_is_said_with_who_and_until_when() -> None:
    told = step("2025-02-01T09:30:00Z", "social")
    assert step_said(words_in("en"), told) == "By Feb 1, 2025 09:30 UTC, marketing: Invite to the club [social tie]"
    assert step_said(words_in("zh-CN"), told) == "2025年2月1日 09:30 UTC前，市场部：邀请加入俱乐部［社交纽带］"


def test_the_steps_due_first_come_first() -> None:
    late, soon = step("2025-02-09T00:00:00Z"), step("2025-02-01T00:00:00Z")
    assert first_steps([late, soon], 1) == [soon]
