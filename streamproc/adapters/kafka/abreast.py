"""Sources are read abreast: one that is more than an hour ahead of the slowest waits for it.

What it brought meanwhile would wait for its tick in the monitors' memory and changelogs; so it waits in its topic. How
far the others are read is what their owners keep in the progress topic, whichever process they are in.
"""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from msgspec import msgpack

from streamproc.adapters.kafka.clock import Mode, Source, ahead
from streamproc.adapters.kafka.following import following
from streamproc.adapters.kafka.intake import STATE, IntakeProcessor, Read
from streamproc.adapters.kafka.transactions import Connection

_KEY_END = b"/" + STATE


class Abreast:
    """How far the sources are read, and which of them must wait; `expected` are those that there are."""

    def __init__(self, expected: frozenset[str], mode: Mode) -> None:
        self._expected = expected
        self._mode = mode
        self._sources: dict[str, Source] = {}

    def following(self, connection: Connection, topic: str) -> AbstractAsyncContextManager[None]:
        """Enters once all that the progress topic holds by now is known. Raises aiokafka's KafkaError."""
        return following(connection, topic, 1, self._take, "how far the sources are read")

    def _take(self, _place: Any, records: Sequence[Any]) -> None:  # noqa: ANN401 - as aiokafka gives them
        for record in records:
            if record.key.endswith(_KEY_END):
                kept = msgpack.decode(record.value, type=Read)
                told = record.timestamp / 1000
                self._sources[record.key.removesuffix(_KEY_END).decode()] = Source(kept.read, kept.caught_up, told=told)

    def held(self, intake: IntakeProcessor, now: float) -> bool:
        """Whether this one must wait now (s since 1970); as the slowest, or unread, it need not."""
        at = intake.place_in_time
        return bool(at) and ahead(self._sources, self._expected, intake.source, self._mode, now) < at
