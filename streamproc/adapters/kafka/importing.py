"""A past for an empty journal: another journal's records in their order, each to the partitions where it belongs.

The rule kept here: a record carries its number in a header, and transactions follow each other in the order of the
numbers. So whoever finds an import that was broken off knows behind which number it goes on. The last transaction tells
desk and trainer of the past; before it is there, no worker begins (see beginning.py).
"""

from collections.abc import Iterable, Iterator, Mapping
from types import MappingProxyType
from typing import NamedTuple

from streamproc.adapters.kafka.clock import due_by
from streamproc.adapters.kafka.messages import IMPORTED, PastForDesk, PastForTrainer, encode
from streamproc.adapters.kafka.names import Names
from streamproc.adapters.kafka.reading import Span, Topics, header
from streamproc.adapters.kafka.state_topics import headers_of
from streamproc.adapters.kafka.transactions import Output, Record
from streamproc.core.control import ClockMode, JournalRecord, PolicyChange, Setup, Tick
from streamproc.core.events import CustomerEvent, FirmFact, Purchase
from streamproc.core.ids import partition_of
from streamproc.core.policy import Policy
from streamproc.wire import journal

RECORDS = 5_000
BYTES = 4 << 20
"""What a transaction holds at most, give or take a record: it is open for less than a second or two."""

LAST_LOOK = 256
"""Offsets from a partition's end in which its last record is looked for first."""


class ImportingError(Exception):
    """The cluster's journal cannot take this past; the message says why and what to do."""


class Reached(NamedTuple):
    """How far an import has come: the number of the last record, and its bytes; 0 where nothing is there."""

    seq: int
    body: bytes


class Step(NamedTuple):
    """One transaction: all that there is up to the record `seq`, whose last tick is `clock` (µs)."""

    seq: int
    clock: int
    outputs: list[Output]


class Past:
    """What desk and trainer must know of the records that have passed; times in µs."""

    def __init__(self) -> None:
        self.clock = 0
        self._live: list[tuple[int, bool]] = []
        self._waiting: list[int] = []
        self._policy: Policy | None = None
        self._announced: tuple[int, int, int] | None = None
        self._read: dict[str, int] = {}
        self._purchases_from: set[str] = set()

    def note(self, record: JournalRecord) -> None:
        """Takes the next record in."""
        if isinstance(record, CustomerEvent | FirmFact):
            self._read[record.source] = max(record.at, self._read.get(record.source, 0))
        if isinstance(record, Purchase):
            self._purchases_from.add(record.source)
        if isinstance(record, Tick):
            self.clock = record.at
            self._waiting = [at for at in self._waiting if at >= record.at]
            self._announced = record.grades or self._announced
        elif isinstance(record, CustomerEvent):
            if record.at >= self.clock:  # else somebody is due, and the monitor says so
                self._waiting.append(record.at)
        elif isinstance(record, PolicyChange):
            self._policy = record.policy
        elif isinstance(record, ClockMode):
            self._live.append((self.clock, record.live))

    def told(self, names: Names) -> list[Output]:
        """The messages to desk and trainer."""
        bought = max((self._read[source] for source in self._purchases_from), default=0)
        desk = PastForDesk(
            clock=self.clock, live=self._live, due=due_by(self._waiting), policy=self._policy,
            announced=self._announced, bought=bought,
        )  # fmt: skip
        trainer = PastForTrainer(at=self.clock)
        return [Output(names.desk_inbox, 0, None, encode(desk)), Output(names.examples, 0, None, encode(trainer))]


def steps(
    records: Iterable[tuple[int, JournalRecord]], names: Names, partitions: int, reached: Reached, most: int = RECORDS,
    ids: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Step]:  # fmt: skip
    """The transactions of at most `most` records that bring in all records, with their numbers, behind those `reached`.

    The first record says that the journal's state is in the topics of these `ids`.

    Raises ImportingError, before the first step, where what was reached is not of these records.
    """
    past, outputs, size, seq, known = Past(), list[Output](), 0, 0, b""
    for seq, record in records:
        past.note(record)
        body = journal.encode(record)
        if seq <= reached.seq:
            known = body
            continue
        _check_same(reached, known)
        made = _placed(record, body, seq, names, partitions)
        if isinstance(record, Setup):
            made = [output._replace(headers=(*output.headers, *headers_of(ids))) for output in made]
        outputs += made
        size += len(body) * len(made)
        if len(outputs) >= most or size >= BYTES:
            yield Step(seq, past.clock, outputs)
            outputs, size = [], 0
    _check_same(reached, known)
    mode = ClockMode(at=past.clock, mode="event")  # what comes is history until the cluster has caught up
    past.note(mode)
    outputs += _placed(mode, journal.encode(mode), seq + 1, names, partitions)
    yield Step(seq, past.clock, outputs + past.told(names))


def _check_same(reached: Reached, known: bytes) -> None:
    if known != reached.body:
        raise ImportingError(
            f"another past was being brought in, up to its record {reached.seq}: go on with that data folder. "
            "To begin anew, delete the topics and make them again, or choose another prefix"
        )


def _placed(record: JournalRecord, body: bytes, seq: int, names: Names, partitions: int) -> list[Output]:
    headers = ((IMPORTED, str(seq).encode()),)
    customer_id: str | None = getattr(record, "customer_id", None)
    if customer_id is None:
        return [Output(names.journal, number, None, body, headers) for number in range(partitions)]
    number = partition_of(customer_id, partitions)
    return [Output(names.journal, number, customer_id.encode(), body, headers)]


def reached(topics: Topics) -> Reached:
    """How far an import into this cluster has come by now; whoever wrote before must have been fenced off.

    Raises ImportingError where topics of ours hold anything else, or the import is complete.
    """
    names, filled = topics.names, _filled(topics)
    first = filled.get(names.journal)
    if first is None:
        if filled:
            raise ImportingError(
                f"{', '.join(filled)}: there are records of an earlier journal. Delete all topics that begin with "
                f"{names.prefix} but the firm's own, make them anew (`streamproc topics create`), or choose another "
                "prefix"
            )
        return Reached(0, b"")
    if not header(first.headers, IMPORTED):
        raise ImportingError(
            f"{names.journal} is not empty, and a past is for an empty journal: choose another prefix "
            "(STREAMPROC_KAFKA__PREFIX), or delete the topics and make them anew"
        )
    if names.examples in filled:
        raise ImportingError(f"{names.journal} has its past already: nothing was done; `streamproc worker` goes on")
    last = max((_last(topics, number) for number in topics.spans(names.journal)), key=_seq)
    return Reached(_seq(last), last.value or b"")


def _filled(topics: Topics) -> dict[str, Record]:
    """The first record of each topic of ours that holds any."""
    names = topics.names
    changelogs = map(names.changelog, ("monitor", "trainer", "desk"))
    outputs = (names.warnings, names.alerts, names.dead_letters)
    ours = (names.journal, names.examples, names.desk_inbox, *outputs, names.progress)
    filled: dict[str, Record] = {}
    for topic in (*ours, *changelogs):
        for number, span in topics.spans(topic).items():
            if span.end > span.begin and topic not in filled:
                found = next(topics.between(topic, {number: span}).records(number), None)
                filled.update({} if found is None else {topic: found})
    return filled


def _last(topics: Topics, number: int) -> Record:
    """A journal partition's last record: behind it there are marks of transactions, and what was taken back."""
    topic, look = topics.names.journal, LAST_LOOK
    span = topics.spans(topic)[number]
    while True:
        begin = max(span.begin, span.end - look)
        found = list(topics.between(topic, {number: Span(begin, span.end)}).records(number))
        if found:
            return found[-1]
        if begin == span.begin:
            raise ImportingError(f"{topic} partition {number} is empty, and others are not: make the topics anew")
        look *= 8


def _seq(record: Record) -> int:
    return int(header(record.headers, IMPORTED))
