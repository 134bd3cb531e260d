"""The dead letters on Kafka: read, and sent where they came from once more.

The rule kept here: a letter's bytes and the note that they were sent again are written in one transaction. The note is
a record of the dead letters' own topic, told from a letter by what it lacks: a place where it came from.
"""

from collections.abc import Collection, Iterable, Iterator
from itertools import islice
from typing import Literal

import msgspec
from msgspec import Struct

from streamproc.adapters.kafka.reading import Span, Topics, header
from streamproc.adapters.kafka.transacting import writer_to
from streamproc.adapters.kafka.transactions import Output, Record
from streamproc.config import KafkaSettings
from streamproc.core.events import CustomerEvent
from streamproc.wire import journal

ERRORS = "__streams.errors."
FIELD = "streamproc.field"
SENT_AGAIN = "streamproc.redrive"
"""The header of what is sent again: the dead letter's number."""

NOTE = "streamproc.redriven"
"""The header of the note: the dead letter's number."""

A_TRANSACTION = 500


class KafkaLetter(Struct, frozen=True):
    """A dead letter: its own offset is its `number`; `topic`, `partition`, `offset` say where it stood.

    `redriven` says when it was sent again (RFC 3339), None: never.
    """

    number: int
    reason: str
    field: str
    detail: str
    topic: str
    partition: int
    offset: int
    key: bytes | None
    value: bytes
    headers: tuple[tuple[str, bytes], ...]
    redriven: str | None


class Note(Struct, frozen=True):
    """What the note says."""

    number: int
    at: str


class Sent(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a dead letter: `sent` to its topic, where intake judges it anew, or not sent, and why."""

    id: int
    status: Literal["sent", "refused"]
    topic: str
    partition: int
    detail: str | None = None


class DeadLetters:
    """The topic as it is now; `redriven` says of letters by number when they were sent again.

    Errors are kafka-python's.
    """

    def __init__(self, topics: Topics) -> None:
        self._topics = topics
        self._topic = topics.names.dead_letters
        self._span = topics.spans(self._topic)[0]
        self.redriven = dict(self._notes())

    def read(self, reason: str | None = None, numbers: Collection[int] | None = None) -> Iterator[KafkaLetter]:
        """The letters, oldest first: all, of one reason, or these."""
        span = self._span
        if numbers is not None:
            wanted = [number for number in numbers if span.begin <= number < span.end]
            span = Span(min(wanted), max(wanted) + 1) if wanted else Span(span.end, span.end)
        for record in self._records(span):
            letter = _letter(record, self.redriven.get(record.offset))
            if letter is None or (numbers is not None and letter.number not in numbers):
                continue
            if reason is None or letter.reason == reason:
                yield letter

    def _notes(self) -> Iterator[tuple[int, str]]:
        for record in self._records(self._span):
            if header(record.headers, NOTE) and not header(record.headers, f"{ERRORS}topic"):
                note = msgspec.json.decode(record.value or b"", type=Note)
                yield note.number, note.at

    def _records(self, span: Span) -> Iterator[Record]:
        return self._topics.between(self._topic, {0: span}).records(0)


def redrive(topics: Topics, settings: KafkaSettings, letters: Iterable[KafkaLetter], now: str) -> Iterator[Sent]:
    """Sends letters where they came from once more; those of our own inner topics are not. `now` as RFC 3339.

    Raises ClusterError; what was not given by then was not sent.
    """
    sizes = {topic: len(topics.spans(topic)) for topic in {*settings.inputs.values(), topics.names.journal}}
    left = iter(letters)
    with writer_to(settings, "redrive") as writer:
        noted = DeadLetters(topics).redriven  # from here on nobody else is at it
        while some := list(islice(left, A_TRANSACTION)):
            found = [(letter, _hindrance(letter, topics.names.journal, sizes, noted)) for letter in some]
            good = [letter for letter, hindrance in found if hindrance is None]
            if good:
                writer.commit(output for letter in good for output in _outputs(letter, topics.names.dead_letters, now))
            yield from (_sent(letter, hindrance) for letter, hindrance in found)


def _sent(letter: KafkaLetter, hindrance: str | None) -> Sent:
    status: Literal["sent", "refused"] = "sent" if hindrance is None else "refused"
    return Sent(id=letter.number, status=status, topic=letter.topic, partition=letter.partition, detail=hindrance)


def _hindrance(letter: KafkaLetter, of_journal: str, sizes: dict[str, int], noted: dict[int, str]) -> str | None:
    """Why a letter cannot be sent again, None if it can."""
    if noted.get(letter.number) != letter.redriven:
        return "somebody else has sent it again meanwhile"
    if letter.topic not in sizes:
        return f"{letter.topic} is none of the firm's topics, nor the journal"
    if letter.partition >= sizes[letter.topic]:
        return f"{letter.topic} has no partition {letter.partition} any more"
    if letter.topic == of_journal and not isinstance(journal.decode(letter.value), CustomerEvent):
        return "no event was kept: what failed was a look, or cannot be read"
    return None


def _outputs(letter: KafkaLetter, dead_letters: str, now: str) -> list[Output]:
    told = [(name, value) for name, value in letter.headers if not name.startswith((ERRORS, FIELD, SENT_AGAIN))]
    number = str(letter.number).encode()
    note = msgspec.json.encode(Note(letter.number, now))
    return [
        Output(letter.topic, letter.partition, letter.key, letter.value, [*told, (SENT_AGAIN, number)]),
        Output(dead_letters, 0, None, note, [(NOTE, number)]),
    ]


def _letter(record: Record, redriven: str | None) -> KafkaLetter | None:
    def told(name: str) -> str:
        return header(record.headers, f"{ERRORS}{name}")

    if not told("topic"):
        return None
    return KafkaLetter(
        record.offset, told("exception"), header(record.headers, FIELD), told("message") or told("stacktrace"),
        told("topic"), int(told("partition")), int(told("offset")), record.key, record.value or b"", record.headers,
        redriven,
    )  # fmt: skip
