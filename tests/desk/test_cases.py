"""Complaints at the desk: one owner at once, promises in working hours, breach told before and when it happens."""

from datetime import datetime
from typing import Any

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from streamproc.core.alerts import Alert
from streamproc.core.control import PolicyChange
from streamproc.core.events import FirmFact
from streamproc.core.policy import Policy
from streamproc.core.promises import PROMISES, Promises
from streamproc.core.time import DAY, HOUR, from_datetime, to_datetime
from streamproc.desk import cases
from streamproc.desk.alerts import Watch, heed, watch_tick
from streamproc.desk.calendar import Calendar, check
from streamproc.monitor.effects import ComplaintStep

MONDAY = 20_514 * DAY  # 2 March 2026
NINE = 9 * HOUR


def step(complaint: str = "k-1", at: int = MONDAY + NINE, **said: Any) -> ComplaintStep:
    known: dict[str, object] = {
        "customer_id": "c-1", "at": at, "complaint_id": complaint, "status": "opened", "opened_at": at, "severity": 3,
    }  # fmt: skip
    return msgspec.convert({**known, **said}, ComplaintStep)


def tick(watch: Watch, at: int, *steps: ComplaintStep) -> list[Alert]:
    return watch_tick(watch, at, steps, None, history=False)


def policy(**promises: object) -> PolicyChange:
    return PolicyChange(at=0, policy=Policy(promises=msgspec.convert(promises, Promises)))


def fact(kind: str, subject: str | None = None, value: float | None = None, **detail: Any) -> FirmFact:
    return FirmFact(event_id=f"{kind}-{subject}", at=0, kind=kind, subject=subject, value=value, detail={**detail})


# ------------------------------------------------------------------------------------------------- owners


@pytest.mark.parametrize(
    ("said", "owner"),
    [
        ({"owner": "li", "category": "quality"}, "li"),
        ({"category": "quality"}, "workshop"),
        ({"category": "price"}, "counter"),
        ({}, "counter"),
        ({"owner": "gone", "category": "quality"}, "workshop"),
        ({"owner": "gone"}, "counter"),
    ],
)
def test_whoever_heard_it_owns_it_else_the_category_s_owner_else_the_duty_desk(
    said: dict[str, Any], owner: str
) -> None:
    watch = Watch()
    heed(watch, policy(owners={"quality": "workshop"}, duty="counter"))
    heed(watch, fact("staff_left", "gone"))
    tick(watch, MONDAY + 10 * HOUR, step(**said))
    assert watch.cases.open["k-1"].owner == owner


def test_who_leaves_leaves_no_complaint_without_an_owner() -> None:
    watch = Watch()
    tick(watch, MONDAY + 10 * HOUR, step(owner="li"))
    heed(watch, fact("staff_left", "li"))
    assert watch.cases.open["k-1"].owner == "duty desk"


NAMES = st.one_of(st.none(), st.sampled_from(["", "li", "wang"]))
STATUSES = st.sampled_from(["opened", "acknowledged", "resolved", "reopened", "withdrawn"])
MOVES = st.tuples(st.sampled_from(["k-1", "k-2", "k-3"]), STATUSES, NAMES, st.integers(0, 3))


@given(moves=st.lists(MOVES, max_size=30), gone=st.lists(st.sampled_from(["li", "wang"])))
def test_an_open_complaint_is_never_unowned_and_one_that_ended_never_open(
    moves: list[tuple[str, str, str | None, int]], gone: list[str]
) -> None:
    watch, open_now, alerts = Watch(), set[str](), list[Alert]()
    for n, (complaint, status, owner, reopened) in enumerate(moves):
        at = MONDAY + n * HOUR
        alerts += tick(watch, at, step(complaint, at, status=status, owner=owner, reopened=reopened))
        (open_now.add if status in {"opened", "acknowledged", "reopened"} else open_now.discard)(complaint)
        if n < len(gone):
            heed(watch, fact("staff_left", gone[n]))
        assert {case.complaint_id for case in watch.cases.open.values()} == open_now
        assert all(case.owner for case in watch.cases.open.values())
    raised = [alert.id for alert in alerts if alert.state == "raised"]
    assert len(raised) == len(set(raised))


# ----------------------------------------------------------------------------------------------- promises


def test_a_promise_is_warned_of_before_it_breaks_and_when_it_does_and_is_over_when_it_is_kept() -> None:
    watch, said = Watch(), []
    said += tick(watch, MONDAY + NINE + 1, step(severity=4))  # to be acknowledged within 4 working hours
    assert (said, watch.cases.next_due) == ([], MONDAY + 12 * HOUR)
    said += tick(watch, MONDAY + 12 * HOUR)
    said += tick(watch, MONDAY + 12 * HOUR + 1)  # nothing new
    said += tick(watch, MONDAY + 13 * HOUR)
    answered = step(at=MONDAY + 14 * HOUR, opened_at=MONDAY + NINE, severity=4, status="acknowledged")
    said += tick(watch, MONDAY + 15 * HOUR, answered)
    assert [(a.state, a.severity, a.at, a.names["promise"]) for a in said] == [
        ("raised", "medium", "2026-03-02T12:00:00Z", "acknowledge"),
        ("worse", "high", "2026-03-02T13:00:00Z", "acknowledge"),
        ("ended", "high", "2026-03-02T15:00:00Z", "acknowledge"),
    ]
    assert len({a.id for a in said}) == 1
    assert watch.cases.open["k-1"].due == {"resolve": MONDAY + 2 * DAY + 17 * HOUR}  # 24 h of eight a day


@pytest.mark.parametrize(
    ("start", "hours", "ends"),
    [
        ("2026-03-02T09:00Z", 8.0, "2026-03-02T17:00Z"),
        ("2026-03-02T16:00Z", 2.0, "2026-03-03T10:00Z"),  # over a night
        ("2026-03-06T16:00Z", 2.0, "2026-03-09T10:00Z"),  # over a weekend
        ("2026-03-07T03:00Z", 1.0, "2026-03-09T10:00Z"),  # heard on a Saturday
        ("2026-03-02T20:00Z", 1.0, "2026-03-03T10:00Z"),  # heard in the evening
        ("2026-03-02T09:00Z", 80.0, "2026-03-13T17:00Z"),
    ],
)
def test_hours_are_working_hours(start: str, hours: float, ends: str) -> None:
    assert Calendar().after(at(start), hours, Promises()) == at(ends)


def at(text: str) -> int:
    return from_datetime(msgspec.convert(text.replace("Z", ":00Z"), type=datetime))


def test_holidays_come_from_the_country_s_calendar() -> None:
    german = Promises(country="DE", timezone="Europe/Berlin")
    # Thursday before Easter, 16:00 in Berlin: Good Friday and Easter Monday are holidays.
    assert Calendar().after(at("2026-04-02T14:00Z"), 2.0, german) == at("2026-04-07T08:00Z")
    chinese = Promises(country="CN", timezone="Asia/Shanghai")
    # The National Day holiday of 2025 lasted from 1 to 8 October.
    assert Calendar().after(at("2025-09-30T08:00Z"), 2.0, chinese) == at("2025-10-09T02:00Z")


def test_hours_are_of_the_wall_where_clocks_are_put_forward() -> None:
    berlin = Promises(timezone="Europe/Berlin")
    assert Calendar().after(at("2026-03-27T15:00Z"), 1.0, berlin) == at("2026-03-27T16:00Z")  # 17:00, winter
    assert Calendar().after(at("2026-03-27T16:00Z"), 1.0, berlin) == at("2026-03-30T08:00Z")  # 10:00, summer


def test_the_firm_s_own_days_and_hours_come_first() -> None:
    watch = Watch()
    tick(watch, MONDAY + NINE, step(severity=2))  # 8 hours: by 17:00
    case = watch.cases.open["k-1"]
    assert case.due["acknowledge"] == MONDAY + 17 * HOUR
    heed(watch, fact("holiday", "2026-03-02"))
    assert case.due["acknowledge"] == MONDAY + DAY + 17 * HOUR
    hours: dict[str, Any] = {"from": "10:00", "to": "14:00", "days": "1-6"}
    heed(watch, fact("working_hours", **hours))
    assert case.due["acknowledge"] == MONDAY + 2 * DAY + 14 * HOUR
    heed(watch, fact("holiday", "2026-03-02", 0.0))  # worked on after all
    assert case.due["acknowledge"] == MONDAY + DAY + 14 * HOUR


@pytest.mark.parametrize("told", [{"from": "x", "to": "14:00"}, {"from": "15:00", "to": "14:00"}, {"days": "8"}, {}])
def test_hours_that_cannot_be_read_change_nothing(told: dict[str, Any]) -> None:
    watch = Watch()
    heed(watch, fact("working_hours", **told))
    assert watch.cases.calendar == Calendar()


def test_the_hours_told_of_the_latest_time_stand_whatever_came_last() -> None:
    hours: list[dict[str, Any]] = [{"from": opens, "to": "17:00", "days": "1-5"} for opens in ("09:00", "08:00")]
    old, new = (fact("working_hours", **told) for told in hours)
    for told in ((old, replace(new, at=old.at + 1)), (replace(new, at=old.at + 1), old)):
        watch = Watch()
        for one in told:
            heed(watch, one)
        assert watch.cases.calendar.opens == 8 * 60


def test_a_firm_that_never_works_counts_all_hours() -> None:
    calendar = Calendar({to_datetime(MONDAY + n * DAY).date().isoformat(): False for n in range(600)})
    assert calendar.after(MONDAY, 5.0, Promises()) == MONDAY + 5 * HOUR


@given(st.integers(0, 400), st.integers(0, 23), st.floats(0.1, 200))
def test_more_hours_never_end_sooner_and_none_before_their_time(day: int, hour: int, hours: float) -> None:
    start, promises = MONDAY + day * DAY + hour * HOUR, Promises(country="GB", timezone="Europe/London")
    end = Calendar().after(start, hours, promises)
    assert end >= start + round(hours * HOUR) - 1
    assert Calendar().after(start, hours + 1, promises) >= end


@pytest.mark.parametrize(
    "promises", [Promises(country="XX"), Promises(timezone="Mars/Base"), Promises(country="DE", subdivision="??")]
)
def test_a_calendar_that_is_not_there_is_told(promises: Promises) -> None:
    with pytest.raises(ValueError, match=r"no (time zone|calendar)"):
        check(promises)


@pytest.mark.parametrize(
    "said",
    [
        {"opens": 900, "closes": 800}, {"weekdays": ()}, {"weekdays": (8,)}, {"warn_at": 1.0}, {"duty": ""},
        {"resolve_hours": {"1": 1.0}}, {"acknowledge_hours": dict.fromkeys("12345", 0.0)}, {"sooner": {"A": 0.0}},
    ],
)  # fmt: skip
def test_promises_that_nobody_could_keep_are_refused(said: dict[str, object]) -> None:
    with pytest.raises(ValueError, match="promises"):
        Promises(**said)  # type: ignore[arg-type]


def test_graver_complaints_and_better_customers_are_answered_sooner() -> None:
    promises = Promises()
    for promise in PROMISES:
        by_severity = [promises.hours(promise, severity, "C") for severity in range(1, 6)]
        assert by_severity == sorted(by_severity, reverse=True)
        assert promises.hours(promise, 3, "A") < promises.hours(promise, 3, "B") < promises.hours(promise, 3, None)
        assert promises.hours(promise, 0, None) == promises.hours(promise, 3, None)


# ------------------------------------------------------------------------------------- linked, and bounded


def test_a_complaint_that_is_opened_again_is_the_same_case_with_time_anew() -> None:
    watch = Watch()
    tick(watch, MONDAY + 10 * HOUR, step())
    tick(watch, MONDAY + 11 * HOUR, step(at=MONDAY + 11 * HOUR, opened_at=MONDAY + NINE, status="resolved"))
    assert not watch.cases.open
    again = MONDAY + 2 * DAY + NINE
    tick(watch, again + 1, step(at=again, opened_at=MONDAY + NINE, status="reopened", reopened=1))
    assert (watch.cases.open["k-1"].since, watch.cases.open["k-1"].reopened) == (again, 1)
    later = step(at=again + HOUR, opened_at=MONDAY + NINE, status="acknowledged", reopened=1)
    tick(watch, again + 2 * HOUR, later)
    assert watch.cases.open["k-1"].since == again


def test_a_repeated_complaint_names_the_one_before() -> None:
    watch = Watch()
    tick(watch, MONDAY + 10 * HOUR, step(severity=5, repeats="event-of-k-0"))
    [raised] = tick(watch, MONDAY + 11 * HOUR)
    assert (raised.names["repeats"], raised.severity) == ("event-of-k-0", "critical")


def test_more_complaints_than_can_be_watched_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cases, "CASES_KEPT", 3)
    watch = Watch()
    many = [step(f"k-{n}", MONDAY + NINE + n) for n in range(5)]
    [full] = tick(watch, MONDAY + NINE + 10, *many)
    assert (full.kind, full.state, full.figures) == ("cases_full", "raised", {"count": 3.0, "let_go": 2.0})
    assert sorted(watch.cases.open) == ["k-2", "k-3", "k-4"]
    [over] = tick(watch, MONDAY + NINE + 20, step("k-4", status="withdrawn"))
    assert (over.kind, over.state) == ("cases_full", "ended")


def test_a_full_book_weighs_what_was_stated() -> None:
    watch = Watch()
    tick(watch, MONDAY + 10 * HOUR, *(step(f"complaint-{n:06}", MONDAY + n, owner="somebody") for n in range(1000)))
    assert len(msgspec.msgpack.encode(watch)) < 160_000
    again = msgspec.msgpack.decode(msgspec.msgpack.encode(watch), type=Watch)
    assert again == watch


def test_promises_that_fall_due_sooner_by_a_firm_s_fact_are_looked_at_with_it() -> None:
    watch = Watch()
    tick(watch, MONDAY + NINE, step(severity=2))  # 8 hours: by 17:00
    heed(watch, policy(acknowledge_hours={"1": 1.0, "2": 1.0, "3": 1.0, "4": 1.0, "5": 1.0}))
    [broken] = tick(watch, MONDAY + 10 * HOUR)
    assert (broken.severity, broken.names["due"]) == ("high", "2026-03-02T10:00:00Z")
    assert watch.cases.next_due is not None
    assert watch.cases.next_due > MONDAY + 10 * HOUR
