"""What is counted of warnings is what people were told: nothing that waits, nothing that is watched in silence."""

from msgspec.structs import replace

from streamproc.desk.counts import tally_line
from streamproc.monitor.counts import Counts, tally
from streamproc.testing.events import bought, on
from tests.monitor.bench import Bench
from tests.monitor.test_episodes import ALWAYS
from tests.monitor.test_unhappy import CALM, unresolved


def counted(bench: Bench) -> Counts:
    counts = Counts()
    for effect in bench.effects:
        tally(counts, effect)
    for line in bench.entries:
        tally_line(counts, line)
    return counts


def of(bench: Bench, *names: str) -> dict[tuple[str, str], int]:
    return {key: n for key, n in counted(bench).items() if key[0] in names}


def test_a_warning_is_counted_when_it_goes_out_and_its_end_and_verdict_only_then() -> None:
    bench = Bench(policy=replace(ALWAYS, capacity_a_day=1))
    amounts = (("a", 90_000), ("b", 50_000), ("c", 500))
    bench.give(*(bought(on(day), amount, customer_id=c) for c, amount in amounts for day in (0, 1)))
    bench.tick(on(3))
    assert of(bench, "warnings", "severities", "causes") == {
        ("warnings", "raised"): 1, ("severities", "unrated"): 1, ("causes", "unknown"): 1
    }  # fmt: skip
    assert counted(bench)["looks", "would_warn"] == 3
    bench.give(*(bought(on(3, 1), customer_id=name) for name in "abc"))
    bench.run_to(on(3, 5))
    assert of(bench, "warnings") == {("warnings", "raised"): 1, ("warnings", "recovered"): 1}
    bench.run_to(on(94))
    assert counted(bench)["verdicts", "wrong"] == 1


def test_a_service_warning_is_counted_by_its_severity() -> None:
    bench = Bench(policy=CALM)
    bench.read([*(bought(on(20 * n)) for n in range(5)), unresolved(85)])
    bench.run_to(on(86))
    assert of(bench, "warnings", "service_warnings") == {("service_warnings", "high"): 1}
