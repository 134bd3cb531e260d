"""The base's three dimensions and the firm's service, from the partitions' totals."""

import pytest
from msgspec.structs import replace

from streamproc.core.events import CustomerEvent
from streamproc.core.lifecycle import Stage
from streamproc.core.satisfaction import satisfied, satisfied_by, service
from streamproc.core.time import DAY, HOUR
from streamproc.desk.glance import growth_of
from streamproc.desk.warning import Money
from streamproc.monitor.state import Counted, Decisions
from streamproc.monitor.totals import merged, new_totals, recount
from streamproc.testing.events import bought, complained, on, touched
from tests.monitor.bench import Bench

EUR = Money("EUR")


def shop(partitions: int = 1) -> Bench:
    bench = Bench(partitions=partitions)
    events: list[CustomerEvent] = [
        *(bought(on(10 * n), 1_000, customer_id="a", category=f"k{n}") for n in range(4)),
        bought(on(20), 2_000, customer_id="b", category="k0"),
        bought(on(21), 3_000, customer_id="c"),  # of what, nobody said
        touched(on(22), customer_id="a", purpose="survey", perceived=6.0, expected=8.0, wait_s=30.0),
        touched(on(23), customer_id="b", purpose="survey", perceived=9.0, expected=8.0),
        complained(on(24), customer_id="b"),
        touched(on(25), customer_id="c", purpose="support", result="unresolved"),
    ]
    bench.read(sorted(events, key=lambda e: e.at))
    bench.run_to(on(40))
    return bench


@pytest.mark.parametrize("partitions", [1, 3])
def test_number_length_and_depth_of_the_relationships(partitions: int) -> None:
    bench = shop(partitions)
    bench.assert_totals()
    base = merged([p.meta.totals for p in bench.pipeline.partitions])
    found = growth_of(base, on(40), EUR)
    assert found.customers == 3
    assert found.mean_tenure_days == pytest.approx((40 + 20 + 19) / 3, abs=0.1)
    assert found.revenue_a_customer == "30.00"
    assert found.categories_a_customer == 2.5  # four and one; of the third it is not known
    assert base.unhappy == 2  # a: less than expected; c: unresolved
    assert satisfied(base.service) == pytest.approx(15 / 16)
    told = service(base.service)
    assert (told.mean_wait_s, told.accurate, told.complaints) == (30.0, 0.0, 1)


@pytest.mark.parametrize("partitions", [1, 3])
def test_satisfaction_by_grade_follows_who_has_it(partitions: int) -> None:
    bench = shop(partitions)
    bench.read([bought(on(42), 4_000, customer_id="a"), bought(on(43), 4_000, customer_id="b")])
    bench.run_to(on(60))
    bench.assert_totals()
    base = merged([p.meta.totals for p in bench.pipeline.partitions])
    assert base.content == {"A": [1, 60, 80], "B": [1, 90, 80]}
    assert satisfied_by(base.content) == {"A": 0.75, "B": 1.125}


def test_an_older_state_is_taken_out_as_it_was_put_in() -> None:
    totals, decisions = new_totals(), Decisions(looked_at=1, stage=Stage.REPEAT)
    old = Counted(contribution=5, grade="A", service=[1, 60, 80, 400, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0])
    totals.contribution.add(5)
    totals.revenue.add(0)
    totals.grades, totals.service, totals.stages = {"A": 1}, list(old.service), {"repeat": 1}
    decisions.counted = old
    recount(totals, Stage.REPEAT, decisions, replace(old))
    assert totals.content == {"A": [1, 60, 80]}
    recount(totals, Stage.REPEAT, decisions, None)
    assert (totals.content, totals.service) == ({}, [])


def test_who_is_lost_leaves_the_base() -> None:
    bench = shop()
    bench.run_to(on(160))
    bench.assert_totals()
    base = bench.pipeline.partitions[0].meta.totals
    assert (base.first_days, base.breadth, base.broad, base.service, base.unhappy) == (0, 0, 0, [], 0)
    assert growth_of(base, on(160), EUR).mean_tenure_days is None


def test_an_empty_base_has_no_length_and_no_depth() -> None:
    assert growth_of(new_totals(), DAY + HOUR, EUR).customers == 0
