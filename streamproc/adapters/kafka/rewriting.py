"""A cluster's journal made anew under another prefix: each partition as it is, without those who were forgotten.

The rules kept here: ticks, models and what was answered stay where they are, so everybody else comes to the same; of
who was forgotten the mark stays. It is written as an import is (importing.py): broken off, it goes on where it stopped,
and no worker begins before it is through. Where intake was in the firm's topics goes along.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec.structs import replace

from streamproc.adapters.kafka.importing import Addressed, ImportingError
from streamproc.adapters.kafka.names import Names
from streamproc.adapters.kafka.reading import Span, Topics
from streamproc.adapters.kafka.reading_base import positions_of
from streamproc.adapters.kafka.reading_journal import Placed
from streamproc.adapters.kafka.state_topics import APPS, TAKEN
from streamproc.adapters.kafka.tools import admin_of
from streamproc.adapters.kafka.transactions import Output
from streamproc.config import KafkaSettings
from streamproc.core.control import Forget, Handover, JournalRecord, Setup, Tick
from streamproc.core.ids import mark_of

STOP = "let the workers come to the end of all topics, `streamproc lag` shows it, then stop them"


class Gone(NamedTuple):
    """Those who were forgotten: by id where in their partition, by mark what happened before when (µs) stays out.

    An id is known until the journal is made anew; its mark remains, for what an old export may bring again.
    """

    offsets: dict[str, int]
    marks: dict[str, int]

    def before(self, customer_id: str) -> int:
        """Before when (µs) nothing of the customer's is kept, 0 for one who was not forgotten."""
        return self.marks.get(mark_of(customer_id), 0) if self.marks else 0


def gone_in(parts: Iterable[Iterable[Placed]]) -> Gone:
    """Those whom the journal asks to forget."""
    gone = Gone({}, {})
    for part in parts:
        for offset, record in part:
            if isinstance(record, Forget):
                gone.marks[record.who] = max(record.at, gone.marks.get(record.who, 0))
                if record.customer_id is not None:
                    gone.offsets[record.customer_id] = offset
    return gone


def copied(parts: Sequence[Iterator[Placed]], gone: Gone) -> Iterator[Addressed]:
    """What is left, partition by partition up to each tick; the first partition comes last, so its tick ends the round.

    So the numbers are the same however often it is asked for. Before all else comes what each partition begins with.
    """
    seq, left = 0, set(range(len(parts)))
    while left:
        for number in sorted(left, reverse=True):
            for offset, record in parts[number]:
                kept = _kept(offset, record, gone)
                if kept is not None:
                    seq += 1
                    yield Addressed(seq, kept, (number,))
                if isinstance(record, Setup | Tick):
                    break
            else:
                left.discard(number)


def _kept(offset: int, record: JournalRecord, gone: Gone) -> JournalRecord | None:
    """The record as it stays; None: it goes."""
    if isinstance(record, Forget):
        return replace(record, customer_id=None)
    if isinstance(record, Handover) and record.at < gone.before(record.alias):
        return None  # by time: the alias was asked to be forgotten in a partition of its own
    customer_id = getattr(record, "customer_id", None)
    if customer_id is None:
        return record
    return None if offset < gone.offsets.get(customer_id, 0) or record.at < gone.before(customer_id) else record


def check_stopped(kafka: KafkaSettings) -> None:
    """Raises ImportingError while a worker is in a group of ours; ConfigError without brokers, ClusterError."""
    with admin_of(kafka) as admin:
        ours = {f"{kafka.prefix}{app}" for app in ("intake", *APPS)}
        there_are = sorted(ours & {group["group_id"] for group in admin.list_groups()})
        groups = admin.describe_groups(there_are) if there_are else {}
    running = sorted(name for name, group in groups.items() if group["members"])
    if running:
        raise ImportingError(f"workers still run, in {', '.join(running)}: {STOP}")


def check_all_read(topics: Topics) -> None:
    """Raises ImportingError unless monitors, trainer and desk have read all that there is for them."""
    names = topics.names
    reads = {"monitor": names.journal, "trainer": names.examples, "desk": names.desk_inbox}
    for who, topic in reads.items():
        positions = positions_of(topics, who)
        for number, span in topics.spans(topic).items():
            unread = topics.between(topic, {number: Span(max(positions.get(number, 0), span.begin), span.end)})
            if next(unread.records(number), None) is not None:
                raise ImportingError(f"the {who} has not read all of {topic}/{number}: {STOP}")


def progress_of(topics: Topics) -> dict[bytes, bytes]:
    """How far intake has read, as its topic keeps it."""
    kept: dict[bytes, bytes] = {}
    for record in topics.read(topics.names.progress, [0]).records(0):
        if record.key is not None and record.key != TAKEN:
            kept.pop(record.key, None)
            kept.update({} if record.value is None else {record.key: record.value})
    return kept


def unmoved(topics: Topics, before: Mapping[bytes, bytes], names: Names) -> Iterator[Output]:
    """How far intake has read, as records under other names. Raises ImportingError where it was not so far `before`.

    That is what it had read before the journal was: what came in between is in neither.
    """
    if progress_of(topics) != before:
        raise ImportingError(f"workers ran meanwhile: {STOP}, and choose another prefix")
    for key, value in before.items():
        yield Output(names.progress, 0, key, value)
