"""Causes at work: a warning carries them, a loss is counted once under the likeliest, partitions add up."""

from collections.abc import Iterable

import pytest
from msgspec.structs import replace

from streamproc.core.events import CustomerEvent, FirmFact
from streamproc.core.policy import Policy
from streamproc.core.value import Segment
from streamproc.desk.record import gathered, record_of
from streamproc.desk.warning import Money
from streamproc.monitor import totals
from streamproc.monitor.blame import MONTHS_KEPT, UNKNOWN, Loss, Losses, add_losses, count_loss, uncount_loss
from streamproc.monitor.effects import Transition, Unseen, WouldWarn
from streamproc.testing.events import bought, complained, known, on, touched
from tests.monitor.bench import Bench
from tests.monitor.test_episodes import ALWAYS

EAGER = Policy(name="eager", raise_at=0.2, clear_at=0.1, escalate_at=0.9, minimum_silence=0.1)
RISE = FirmFact(event_id="rise", at=on(91), kind="list_price", subject="tools", value=1.1, detail={"change": 0.1})


def customers(*names: str) -> list[CustomerEvent]:
    """Each buys ten times, every ten days; the last time on day 90."""
    return [
        bought(on(day, n), customer_id=name, category="tools", amount=1_000)
        for day in range(0, 100, 10)
        for n, name in enumerate(names)
    ]


def bench_of(events: Iterable[CustomerEvent | FirmFact], until: float, partitions: int = 1) -> Bench:
    bench = Bench(policy=EAGER, partitions=partitions)
    bench.read(sorted(events, key=lambda event: event.at))
    bench.run_to(on(until))
    return bench


def losses(bench: Bench) -> Losses:
    return totals.merged([partition.meta.totals for partition in bench.pipeline.partitions]).losses


def by_cause(bench: Bench) -> dict[str, int]:
    found: dict[str, int] = {}
    for month in losses(bench).values():
        for key, n in month.items():
            cause = key.split("/")[0]
            found[cause] = found.get(cause, 0) + n
    return found


def test_a_warning_carries_the_causes_seen_by_then() -> None:
    bench = bench_of([*customers("c"), RISE, complained(on(92), category="quality", event_id="k")], 150)
    (would,) = bench.all(WouldWarn)
    assert [cause.cause for cause in would.causes][:2] == ["quality", "price"]
    assert would.causes[0].clues[0].event_id == "k"
    assert all(clue.at <= would.at for cause in would.causes for clue in cause.clues)
    (warning,) = [entry.warning for entry in bench.entries if entry.warning is not None]
    assert [cause.cause for cause in warning.causes] == [cause.cause for cause in would.causes]
    assert warning.causes[0].evidence[0].event_id == "k"
    assert warning.steps == ()  # no playbook is in force


@pytest.mark.parametrize("partitions", [1, 3])
def test_a_loss_is_counted_once_under_the_likeliest_cause(partitions: int) -> None:
    events = [
        *customers("a", "b", "c", "d"),
        RISE,
        touched(on(92), customer_id="b", purpose="inquiry", competitor=True),
        touched(on(93), customer_id="c", purpose="cancellation", result="terminated", competitor=True),
    ]
    bench = bench_of(events, 400, partitions)
    assert by_cause(bench) == {"price": 2, "competitor": 2}
    assert sum(t.after.code == "lost" for t in bench.all(Transition)) == 4
    assert set(losses(bench)) == {"2025-01", "2025-04"}  # the termination at once, silence after 90 days


def test_who_comes_back_and_is_lost_again_counts_twice() -> None:
    again = bought(on(300), customer_id="c", category="tools")
    assert by_cause(bench_of([*customers("c"), again], 500)) == {UNKNOWN: 2}


def test_a_loss_tells_grade_and_segment_of_the_last_day_of_trade() -> None:
    rich = [bought(on(day), 900_000, customer_id="rich", cost=100) for day in range(0, 100, 10)]
    poor = [bought(on(day), 100, customer_id="poor", cost=900) for day in range(0, 100, 10)]
    keys = set(losses(bench_of([*customers("a", "b", "c"), *rich, *poor], 300))["2025-04"])
    assert any(key.startswith(f"{UNKNOWN}/A/") for key in keys)
    assert f"{UNKNOWN}/D/{Segment.BLEEDING}" in keys


def test_one_who_costs_more_than_they_bring_is_never_warned_of() -> None:
    poor = [bought(on(day), 100, customer_id="poor", cost=900) for day in range(0, 100, 10)]
    bench = bench_of([*customers("a", "b", "c"), *poor], 150)
    assert {would.customer_id for would in bench.all(WouldWarn)} == {"a", "b", "c"}
    assert all(would.figures.segment is not Segment.BLEEDING for would in bench.all(WouldWarn))


def test_losses_keep_the_latest_two_years_and_add_up() -> None:
    whole = totals.new_totals()
    mine = whole.losses
    for month in range(30):
        count_loss(whole, Loss(f"{2020 + month // 12}-{month % 12 + 1:02d}", "price", "A", "average"))
    assert len(mine) == MONTHS_KEPT
    assert min(mine) == "2020-07"
    add_losses(mine, {"2022-06": {"price/A/average": 2, "unknown/B/average": 1}})
    assert mine["2022-06"] == {"price/A/average": 3, "unknown/B/average": 1}


def test_losses_of_those_watched_in_silence_are_counted_apart_too_and_taken_back_there() -> None:
    whole, told = totals.new_totals(), Loss("2024-01", "price", "A", "average")
    silent = told._replace(silent=True)
    for loss in (told, silent, silent):
        count_loss(whole, loss)
    assert (whole.losses, whole.silent_losses) == ({"2024-01": {told.key: 3}}, {"2024-01": {told.key: 2}})
    uncount_loss(whole, silent.text)
    assert (whole.losses, whole.silent_losses) == ({"2024-01": {told.key: 2}}, {"2024-01": {told.key: 1}})
    uncount_loss(whole, told.text)
    assert (whole.losses, whole.silent_losses) == ({"2024-01": {told.key: 1}}, {"2024-01": {told.key: 1}})
    uncount_loss(whole, silent.text)
    assert (whole.losses, whole.silent_losses) == ({}, {})


def test_who_is_lost_while_watched_in_silence_is_known() -> None:
    bench = Bench(policy=replace(ALWAYS, holdout_share=0.5))
    bench.go_live()
    bench.give(*(bought(on(day), customer_id=f"c{n}") for n in range(20) for day in (0, 1)))
    bench.run_to(on(100))
    whole = bench.pipeline.partitions[0].meta.totals
    held = {unseen.customer_id for unseen in bench.all(Unseen)}
    assert 0 < len(held) < 20
    assert sum(n for month in whole.silent_losses.values() for n in month.values()) == len(held)
    assert record_of(gathered(bench.entries), whole, Money("EUR")).recall.share == 1.0


def test_a_loss_that_was_none_is_taken_back() -> None:
    """By a purchase told late, or by finding that the customer goes on under another id."""
    bench = bench_of(customers("a", "b"), 190)
    assert by_cause(bench) == {UNKNOWN: 2}
    bench.give(bought(on(179), customer_id="a", category="tools"))
    bench.run_to(on(192))
    assert by_cause(bench) == {UNKNOWN: 1}
    bench.give(bought(on(192, 1), customer_id="z"), known(on(192, 2), customer_id="b", alias_of="z"))
    bench.run_to(on(193))
    assert losses(bench) == {}
    bench.run_to(on(400))
    assert by_cause(bench) == {UNKNOWN: 2}


def test_a_lost_customer_is_one_loss_under_whatever_ids() -> None:
    bench = bench_of(customers("a"), 190)
    bench.give(known(on(190, 1), customer_id="a", alias_of="z"))
    bench.run_to(on(192))
    assert losses(bench) == losses(bench_of(customers("a"), 192))


def test_a_loss_counts_in_the_month_it_came_about() -> None:
    bench = bench_of([bought(on(400), customer_id="z")], 401)
    bench.give(*customers("a"))
    bench.run_to(on(402))
    assert set(losses(bench)) == {"2025-04"}
