import asyncio

import pytest

from streamproc.adapters.kafka.beginning import BeginningError, begin
from streamproc.adapters.kafka.names import Names
from streamproc.adapters.kafka.rates import learning
from streamproc.adapters.kafka.transactions import Connection, Output, TransactionWriter
from streamproc.core.control import ClockMode, Setup
from streamproc.intake.intake import Intake
from streamproc.intake.rates import Rates
from streamproc.wire import journal
from tests.adapters.kafka.committed import Committed
from tests.servers.broker import Broker

ASKED = Setup(at=0, horizon_days=45)
RATE = b'{"event_id":"r%d","occurred_at":"2024-01-01T00:00:00Z","fact":"currency_rate","subject":"%s","value":0.9}'


def test_whoever_begins_when_a_journal_begins_once(kafka: Broker, topic_prefix: str) -> None:
    connection = Connection(kafka.bootstrap)

    async def begin_after(delay: float, names: Names) -> Setup:
        await asyncio.sleep(delay)
        return (await begin(connection, names, 3, ASKED, {names.progress: "1d"})).setup

    async def all_begin(names: Names, delays: tuple[float, ...]) -> list[Setup]:
        return await asyncio.gather(*(begin_after(delay, names) for delay in delays))

    for number, delays in enumerate([(0.0, 0.0, 0.0), (0.0, 0.05, 0.1), (0.0, 0.2, 0.4)]):
        names = Names(f"{topic_prefix}{number}.")
        kafka.create({names.journal: 3})
        assert asyncio.run(all_begin(names, delays)) == [ASKED] * 3
        committed = Committed(kafka.bootstrap, {names.journal: 3})
        committed.look()
        committed.close()
        for partition in range(3):
            bodies = committed.values((names.journal, partition))
            assert [type(journal.decode(body)) for body in bodies] == [Setup, ClockMode]


def test_a_topic_of_something_else_is_refused(kafka: Broker, topic_prefix: str) -> None:
    names = Names(topic_prefix)
    kafka.create({names.journal: 1})

    async def other() -> None:
        writer = TransactionWriter(Connection(kafka.bootstrap), f"{topic_prefix}other", 5.0)
        await writer.fence()
        await writer.commit([Output(names.journal, 0, None, b'{"no":"journal"}')])
        await writer.close()

    asyncio.run(other())
    with pytest.raises(BeginningError, match="another program"):
        asyncio.run(begin(Connection(kafka.bootstrap), names, 1, ASKED))


def test_rates_that_are_there_are_known_before_anything_is_taken_in(kafka: Broker, topic_prefix: str) -> None:
    topic = f"{topic_prefix}facts"
    kafka.create({topic: 2})
    connection = Connection(kafka.bootstrap)

    async def send() -> None:
        writer = TransactionWriter(connection, f"{topic_prefix}sender", 5.0)
        await writer.fence()
        await writer.commit([Output(topic, n, None, RATE % (n, code)) for n, code in enumerate((b"USD", b"CHF"))])
        await writer.close()

    async def known() -> set[str]:
        rates = Rates("EUR")
        async with learning(connection, topic, 2, Intake(rates)):
            return set(rates.dump())

    asyncio.run(send())
    for _ in range(5):
        assert asyncio.run(known()) == {"USD", "CHF"}
