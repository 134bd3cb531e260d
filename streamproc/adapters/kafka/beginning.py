"""How a journal begins: the set-up and the clock's mode, the first records of each of its partitions.

The rule kept here: all partitions begin in one transaction, written by whoever comes first; everybody else finds it.
A journal that begins with an imported past is begun once the import's last transaction is there (importing.py).
"""

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Any, NamedTuple

import aiokafka
from aiokafka.errors import ProducerFenced

from streamproc.adapters.kafka.messages import IMPORTED
from streamproc.adapters.kafka.names import BEGINNING, Names
from streamproc.adapters.kafka.state_topics import headers_of, ids_in
from streamproc.adapters.kafka.transactions import Connection, Output, TransactionWriter
from streamproc.core.control import ClockMode, Setup
from streamproc.wire import journal

_TIMEOUT = 20.0


class BeginningError(Exception):
    """The journal does not begin with a set-up, or its import was broken off; the message says what to do."""


class Begun(NamedTuple):
    """What the journal began with: its set-up, and the ids of the topics that hold its state, as far as it has them."""

    setup: Setup
    ids: Mapping[str, str]


async def begin(
    connection: Connection, names: Names, partitions: int, asked: Setup, ids: Mapping[str, str] = MappingProxyType({})
) -> Begun:
    """How the journal began; an empty one begins now, with topics of these `ids` for its state.

    Raises BeginningError, aiokafka's KafkaError.
    """
    while (first := await _first(connection, names.journal)) is None:
        with suppress(ProducerFenced):  # somebody came in between: what they write counts
            await _begin(connection, names, _beginning(names.journal, partitions, asked, ids))
    if any(name == IMPORTED for name, _ in first.headers) and await _first(connection, names.examples) is None:
        raise BeginningError(
            f"{names.journal} has a part of its past only: the import goes on, or was broken off. "
            "The same command brings in the rest: `streamproc journal import` with the same data folder, `streamproc "
            "journal rewrite` or `streamproc retract`."
        )
    found = journal.decode(first.value or b"")
    if not isinstance(found, Setup):
        raise BeginningError(
            f"{names.journal} does not begin with a set-up: is it another program's topic? "
            "Choose another prefix (STREAMPROC_KAFKA__PREFIX), or make the topic anew."
        )
    return Begun(found, ids_in(first.headers))


async def _begin(connection: Connection, names: Names, beginning: list[Output]) -> None:
    writer = TransactionWriter(connection, f"{names.prefix}{BEGINNING}", _TIMEOUT)
    try:
        await writer.fence()  # who began before is through by now, or never will be
        if await _first(connection, names.journal) is None:
            await writer.commit(beginning)
    finally:
        await writer.close()


def _beginning(topic: str, partitions: int, setup: Setup, ids: Mapping[str, str]) -> list[Output]:
    first, second = journal.encode(setup), journal.encode(ClockMode(at=0, mode="event"))
    told = headers_of(ids)
    return [
        output
        for number in range(partitions)
        for output in (Output(topic, number, None, first, told), Output(topic, number, None, second))
    ]


async def _first(connection: Connection, topic: str) -> Any:  # noqa: ANN401 - as aiokafka gives it
    """The first record of the topic's first partition; None where it has none."""
    place = aiokafka.TopicPartition(topic, 0)
    consumer = connection.reader()
    await consumer.start()
    try:
        consumer.assign([place])
        end = (await consumer.end_offsets([place]))[place]
        async with asyncio.timeout(_TIMEOUT):
            while await consumer.position(place) < end:
                records = (await consumer.getmany(place, timeout_ms=500)).get(place)
                if records:
                    return records[0]
        return None
    finally:
        await consumer.stop()
