"""What a cluster has made of its input, held against what was sent and against a quiet run over its journal."""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import pairwise
from typing import Any, NamedTuple

import msgspec

from streamproc.adapters.kafka.desk import TICK_HEADER
from streamproc.adapters.kafka.letters import KILLED
from streamproc.adapters.kafka.messages import ExamplesPart, TickDone, TickPart, for_desk, for_trainer
from streamproc.adapters.kafka.monitor import KeptStates
from streamproc.adapters.kafka.transactions import Record
from streamproc.adapters.redis.client import reading_client
from streamproc.adapters.redis.reader import RedisFeedReader
from streamproc.core.control import (
    ClockMode,
    Control,
    Disposition,
    JournalRecord,
    ModelSnapshot,
    PlaybookChange,
    PolicyChange,
    Setup,
    Tick,
)
from streamproc.core.events import CustomerEvent, FirmFact
from streamproc.core.time import to_text
from streamproc.desk.warning import Entry
from streamproc.monitor.effects import DeadLettered, ForDesk, ToJournal
from streamproc.scoring.examples import Example, Sighting
from streamproc.simulate import SimEvent, is_poison
from streamproc.trainer.state import config_of
from tests.adapters.kafka.committed import Committed
from tests.adapters.kafka.quiet import Quiet, quiet
from tests.adapters.kafka.workers import Workers, journal_of

BROADCAST: tuple[type[Control], ...] = (Setup, ClockMode, PolicyChange, PlaybookChange, Tick, ModelSnapshot)


class Figures(NamedTuple):
    """What was compared, and the longest time (s) in which no tick was finished in some partition."""

    events: int
    refused: int
    warnings: int
    lines: int
    snapshots: int
    ticks: int
    standstill: float


class Judge:
    """All comparisons over one cluster that has come to rest; each raises AssertionError."""

    def __init__(self, workers: Workers, committed: Committed, sent: Sequence[SimEvent]) -> None:
        self._workers = workers
        self._committed = committed
        self._names = workers.names
        self._sent = sent
        self._journals = [journal_of(committed, self._names, n) for n in range(workers.partitions)]
        (setup,) = [r for r in self._journals[0] if isinstance(r, Setup)]
        config = config_of(setup)
        self._quiet: Quiet = quiet(self._journals, setup.currency, config)

    def judge(self) -> Figures:
        """Everything; the figures of what was compared."""
        refused = self.every_event_is_in_the_journal_or_the_dead_letters()
        self.broadcasts_are_everywhere_once_and_in_one_order()
        self.monitors_found_what_a_quiet_run_finds()
        lines = self.warnings_are_those_of_a_quiet_run()
        self.snapshots_are_those_of_a_quiet_run()
        self.the_feed_is_the_topic()
        return Figures(
            events=len(self._sent) - refused,
            refused=refused,
            warnings=sum(entry.kind == "raised" for entry in lines),
            lines=len(lines),
            snapshots=len(self._quiet.snapshots),
            ticks=sum(isinstance(r, Tick) for r in self._journals[0]),
            standstill=self.standstill(),
        )

    # --------------------------------------------------------------------------------------- intake

    def every_event_is_in_the_journal_or_the_dead_letters(self) -> int:
        """Each once, and once more where an alias' partition hands it on; how many were refused."""
        valid = self._brought()
        held = Counter(_events_in(self._journals)) - self._handed_on()
        assert held == valid, f"lost {list((valid - held).items())[:5]}, doubled {list((held - valid).items())[:5]}"
        facts = [Counter(r.event_id for r in journal if isinstance(r, FirmFact)) for journal in self._journals]
        assert all(fact == facts[0] for fact in facts), "a firm's fact is in every partition"
        letters = self._committed.records[self._names.dead_letters, 0]
        from_intake = [letter for letter in letters if _header(letter, "topic") != self._names.journal]
        refused = Counter(letter.value or b"" for letter in from_intake)
        poison = Counter(event.line for event in self._sent if is_poison(event))
        assert refused == poison, f"lost {list(poison - refused)[:3]}, invented {list(refused - poison)[:3]}"
        for letter in from_intake:
            self._names_its_place(letter)
        self._letters_of_monitors_are_those_of_a_quiet_run(letters)
        return poison.total()

    def _handed_on(self) -> Counter[str]:
        """By id the events that came to an alias after its handover: its partition writes them into the new id's."""
        told = (effect.record for effects in self._quiet.effects for effect in effects if isinstance(effect, ToJournal))
        return Counter(record.event_id for record in told if isinstance(record, CustomerEvent))

    def _brought(self) -> Counter[str]:
        """By id how often a valid event was in the firm's topics: one that the tests' own producer doubles is two.

        What retention has emptied since is known from what was sent.
        """
        poison = {event.line for event in self._sent if is_poison(event)}
        topics = self._workers.inputs.values()
        lines = [b for t in topics for n in range(self._workers.partitions) for b in self._committed.values((t, n))]
        brought = Counter(json.loads(line)["event_id"] for line in lines if line not in poison)
        if doubled := brought - Counter(brought.keys()):
            print(f"  the producer has doubled {dict(doubled)}")
        sent = Counter(json.loads(event.line)["event_id"] for event in self._sent if not is_poison(event))
        assert brought.keys() <= sent.keys()
        return brought | sent

    def _names_its_place(self, letter: Record) -> None:
        place = _header(letter, "topic"), int(_header(letter, "partition"))
        offset = int(_header(letter, "offset"))
        (refused,) = [record for record in self._committed.records[place] if record.offset == offset]
        assert (letter.key, letter.value) == (refused.key, refused.value)
        assert _header(letter, "exception") not in {"", KILLED}

    def _letters_of_monitors_are_those_of_a_quiet_run(self, letters: Sequence[Record]) -> None:
        found = Counter(
            (int(_header(r, "partition")), r.key, _header(r, "exception"))
            for r in letters
            if _header(r, "topic") == self._names.journal
        )
        expected = Counter(
            (n, effect.customer_id.encode(), effect.reason)
            for n, effects in enumerate(self._quiet.effects)
            for effect in effects
            if isinstance(effect, DeadLettered)
        )
        assert found == expected

    # -------------------------------------------------------------------------------------- journal

    def broadcasts_are_everywhere_once_and_in_one_order(self) -> None:
        for kind in BROADCAST:
            told = [[r for r in journal if isinstance(r, kind)] for journal in self._journals]
            assert all(records == told[0] for records in told), f"{kind.__name__} differs between partitions"
            turns = [(a.at, b.at) for a, b in pairwise(told[0]) if b.at <= a.at]
            assert kind is ClockMode or not turns, f"{kind.__name__} twice, or in disorder: {turns[:5]}"
        assert all(isinstance(journal[0], Setup) for journal in self._journals)

    # ------------------------------------------------------------------------------------- monitors

    def monitors_found_what_a_quiet_run_finds(self) -> None:
        """States, and what went to desk and trainer."""
        inbox = [for_desk(body) for body in self._committed.values((self._names.desk_inbox, 0))]
        examples = [for_trainer(body) for body in self._committed.values((self._names.examples, 0))]
        for n, effects in enumerate(self._quiet.effects):
            assert self._states(n) == self._quiet.states[n]
            parts = [m for m in inbox if isinstance(m, TickPart) and m.partition == n]
            at_ticks = [e for e in effects if isinstance(e, ForDesk)]
            assert [effect for part in parts for effect in part.effects] == at_ticks
            done = [m.at for m in inbox if isinstance(m, TickDone) and m.partition == n]
            assert done == [r.at for r in self._journals[n] if isinstance(r, Tick)]
            told = [m for m in examples if isinstance(m, ExamplesPart) and m.partition == n]
            assert [item for part in told for item in part.items] == [
                e for e in effects if isinstance(e, Example | Sighting)
            ]

    def _states(self, number: int) -> dict[str, bytes]:
        held = KeptStates()
        for key, value in self._committed.kept((self._names.changelog("monitor"), number)).items():
            if key[:1] == b"s":
                held.restore(key[1:].decode(), value)
        return held.bodies

    # ----------------------------------------------------------------------------- desk and trainer

    def warnings_are_those_of_a_quiet_run(self) -> list[Entry]:
        records = self._committed.records[self._names.warnings, 0]
        lines = [msgspec.json.decode(record.value or b"", type=Entry) for record in records]
        assert lines == self._quiet.lines
        ticks = [int(dict(record.headers)[TICK_HEADER]) for record in records]
        assert ticks == sorted(ticks)
        assert all(to_text(at) >= line.at for at, line in zip(ticks, lines, strict=True))
        asked = [entry for entry in lines if entry.kind == "raised" and entry.warning_kind == "churn"]
        raised = Counter(entry.warning_id for entry in asked)
        answered = Counter(r.warning_id for j in self._journals for r in j if isinstance(r, Disposition))
        assert raised == answered
        assert set(raised.values()) <= {1}
        return lines

    def snapshots_are_those_of_a_quiet_run(self) -> None:
        made = [bytes(r.snapshot) for r in self._journals[0] if isinstance(r, ModelSnapshot)]
        expected = self._quiet.snapshots
        differing = [n for n, (a, b) in enumerate(zip(made, expected, strict=False)) if a != b]
        assert made == expected, f"{len(made)} models for {len(expected)}, {len(differing)} differ: {differing[:5]}"

    def the_feed_is_the_topic(self) -> None:
        records = self._committed.records[self._names.warnings, 0]
        with reading_client(self._workers.redis_url) as client:
            lines = RedisFeedReader(client, self._names.prefix).lines(0, len(records) + 10)
        assert [(line.seq, line.body) for line in lines] == [(r.offset + 1, r.value) for r in records]

    def standstill(self) -> float:
        """The longest time (s) between two ticks that a partition finished."""
        last: dict[int, int] = {}
        longest = 0
        for record in self._committed.records[self._names.desk_inbox, 0]:
            message = for_desk(record.value or b"")
            if isinstance(message, TickDone):
                longest = max(longest, record.timestamp - last.get(message.partition, record.timestamp))
                last[message.partition] = record.timestamp
        return longest / 1000


def _events_in(journals: Sequence[Sequence[JournalRecord]]) -> Iterator[str]:
    for number, records in enumerate(journals):
        for record in records:
            if isinstance(record, CustomerEvent) or (isinstance(record, FirmFact) and not number):
                yield record.event_id


def _header(letter: Record, name: str) -> str:
    headers: dict[str, Any] = dict(letter.headers)
    return bytes(headers.get(f"__streams.errors.{name}", b"")).decode()
