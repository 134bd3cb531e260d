"""Alerts to those who run the shop: raised once and ended once, seldom without cause, soon where there is one."""

from collections import Counter

import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from streamproc.core import experience as xp
from streamproc.core.alerts import SUBJECT_BYTES, Alert, Finding, standing, subject_of
from streamproc.core.satisfaction import SERVICE_SUMS
from streamproc.core.time import DAY
from streamproc.desk.alerts import DAILY, PROMISED, Watch, settle, watch_tick
from streamproc.desk.days import SERIES_KEPT, Days
from streamproc.words import LANGUAGES, Language, alert_said, words_in
from tests.desk.quiet_days import World, alerts, day_of_first, days

SUBJECTS = ("A", "B")
FINDINGS = st.builds(
    Finding,
    kind=st.sampled_from(["churn_rate", "promise"]),
    subject=st.sampled_from(SUBJECTS),
    severity=st.sampled_from(["low", "medium", "high", "critical"]),
)


def lives(lines: list[Alert]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for line in lines:
        found.setdefault(line.id, []).append(line.state)
    return found


@given(st.lists(st.lists(FINDINGS, max_size=4), max_size=20), st.data())
def test_an_alert_is_raised_once_and_ended_once_and_open_while_it_is_found(
    looks: list[list[Finding]], data: st.DataObject
) -> None:
    watch, lines = Watch(), list[Alert]()
    for n, found in enumerate(looks):
        kinds = data.draw(st.sampled_from([DAILY, PROMISED]))
        mine = [finding for finding in found if finding.kind in kinds]
        lines += settle(watch.open, kinds, mine, n * DAY, history=False)
        assert {f.key for f in mine} == {key for key, o in watch.open.items() if o.finding.kind in kinds}
    for life in lives(lines).values():
        assert life[0] == "raised"
        assert set(life[1:-1]) <= {"worse"}
        assert Counter(life)["ended"] <= 1
    opened = {f"{line.kind}/{line.subject}" for line in standing(lines, open_only=True)}
    assert opened == set(watch.open)


def test_a_watch_that_is_put_away_every_day_tells_the_same() -> None:
    world, told = World(a_day=30.0, surge=(60, 4.0), silent=90), list[Alert]()
    body = msgspec.msgpack.encode(Watch())
    for at, steps, totals in days(world, 110, 3):
        watch = msgspec.msgpack.decode(body, type=Watch)
        told += watch_tick(watch, at, steps, totals, history=False)
        body = msgspec.msgpack.encode(watch)
    assert told == alerts(world, 110, 3)
    assert {"complaint_surge", "feed_silent"} <= {line.kind for line in told}
    assert len(body) < 60_000


def test_quiet_days_raise_less_than_four_alerts_a_year() -> None:
    """At length (`python -m tests.desk.quiet_days`) it is under one a year; of a few years so many may be chance."""
    years, raised = 0.0, 0
    for seed, world in enumerate((World(), World(swing=0.2), World(a_day=2.0), World(a_day=100.0))):
        raised += sum(line.state == "raised" for line in alerts(world, 400, seed))
        years += 400 / 365
    assert raised <= 4 * years


@pytest.mark.parametrize("seed", [1, 2])
def test_what_is_planted_is_seen_in_days_and_over_when_it_is_over(seed: int) -> None:
    surge = alerts(World(surge=(100, 4.0)), 115, seed)
    delay = day_of_first(surge, "complaint_surge", "category:quality", 100)
    assert delay is not None
    assert delay <= 4
    assert day_of_first(alerts(World(silent=100), 110, seed), "feed_silent", "complaints", 100) in {0, 1, 2, 3}
    grave = alerts(World(losing=(200, 3.0)), 235, seed)
    assert day_of_first(grave, "churn_grave", "A+B", 200) is not None
    assert {line.severity for line in grave if line.kind == "churn_grave"} == {"critical"}


def test_a_feed_that_brings_half_is_odd_and_one_that_brings_a_little_less_is_not() -> None:
    half = alerts(World(short=(100, 0.5)), 107, 1)
    assert day_of_first(half, "feed_odd", "contacts", 100) in {0, 1, 2, 3}
    few = alerts(World(short=(100, 0.85)), 107, 1)
    assert day_of_first(few, "feed_odd", "contacts", 100) is None


def test_a_base_that_shrinks_and_revenue_that_concentrates_are_told() -> None:
    watch, lines = Watch(), list[Alert]()
    for at, steps, totals in days(World(growth_a_year=-0.3), 150, 1):
        lines += watch_tick(watch, at, steps, totals, history=False)
    [shrinking] = [line for line in standing(lines) if line.kind == "base_shrinking"]
    assert shrinking.state == "raised"
    assert shrinking.figures["change"] <= -0.05


@settings(max_examples=30)
@given(st.text(max_size=200))
def test_a_subject_is_bounded_and_told_apart(text: str) -> None:
    text = text.encode(errors="ignore").decode()
    assert len(subject_of(text).encode()) <= SUBJECT_BYTES
    long = "x" * SUBJECT_BYTES + text
    assert len(subject_of(long).encode()) <= SUBJECT_BYTES
    assert subject_of(long + "a") != subject_of(long + "b")


def test_series_beyond_the_bound_count_together() -> None:
    kept, today = Days(), dict[str, int]()
    for n in range(SERIES_KEPT + 50):
        name = kept.room_for(f"product:{n}", today)
        today[name] = today.get(name, 0) + 1
    kept.add(1, today)
    assert len(kept.counts) == SERIES_KEPT + 1
    assert kept.counts["product:…"] == [50]
    assert kept.room_for("product:3", {}) == "product:3"
    assert kept.room_for("region:new", {}) == "region:…"


def test_new_series_stand_in_order_of_name_whatever_the_hashes_of_names() -> None:
    kept, names = Days(), [f"complaints:{n:02}" for n in range(40)]
    kept.add(0, dict.fromkeys(reversed(names), 1))
    assert list(kept.counts) == names


def test_satisfaction_that_slides_is_told_and_over_when_it_comes_back() -> None:
    watch, lines = Watch(), list[Alert]()
    for n, (at, steps, totals) in enumerate(days(World(), 320, 1)):
        perceived = 900 if n < 100 or n > 200 else 900 - (n - 100)
        totals.service = [0] * SERVICE_SUMS
        totals.service[xp.SURVEYS], totals.service[xp.PERCEIVED], totals.service[xp.EXPECTED] = 100, perceived, 1000
        lines += watch_tick(watch, at, steps, totals, history=False)
    told = [line for line in lines if line.kind == "satisfaction_sliding"]
    assert [line.state for line in told] == ["raised", "ended"]
    assert told[0].figures["change"] == pytest.approx(-0.03)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_alert_is_said_in_every_language(language: Language) -> None:
    world = World(a_day=30.0, growth_a_year=-0.3, surge=(100, 5.0), losing=(150, 4.0), silent=190)
    told = {line.kind: line for line in alerts(world, 230, 1)}
    assert {"complaint_surge", "churn_grave", "churn_rate", "base_shrinking", "feed_silent"} <= told.keys()
    said = [alert_said(words_in(language), line) for line in told.values()]
    assert all("{" not in text for text in said)
    assert len(set(said)) == len(told)
