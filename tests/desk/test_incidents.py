"""One thing that makes many leave at once is one incident: a row with a list, that takes one place of the day."""

from collections.abc import Iterable, Sequence
from itertools import count

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import asdict, replace

from streamproc.core.alerts import Alert, standing
from streamproc.core.causes import Cause, CauseName, Clue
from streamproc.core.control import PolicyChange
from streamproc.core.events import FirmFact
from streamproc.core.policy import Policy, Severity
from streamproc.desk import incidents
from streamproc.desk.care import CareText
from streamproc.desk.desk import Answer, Desk, end_of_tick
from streamproc.desk.forgetting import let_go
from streamproc.desk.incidents import INCIDENT_FROM, shared
from streamproc.desk.report import Current, WarningNow
from streamproc.desk.warning import Money
from streamproc.desk.worklist import work_list
from streamproc.monitor.effects import EpisodeChanged, FirmTold, WouldWarn
from streamproc.testing.events import bought, on
from streamproc.words import LANGUAGES, Language, alert_said, words_in
from tests.desk.test_capacity import would
from tests.monitor.bench import Bench

OUTAGE = Clue("outage", "facts", "f-outage", on(0), 0.5, 72.0)


def because(clues: Sequence[Clue], cause: CauseName = "inconvenience") -> tuple[Cause, ...]:
    return (Cause(cause=cause, strength=0.5, clues=tuple(clues)),)


def hit(name: str, loss: int = 100, at: int = on(0), clue: Clue = OUTAGE) -> WouldWarn:
    return replace(would(name, loss, at), causes=because([clue]), severity=Severity.LOW)


def hits(names: Iterable[str], at: int = on(0)) -> list[WouldWarn]:
    return [hit(name, 100, at) for name in names]


def desk_of(a_day: int = 0) -> Desk:
    desk = Desk(Money("EUR"), live=True)
    end_of_tick(desk, on(-1), [FirmTold(0, PolicyChange(at=0, policy=Policy(capacity_a_day=a_day)))], None)
    return desk


def gone(name: str, at: int) -> EpisodeChanged:
    return EpisodeChanged(id=f"w-{name}", customer_id=name, at=at, change="recovered", why="bought")


def raised(answer: Answer) -> list[str]:
    return [record.customer_id for record in answer.records if record.outcome == "raised"]


def subject(causes: tuple[Cause, ...]) -> str | None:
    found = shared(causes)
    return None if found is None else found.subject


def weighing(weight: float) -> Clue:
    return Clue("outage", "facts", "f-outage", on(0), weight, 72.0)


def test_what_one_fact_makes_likely_is_shared_and_what_the_customer_says_is_not() -> None:
    said = Clue("complaint", "complaints", "k", on(0), 0.75)
    assert subject(because([OUTAGE])) == subject(because([said, weighing(0.4)])) != subject(because([OUTAGE], "price"))
    assert subject(because([said, weighing(0.3)])) is None  # it rests on the complaint
    assert subject(()) is None
    assert subject((Cause(cause="inconvenience", strength=0.39, clues=(OUTAGE,)),)) is None  # too weak to tell


def test_many_at_once_are_one_incident_and_each_is_raised_all_the_same() -> None:
    desk = desk_of()
    first = end_of_tick(desk, on(1), hits("abcd", on(1)), None)
    assert (raised(first), first.alerts) == (list("abcd"), [])
    second = end_of_tick(desk, on(2), [*hits("e", on(2)), would("z", 5, on(2))], None)
    assert raised(second) == ["e", "z"]
    [line] = second.alerts
    assert (line.kind, line.state, line.severity, line.figures) == ("incident", "raised", "low", {"count": 5.0})
    assert line.customers == tuple("abcde")
    assert line.names["expected_loss"] == "5.00"
    subjects = {entry.warning.incident for entry in (*first.entries, *second.entries) if entry.warning is not None}
    assert subjects == {line.subject, None}


def test_few_or_long_apart_are_none() -> None:
    desk = desk_of()
    for week in range(INCIDENT_FROM):
        assert end_of_tick(desk, on(7 * week), hits([str(week)], on(7 * week)), None).alerts == []


def test_an_incident_takes_one_place_of_the_day_and_whoever_joins_it_none() -> None:
    desk = desk_of(a_day=2)
    first = end_of_tick(desk, on(1), hits("abc", on(1)), None)
    assert raised(first) == ["a", "b"]
    assert len(desk.capacity.waiting) == 1
    second = end_of_tick(desk, on(2), [*hits("defg", on(2)), would("x", 9, on(2)), would("y", 8, on(2))], None)
    assert raised(second) == ["c", "d", "e", "f", "g", "x"]  # c had waited; of the day's two places one was left
    assert [would.customer_id for would in desk.capacity.waiting] == ["y"]
    third = end_of_tick(desk, on(2, 5), hits("h", on(2, 5)), None)
    assert raised(third) == ["h"]
    assert desk.capacity.silent == []


def test_an_incident_tells_when_it_doubles_and_ends_with_its_last_warning() -> None:
    desk, names = desk_of(), [f"c{n:02}" for n in range(11)]
    lines = end_of_tick(desk, on(1), hits(names[:5], on(1)), None).alerts
    lines += end_of_tick(desk, on(2), hits(names[5:9], on(2)), None).alerts
    assert [line.state for line in lines] == ["raised"]
    lines += end_of_tick(desk, on(3), hits(names[9:], on(3)), None).alerts
    assert [(line.state, line.figures["count"]) for line in lines] == [("raised", 5.0), ("worse", 11.0)]
    grave = EpisodeChanged(
        id="w-c00", customer_id="c00", at=on(4), change="escalated", why="risk", severity=Severity.CRITICAL,
        expected_loss=900,
    )  # fmt: skip
    [worse] = end_of_tick(desk, on(4), [grave], None).alerts
    assert (worse.severity, worse.customers[0], worse.names["expected_loss"]) == ("critical", "c00", "19.00")
    assert end_of_tick(desk, on(5), [gone(name, on(5)) for name in names[1:]], None).alerts == []
    [over] = end_of_tick(desk, on(6), [gone("c00", on(6))], None).alerts
    assert (over.state, over.ended_at) == ("ended", over.at)
    assert desk.incidents.sources == {}


def test_who_is_forgotten_leaves_the_list_and_the_last_one_ends_it() -> None:
    desk = desk_of()
    end_of_tick(desk, on(1), hits("abcde", on(1)), None)
    assert let_go(desk, frozenset("ab"), on(2)) == []
    [opened] = desk.watch.open.values()
    assert opened.finding.customers == ("c", "d", "e")
    [over] = let_go(desk, frozenset("cde"), on(2))
    assert (over.state, over.customers) == ("ended", ())
    assert (desk.incidents.sources, desk.watch.open) == ({}, {})


def test_an_incident_beyond_its_bounds_is_counted_and_small_sources_are_let_go(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(incidents, "LISTED", 6)
    monkeypatch.setattr(incidents, "SOURCES_KEPT", 2)
    desk = desk_of()
    lines = end_of_tick(desk, on(1), [hit(f"c{n}", n, on(1)) for n in range(9)], None).alerts
    assert (lines[0].figures["count"], lines[0].names["expected_loss"]) == (9.0, "0.36")
    assert lines[0].customers == ("c8", "c7", "c6", "c5", "c4", "c3")
    for n in range(5):
        other = Clue("outage", "facts", f"f-{n}", on(0), 0.5)
        end_of_tick(desk, on(2 + n), [hit(f"o{n}", 1, on(2 + n), other)], None)
    assert len(desk.incidents.sources) == 2
    assert sum(source.began > 0 for source in desk.incidents.sources.values()) == 1


@settings(max_examples=40, deadline=None)
@given(st.lists(st.lists(st.tuples(st.booleans(), st.integers(0, 9)), max_size=6), max_size=12), st.integers(0, 3))
def test_each_is_answered_once_and_the_state_may_be_put_away_at_any_tick(
    days: list[list[tuple[bool, int]]], a_day: int
) -> None:
    number, body = count(), msgspec.msgpack.encode(desk_of(a_day))
    lines: list[Alert] = []
    out: list[str] = []
    for day, asked in enumerate(days):
        desk = msgspec.msgpack.decode(body, type=Desk)
        fresh = [hit(f"c{next(number)}", loss, on(day)) if is_hit else would(f"c{next(number)}", loss, on(day))
                 for is_hit, loss in asked]  # fmt: skip
        ended = [gone(name, on(day)) for name in out[: day % 3]]
        out = out[day % 3 :]
        answer = end_of_tick(desk, on(day), [*fresh, *ended], None)
        lines += answer.alerts
        out += raised(answer)
        body = msgspec.msgpack.encode(desk)
    assert len(out) == len(set(out))
    lives: dict[str, list[str]] = {}
    for line in lines:
        lives.setdefault(line.id, []).append(line.state)
    assert all(life[0] == "raised" and life.count("ended") <= 1 for life in lives.values())
    desk = msgspec.msgpack.decode(body, type=Desk)
    assert {line.subject for line in standing(lines, open_only=True)} == {
        name for name, source in desk.incidents.sources.items() if source.began
    }


def now(told: WouldWarn, answer: Answer) -> WarningNow:
    [entry] = [entry for entry in answer.entries if entry.warning_id == told.id]
    assert entry.warning is not None
    current = Current(severity="high", probability=0.5, expected_loss=entry.warning.value.expected_loss)
    return WarningNow(**asdict(entry.warning), state="raised", updated_at=entry.at, current=current)


def test_on_the_work_list_an_incident_is_one_row() -> None:
    woulds = [*(hit(f"c{n}", 100 + n) for n in range(6)), would("z", 300)]
    answer = end_of_tick(desk_of(), on(1), woulds, None)
    warnings = [now(one, answer) for one in woulds]
    [row, other] = work_list(warnings, on(2), incidents=answer.alerts)
    assert row.incident is not None
    assert (row.incident.warnings, row.incident.expected_loss, row.warning.customer_id) == (6, "6.15", "c5")
    assert (other.incident, other.warning.customer_id) == (None, "z")
    assert len(work_list(warnings, on(2))) == 7
    claimed = [replace(warnings[0], care=CareText(claimed_by="Li")), *warnings[1:]]
    works = work_list(claimed, on(2), incidents=answer.alerts)
    assert [(work.owner, work.incident is None) for work in works] == [(None, False), (None, True), ("Li", True)]


@pytest.mark.parametrize("language", LANGUAGES)
def test_it_is_said_in_every_language(language: Language) -> None:
    [line] = end_of_tick(desk_of(), on(1), hits("abcde", on(1)), None).alerts
    said = alert_said(words_in(language), line)
    assert line.subject in said
    assert ("one cause" if language == "en" else "同一原因") in said


@pytest.mark.parametrize(("hours", "found"), [(96.0, ["incident/i-"]), (6.0, [])])
def test_a_long_outage_of_the_shop_is_an_incident_from_the_journal_on(hours: float, found: list[str]) -> None:
    bench = Bench(policy=Policy(raise_at=0.2, clear_at=0.1, escalate_at=0.9))
    weeks = [bought(on(7 * week, n), customer_id=f"c{n}", channel="web") for week in range(10) for n in range(8)]
    bench.read([*weeks, FirmFact(event_id="down", at=on(65), kind="outage", subject="web", value=hours)])
    bench.run_to(on(100))
    assert len(bench.all(WouldWarn)) == 8
    assert [key[: len("incident/i-")] for key in bench.pipeline.desk.watch.open if "incident" in key] == found
