"""As many warnings go out a day as can be worked, those with most to lose; the others wait and are asked again."""

from math import log

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from streamproc.core.control import PolicyChange
from streamproc.core.holdout import Arm, Saving
from streamproc.core.policy import Policy, Severity
from streamproc.desk.capacity import SILENT_KEPT, WAITING_KEPT, Capacity, is_silent, now_out, sort_out, weigh_anew
from streamproc.desk.desk import Desk, end_of_tick
from streamproc.desk.warning import Money
from streamproc.monitor.effects import EpisodeChanged, FirmTold, Verdict, WouldWarn
from streamproc.monitor.totals import new_totals
from streamproc.testing.events import on
from tests.monitor.test_episodes import warned

[PLAIN] = warned().all(WouldWarn)


def would(name: str, loss: int, at: int = on(0)) -> WouldWarn:
    figures = replace(PLAIN.figures, expected_loss=loss)
    return replace(PLAIN, id=f"w-{name}", customer_id=name, at=at, by_when=at + 90, figures=figures)


def ended(name: str) -> EpisodeChanged:
    return EpisodeChanged(id=f"w-{name}", customer_id=name, at=on(1), change="recovered", why="bought")


def names(woulds: list[WouldWarn]) -> list[str]:
    return [one.customer_id for one in woulds]


def test_the_best_go_out_and_the_rest_are_reconsidered_the_next_day() -> None:
    capacity = Capacity(a_day=2)
    out, held = sort_out(capacity, on(0), [would("a", 5), would("b", 9), would("c", 7), would("d", 1)])
    assert (names(out), names(held)) == (["b", "c"], ["a", "d"])
    out, held = sort_out(capacity, on(0, 5), [would("e", 100)])
    assert (names(out), names(held)) == ([], ["e"])  # the day is used up
    out, held = sort_out(capacity, on(1), [would("f", 3)])
    assert (names(out), names(held)) == (["e", "a"], ["f"])
    out, held = sort_out(capacity, on(2), [])
    assert (names(out), names(held)) == (["f", "d"], [])
    assert (capacity.waiting, capacity.silent) == ([], [])


def test_what_ends_while_it_waits_never_goes_out_and_is_not_told() -> None:
    capacity = Capacity(a_day=1)
    sort_out(capacity, on(0), [would("a", 5), would("b", 9)])
    assert not is_silent(capacity, ended("b"))
    assert is_silent(capacity, ended("a"))
    assert names(sort_out(capacity, on(1), []).out) == []
    verdict = Verdict(id="w-a", customer_id="a", at=on(90), right=False)
    assert is_silent(capacity, verdict)
    assert not is_silent(capacity, verdict)  # nothing is remembered of it


def test_what_a_later_look_found_is_what_a_waiting_one_is_weighed_by() -> None:
    capacity = Capacity(a_day=1)
    sort_out(capacity, on(0), [would("a", 5), would("b", 9), would("c", 6)])
    risen = EpisodeChanged(id="w-a", customer_id="a", at=on(0, 1), change="escalated", why="risk", expected_loss=8)
    assert is_silent(capacity, risen)
    weigh_anew(capacity, replace(would("a", 8), anew=True, severity=Severity.HIGH))
    weigh_anew(capacity, replace(would("b", 8), anew=True))  # has gone out
    assert names(capacity.waiting) == ["c", "a"]
    [out] = sort_out(capacity, on(1), []).out
    assert (out.customer_id, out.figures.expected_loss, out.severity) == ("a", 8, Severity.HIGH)


def test_no_more_wait_than_are_kept() -> None:
    capacity = Capacity(a_day=1)
    sort_out(capacity, on(0), [would(f"c{n:04}", n) for n in range(1_000)])
    assert len(capacity.waiting) == WAITING_KEPT
    assert names(sort_out(capacity, on(1), []).out) == ["c0998"]
    assert is_silent(capacity, ended("c0001"))  # let go, and still not told of


def test_one_that_ends_while_it_waits_never_goes_out_however_many_were_let_go_since() -> None:
    capacity = Capacity(a_day=1)
    sort_out(capacity, on(0), [would("a", 90_000), would("b", 100_000)])
    for n in range(SILENT_KEPT // 1_000 + 2):
        sort_out(capacity, on(0, n + 1), [would(f"{n}-{m}", m) for m in range(1_000)])
    assert len(capacity.silent) == SILENT_KEPT
    assert is_silent(capacity, ended("a"))
    assert "a" not in names(sort_out(capacity, on(1), []).out)
    assert is_silent(capacity, Verdict(id="w-a", customer_id="a", at=on(90), right=False))


def test_nothing_is_remembered_of_one_that_was_withdrawn() -> None:
    capacity = Capacity(a_day=1)
    sort_out(capacity, on(0), [would("a", 5), would("b", 9)])
    assert is_silent(capacity, replace(ended("a"), change="withdrawn", why="corrected"))
    assert (capacity.waiting, capacity.silent) == ([], [])


def test_without_a_bound_all_go_out_and_a_lifted_one_lets_all_go() -> None:
    assert names(sort_out(Capacity(), on(0), [would("a", 5), would("b", 9)]).out) == ["a", "b"]
    capacity = Capacity(a_day=1)
    sort_out(capacity, on(0), [would("a", 5), would("b", 9)])
    capacity.a_day = 0
    assert names(sort_out(capacity, on(0, 1), []).out) == ["a"]


@given(st.lists(st.lists(st.integers(0, 50), max_size=6), max_size=8), st.integers(1, 4))
def test_each_goes_out_once_and_never_more_than_a_day_allows(days: list[list[int]], a_day: int) -> None:
    capacity = Capacity(a_day=a_day)
    told: list[str] = []
    for day, losses in enumerate(days):
        out = sort_out(capacity, on(day), [would(f"{day}-{n}", loss) for n, loss in enumerate(losses)]).out
        assert len(out) <= a_day
        told += names(out)
    assert len(told) == len(set(told))
    assert len(told) + len(capacity.waiting) == sum(map(len, days))


def likely(name: str, percent: int, stake: int) -> WouldWarn:
    one = would(name, percent * stake // 100)
    odds = round(log(percent / (100 - percent)) * 1e6)
    return replace(one, figures=replace(one.figures, stake=stake, probability=percent / 100, log_odds=odds))


def test_once_it_is_known_what_warnings_bring_those_go_out_that_save_most() -> None:
    lost_anyway, in_doubt, cheap = likely("lost", 90, 1_000), likely("doubt", 55, 1_000), likely("cheap", 55, 20)
    capacity = Capacity(a_day=1)
    assert names(sort_out(capacity, on(0), [in_doubt, lost_anyway]).out) == ["lost"]  # 900 is more than 550
    known = {"even": Saving(0.5, 5), "likely": Saving(0.3, 5), "near_certain": Saving(0.01, 5)}
    capacity = Capacity(a_day=1, savings=known)  # type: ignore[arg-type]
    assert names(sort_out(capacity, on(0), [lost_anyway, cheap, in_doubt]).out) == ["doubt"]  # 495 against 5 and 5


def test_the_desk_learns_at_midnight_what_warnings_bring() -> None:
    desk, totals = Desk(Money("EUR"), live=True), new_totals()
    totals.arms = {"warned": Arm(1_000, 600), "holdout": Arm(1_000, 400)}
    end_of_tick(desk, on(1), [], totals)
    assert {band: round(saving.kept, 2) for band, saving in desk.capacity.savings.items()} == {
        "even": 0.2, "likely": 0.2, "near_certain": 0.2
    }  # fmt: skip
    assert msgspec.msgpack.decode(msgspec.msgpack.encode(desk), type=Desk) == desk


def test_the_desk_goes_by_the_policy_and_answers_both() -> None:
    desk = Desk(Money("EUR"), live=True)
    change = PolicyChange(at=0, policy=Policy(capacity_a_day=1))
    made = end_of_tick(desk, on(3), [FirmTold(0, change), would("a", 5, on(3)), would("b", 9, on(3))], None)
    assert [(record.customer_id, record.outcome) for record in made.records] == [("a", "capacity"), ("b", "raised")]
    assert [entry.customer_id for entry in made.entries] == ["b"]
    later = end_of_tick(desk, on(4), [], None)
    assert [(record.warning_id, record.outcome) for record in later.records] == [("w-a", "raised")]
    [entry] = later.entries
    assert entry.warning is not None
    assert (entry.at, entry.warning.raised_at) == ("2024-10-08T00:00:00Z", "2024-10-08T00:00:00Z")


def test_one_that_waited_is_due_as_long_after_it_went_out() -> None:
    late = now_out(replace(would("a", 5), due_at=on(0, 4)), on(2))
    assert (late.at, late.due_at, late.by_when) == (on(2), on(2, 4), on(0) + 90)
