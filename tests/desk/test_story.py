"""The firm over time, from effects made by hand, and from a journal that is run."""

from typing import Any

import pytest
from msgspec.structs import replace

from streamproc.adapters.embedded.journal import Numbered
from streamproc.adapters.embedded.replay import Replay
from streamproc.core.control import JournalRecord, Setup, Tick
from streamproc.core.events import FirmFact
from streamproc.core.lifecycle import Stage
from streamproc.core.policy import Outcome
from streamproc.core.population import Histogram
from streamproc.core.time import DAY, HOUR
from streamproc.core.value import Segment, Tier
from streamproc.desk.record import at_of
from streamproc.desk.story import Flow, Story, Telling
from streamproc.desk.warning import Money
from streamproc.monitor.effects import ComplaintStep, Looked, PartitionSummary, Totals, Transition, WouldWarn
from streamproc.monitor.totals import merged
from streamproc.testing.events import bought, complained, known, on
from tests.monitor.bench import Bench
from tests.monitor.shops import records
from tests.monitor.test_episodes import warned

EUR = Money("EUR")
[PLAIN] = warned().all(WouldWarn)


def day(text: str) -> int:
    return at_of(f"{text}T00:00:00Z")


def totals(**more: Any) -> Totals:
    given: dict[str, Any] = {"contribution": Histogram(), "revenue": Histogram()} | more
    return Totals(**given)


def midnight(text: str, **more: Any) -> PartitionSummary:
    return PartitionSummary(0, day(text), totals(**more))


def looked(customer: str, text: str, tier: Tier | None, segment: Segment | None) -> Looked:
    figures = replace(PLAIN.figures, tier=tier, segment=segment)
    return Looked(customer, day(text), Outcome.BELOW_THRESHOLD, Stage.REPEAT, figures)


def moved(customer: str, text: str, before: Stage, after: Stage, *, back: bool = False) -> Transition:
    return Transition(customer, day(text), before, after, back)


def told(until: str, *steps: tuple[JournalRecord | None, list[Any]], now: Totals | None = None) -> Story:
    telling = Telling(EUR, day(until))
    for record, effects in steps:
        telling.take(record or Tick(at=max(effect.at for effect in effects)), effects)
    return telling.story(now or totals())


def test_a_month_is_closed_by_the_first_midnight_of_the_next() -> None:
    story = told(
        "2025-03-15",
        (None, [midnight("2025-01-30", equity=100)]),
        (None, [midnight("2025-02-01", equity=250)]),  # the end of the last day of January
        (None, [midnight("2025-02-02", equity=300)]),
        (None, [midnight("2025-03-02", equity=400)]),
        now=totals(equity=500),
    )
    assert [(p.month, p.equity) for p in story.points] == [
        ("2025-01", "2.50"),
        ("2025-02", "3.00"),
        ("2025-03", "5.00"),
    ]
    assert [p.at[:10] for p in story.points] == ["2025-02-01", "2025-02-02", "2025-03-15"]


def test_churn_by_grade_is_of_those_there_when_the_month_began() -> None:
    story = told(
        "2025-02-20",
        (None, [midnight("2025-02-01", grades={"A": 10, "D": 40}, lost={"D": 7})]),
        (None, [midnight("2025-02-10")]),
        now=totals(grades={"A": 9}, lost={"A": 1, "D": 15}),
    )
    first, second = story.points
    assert (first.lost, first.churn) == ({"D": 7}, {})  # nothing is known of the time before
    assert second.lost == {"A": 1, "D": 8}
    assert second.churn == {"A": 0.1, "D": 0.2, "all": pytest.approx(9 / 50)}


def test_flows_count_every_step() -> None:
    back = moved("a", "2025-01-09", Stage.LOST, Stage.REPEAT, back=True)
    story = told(
        "2025-02-01",
        (None, [moved(c, "2025-01-02", Stage.POTENTIAL, Stage.FIRST_TIME) for c in "abc"]),
        (None, [moved("a", "2025-01-03", Stage.FIRST_TIME, Stage.LOST), back]),
    )
    assert story.flows == (
        Flow("first_time", "lost", 1), Flow("lost", "repeat", 1, won_back=True), Flow("potential", "first_time", 3),
    )  # fmt: skip


def test_tiers_and_segments_and_who_moved_between_them() -> None:
    story = told(
        "2025-12-31",
        (None, [looked("a", "2025-01-02", Tier.GOLD, Segment.AVERAGE), looked("b", "2025-01-02", Tier.IRON, None)]),
        (None, [looked("c", "2025-01-02", Tier.LEAD, Segment.BLEEDING), midnight("2025-07-10")]),
        (None, [looked("a", "2025-08-01", Tier.PLATINUM, Segment.LARGE_PREMIUM), midnight("2025-08-02")]),
        (None, [moved("b", "2025-08-03", Stage.REPEAT, Stage.LOST), looked("d", "2025-08-03", Tier.IRON, None)]),
        (known(day("2025-08-04"), customer_id="c", alias_of="a"), [looked("c", "2025-08-04", Tier.LEAD, None)]),
        (None, [Looked("e", day("2025-08-05"), Outcome.NO_PURCHASE, Stage.POTENTIAL)]),
    )
    assert story.points[-1].tiers == {"platinum": 1, "iron": 1}
    assert story.points[-1].segments == {"large_premium": 1, "unknown": 1}
    assert story.tiers_moved == (
        Flow("gold", "platinum", 1), Flow("iron", "lost", 1), Flow("lead", "lost", 1), Flow("new", "iron", 1),
    )  # fmt: skip
    assert Flow("average", "large_premium", 1) in story.segments_moved


def test_complaints_count_once_in_their_month() -> None:
    step = ComplaintStep(
        customer_id="a", at=day("2025-01-05"), complaint_id="k", status="opened", opened_at=day("2025-01-05"),
        first=True, category="price",
    )  # fmt: skip
    story = told(
        "2025-02-10",
        (None, [step, replace(step, first=False, status="resolved"), replace(step, category=None)]),
        (None, [midnight("2025-01-06")]),
        (None, [midnight("2025-02-02"), step]),
    )
    assert [p.month for p in story.points] == ["2025-01", "2025-02"]
    assert [p.complaints for p in story.points] == [{"price": 1, "unknown": 1}, {"price": 1}]


def test_curves_start_at_nothing_and_end_at_all() -> None:
    histogram, losing = Histogram(), Histogram()
    for value in (8_000, 1_000, 500, 500):
        histogram.add(value)
    losing.add(-100)
    story = told("2025-02-01", now=totals(revenue=histogram, contribution=losing))
    assert story.revenue_curve[:6] == (0.0, 0.16, 0.32, 0.48, 0.64, 0.8)  # a slot gives its share
    assert (len(story.revenue_curve), story.revenue_curve[-1]) == (21, 1.0)
    assert story.contribution_curve == ()
    assert story.points[-1].lifetime_value == "0.00"


def test_losses_by_cause_and_grade_over_all_months() -> None:
    losses = {"2025-01": {"price/A/average": 2, "price/D/unknown": 1}, "2025-02": {"price/A/bleeding": 1}}
    assert told("2025-03-01", now=totals(losses=losses)).losses == {"price": {"A": 3, "D": 1}}


def test_the_cost_of_a_new_customer_is_that_of_the_last_campaign_by_then() -> None:
    def campaign(name: str, at: str, cost: float, rate: float) -> FirmFact:
        detail: dict[str, str | float | bool | None] = {"cost_per_mailing": cost, "response_rate": rate}
        return FirmFact(event_id=name, at=day(at), kind="marketing", detail=detail)

    story = told(
        "2025-02-10",
        (campaign("x", "2025-01-02", 0.5, 0.01), []),
        (None, [midnight("2025-02-01")]),
        (Tick(at=day("2025-02-01") + HOUR), []),
        (campaign("y", "2025-02-01", 0.7, 0.04), []),
        (None, [midnight("2025-02-02")]),
    )
    assert [p.acquisition_cost for p in story.points] == [50.0, pytest.approx(17.5)]


def test_what_a_journal_tells_is_what_its_totals_say() -> None:
    bench = Bench()
    bench.read([bought(on(0), 9_000), bought(on(5), 500, customer_id="d"), complained(on(6)), bought(on(40), 1_000)])
    bench.run_to(on(150))
    telling = Telling(EUR, on(150))
    telling.take(Tick(at=on(150)), bench.effects)
    base = bench.pipeline.partitions[0].meta.totals
    story = telling.story(base)
    now = story.points[-1]
    assert (now.stages, now.grades) == (base.stages, base.grades)
    assert sum(now.tiers.values()) == base.contribution.size()
    assert sum(flow.customers for flow in story.flows if flow.after == "lost") == base.stages.get("lost", 0)
    assert sum(sum(counts.values()) for counts in story.losses.values()) == base.stages.get("lost", 0)


def test_partitions_tell_together_what_one_tells_alone() -> None:
    alone, together = (story_of(partitions) for partitions in (1, 3))
    assert alone == together
    assert len(alone.points) > 5


def story_of(partitions: int) -> Story:
    """A small shop's."""
    events, again = records(20, 200, 3), Replay(EUR, partitions=partitions, observed=True)
    first = events[0].at // DAY
    ticks = [Tick(at=n * DAY) for n in range(first, first + 220)]
    journal = sorted([Setup(at=0), *events, *ticks], key=lambda record: record.at)
    telling = Telling(EUR, ticks[-1].at)
    for step in again.run(Numbered(number, record) for number, record in enumerate(journal, 1)):
        telling.take(step.numbered.record, step.effects)
    return telling.story(merged([part.meta.totals for part in again.pipeline.partitions]))
