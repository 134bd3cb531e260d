"""The alerts' lines as their topic holds them."""

from collections.abc import Iterable, Iterator

import msgspec

from streamproc.adapters.kafka.reading import Topics
from streamproc.adapters.kafka.transactions import Record
from streamproc.core.alerts import Alert


def alerts_in(topics: Topics) -> Iterator[Alert]:
    """The lines so far. Errors are kafka-python's, and ClusterError."""
    return _lines(topics.read(topics.names.alerts).records(0))


def alert_news(topics: Topics) -> Iterator[Alert]:
    """The lines from this moment on, as they are committed; it never ends."""
    end = topics.spans(topics.names.alerts)[0].end
    return _lines(record for _, record in topics.follow(topics.names.alerts, {0: end}))


def _lines(records: Iterable[Record]) -> Iterator[Alert]:
    return (msgspec.json.decode(record.value or b"", type=Alert) for record in records)
