"""A real cluster's topics filled from one in memory: transactions, aborted ones among them, as workers leave them."""

import asyncio
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from kafka import KafkaProducer
from typer.testing import CliRunner

from streamproc.adapters.kafka.transactions import Record
from streamproc.adapters.redis.client import writing_client
from streamproc.adapters.redis.store import RedisFeedStore
from streamproc.cli.main import app
from streamproc.desk.feed import Numbered, line_in
from tests.adapters.kafka.simulated import NAMES, Cluster, Place
from tests.cli.shop import Ran
from tests.servers.broker import Broker

OURS = {NAMES.journal, NAMES.warnings, NAMES.alerts, NAMES.dead_letters}
A_TRANSACTION = 300


class Filled:
    """The shared Kafka with a run's journal, warnings, dead letters and the firm's topics under a prefix of its own."""

    def __init__(self, kafka: Broker, prefix: str, run: Cluster) -> None:
        self.kafka = kafka
        self.prefix = prefix
        self.run = run
        self.environment = environment(kafka, prefix, run.partitions)
        counts: dict[str, int] = {}
        for topic, number in run.log.records:
            counts[topic] = max(counts.get(topic, 1), number + 1)
        kafka.create({self.topic(name): counts.get(name, 1) for name in {*counts, *OURS, NAMES.changelog("trainer")}})
        written = {place: run.log.records[place] for place in [*run.log.records] if place[0] in OURS}
        letters = (NAMES.dead_letters, 0)
        written[letters] = [self._moved(letter) for letter in run.log.records[letters]]
        self.write({(self.topic(name), number): records for (name, number), records in written.items()})

    def topic(self, name: str) -> str:
        return self.prefix + name.removeprefix(NAMES.prefix)

    def _moved(self, letter: Record) -> Record:
        """A dead letter that names the topic by the name it has here."""
        return letter._replace(
            headers=tuple(
                (name, self.topic(value.decode()).encode() if name == "__streams.errors.topic" else value)
                for name, value in letter.headers
            )
        )

    def write(self, logs: Mapping[Place, list[Record]]) -> None:
        """Writes record by record in turns of all partitions; behind every transaction comes one that is aborted."""
        producer = KafkaProducer(
            bootstrap_servers=self.kafka.bootstrap, transactional_id=f"{self.prefix}fill", max_request_size=4 << 20
        )
        producer.init_transactions()
        for begin in range(0, max(map(len, logs.values())), A_TRANSACTION):
            producer.begin_transaction()
            for (topic, number), records in logs.items():
                for record in records[begin : begin + A_TRANSACTION]:
                    headers = list(record.headers)
                    producer.send(topic, record.value, record.key, headers=headers, partition=number)
            producer.commit_transaction()
            producer.begin_transaction()
            for (topic, number), records in logs.items():
                if records[begin:]:
                    producer.send(topic, records[begin].value, records[begin].key, partition=number)
            producer.flush()
            producer.abort_transaction()
        producer.close()

    def lines(self) -> bytes:
        """The feed as the desk wrote it."""
        return b"".join(body + b"\n" for body in self.run.log.values((NAMES.warnings, 0)))

    def cli(self, monkeypatch: Any, folder: Path) -> Callable[..., Ran]:
        """The program, told of this cluster."""
        return cli_in(monkeypatch, folder, self.environment)


def environment(kafka: Broker, prefix: str, partitions: int) -> dict[str, str]:
    named = {
        f"STREAMPROC_KAFKA__{name.upper()}": prefix + name for name in ("purchases", "complaints", "contacts", "facts")
    }
    return named | {
        "STREAMPROC_KAFKA__BROKERS": kafka.bootstrap,
        "STREAMPROC_KAFKA__PREFIX": prefix,
        "STREAMPROC_KAFKA__PARTITIONS": str(partitions),
    }


def cli_in(monkeypatch: Any, folder: Path, settings: Mapping[str, str]) -> Callable[..., Ran]:
    monkeypatch.chdir(folder)
    for name, value in settings.items():
        monkeypatch.setenv(name, value)

    def run(*words: object) -> Ran:
        result = CliRunner().invoke(app, [str(word) for word in words])
        if result.exception is not None and not isinstance(result.exception, SystemExit):
            raise result.exception
        return Ran(result.exit_code, result.stdout_bytes, result.stderr)

    return run


def fill_redis(url: str, prefix: str, run: Cluster) -> None:
    """The run's feed in a Redis, as the feed's writer puts it there."""
    records = [
        Numbered(record.offset, record.value or b"", line_in(record.value))
        for record in run.log.records[NAMES.warnings, 0]
    ]

    async def write() -> None:
        async with writing_client(url) as client:
            await RedisFeedStore(client, prefix).write(None, records)

    asyncio.run(write())
