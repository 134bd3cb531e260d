"""A backtest asks the production monitor for risks without changing what it does."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest

from streamproc.adapters.embedded.backtest import Backtest, BacktestError, Cut
from streamproc.adapters.embedded.feed import lines
from streamproc.adapters.embedded.journal import read
from streamproc.adapters.embedded.pipeline import Step, next_training, trainer_config
from streamproc.adapters.embedded.runner import Runner, batches
from streamproc.adapters.embedded.schema import connect
from streamproc.adapters.sources import Item, open_sources, sorted_items
from streamproc.core.control import JournalRecord, ModelSnapshot, Setup
from streamproc.core.events import CustomerFact, Purchase
from streamproc.core.time import DAY, HOUR, day_of, from_datetime
from streamproc.desk.warning import Entry
from streamproc.intake.rates import Rates
from streamproc.scoring.examples import Example
from streamproc.scoring.score import probability
from streamproc.simulate import Dirt, Shop, simulate
from streamproc.wire.journal import encode

H = 60
SETUP = Setup(at=0, horizon_days=H)
SHOP = Shop(customers=120, days=420, seed=5, dirt=Dirt(duplicates=0.02, disorder=0.05, poison=0.005))
NOW = 25_000 * DAY
TRAINING = trainer_config(SETUP).training_days * DAY
CUTS = [
    next_training(SHOP.opens + 150 * DAY, trainer_config(SETUP).training_days),
    SHOP.opens + 230 * DAY + 5 * HOUR,
    next_training(SHOP.opens + 300 * DAY, trainer_config(SETUP).training_days),
    SHOP.opens + 360 * DAY,
]


def items(*paths: Path) -> Iterator[Item]:
    return sorted_items(open_sources(list(paths), Rates("EUR")), NOW)


def shop(folder: Path) -> list[Path]:
    files: dict[str, list[bytes]] = {}
    for event in simulate(SHOP):
        if event.stream != "truth":
            files.setdefault(event.stream, []).append(event.line)
    for stream, written in files.items():
        (folder / f"{stream}.jsonl").write_bytes(b"\n".join(written))
    return sorted(folder.glob("*.jsonl"))


class Ran:
    """A backtest of the simulated shop, and all it would have written."""

    def __init__(self, arrivals: Iterator[Item], cuts: list[int], *, labelled: bool = False) -> None:
        self.records: list[JournalRecord] = []
        self.entries: list[Entry] = []
        self.examples: dict[tuple[int, str], Example] = {}
        test = Backtest(SETUP, cuts, labelled=labelled, watch=self.watch)
        self.cuts = list(test.run(arrivals))
        self.counts = test.counts

    def watch(self, record: JournalRecord, step: Step) -> None:
        self.records.append(record)
        self.entries += step.entries
        fresh = [e for e in step.effects if isinstance(e, Example) and e.label is None]
        self.examples |= {(e.at, e.customer_id): e for e in fresh}

    def journal(self) -> list[bytes]:
        return [encode(record) for record in self.records]


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> list[Path]:
    return shop(tmp_path_factory.mktemp("shop"))


@pytest.fixture(scope="module")
def ran(files: list[Path]) -> Ran:
    return Ran(items(*files), CUTS, labelled=True)


def table(folder: Path, rows: str, name: str = "orders.csv") -> Iterator[Item]:
    path = folder / name
    path.write_text("customer_id,ts,kind,amount,ref\n" + rows, encoding="utf-8")
    return items(path)


def one(arrivals: Iterator[Item], cut: int, setup: Setup = SETUP) -> Cut:
    [found] = Backtest(setup, [cut], labelled=True).run(arrivals)
    return found


def day(text: str) -> int:
    return from_datetime(datetime.fromisoformat(text).replace(tzinfo=UTC))


# ----------------------------------------------------------------------------------- it changes nothing


def test_the_journal_and_the_feed_are_those_of_a_run_without_cuts(tmp_path: Path, files: list[Path], ran: Ran) -> None:
    db = connect(tmp_path)
    runner = Runner(db, SETUP)
    for batch in batches(items(*files), 500):
        runner.take(batch)
    runner.end_of_data()
    assert [encode(numbered.record) for numbered in read(db)] == ran.journal()
    assert [entry for _, entry in lines(db, 0)] == ran.entries
    assert sum(isinstance(record, ModelSnapshot) for record in ran.records) > 20
    assert ran.entries


def test_which_cuts_are_asked_for_makes_no_difference_to_any(files: list[Path], ran: Ran) -> None:
    other = Ran(items(*files), [CUTS[0] - 7 * HOUR, CUTS[2]])
    assert other.journal() == ran.journal()
    assert other.cuts[1].customers == ran.cuts[2].customers
    assert other.cuts[1].risks.tobytes() == ran.cuts[2].risks.tobytes()


def test_a_cut_in_a_long_silence_makes_no_difference_either(tmp_path: Path) -> None:
    rows = "a,2020-01-01,purchase,5,r0\nb,2020-01-03T11:30:00Z,purchase,5,r1\na,2020-03-09T10:00:00Z,purchase,5,r2\n"
    asked = Ran(table(tmp_path, rows), [day("2020-01-20"), day("2020-02-14") + 3 * HOUR, day("2020-03-01")])
    assert asked.journal() == Ran(table(tmp_path, rows), [day("2020-03-09")]).journal()


@pytest.mark.parametrize("number", [0, 1, 2])
def test_a_file_that_ends_at_a_cut_gives_the_same_risks_there(
    tmp_path: Path, files: list[Path], ran: Ran, number: int
) -> None:
    before = {item.raw for item in items(*files) if at_of(item) < CUTS[number]}
    for path in files:
        kept = [line for line in path.read_bytes().split(b"\n") if line in before]
        (tmp_path / path.name).write_bytes(b"\n".join(kept))
    short = Ran(items(*sorted(tmp_path.glob("*.jsonl"))), [CUTS[number]]).cuts[0]
    assert short.customers == ran.cuts[number].customers
    assert short.risks.tobytes() == ran.cuts[number].risks.tobytes()
    assert short.model == ran.cuts[number].model


def at_of(item: Item) -> int:
    return getattr(item.outcome, "at", NOW)


# ------------------------------------------------------------------------------------- what a cut sees


def test_a_snapshot_made_at_the_cut_comes_too_late_for_it(ran: Ran) -> None:
    made = {r.at: r for r in ran.records if isinstance(r, ModelSnapshot)}
    assert CUTS[0] in made
    assert CUTS[2] in made
    for cut in ran.cuts:
        [last] = [r for at, r in made.items() if at == max(at for at in made if at < cut.at)]
        assert cut.model.encode() in bytes(last.snapshot)
        assert cut.at not in made or cut.model.encode() not in bytes(made[cut.at].snapshot)


def test_a_risk_is_what_the_monitor_itself_gave_at_that_instant(ran: Ran) -> None:
    compared = 0
    for cut in ran.cuts:
        for customer_id, risk in zip(cut.customers, cut.risks.tolist(), strict=True):
            example = ran.examples.get((cut.at, customer_id))
            if example is not None:
                assert probability(np.array([example.log_odds_micro]))[0] == risk
                compared += 1
    assert compared >= 5


def ids_by(purchase: Purchase, cut: int, aliases: dict[str, tuple[int, str]]) -> str:
    """The customer's id at the cut: an alias is known by its new one."""
    since, new = aliases.get(purchase.customer_id, (cut, ""))
    return new if since < cut else purchase.customer_id


def test_everybody_with_a_purchase_before_the_cut_has_one_risk_and_nobody_else(files: list[Path], ran: Ran) -> None:
    outcomes = [item.outcome for item in items(*files)]
    aliases = {e.customer_id: (e.at, e.alias_of) for e in outcomes if isinstance(e, CustomerFact) and e.alias_of}
    assert aliases
    bought = [e for e in outcomes if isinstance(e, Purchase) and not e.returned]
    for cut in ran.cuts:
        assert cut.customers == sorted({ids_by(p, cut.at, aliases) for p in bought if p.at < cut.at})
        assert len(cut.risks) == len(cut.recency) == len(cut.purchase_days) == len(cut.customers)
        assert ((cut.risks > 0) & (cut.risks < 1)).all()


def test_a_cut_sees_the_day_before_it_and_nothing_of_its_own(tmp_path: Path) -> None:
    rows = (
        "first,2020-01-01,purchase,5,r0\n"
        "eve,2020-03-04,purchase,5,r1\n"
        "last,2020-03-04T23:59:59.999999Z,purchase,5,r2\n"
        "cut,2020-03-05,purchase,5,r3\n"
        "returner,2020-03-01,return,5,r4\n"
    )
    cut = one(table(tmp_path, rows), day("2020-03-05"))
    assert dict(zip(cut.customers, cut.recency.tolist(), strict=True)) == {"eve": 0, "first": 63, "last": 0}


def test_a_lost_customer_is_given_a_risk_as_well(tmp_path: Path) -> None:
    rows = "gone,2018-01-01,purchase,5,r0\nnew,2020-03-04,purchase,5,r1\n"
    cut = one(table(tmp_path, rows), day("2020-03-05"))
    risks = dict(zip(cut.customers, cut.risks.tolist(), strict=True))
    assert risks["gone"] > risks["new"]


def test_after_the_data_time_goes_on_to_the_last_cut(tmp_path: Path) -> None:
    rows = "a,2020-01-01,purchase,5,r0\nb,2020-01-09,purchase,5,r1\n"
    cut = one(table(tmp_path, rows), day("2020-02-01"))
    assert cut.recency.tolist() == [30, 22]
    assert cut.left is None


# ---------------------------------------------------------------------------------------------- labels


def test_who_left_is_known_where_the_horizon_ends_within_the_data(files: list[Path], ran: Ran) -> None:
    outcomes = [item.outcome for item in items(*files)]
    aliases = {e.customer_id: (e.at, e.alias_of) for e in outcomes if isinstance(e, CustomerFact) and e.alias_of}
    bought = [e for e in outcomes if isinstance(e, Purchase) and not e.returned]
    for cut in ran.cuts[:3]:
        until = cut.at + H * DAY
        stayed = {ids_by(p, until, aliases) for p in bought if cut.at <= p.at < until}
        stayed |= {alias for alias, (since, new) in aliases.items() if since < until and new in stayed}
        assert cut.left is not None
        assert cut.left.tolist() == [int(customer_id not in stayed) for customer_id in cut.customers]
        assert 0 < cut.left.mean() < 1
    assert CUTS[3] + H * DAY == SHOP.ends
    assert ran.cuts[3].left is None or CUTS[3] + H * DAY <= (day_of(max(p.at for p in bought)) + 1) * DAY


@pytest.mark.parametrize(("last", "left"), [("2020-03-31T08:00:00Z", [1, 0]), ("2020-03-30T23:00:00Z", None)])
def test_the_data_speaks_for_the_whole_of_its_last_day(tmp_path: Path, last: str, left: list[int] | None) -> None:
    rows = f"a,2020-01-01,purchase,5,r0\nb,2020-01-02,purchase,5,r1\nb,{last},purchase,5,r2\n"
    cut = one(table(tmp_path, rows), day("2020-03-02"), Setup(at=0, horizon_days=30))
    assert (None if cut.left is None else cut.left.tolist()) == left


def test_a_horizon_may_end_at_another_cut(tmp_path: Path) -> None:
    rows = (
        "a,2020-01-01,purchase,5,r0\nb,2020-01-02,purchase,5,r1\nb,2020-02-20,purchase,5,r2\nc,2020-05-05,purchase,,\n"
    )
    test = Backtest(Setup(at=0, horizon_days=30), [day("2020-02-01"), day("2020-03-02")], labelled=True)
    first, second = test.run(table(tmp_path, rows))
    assert first.left is not None
    assert first.left.tolist() == [1, 0]
    assert second.left is not None
    assert second.left.tolist() == [1, 1]


def test_who_became_an_alias_is_judged_by_the_new_id(tmp_path: Path) -> None:
    bought = '{"event_id":"%s","customer_id":"%s","occurred_at":"2020-%sT00:00:00Z","order_id":"%s","amount":5}'
    told = '{"event_id":"e","customer_id":"old","occurred_at":"2020-02-10T00:00:00Z","alias_of":"new"}'
    purchases = [("old", "01-01"), ("x", "01-01"), ("new", "02-11"), ("x", "05-01")]
    lines_ = [bought % (n, who, when, n) for n, (who, when) in enumerate(purchases)]
    path = tmp_path / "events.jsonl"
    path.write_text("\n".join([*lines_, told]), encoding="utf-8")
    test = Backtest(Setup(at=0, horizon_days=30), [day("2020-02-01"), day("2020-02-20")], labelled=True)
    first, second = test.run(items(path))
    assert test.counts.refused == {}
    assert first.customers == ["old", "x"]
    assert first.left is not None
    assert first.left.tolist() == [0, 1]
    assert second.customers == ["new", "x"]
    assert second.purchase_days[0] == [day_of(day("2020-01-01")), day_of(day("2020-02-11"))]


def test_of_many_purchase_days_the_number_is_right(tmp_path: Path) -> None:
    rows = "".join(f"a,2020-01-{d:02},purchase,5,j{d}\na,2020-03-{d:02},purchase,5,m{d}\n" for d in range(1, 29))
    cut = one(table(tmp_path, rows), day("2020-04-01"))
    days = cut.purchase_days[0]
    assert len(days) == 56
    assert days == sorted(set(days))
    assert (days[0], days[-1]) == (day_of(day("2020-01-01")), day_of(day("2020-03-28")))
    assert sum(d >= day_of(day("2020-03-01")) for d in days) == 28


# ---------------------------------------------------------------------------------------------- counts


def test_repeats_and_refusals_are_counted(files: list[Path], ran: Ran) -> None:
    arrivals = list(items(*files))
    assert ran.counts.events + ran.counts.repeats + sum(ran.counts.refused.values()) == len(arrivals)
    assert ran.counts.repeats > 10
    assert ran.counts.refused


@pytest.mark.parametrize(
    ("cuts", "message"),
    [
        ([], "no cut"),
        ([day("2020-03-01") + 1], "full hour"),
        ([day("2020-01-01")], "does not lie after the first event, 2020-01-01T00:00:00Z"),
    ],
)
def test_cuts_that_cannot_be_are_told(tmp_path: Path, cuts: list[int], message: str) -> None:
    with pytest.raises(BacktestError, match=message):
        list(Backtest(SETUP, cuts).run(table(tmp_path, "a,2020-01-01,purchase,5,r0\n")))


def test_without_events_there_is_nothing_to_test(tmp_path: Path) -> None:
    with pytest.raises(BacktestError, match="no event"):
        list(Backtest(SETUP, [day("2020-01-01")]).run(table(tmp_path, "a,never,purchase,5,r0\n")))


def test_cuts_come_in_their_order_and_once(tmp_path: Path) -> None:
    rows = "a,2020-01-01,purchase,5,r0\n"
    test = Backtest(SETUP, [day("2020-03-01"), day("2020-02-01"), day("2020-03-01")])
    assert [cut.at for cut in test.run(table(tmp_path, rows))] == [day("2020-02-01"), day("2020-03-01")]
    assert test.until == day("2020-03-01")
    assert np.isfinite(test.progress.clock)
