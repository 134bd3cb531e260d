"""What monitors, trainer and desk remember beside the customers, as the changelogs hold it by now."""

import msgspec

from streamproc.adapters.kafka.changelog import POSITION
from streamproc.adapters.kafka.desk import STATE, desk_in
from streamproc.adapters.kafka.messages import PINNED
from streamproc.adapters.kafka.monitor import META
from streamproc.adapters.kafka.reading import Span, Topics
from streamproc.desk.desk import Desk
from streamproc.monitor.partition import Meta

LAST_LOOK = 64
"""Offsets from the end that are read first: it is written with every batch."""


def metas_of(topics: Topics) -> list[Meta]:
    """Of each partition that has taken anything in, in order. Errors are kafka-python's, and ClusterError."""
    found = last_of(topics, topics.names.changelog("monitor"), META)
    return [msgspec.msgpack.decode(value, type=Meta) for _, value in sorted(found.items())]


def desk_of(topics: Topics) -> Desk | None:
    """The desk as it is by now, None where it has done nothing yet. Errors as above."""
    found = last_of(topics, topics.names.changelog("desk"), STATE)
    return desk_in(found[0]) if found else None


def pinned_in(topics: Topics) -> str | None:
    """The id of the model that stays in force until it is unpinned, None without one. Errors as above."""
    found = last_of(topics, topics.names.changelog("trainer"), PINNED)
    return (found[0].decode() or None) if found else None


def positions_of(topics: Topics, app: str) -> dict[int, int]:
    """By partition the first record that an app has not taken, of those that it has taken any of. Errors as above."""
    found = last_of(topics, topics.names.changelog(app), POSITION)
    return {number: int(value) for number, value in found.items()}


def last_of(topics: Topics, topic: str, key: bytes) -> dict[int, bytes]:
    """By partition what was written last under a key; it is looked for from the end."""
    wanted, look = topics.spans(topic), LAST_LOOK
    found: dict[int, bytes] = {}
    while wanted:
        ends = {n: Span(max(span.begin, span.end - look), span.end) for n, span in wanted.items()}
        reader = topics.between(topic, ends)
        for number, span in ends.items():
            values = [record.value or b"" for record in reader.records(number) if record.key == key]
            if values:
                found[number] = values[-1]
            if values or span.begin == wanted[number].begin:
                del wanted[number]
        look *= 8
    return found
