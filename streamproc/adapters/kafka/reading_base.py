"""What the monitors remember beside their customers, as the changelog holds it by now."""

import msgspec

from streamproc.adapters.kafka.monitor import META
from streamproc.adapters.kafka.reading import Span, Topics
from streamproc.adapters.kafka.transactions import Record
from streamproc.monitor.partition import Meta

LAST_LOOK = 64
"""Offsets from the end that are read first: it is written with every batch."""


def metas_of(topics: Topics) -> list[Meta]:
    """Of each partition that has taken anything in, in order. Errors are kafka-python's, and ClusterError."""
    topic = topics.names.changelog("monitor")
    wanted, look = topics.spans(topic), LAST_LOOK
    found: dict[int, Meta] = {}
    while wanted:
        ends = {n: Span(max(span.begin, span.end - look), span.end) for n, span in wanted.items()}
        reader = topics.between(topic, ends)
        for number, span in ends.items():
            meta = _last([record for record in reader.records(number) if record.key == META])
            if meta is not None:
                found[number] = meta
            if meta is not None or span.begin == wanted[number].begin:
                del wanted[number]
        look *= 8
    return [meta for _, meta in sorted(found.items())]


def _last(records: list[Record]) -> Meta | None:
    return msgspec.msgpack.decode(records[-1].value or b"", type=Meta) if records else None
