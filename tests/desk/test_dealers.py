"""Market control as an alert: the simulated shop's dealers who sell across regions are found, and nobody else."""

from streamproc.core.control import Setup
from streamproc.core.dealing import strays
from streamproc.core.events import FirmFact
from streamproc.desk.desk import Desk
from streamproc.monitor import totals
from streamproc.simulate import Shop
from streamproc.simulate.world import build_world
from streamproc.testing.events import bought, on
from tests.monitor.bench import Bench
from tests.monitor.shops import records

CUSTOMERS, DAYS, SEED = 600, 300, 4


def test_raiders_are_found_and_nobody_else() -> None:
    world = build_world(Shop(customers=CUSTOMERS, days=DAYS, seed=SEED))
    raiders = {dealer.dealer_id for dealer in world.dealers if dealer.raids_from is not None}
    bench = Bench(setup=Setup(at=0), snapshot=None, observed=False, partitions=2)
    bench.read(records(CUSTOMERS, DAYS, SEED))
    parts = [partition.meta.totals for partition in bench.pipeline.partitions]
    found = {stray.dealer for stray in strays(totals.merged(parts).dealing)}
    assert found
    assert found <= raiders


def test_an_alert_begins_with_the_raid_and_ends_when_it_is_over() -> None:
    bench = Bench()
    bench.write(FirmFact(event_id="f", at=on(0), kind="dealer_region", subject="d", detail={"region": "east"}))
    bench.read([bought(on(1, n), dealer_id="d", region="west", category="tools") for n in range(9)])
    bench.run_to(on(4))
    desk: Desk = bench.pipeline.desk
    assert desk.watch.is_open("cross_region", "d")
    opened = desk.watch.open["cross_region/d"]
    assert (opened.finding.figures["count"], opened.finding.names) == (9.0, {"region": "west"})
    bench.read([bought(on(130 + n / 9), dealer_id="d", region="east", category="tools") for n in range(5)])
    bench.read([bought(on(170 + n / 9), dealer_id="d", region="east", category="tools") for n in range(5)])
    bench.read([bought(on(200 + n / 9), dealer_id="d", region="east", category="tools") for n in range(5)])
    bench.run_to(on(203))
    assert not desk.watch.is_open("cross_region", "d")
