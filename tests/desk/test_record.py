"""The record of the warnings, against figures worked out by hand."""

from typing import Any

import pytest
from msgspec.structs import replace

from streamproc.core.causes import Cause
from streamproc.core.holdout import Arm
from streamproc.core.policy import Severity
from streamproc.core.time import DAY, to_text
from streamproc.desk.care import CareText, DeskText
from streamproc.desk.record import Group, Record, gathered, month_of, record_of
from streamproc.desk.warning import Entry, EntryKind, Money, raised, warning_of
from streamproc.monitor.effects import WouldWarn
from streamproc.monitor.totals import new_totals
from streamproc.testing.events import on
from tests.monitor.test_episodes import warned

EUR = Money("EUR")
[PLAIN] = warned().all(WouldWarn)
HORIZON = 90
CAUSE = Cause(cause="price", strength=0.8, clues=())


def told(
    name: str, day: int, probability: float = 0.75, *, silence: int = 30, loss: int = 10_000, **more: Any
) -> Entry:
    """A warning raised on a day, `silence` days after the last purchase."""
    risk = {"probability": probability, "expected_loss": loss, "horizon_days": HORIZON}
    figures = replace(PLAIN.figures, **risk, last_purchase=on(day - silence), grade=more.pop("grade", None))
    would = replace(PLAIN, id=name, customer_id=f"c-{name}", at=on(day), figures=figures, **more)
    return raised(warning_of(would, EUR, history=True))


def then(name: str, day: int, kind: EntryKind, **more: Any) -> Entry:
    return Entry(warning_id=name, customer_id=f"c-{name}", at=to_text(on(day)), kind=kind, history=True, **more)


def verdict(name: str, day: int, *, right: bool) -> Entry:
    return then(name, day, "verdict", right=right)


LINES = [
    told("a", 0, 0.72, grade="A", severity=Severity.HIGH, causes=(CAUSE,)),  # lost, right: 60 days ahead
    told("b", 7, 0.78, silence=50, grade="A", severity=Severity.HIGH),  # lost by the end of a contract: 13 days ahead
    told("c", 14, 0.95, grade="B", severity=Severity.LOW),  # wrong: bought
    told("d", 70, 0.91, grade="B", severity=Severity.LOW, causes=(CAUSE,)),  # wrong, withdrawn by a late event
    told("e", 75, 0.80, loss=12_345),  # open
    told("f", 76, 0.80, loss=100),  # open, escalated
    then("b", 20, "lost", why="terminated"),
    then("c", 20, "recovered", why="bought"),
    then("a", 60, "lost", why="silence"),
    then("d", 72, "withdrawn", why="corrected"),
    then("f", 77, "escalated", why="risk", expected_loss="2.50"),
    then("f", 78, "claimed", desk=DeskText(action="claim", event_id="1"), care=CareText(claimed_by="li")),
    then("f", 79, "closed", desk=DeskText(action="outcome", event_id="2"), care=CareText(outcome="kept")),
    verdict("a", 90, right=True), verdict("b", 97, right=True),
    verdict("c", 104, right=False), verdict("d", 160, right=False),
    then("nobody's", 161, "noted"),
]  # fmt: skip


def recorded(lines: list[Entry] = LINES, **more: Any) -> Record:
    since = more.pop("since", 0)
    return record_of(gathered(lines), replace(new_totals(), **more), EUR, since)


def group(record: Record, of: str, code: str) -> Group:
    [found] = [g for g in record.groups if (g.of, g.code) == (of, code)]
    return found


def test_counts_and_precision() -> None:
    record = recorded()
    assert (record.raised, record.open, record.judged, record.right, record.precision) == (6, 2, 4, 2, 0.5)
    assert record.states == {"escalated": 1, "lost": 2, "raised": 1, "recovered": 1, "withdrawn": 1}
    assert (record.corrected, record.outcomes) == (1, {"kept": 1})
    assert (record.since, record.until) == (to_text(on(0)), to_text(on(161)))


def test_lead_time_is_the_median_to_the_horizon_or_the_end_of_the_contract() -> None:
    record = recorded()
    assert (record.led, record.lead_days) == (2, (60 + 13) / 2)


def test_false_alarms_are_counted_over_the_weeks_in_which_the_judged_were_raised() -> None:
    record = recorded()
    assert (record.false_alarms, record.weeks, record.false_alarms_a_week) == (2, 10.0, 0.2)
    one = recorded([told("x", 0), verdict("x", 90, right=False)])
    assert (one.weeks, one.false_alarms_a_week) == (1.0, 1.0)


def test_calibration_by_tenths() -> None:
    record = recorded()
    assert [(t.low, t.warnings, round(t.predicted, 6), t.actual) for t in record.calibration] == [
        (0.7, 2, 0.75, 1.0), (0.9, 2, 0.93, 0.0),
    ]  # fmt: skip
    assert record.calibration_error == pytest.approx((2 * 0.25 + 2 * 0.93) / 4)


def test_a_certainty_belongs_to_the_last_tenth() -> None:
    [tenth] = recorded([told("x", 0, 1.0), verdict("x", 90, right=True)]).calibration
    assert tenth.low == 0.9


def test_value_at_risk_is_that_of_the_open_ones_as_told_last() -> None:
    assert recorded().value_at_risk == "125.95"


def test_recall_is_of_all_who_were_lost() -> None:
    first, second = month_of(on(20)), month_of(on(60))
    losses = {first: {"price/A/unknown": 3}, second: {"unknown/B/unknown": 1}}
    recall = recorded(losses=losses).recall
    assert (recall.since, recall.until) == (first, second)
    assert (recall.losses, recall.foreseen, recall.share) == (4, 2, 0.5)


def test_who_was_watched_in_silence_could_not_be_foreseen() -> None:
    first = month_of(on(20))
    losses, silent = {first: {"price/A/unknown": 3}}, {first: {"price/A/unknown": 2}}
    recall = recorded(losses=losses, silent_losses=silent).recall
    assert (recall.losses, recall.foreseen, recall.share) == (1, 1, 1.0)


def test_recall_since_a_day_begins_with_the_next_whole_month() -> None:
    first, second = month_of(on(20)), month_of(on(60))
    losses = {first: {"price/A/unknown": 3}, second: {"unknown/B/unknown": 1}}
    recall = recorded(losses=losses, since=on(20)).recall
    assert (recall.since, recall.losses, recall.foreseen, recall.share) == (second, 1, 1, 1.0)


def test_a_record_since_a_day_is_of_the_warnings_raised_from_then_on() -> None:
    record = recorded(since=on(70))
    assert (record.raised, record.judged, record.precision, record.lead_days) == (3, 1, 0.0, None)
    assert record.since == to_text(on(70))


def test_groups_add_up_and_have_their_own_figures() -> None:
    record = recorded()
    for of in ("grade", "cause", "severity", "segment", "warning_kind"):
        assert sum(g.raised for g in record.groups if g.of == of) == 6
    large = group(record, "grade", "A")
    assert (large.raised, large.lost, large.judged, large.right, large.precision) == (2, 2, 2, 2, 1.0)
    assert (large.lead_days, large.expected_loss) == (36.5, "0")
    price = group(record, "cause", "price")
    assert (price.raised, price.judged, price.precision, price.withdrawn) == (2, 2, 0.5, 1)
    assert group(record, "grade", "unknown").expected_loss == "125.95"


def test_service_warnings_are_counted_apart() -> None:
    churn = told("x", 0)
    assert churn.warning is not None
    service = replace(churn.warning, id="s-1", risk=None, warning_kind="service")
    line = replace(churn, warning_id="s-1", warning=service, warning_kind="service")
    record = recorded([churn, line, then("s-1", 50, "lost", why="silence")])
    assert (record.raised, record.service, record.led) == (1, {"lost": 1}, 0)
    assert group(record, "warning_kind", "service").precision is None
    assert [g.raised for g in record.groups if g.of == "severity"] == [1]
    assert gathered([line, then("s-1", 50, "lost")]).foreseen == {}


def test_an_empty_feed_says_nothing() -> None:
    record = recorded([])
    assert (record.since, record.until, record.precision, record.lead_days, record.weeks) == (None,) * 5
    assert (record.recall.share, record.calibration, record.calibration_error, record.groups) == (None, (), None, ())
    assert (record.value_at_risk, record.saved.claim) == ("0", "not_measured")


def arm(n: int, kept: int, stake: int) -> Arm:
    made = Arm()
    for i in range(n):
        made.count(stake, 0, kept=i < kept)
    return made


@pytest.mark.parametrize(
    ("warned_arm", "silent", "claim"),
    [(arm(10, 5, 1), arm(9, 1, 1), "too_few"), (arm(50, 20, 1), arm(50, 19, 1), "too_wide"),
     (arm(400, 200, 100), arm(200, 20, 100), "gain"), (arm(400, 40, 100), arm(200, 100, 100), "loss")],
)  # fmt: skip
def test_saved_value_claims_no_more_than_its_interval(warned_arm: Arm, silent: Arm, claim: str) -> None:
    assert recorded(arms={"warned": warned_arm, "holdout": silent}).saved.claim == claim


def test_saved_value_is_the_difference_of_the_arms_over_all_the_warned() -> None:
    saved = recorded(arms={"warned": arm(400, 200, 10_000), "holdout": arm(200, 20, 10_000)}).saved
    assert saved.kept == pytest.approx(0.4)
    assert (saved.value, saved.total) == ("40.00", "16000.00")
    assert saved.value_between is not None
    assert saved.total_between is not None
    low, high = map(float, saved.value_between)
    assert low < 40.0 < high
    assert float(saved.total_between[0]) == pytest.approx(400 * low, abs=2.1)


def test_without_a_silent_arm_nothing_is_measured() -> None:
    assert recorded(arms={"warned": arm(400, 200, 1)}).saved.claim == "not_measured"


def test_a_loss_counts_in_the_month_of_the_day_just_over() -> None:
    assert month_of(on(0) // DAY * DAY) == to_text(on(0) // DAY * DAY - 1)[:7]
