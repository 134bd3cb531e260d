"""The dead letters of a cluster, as the commands show a folder's."""

from base64 import b64encode
from collections.abc import Iterator
from contextlib import contextmanager

from streamproc.adapters.embedded.deadletters import DeadLetter, Kept
from streamproc.adapters.kafka.reading import topics_of
from streamproc.adapters.kafka.redriving import DeadLetters, KafkaLetter, Sent, redrive
from streamproc.cli.common import wall
from streamproc.config import Settings
from streamproc.core.time import SECOND, to_text


class ClusterLetters:
    """The topic's letters; as `source` and `row` stand the partition and the offset where they came from."""

    def __init__(self, letters: DeadLetters) -> None:
        self._letters = letters

    def read(self, reason: str | None) -> Iterator[Kept]:
        """Those of one reason, or all, oldest first."""
        return map(_kept, self._letters.read(reason))

    def one(self, number: int) -> Kept | None:
        """That of this number."""
        return next(map(_kept, self._letters.read(numbers=[number])), None)

    def place(self, kept: Kept) -> str:
        """Where it stood."""
        return f"{kept.letter.source}:{kept.letter.row}"

    def as_json(self, kept: Kept) -> dict[str, object]:
        """A dead letter for programs."""
        letter = kept.letter
        topic, _, partition = letter.source.rpartition("/")
        return {
            "id": kept.id,
            "reason": letter.reason,
            "field": letter.field,
            "detail": letter.detail,
            "topic": topic,
            "partition": int(partition),
            "offset": letter.row,
            "redriven": kept.redriven,
            "raw_base64": b64encode(letter.raw).decode(),
        }


@contextmanager
def letters_of(settings: Settings) -> Iterator[ClusterLetters]:
    """The cluster's letters. Raises ConfigError without brokers; ClusterError, also from within."""
    with topics_of(settings.kafka) as topics:
        yield ClusterLetters(DeadLetters(topics))


def sent_again(settings: Settings, numbers: list[int] | None, reason: str | None) -> Iterator[Sent]:
    """Sends letters again: those named, or all of the reason that never were. Raises as above."""
    with topics_of(settings.kafka) as topics:
        found = DeadLetters(topics).read(reason, numbers or None)
        wanted = (letter for letter in found if numbers or letter.redriven is None)
        yield from redrive(topics, settings.kafka, wanted, to_text(wall() // SECOND * SECOND))


def _kept(letter: KafkaLetter) -> Kept:
    place = f"{letter.topic}/{letter.partition}"
    told = DeadLetter(letter.reason, letter.field, letter.detail, place, letter.offset, 0, letter.value)
    return Kept(letter.number, told, letter.redriven)
