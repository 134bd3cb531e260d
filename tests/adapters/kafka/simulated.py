"""A cluster in memory: topics are lists, transactions are all or nothing, and whatever runs may die at any step.

The processors are the real ones; what the transport promises of Kafka is kept by hand. A seed decides who runs next,
how much is read at once, what dies before its commit and what after it.
"""

import random
from collections import defaultdict
from collections.abc import Callable, Iterable

from streamproc.adapters.kafka.clock import Mode
from streamproc.adapters.kafka.desk import DeskProcessor, Rules
from streamproc.adapters.kafka.intake import IntakeProcessor
from streamproc.adapters.kafka.monitor import MonitorProcessor
from streamproc.adapters.kafka.names import Names
from streamproc.adapters.kafka.trainer import TrainerProcessor
from streamproc.adapters.kafka.transactions import Output, Processor, Record, Writes
from streamproc.core.control import ClockMode, JournalRecord, Setup
from streamproc.core.events import FirmFact
from streamproc.core.playbook import Playbook
from streamproc.core.policy import Policy
from streamproc.core.time import HOUR, SECOND
from streamproc.core.turns import whole
from streamproc.desk.warning import Money
from streamproc.intake.intake import Intake, Settings
from streamproc.intake.rates import Rates
from streamproc.intake.refusal import Position
from streamproc.trainer.state import config_of
from streamproc.wire import journal

NAMES = Names()
Place = tuple[str, int]


class Log:
    """All topics' partitions."""

    def __init__(self) -> None:
        self.records: dict[Place, list[Record]] = defaultdict(list)

    def append(self, place: Place, key: bytes | None, value: bytes | None, headers: object = ()) -> None:
        log = self.records[place]
        log.append(Record(len(log), key, value, tuple(headers), 0))  # type: ignore[arg-type]

    def values(self, place: Place) -> list[bytes]:
        return [record.value or b"" for record in self.records[place]]


class Host:
    """One owned partition: its processor, position and changelog."""

    def __init__(self, log: Log, place: Place, make: Callable[[], Processor], rng: random.Random) -> None:
        self.place = place
        self._log, self._make, self._rng = log, make, rng
        self._kept: dict[bytes, bytes] = {}
        self._position = 0
        self.deaths = 0
        self.processor = make()

    def takes_over(self) -> None:
        """A new owner, who knows what the changelog holds and nothing else."""
        self.deaths += 1
        self.processor = self._make()
        kept = list(self._kept.items())
        self._rng.shuffle(kept)
        for key, value in kept:
            self.processor.restore(key, value)

    @property
    def behind(self) -> bool:
        return self._position < len(self._log.records[self.place])

    def step(self, now: float, most: int, dies: float) -> bool:
        """One batch, or a wake; False: nothing was to be done. With chance `dies` the owner dies before or after."""
        waiting = self._log.records[self.place][self._position :][: self._rng.randint(1, most)]
        writes = whole(self.processor.process(waiting)) if waiting else self.processor.wake(now, caught_up=not waiting)
        fate = self._rng.random()
        if fate < dies:
            self.takes_over()
            return True
        if writes is not None:
            self._commit(writes, len(waiting))
        if fate < 2 * dies:
            self.takes_over()
        return writes is not None

    def _commit(self, writes: Writes, read: int) -> None:
        for output in writes.outputs:
            self._log.append((output.topic, output.partition), output.key, output.value, output.headers)
        for key, value in writes.changes:
            if value is None:
                self._kept.pop(key, None)
            else:
                self._kept[key] = value
        self._position += read


class Cluster:
    """Four processors over `partitions` of the journal; `feeds` are the firm's topics, line by line.

    The topics begin with `past`, where there is one.
    """

    def __init__(
        self, feeds: dict[Place, list[bytes]], *, partitions: int = 3, seed: int = 0, mode: Mode = "event",
        setup: Setup | None = None, policy: Policy | None = None, past: Iterable[Output] = (),
        playbook: Playbook | None = None,
    ) -> None:  # fmt: skip
        self.partitions = partitions
        self.log = Log()
        self.now = 2_000_000_000.0
        self._rng = random.Random(seed)
        self._rates = _rates(feeds, setup or Setup(at=0))
        self.setup = setup or Setup(at=0)
        self.config = config_of(self.setup)
        for output in past or beginning(self.setup, partitions):
            self.log.append((output.topic, output.partition), output.key, output.value, output.headers)
        for place, lines in feeds.items():
            for line in lines:
                self.log.append(place, None, line)
        rules = Rules(mode, frozenset(f"{t}/{p}" for t, p in feeds), 72 * HOUR, policy or Policy(), playbook)
        money = Money(self.setup.currency)
        hosts: list[tuple[Place, Callable[[], Processor]]] = [
            *((place, self._intake(place)) for place in feeds),
            *(((NAMES.journal, n), self._monitor(n)) for n in range(partitions)),
            ((NAMES.examples, 0), lambda: TrainerProcessor(NAMES, partitions, self.config)),
            ((NAMES.desk_inbox, 0), lambda: DeskProcessor(NAMES, partitions, money, rules)),
        ]
        self.hosts = [Host(self.log, place, make, self._rng) for place, make in hosts]

    def _intake(self, place: Place) -> Callable[[], Processor]:
        def make() -> Processor:
            intake = Intake(self._rates, settings=Settings(in_order=True))
            return IntakeProcessor(place, NAMES, self.partitions, intake, lambda: int(self.now * SECOND))

        return make

    def _monitor(self, number: int) -> Callable[[], Processor]:
        return lambda: MonitorProcessor(number, NAMES, self.partitions)

    def run(self, *, most: int = 200, dies: float = 0.0) -> None:
        """Until nothing is left to be done."""
        quiet = 0
        while quiet < 20 * len(self.hosts):
            self.now += 0.01
            busy = [host for host in self.hosts if host.behind]
            chosen = self._rng.choice(busy if busy and self._rng.random() < 0.8 else self.hosts)
            worked = chosen.step(self.now, most, dies if busy else 0.0)  # or it would never end
            if worked:
                quiet = 0
                continue
            quiet += 1
            self.now += 1.0

    def journal(self, number: int) -> list[JournalRecord]:
        records = []
        for body in self.log.values((NAMES.journal, number)):
            record = journal.decode(body)
            assert not isinstance(record, journal.DecodeFailure), record
            records.append(record)
        return records

    def monitor(self, number: int) -> MonitorProcessor:
        (found,) = (h.processor for h in self.hosts if h.place == (NAMES.journal, number))
        assert isinstance(found, MonitorProcessor)
        return found


def beginning(setup: Setup, partitions: int) -> list[Output]:
    records: list[JournalRecord] = [setup, ClockMode(at=0, mode="event")]
    return [Output(NAMES.journal, n, None, journal.encode(record)) for n in range(partitions) for record in records]


def _rates(feeds: dict[Place, list[bytes]], setup: Setup) -> Rates:
    """What the firm's facts say of currencies, read before anything else."""
    rates = Rates(setup.currency)
    for (topic, _), lines in feeds.items():
        intake = Intake(Rates(setup.currency))
        for row, line in enumerate(lines if topic == "facts" else (), 1):
            fact = intake.take(line, Position(topic, row), 2**62)
            if isinstance(fact, FirmFact):
                rates.learn(fact)
    return rates
