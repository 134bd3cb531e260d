"""One feed lags, falls silent or dies while the others go on: what a cluster in memory makes of time and of silence."""

from collections.abc import Sequence
from functools import cache

import msgspec
from msgspec.structs import replace

from streamproc.core.control import JournalRecord, ModelSnapshot, Setup, Tick
from streamproc.core.events import CustomerEvent
from streamproc.core.policy import Policy
from streamproc.core.time import DAY, HOUR, SECOND, to_text
from streamproc.desk.warning import Entry
from streamproc.monitor.effects import LateEvent
from streamproc.scoring.snapshot import default_snapshot
from streamproc.simulate import Shop, SimEvent, simulate
from streamproc.wire import journal
from tests.adapters.kafka.quiet import quiet
from tests.adapters.kafka.simulated import NAMES, Cluster, Host, Place

EAGER = Policy(raise_at=0.3, clear_at=0.2, escalate_at=0.6, minimum_customers_fitted=20)
SETUP = Setup(at=0, horizon_days=45)
PLACES: list[Place] = [("purchases", 0), ("complaints", 0), ("contacts", 0), ("facts", 0)]
STALE = 72 * HOUR
DAYS = 150


@cache
def shop() -> tuple[SimEvent, ...]:
    return tuple(simulate(Shop(customers=80, days=DAYS, seed=5)))


BEGAN = 1_704_067_200 * SECOND


def on(day: float) -> int:
    return BEGAN + int(day * DAY)


def between(begin: float, end: float, *streams: str) -> list[SimEvent]:
    return [e for e in shop() if on(begin) <= e.at < on(end) and (not streams or e.stream in streams)]


class Town:
    """A cluster to which events come as days go by."""

    def __init__(self) -> None:
        self.cluster = Cluster({place: [] for place in PLACES}, partitions=2, setup=SETUP, policy=EAGER, mode="wall")

    def live(self, day: float, events: Sequence[SimEvent]) -> None:
        """It is that day, and these have come since."""
        self.send(day, events)
        self.cluster.run()

    def send(self, day: float, events: Sequence[SimEvent]) -> None:
        self.dawns(day)
        for event in events:
            self.cluster.log.append((event.stream, 0), None, event.line)

    def dawns(self, day: float) -> None:
        """It is that day; the desk, which looks every second, sees it first."""
        self.cluster.now = on(day) / SECOND
        next(h for h in self.cluster.hosts if h.place[0] == NAMES.desk_inbox).step(self.cluster.now, 1, 0.0)

    def host(self, stream: str) -> Host:
        return next(host for host in self.cluster.hosts if host.place == (stream, 0))

    def records(self) -> list[JournalRecord]:
        return [record for n in range(2) for record in self.cluster.journal(n)]

    def ticks(self) -> list[Tick]:
        return [record for record in self.cluster.journal(0) if isinstance(record, Tick)]

    def raised(self) -> list[Entry]:
        lines = [msgspec.json.decode(b, type=Entry) for b in self.cluster.log.values((NAMES.warnings, 0))]
        return [line for line in lines if line.kind == "raised"]

    def effects(self) -> list[object]:
        journals = [self.cluster.journal(n) for n in range(2)]
        return [e for found in quiet(journals, SETUP.currency, self.cluster.config).effects for e in found]


def test_a_feed_that_lags_by_days_holds_time_and_nothing_of_it_comes_late() -> None:
    town = Town()
    town.live(60, between(0, 60))
    town.send(90, between(60, 90))
    lagging = town.host("contacts")
    lagging.takes_over()
    lagging.step(town.cluster.now, 1, 0.0)  # one event of thirty days
    read = next(e.at for e in between(60, 90, "contacts"))
    hosts, town.cluster.hosts = town.cluster.hosts, [h for h in town.cluster.hosts if h is not lagging]
    town.cluster.run()
    assert on(60) - HOUR <= town.ticks()[-1].at <= read
    town.cluster.hosts = hosts
    town.cluster.run()
    assert town.ticks()[-1].at > on(89)
    assert not [effect for effect in town.effects() if isinstance(effect, LateEvent)]


def test_time_waits_for_a_feed_that_nobody_reads_any_more() -> None:
    town = Town()
    town.live(60, between(0, 60))
    unread = town.host("purchases")
    hosts, town.cluster.hosts = town.cluster.hosts, [h for h in town.cluster.hosts if h is not unread]
    for day in range(61, 66):
        town.live(day, between(day - 1, day))
    assert town.ticks()[-1].at < on(60) + 2 * HOUR
    town.cluster.hosts = hosts
    unread.takes_over()
    town.live(65.5, [])
    assert town.ticks()[-1].at >= on(65)
    late = [effect for effect in town.effects() if isinstance(effect, LateEvent)]
    assert not any(effect.too_late for effect in late)


def test_time_passes_a_feed_that_has_nothing_and_what_it_brings_at_last_is_late_and_counted() -> None:
    town = Town()
    town.live(60, between(0, 60))
    for day in range(61, 91):
        town.live(day, between(day - 1, day, "purchases", "complaints", "facts"))
    assert town.ticks()[-1].at > on(89)
    assert not any(tick.stale for tick in town.ticks()), "purchases come: silence is silence"
    missed = between(60, 90, "contacts")
    town.live(90.5, missed)
    late = [effect for effect in town.effects() if isinstance(effect, LateEvent)]
    assert len(late) == len(missed) > 0
    assert len([r for r in town.records() if isinstance(r, CustomerEvent) and r.source == "contacts/0"]) == len(
        between(0, 90, "contacts")
    )


def test_dead_purchases_are_not_taken_for_churn() -> None:
    town = Town()
    for day in range(10, 101, 10):
        town.live(day, between(day - 10, day))
    died = max(e.at for e in between(0, 100, "purchases"))
    before = len(town.raised())
    assert before > 5
    for day in range(101, 131):
        town.live(day, between(day - 1, day, "contacts", "complaints", "facts"))
    deaf = [tick for tick in town.ticks() if tick.at > died + STALE]
    assert len(deaf) > 20
    assert all(tick.stale == ("purchases",) and tick.stale_since == died for tick in deaf)
    assert not any(tick.stale for tick in town.ticks() if tick.at <= died + STALE)
    assert not [entry for entry in town.raised()[before:] if entry.at > "2024-04-13"]
    town.live(130.5, between(100, 130, "purchases"))
    for day in range(131, DAYS):
        town.live(day, between(day - 1, day))
    assert not any(tick.stale for tick in town.ticks() if tick.at > on(131))
    assert [entry for entry in town.raised() if entry.at > "2024-05-11"], "silence counts again"


def test_a_snapshot_that_cannot_be_scored_with_is_one_dead_letter_and_the_last_good_one_stays() -> None:
    town = Town()
    town.live(60, between(0, 60))
    before = town.cluster.monitor(0).partition.meta.snapshot
    broken = replace(default_snapshot(), prior=replace(default_snapshot().prior, r=-1.0))
    body = journal.encode(ModelSnapshot(at=on(60), snapshot=msgspec.Raw(msgspec.json.encode(broken))))
    for number in range(2):
        town.cluster.log.append((NAMES.journal, number), None, body)
    town.cluster.run()
    assert town.cluster.monitor(0).partition.meta.snapshot == before
    [found] = [r for r in town.cluster.log.records[NAMES.dead_letters, 0] if r.value == body]
    assert dict(found.headers)["__streams.errors.exception"] == b"not_finite"


def test_what_lies_far_ahead_of_the_wall_is_refused_and_what_lies_a_little_ahead_waits_for_it() -> None:
    town = Town()
    town.live(60, between(0, 60))

    def contact(minutes: int) -> bytes:
        at = to_text(on(61) + minutes * 60 * SECOND)
        fields = {"contact_id": f"m{minutes}", "direction": "in", "channel": "mail", "purpose": "inquiry"}
        envelope = {"event_id": f"m{minutes}", "customer_id": "c0000001", "occurred_at": at, "schema_version": 1}
        return msgspec.json.encode(envelope | fields)

    town.dawns(61)
    for minutes in (4, 6, 120):
        town.cluster.log.append(("contacts", 0), None, contact(minutes))
    while town.host("contacts").behind:
        town.host("contacts").step(town.cluster.now, 10, 0.0)
    refused = town.cluster.log.records[NAMES.dead_letters, 0]
    assert [dict(letter.headers)["__streams.errors.exception"] for letter in refused] == [b"in_future"] * 2
    assert [letter.value for letter in refused] == [contact(6), contact(120)]
    for _ in range(500):
        town.cluster.now += 1.0
        for host in town.cluster.hosts:
            host.step(town.cluster.now, 200, 0.0)
        assert all(tick.at <= town.cluster.now * SECOND for tick in town.ticks()[-3:])
    assert town.ticks()[-1].at > on(61) + 240 * SECOND
    assert not [effect for effect in town.effects() if isinstance(effect, LateEvent)]
