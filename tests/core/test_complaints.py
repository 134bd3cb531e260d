"""A complaint's life: its standing is that of its latest step, in whatever order the steps were heard of."""

import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamproc.core.complaints import (
    COMPLAINTS_KEPT,
    FOLLOWS,
    STATUSES,
    STEPS_KEPT,
    ComplaintFile,
    merge_files,
    take_step,
)
from streamproc.core.events import Complaint, ComplaintStatus
from streamproc.core.time import HOUR
from streamproc.testing.events import START, complained

statuses = st.sampled_from(STATUSES)
lives = st.lists(st.tuples(st.integers(0, 500), statuses), min_size=1, max_size=STEPS_KEPT, unique=True)


def steps(*told: tuple[int, ComplaintStatus], complaint_id: str = "k", **more: Any) -> list[Complaint]:
    return [complained(START + hour * HOUR, status, complaint_id=complaint_id, **more) for hour, status in told]


def files_of(events: list[Complaint]) -> list[ComplaintFile]:
    files: list[ComplaintFile] = []
    for event in events:
        take_step(files, event)
    return files


def test_a_complaint_is_open_until_it_is_resolved_or_withdrawn() -> None:
    opened: list[tuple[ComplaintStatus, bool]] = [
        ("opened", True), ("acknowledged", True), ("resolved", False), ("reopened", True), ("withdrawn", False),
    ]  # fmt: skip
    files: list[ComplaintFile] = []
    for hour, (status, is_open) in enumerate(opened):
        take_step(files, complained(START + hour * HOUR, status))
        assert (files[0].status(), files[0].is_open()) == (status, is_open)
    assert files[0].contradictions() == 0


def test_the_answer_is_timed_from_the_first_step_to_the_first_answer() -> None:
    [file] = files_of(steps((0, "opened"), (5, "resolved"), (3, "acknowledged"), (9, "reopened"), (12, "resolved")))
    assert file.answered_after() == 3 * 3600
    assert files_of(steps((0, "opened")))[0].answered_after() is None


def test_a_complaint_first_heard_of_as_resolved_was_answered_at_once() -> None:
    assert files_of(steps((4, "resolved")))[0].answered_after() == 0


@pytest.mark.parametrize("first", STATUSES)
def test_steps_that_may_not_follow_are_counted(first: ComplaintStatus) -> None:
    for second in STATUSES:
        if second != first:
            [file] = files_of(steps((0, first), (1, second)))
            assert file.contradictions() == (second not in FOLLOWS[first])


@given(lives, st.randoms(use_true_random=False))
def test_any_order_and_repeats_leave_the_same_file(life: list[tuple[int, ComplaintStatus]], rng: random.Random) -> None:
    told = steps(*life)
    shuffled = told + rng.sample(told, k=len(told) // 2)
    rng.shuffle(shuffled)
    assert files_of(shuffled) == files_of(told)


def test_the_gravest_severity_and_the_firm_s_finding_stay() -> None:
    told = [
        *steps((0, "opened"), severity=2), *steps((1, "acknowledged"), severity=4, valid=False),
        *steps((2, "resolved"), severity=1, valid=True, category="quality"),
    ]  # fmt: skip
    for order in (told, told[::-1]):
        [file] = files_of(order)
        assert (file.severity, file.valid, file.category) == (4, True, "quality")


def test_a_finding_that_none_was_valid_stays_until_one_is() -> None:
    assert files_of(steps((0, "opened"), valid=False))[0].valid is False
    assert files_of(steps((0, "opened")))[0].valid is None


def test_the_beginning_is_told_before_and_after_each_step() -> None:
    files: list[ComplaintFile] = []
    late, early = steps((7, "resolved"), (2, "opened"))
    seconds = START // 1_000_000
    assert take_step(files, late) == (None, seconds + 7 * 3600)
    assert take_step(files, early) == (seconds + 7 * 3600, seconds + 2 * 3600)
    assert files[0].event_id == early.event_id


def test_the_complaints_that_began_last_are_kept() -> None:
    files: list[ComplaintFile] = []
    for n in range(COMPLAINTS_KEPT + 3):
        take_step(files, complained(START + n * HOUR, complaint_id=f"k{n}"))
    assert len(files) == COMPLAINTS_KEPT
    assert files[0].opened_at() == START // 1_000_000 + 3 * 3600


def test_the_first_and_the_latest_steps_are_kept() -> None:
    told = [(n, "reopened" if n % 2 else "resolved") for n in range(20)]
    [file] = files_of(steps(*told))  # type: ignore[arg-type]
    hours = [(step.at - START // 1_000_000) // 3600 for step in file.steps]
    assert hours == [0, *range(13, 20)]


@given(lives, st.randoms(use_true_random=False))
def test_two_ids_files_merge_to_those_of_one(life: list[tuple[int, ComplaintStatus]], rng: random.Random) -> None:
    told = [*steps(*life), *steps(*life[:2], complaint_id="other")]
    mine = [event for event in told if rng.random() < 0.5]
    theirs = [event for event in told if event not in mine]
    merged = files_of(mine)
    doubled = merge_files(merged, files_of(theirs))
    assert merged == files_of(told)
    assert len(doubled) == len({e.complaint_id for e in mine} & {e.complaint_id for e in theirs})
