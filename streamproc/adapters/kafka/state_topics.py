"""The topics that hold state, and whether they are still those that the journal began with.

The rule kept here: the journal's first record says which topics hold its state, by the brokers' ids of them. One that
was made anew under the same name holds none of it, whatever is in it: to go on with it would do again what was done.
"""

from collections.abc import Mapping, Sequence

from streamproc.adapters.kafka.names import Names

HEADER = "streamproc.state_topic"
"""The header of the journal's first record, once for each topic that holds state: `name=id`."""

TAKEN = b"\0taken"
"""The changelog key, in each partition, of the id under which a person took the topic for the one it stands for."""

APPS = ("monitor", "trainer", "desk")


def state_topics(names: Names) -> tuple[str, ...]:
    """The topics that hold state."""
    return names.progress, *map(names.changelog, APPS)


def headers_of(ids: Mapping[str, str]) -> tuple[tuple[str, bytes], ...]:
    """What the journal's first record says of topics with these ids."""
    return tuple((HEADER, f"{name}={topic_id}".encode()) for name, topic_id in sorted(ids.items()))


def ids_in(headers: Sequence[tuple[str, bytes]]) -> dict[str, str]:
    """The ids that the journal's first record names; none where an older version, or an older broker, was at work."""
    said = [value.decode().rpartition("=") for name, value in headers if name == HEADER]
    return {name: topic_id for name, _, topic_id in said}


def taken_by(values: Mapping[bytes, bytes]) -> str:
    """The id under which a topic with these last values was taken; empty where it never was."""
    return values.get(TAKEN, b"").decode()
