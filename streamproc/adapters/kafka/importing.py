"""A past for an empty journal: another journal's records in their order, each to the partitions where it belongs.

The rule kept here: a record carries its number in a header, and transactions follow each other in the order of the
numbers. So whoever finds an import that was broken off knows behind which number it goes on; the last record of each
transaction says of all before it which they were, so that no other past goes on there. Each partition has its
set-up in the first transaction; the last one tells desk and trainer of the past: in between no worker begins
(see beginning.py).
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from hashlib import blake2b
from types import MappingProxyType
from typing import NamedTuple

from streamproc.adapters.kafka.clock import due_by
from streamproc.adapters.kafka.messages import IMPORTED, PastForDesk, PastForTrainer, encode
from streamproc.adapters.kafka.names import BEGINNING, Names
from streamproc.adapters.kafka.reading import Span, Topics, header
from streamproc.adapters.kafka.state_topics import headers_of, state_topics
from streamproc.adapters.kafka.tools import admin_of
from streamproc.adapters.kafka.topics import topic_ids
from streamproc.adapters.kafka.transacting import writer_to
from streamproc.adapters.kafka.transactions import Output, Record
from streamproc.config import ConfigError, KafkaSettings
from streamproc.core.control import ClockMode, JournalRecord, PolicyChange, Setup, Tick
from streamproc.core.events import CustomerEvent, FirmFact, Purchase
from streamproc.core.ids import partition_of
from streamproc.core.policy import Policy
from streamproc.wire import journal

RECORDS = 5_000
BYTES = 4 << 20
"""What a transaction holds at most, give or take a record: it is open for less than a second or two."""

DIGEST = "streamproc.imported_digest"
"""The header of a transaction's last record: a digest of all records up to it."""

LAST_LOOK = 256
"""Offsets from a partition's end in which its last record is looked for first."""


class ImportingError(ConfigError):
    """The cluster's journal cannot take this past, or be one; the message says why and what to do."""


class Reached(NamedTuple):
    """How far an import has come: the number of the last record, the digest up to there; 0 where nothing is there."""

    seq: int
    digest: str


class Addressed(NamedTuple):
    """A record of the new journal: its number, itself, the partitions it is for."""

    seq: int
    record: JournalRecord
    partitions: Sequence[int]


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


def bring_in(
    kafka: KafkaSettings, topics: Topics, records: Iterable[Addressed], along: Iterable[Output] = ()
) -> Iterator[Step]:
    """Writes all that is missing, see `steps`: gives how far it had come before, then each transaction that is there.

    Raises ImportingError as `reached` and `steps` do; ClusterError.
    """
    with admin_of(kafka) as admin:
        ids = topic_ids(admin, state_topics(topics.names))
    with writer_to(kafka, BEGINNING) as writer:
        begun = reached(topics, kafka.partitions)
        yield Step(begun.seq, 0, [])
        for step in steps(records, topics.names, kafka.partitions, begun, ids=ids, along=along):
            writer.commit(step.outputs)
            yield step


def addressed(records: Iterable[tuple[int, JournalRecord]], partitions: int) -> Iterator[Addressed]:
    """Records with their numbers, each for the partition of its customer, or for all."""
    for seq, record in records:
        customer_id: str | None = getattr(record, "customer_id", None)
        own = range(partitions) if customer_id is None else (partition_of(customer_id, partitions),)
        yield Addressed(seq, record, own)


def steps(
    records: Iterable[Addressed], names: Names, partitions: int, reached: Reached, *,
    ids: Mapping[str, str] = MappingProxyType({}), along: Iterable[Output] = (), most: int = RECORDS,
) -> Iterator[Step]:  # fmt: skip
    """The transactions of at most `most` records that bring in all records, with their numbers, behind those `reached`.

    The first record says that the journal's state is in the topics of these `ids`; the last transaction brings what
    goes `along`, which is asked for only then.

    Raises ImportingError, before the first step, where what was reached is not of these records.
    """
    past, outputs, size, seq, known = Past(), list[Output](), 0, 0, ""
    digest = blake2b(digest_size=8)
    for seq, record, places in records:
        if getattr(record, "customer_id", None) is not None or 0 in places:
            past.note(record)
        body = journal.encode(record)
        digest.update(b"%d %b" % (places[0], body))
        if seq <= reached.seq:
            known = digest.hexdigest() if seq == reached.seq else ""
            continue
        _check_same(reached, known, names)
        outputs += _placed(record, body, seq, names, places, ids)
        size += len(body) * len(places)
        if len(outputs) >= most or size >= BYTES:
            yield Step(seq, past.clock, _sealed(outputs, len(places), digest.hexdigest()))
            outputs, size = [], 0
    _check_same(reached, known, names)
    mode = ClockMode(at=past.clock, mode="event")  # what comes is history until the cluster has caught up
    past.note(mode)
    outputs += _placed(mode, journal.encode(mode), seq + 1, names, range(partitions), ids)
    yield Step(seq, past.clock, [*outputs, *past.told(names), *along])


def _sealed(outputs: list[Output], last: int, digest: str) -> list[Output]:
    """The outputs, of which the `last` ones, one record's, carry the digest."""
    told = [output._replace(headers=(*output.headers, (DIGEST, digest.encode()))) for output in outputs[-last:]]
    return [*outputs[:-last], *told]


def _check_same(reached: Reached, known: str, names: Names) -> None:
    if known != reached.digest:
        raise ImportingError(
            f"another past was being written to {names.journal}, up to its record {reached.seq}: go on with that one. "
            "To begin anew, delete the topics and make them again, or choose another prefix"
        )


def _placed(
    record: JournalRecord, body: bytes, seq: int, names: Names, places: Iterable[int], ids: Mapping[str, str]
) -> list[Output]:
    headers = ((IMPORTED, str(seq).encode()), *(headers_of(ids) if isinstance(record, Setup) else ()))
    customer_id: str | None = getattr(record, "customer_id", None)
    key = None if customer_id is None else customer_id.encode()
    return [Output(names.journal, number, key, body, headers) for number in places]


def reached(topics: Topics, partitions: int) -> Reached:
    """How far an import into this cluster has come by now; whoever wrote before must have been fenced off.

    Raises ImportingError where topics of ours hold anything else, the import is complete, or the journal has not so
    many partitions.
    """
    names = topics.names
    for topic in (names.journal, names.changelog("monitor")):
        found = len(topics.spans(topic))
        if found != partitions:
            raise ImportingError(
                f"{topic} has {found} partitions, and {partitions} are needed: STREAMPROC_KAFKA__PARTITIONS={found}, "
                "or another prefix; `streamproc topics check` says more"
            )
    filled = _filled(topics)
    first = filled.get(names.journal)
    if first is None:
        if filled:
            raise ImportingError(
                f"{', '.join(filled)}: there are records of an earlier journal. Delete all topics that begin with "
                f"{names.prefix} but the firm's own, make them anew (`streamproc topics create`), or choose another "
                "prefix"
            )
        return Reached(0, "")
    if not header(first.headers, IMPORTED):
        raise ImportingError(
            f"{names.journal} is not empty, and a past is for an empty journal: choose another prefix "
            "(STREAMPROC_KAFKA__PREFIX), or delete the topics and make them anew"
        )
    if names.examples in filled:
        raise ImportingError(f"{names.journal} has its past already: nothing was done; `streamproc worker` goes on")
    last = max((_last(topics, number) for number in topics.spans(names.journal)), key=_seq)
    return Reached(_seq(last), header(last.headers, DIGEST))


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
