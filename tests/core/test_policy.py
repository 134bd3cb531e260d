"""The warning policy: thresholds that agree, severity by what is at stake."""

from typing import Any

import msgspec
import pytest

from streamproc.core.lifecycle import StageRules
from streamproc.core.policy import Outcome, Policy, Severity, severity_of
from streamproc.core.population import GradeShares
from streamproc.core.promises import Promises
from streamproc.core.value import ValueRules

GRADES = (100_000, 40_000, 10_000)


@pytest.mark.parametrize(
    ("loss", "severity"),
    [
        (200_000, Severity.CRITICAL),
        (199_999, Severity.HIGH),
        (80_000, Severity.HIGH),
        (79_999, Severity.MEDIUM),
        (20_000, Severity.MEDIUM),
        (19_999, Severity.LOW),
        (0, Severity.LOW),
    ],
)
def test_severity_is_by_twice_what_the_least_of_each_grade_brings(loss: int, severity: Severity) -> None:
    assert severity_of(loss, GRADES, Policy()) is severity


def test_without_grades_nothing_is_rated() -> None:
    assert severity_of(10**9, None, Policy()) is Severity.UNRATED


def test_in_a_base_that_brings_nothing_no_loss_is_rated() -> None:
    for grades in ((0, -5, -100), (0, 0, 0)):
        assert severity_of(10**9, grades, Policy()) is Severity.UNRATED


def test_a_grade_that_brings_nothing_makes_no_loss_grave() -> None:
    grades = (1_000, 0, -100)
    assert severity_of(2, grades, Policy()) is Severity.LOW
    assert severity_of(2_000, grades, Policy()) is Severity.CRITICAL


def test_the_share_of_severity_is_configurable() -> None:
    assert severity_of(30_000, GRADES, Policy(severity_share=0.25)) is Severity.CRITICAL


@pytest.mark.parametrize(
    ("rules", "given"),
    [
        (StageRules, {"repeat_orders": 1}),
        (StageRules, {"repeat_orders": 6}),
        (StageRules, {"permanently_lost_days": 0}),
        (StageRules, {"loyal_recent_days": 10**6}),
        (StageRules, {"loyal_span_days": -1}),
        (StageRules, {"grows": 0.9}),
        (StageRules, {"shrinks": float("nan")}),
        (GradeShares, {"a": 0.0}),
        (GradeShares, {"c": 0.5}),
        (GradeShares, {"b": float("nan")}),
        (ValueRules, {"discount": 0.0}),
        (ValueRules, {"discount": float("inf")}),
        (ValueRules, {"assumed_cost_share": -0.1}),
        (ValueRules, {"premium_strategic": 1.5}),
    ],
)
def test_rules_that_part_or_value_nothing_are_refused(
    rules: type[StageRules | ValueRules | GradeShares], given: dict[str, Any]
) -> None:
    with pytest.raises(ValueError, match=r"stages: |value: |grade_shares: "):
        rules(**given)


@pytest.mark.parametrize(
    "given",
    [
        {"raise_at": 0.2},
        {"clear_at": 0.9},
        {"escalate_at": 0.3},
        {"escalate_at": 1.1},
        {"clear_at": -0.1},
        {"raise_at": float("nan")},
        {"cooldown_days": -1},
        {"recent_contact_days": -1},
        {"minimum_purchase_days": -1},
        {"minimum_customers_fitted": -1},
        {"minimum_expected_loss": -1},
        {"severity_share": 0.0},
        {"severity_share": -0.5},
        {"severity_share": float("nan")},
        {"severity_share": float("inf")},
        {"minimum_silence": float("nan")},
        {"minimum_silence": float("inf")},
        {"minimum_silence": -5.0},
        {"cooldown_days": 10**9},
        {"due_hours": {"low": -5}},
        {"due_hours": {"low": 10**12}},
    ],
)
def test_a_policy_that_contradicts_itself_is_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"clear_at|negative|above 0|below 0|at the most"):
        Policy(**given)


def test_a_misspelt_rule_in_a_policy_file_is_refused() -> None:
    with pytest.raises(msgspec.ValidationError, match="rase_at"):
        msgspec.json.decode(b'{"rase_at": 0.7}', type=Policy)
    assert msgspec.json.decode(b'{"raise_at": 0.7}', type=Policy) == Policy(raise_at=0.7)


def test_names_on_the_wire() -> None:
    assert [s.code for s in Severity] == ["unrated", "low", "medium", "high", "critical"]
    assert len({o.value for o in Outcome}) == len(Outcome) == 17


@pytest.mark.parametrize(
    "given",
    [
        {"acknowledge_hours": {str(n): float("nan") for n in range(1, 6)}},
        {"acknowledge_hours": {str(n): 1e8 for n in range(1, 6)}},
        {"resolve_hours": {str(n): 0.0 for n in range(1, 6)}},
        {"sooner": {"A": float("nan")}},
        {"sooner": {"A": 1e9}},
        {"warn_at": float("nan")},
    ],
)
def test_promises_nobody_could_keep_are_refused(given: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match="promises"):
        Promises(**given)
