"""A cluster's journal made anew under another prefix: each partition as it is, without those who were forgotten.

The rules kept here: ticks, models and what was answered stay where they are, so everybody else comes to the same; of
who was forgotten the mark stays. It is written as an import is (importing.py): broken off, it goes on where it stopped,
and no worker begins before it is through. Where intake was in the firm's topics goes along.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from streamproc.adapters.kafka.changelog import POSITION
from streamproc.adapters.kafka.importing import BYTES, RECORDS, ImportingError, Past, Reached, Step
from streamproc.adapters.kafka.messages import IMPORTED
from streamproc.adapters.kafka.names import Names
from streamproc.adapters.kafka.reading import Span, Topics
from streamproc.adapters.kafka.reading_base import last_of
from streamproc.adapters.kafka.reading_journal import Placed
from streamproc.adapters.kafka.state_topics import TAKEN, headers_of
from streamproc.adapters.kafka.transactions import Output
from streamproc.core.control import ClockMode, Forget, Handover, JournalRecord, Setup, Tick
from streamproc.wire import journal


class UnreadError(Exception):
    """Workers have not read all there is; the message says what."""


class Gone(NamedTuple):
    """Where in their partition somebody was forgotten, and what happened before when (µs) is taken no more."""

    offset: int
    at: int


class Copied(NamedTuple):
    """A record of the new journal: its number, its partition, itself."""

    seq: int
    partition: int
    record: JournalRecord


def gone_in(parts: Iterable[Iterable[Placed]]) -> dict[str, Gone]:
    """Those whom the journal asks to forget, by id."""
    return {
        record.customer_id: Gone(offset, record.at)
        for part in parts
        for offset, record in part
        if isinstance(record, Forget) and record.customer_id is not None
    }


def copied(parts: Sequence[Iterator[Placed]], gone: Mapping[str, Gone]) -> Iterator[Copied]:
    """What is left, partition by partition up to each tick; the first partition comes last, so its tick ends the round.

    So the numbers are the same however often it is asked for.
    """
    seq, left = 0, set(range(len(parts)))
    while left:
        for number in sorted(left, reverse=True):
            for offset, record in parts[number]:
                kept = _kept(offset, record, gone)
                if kept is not None:
                    seq += 1
                    yield Copied(seq, number, kept)
                if isinstance(record, Tick):
                    break
            else:
                left.discard(number)


def _kept(offset: int, record: JournalRecord, gone: Mapping[str, Gone]) -> JournalRecord | None:
    """The record as it stays; None: it goes."""
    if isinstance(record, Forget):
        return replace(record, customer_id=None)
    if isinstance(record, Handover) and record.alias in gone and record.at < gone[record.alias].at:
        return None  # by time: the alias was asked to be forgotten in a partition of its own
    forgotten = gone.get(getattr(record, "customer_id", None) or "")
    if forgotten is None:
        return record
    return None if offset < forgotten.offset or record.at < forgotten.at else record


def steps(
    records: Iterable[Copied], names: Names, partitions: int, reached: Reached, ids: Mapping[str, str],
    along: Sequence[Output], most: int = RECORDS,
) -> Iterator[Step]:  # fmt: skip
    """The transactions that write the records behind those `reached`; the last one brings what goes `along`.

    The first record says that the journal's state is in the topics of these `ids`. Raises ImportingError, before the
    first step, where what was reached is not of these records.
    """
    past, outputs, size, seq, known = Past(), list[Output](), 0, 0, b""
    for seq, number, record in records:
        customer_id: str | None = getattr(record, "customer_id", None)
        if customer_id is not None or not number:
            past.note(record)
        body = journal.encode(record)
        if seq <= reached.seq:
            known = body
            continue
        _check_same(reached, known)
        headers = ((IMPORTED, str(seq).encode()), *(headers_of(ids) if isinstance(record, Setup) else ()))
        key = None if customer_id is None else customer_id.encode()
        outputs.append(Output(names.journal, number, key, body, headers))
        size += len(body)
        if len(outputs) >= most or size >= BYTES:
            yield Step(seq, past.clock, outputs)
            outputs, size = [], 0
    _check_same(reached, known)
    mode = ClockMode(at=past.clock, mode="event")  # what comes is history until the cluster has caught up
    past.note(mode)
    last = ((IMPORTED, str(seq + 1).encode()),)
    outputs += [Output(names.journal, number, None, journal.encode(mode), last) for number in range(partitions)]
    yield Step(seq, past.clock, [*outputs, *past.told(names), *along])


def _check_same(reached: Reached, known: bytes) -> None:
    if known != reached.body:
        raise ImportingError(
            f"another journal was being written there, up to its record {reached.seq}: choose another prefix, or "
            "delete the topics that begin with it"
        )


def check_all_read(topics: Topics) -> None:
    """Raises UnreadError unless monitors, trainer and desk have read all that there is for them."""
    names = topics.names
    reads = {"monitor": names.journal, "trainer": names.examples, "desk": names.desk_inbox}
    for who, topic in reads.items():
        positions = last_of(topics, names.changelog(who), POSITION)
        for number, span in topics.spans(topic).items():
            position = int(positions.get(number, b"0"))
            unread = topics.between(topic, {number: Span(max(position, span.begin), span.end)})
            if next(unread.records(number), None) is not None:
                raise UnreadError(f"the {who} has not read all of {topic}/{number}")


def progress_of(topics: Topics, names: Names) -> list[Output]:
    """How far intake has read, as records under other names."""
    kept: dict[bytes, bytes] = {}
    for record in topics.read(topics.names.progress, [0]).records(0):
        if record.key is not None and record.key != TAKEN:
            kept.pop(record.key, None)
            kept.update({} if record.value is None else {record.key: record.value})
    return [Output(names.progress, 0, key, value) for key, value in kept.items()]
