"""Whatever the order of arrival within a tick, and however the customers are spread, the result is the same."""

import random
from itertools import groupby

import pytest

from streamproc.core.dealing import APART
from streamproc.core.events import FirmFact
from streamproc.core.facts import Facts
from streamproc.core.policy import Policy
from streamproc.core.time import DAY, HOUR
from streamproc.monitor.effects import Effect, FirmTold, Looked, PartitionSummary, WouldWarn
from streamproc.monitor.state import decode_state
from streamproc.monitor.totals import merged
from streamproc.scoring.examples import Example
from streamproc.testing.events import bought, on
from tests.monitor.bench import Bench
from tests.monitor.shops import Record, jumbled, records

POLICY = Policy(raise_at=0.4, clear_at=0.3, minimum_silence=0.0)


def ran(given: list[Record], partitions: int = 1) -> Bench:
    bench = Bench(policy=POLICY, partitions=partitions)
    bench.read(given)
    bench.run_to((max(r.at for r in given) // DAY + 3) * DAY)
    return bench


def facts(bench: Bench) -> dict[str, Facts]:
    return {c: decode_state(body).facts for c, body in bench.bodies().items()}


@pytest.mark.parametrize("seed", [1, 2])
def test_shuffled_between_ticks_gives_identical_warnings_and_states(seed: int) -> None:
    given = list(records(200, 300, seed))
    rng = random.Random(seed)
    shuffled: list[Record] = []
    for _, hour in groupby(given, key=lambda r: r.at // HOUR):
        some = list(hour)
        rng.shuffle(some)
        shuffled += some
    assert shuffled != given
    one, other = ran(given), ran(shuffled)
    assert len(one.all(WouldWarn)) > 20
    assert without_firm(other.effects) == without_firm(one.effects)
    assert other.entries == one.entries
    assert other.bodies() == one.bodies()


@pytest.mark.parametrize("seed", [3, 4])
def test_shuffled_within_a_day_with_repeats_gives_identical_facts(seed: int) -> None:
    given = list(records(200, 300, seed))
    dirty = jumbled(tuple(given), DAY, random.Random(seed), repeats=0.05)
    assert len(dirty) > len(given)
    one, other = ran(given), ran(dirty)
    assert facts(other) == facts(one)
    other.assert_totals()


def of_customers(effects: list[Effect]) -> list[Effect]:
    return [e for e in without_firm(effects) if not isinstance(e, PartitionSummary)]


def without_firm(effects: list[Effect]) -> list[Effect]:
    """What is passed on as it comes tells nothing of the order that is judged here."""
    return [e for e in effects if not isinstance(e, FirmTold)]


def test_partitions_change_no_effect_no_entry_and_no_state() -> None:
    given = list(records(200, 300, 5))
    one, eight = ran(given), ran(given, partitions=8)
    assert of_customers(eight.effects) == of_customers(one.effects)
    assert eight.entries == one.entries
    assert eight.bodies() == one.bodies()
    assert eight.journal == one.journal
    whole = one.pipeline.partitions[0].meta.totals
    assert merged([p.meta.totals for p in eight.pipeline.partitions]) == whole
    assert len(one.entries) > 20
    assert len(one.all(Example)) > 200


def test_summaries_keep_the_figures_of_their_midnight() -> None:
    bench = ran(list(records(100, 200, 6)))
    summaries = bench.all(PartitionSummary)
    customers = [sum(s.totals.stages.values()) for s in summaries]
    assert customers == sorted(customers)
    assert customers[0] < customers[-1]
    assert {s.at % DAY for s in summaries} == {0}


@pytest.mark.parametrize("seed", [7, 8, 9])
def test_totals_equal_a_recount_from_all_states_at_every_day(seed: int) -> None:
    given = list(records(80, 200, seed))
    bench = Bench(policy=POLICY, partitions=2)
    day = 0
    for record in jumbled(tuple(given), 30 * HOUR, random.Random(seed), repeats=0.05):
        bench.read([record])
        if bench.now // DAY != day:
            day = bench.now // DAY
            bench.assert_totals()
    bench.run_to(bench.now + 600 * DAY)
    bench.assert_totals()
    totals = merged([p.meta.totals for p in bench.pipeline.partitions])
    assert (totals.open_warnings, totals.at_risk, totals.equity) == (0, 0, 0)
    assert totals.contribution.size() == 0


@pytest.mark.parametrize("stale", [(), ("purchases",)])
def test_who_is_not_observed_is_judged_the_same(stale: tuple[str, ...]) -> None:
    given = list(records(150, 300, 10))
    half = len(given) // 2
    seen, unseen = Bench(policy=POLICY), Bench(policy=POLICY, observed=False)
    for bench in (seen, unseen):
        bench.read(given[:half])
        bench.read(given[half:], stale=stale)
        bench.run_to(given[-1].at + 100 * DAY, stale=stale)
    assert unseen.entries == seen.entries
    assert unseen.bodies() == seen.bodies()
    assert [(e.customer_id, e.at, e.outcome) for e in unseen.all(Looked)] == [
        (e.customer_id, e.at, e.outcome) for e in seen.all(Looked)
    ]
    assert not any(e.figures or e.groups for e in unseen.all(Looked))
    assert len(unseen.entries) > 10


def test_what_is_counted_is_counted_in_order_of_time_whatever_the_hashes_of_names() -> None:
    bench = Bench(policy=POLICY)
    dealers = [f"d{n}" for n in range(40)]
    for dealer in dealers:
        home = FirmFact(event_id=dealer, at=on(0), kind="dealer_region", subject=dealer, detail={"region": "north"})
        bench.write(home)
    given = [bought(on(1) + n, customer_id=f"c{n:02}", dealer_id=d, region="south") for n, d in enumerate(dealers)]
    bench.give(*given[::-1])
    bench.tick(on(2))
    (sold,) = bench.pipeline.partitions[0].meta.totals.dealing.sold.values()
    assert [key.split(APART)[0] for key in sold] == dealers
