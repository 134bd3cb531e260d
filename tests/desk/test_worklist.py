"""What is on the work list, in which order, and whose."""

from msgspec.structs import asdict, replace

from streamproc.core.playbook import StepText
from streamproc.core.time import HOUR
from streamproc.desk.care import CareText
from streamproc.desk.report import Current, WarningNow
from streamproc.desk.warning import State
from streamproc.desk.worklist import Work, work_list
from streamproc.testing.feed_entries import warned

NOW = 19_783 * 24 * HOUR  # 2024-03-01
STEP = StepText(
    origin="row", id="call", en="call", zh="call", role="service_desk", role_en="", role_zh="", due_by="2024-03-02"
)


def now(
    name: str, loss: str, *, care: CareText | None = None, state: State = "raised", due: str | None = None
) -> WarningNow:
    told = warned(name).warning
    assert told is not None
    told = replace(told, due_at=due, steps=(STEP,))
    current = Current(severity="high", probability=0.5, expected_loss=loss)
    return WarningNow(**asdict(told), state=state, updated_at=told.raised_at, current=current, care=care)


def ids(works: list[Work]) -> list[str]:
    return [work.warning.id for work in works]


def test_the_largest_loss_comes_first_then_the_least_time() -> None:
    late, soon = now("late", "9.00", due="2024-03-01T09:00:00Z"), now("soon", "9.00", due="2024-03-01T04:00:00Z")
    works = work_list([late, now("small", "8.99"), soon, now("large", "10.00")], NOW)
    assert ids(works) == ["large", "soon", "late", "small"]
    assert works[1].hours_left == 4.0


def test_what_has_ended_or_an_outcome_is_off_and_what_sleeps_is_asked_for() -> None:
    asleep = now("asleep", "1.00", care=CareText(claimed_by="Li", snoozed_until="2024-03-05T00:00:00Z"))
    listed = [now("lost", "5.00", state="lost"), now("done", "4.00", care=CareText(outcome="kept")), asleep]
    assert ids(work_list(listed, NOW)) == []
    [work] = work_list(listed, NOW, asleep=True)
    assert (work.warning.id, work.asleep, work.claimed) == ("asleep", True, True)
    assert ids(work_list(listed, NOW + 5 * 24 * HOUR)) == ["asleep"]


def test_whose_it_is_who_claimed_it_says_else_the_owner_else_the_role() -> None:
    mine = now("mine", "3.00", care=CareText(claimed_by="Li"))
    owned = replace(now("owned", "2.00"), owner="Wang")
    works = work_list([mine, owned, now("nobodys", "1.00")], NOW)
    assert [work.owner for work in works] == ["Li", "Wang", "service_desk"]
    assert ids(work_list([mine, owned], NOW, whose="Wang")) == ["owned"]
