"""Somebody is forgotten on real servers: first by workers and Redis, then, with the topics made anew, altogether."""

import signal
import subprocess
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import msgspec
import pytest
from redis import Redis

from streamproc.adapters.kafka.names import Names
from streamproc.adapters.redis.client import reading_client
from streamproc.adapters.redis.reader import RedisFeedReader
from streamproc.core.events import CustomerEvent
from streamproc.desk.forgetting import is_farewell
from streamproc.desk.warning import Entry
from tests.adapters.kafka.committed import Committed
from tests.adapters.kafka.test_processors import shop
from tests.adapters.kafka.workers import PROGRAM, Workers, in_order, journal_of
from tests.servers.broker import Broker
from tests.servers.redis_server import RedisServer

PARTITIONS = 2


@pytest.fixture
def held() -> Iterator[ExitStack]:
    with ExitStack() as stack:
        yield stack


class Site:
    """One prefix: its workers, what its topics hold, its feed."""

    def __init__(
        self,
        held: ExitStack,
        kafka: Broker,
        redis: RedisServer,
        prefix: str,
        folder: Path,
        beside: "Site | None" = None,
    ) -> None:
        folder.mkdir()
        self.workers = Workers(kafka, redis.url, prefix, folder, partitions=PARTITIONS)
        held.callback(self.workers.close)
        topics = self.workers.topics | {Names(prefix).alerts: 1}
        if beside is not None:  # the firm's topics are the other's
            firms = beside.workers.inputs
            self.workers.environment.update(
                {f"STREAMPROC_KAFKA__{name.upper()}": topic for name, topic in firms.items()}
            )
            topics = {name: count for name, count in topics.items() if name not in self.workers.inputs.values()}
        self.committed = Committed(kafka.bootstrap, topics)
        held.callback(self.committed.close)
        self.redis: Redis = held.enter_context(reading_client(redis.url))
        self.redis.config_set("rdbcompression", "no")  # so that a key's dump shows all that is in it
        self.feed = RedisFeedReader(self.redis, prefix)

    def run(self, *words: str) -> str:
        command = [PROGRAM, *words]
        ran = subprocess.run(command, env=self.workers.environment, check=False, capture_output=True, text=True)
        assert ran.returncode == 0, ran.stderr
        return ran.stdout

    def lines(self) -> list[Entry]:
        self.committed.look()
        bodies = self.committed.values((self.workers.names.warnings, 0))
        return [msgspec.json.decode(body, type=Entry) for body in bodies]

    def events(self) -> list[CustomerEvent]:
        self.committed.look()
        parts = (journal_of(self.committed, self.workers.names, n) for n in range(PARTITIONS))
        return [record for part in parts for record in part if isinstance(record, CustomerEvent)]

    def naming(self, customer_id: str) -> set[str]:
        """Where the customer is named: in what the changelogs keep, in Redis, in any record of another topic."""
        self.committed.look()
        word, found = customer_id.encode(), set[str]()
        inputs = set(self.workers.inputs.values())
        for (topic, number), records in self.committed.records.items():
            if topic in inputs:
                continue
            if topic.endswith(("changelog", "progress")):
                kept = self.committed.kept((topic, number)).items()
                found |= {topic for key, value in kept if word in key + value}
            else:
                found |= {topic for r in records if word in (r.key or b"") + (r.value or b"")}
        mine = [key for key in self.redis.keys("*") if self.workers.names.prefix.encode() in key]
        return found | {"redis" for key in mine if word in (self.redis.dump(key) or b"")}


def test_workers_redis_and_then_all_topics(
    held: ExitStack, kafka: Broker, redis_server: RedisServer, topic_prefix: str, tmp_path: Path
) -> None:
    old = Site(held, kafka, redis_server, topic_prefix, tmp_path / "old")
    old.workers.make_topics()
    opening, rest = in_order(shop(40, 110))
    old.workers.produce(opening)
    old.workers.produce(rest)
    worker = old.workers.start()
    old.workers.wait_quiet(old.committed)
    gone = next(entry.customer_id for entry in old.lines() if entry.kind == "raised")
    assert {"redis", old.workers.names.changelog("monitor"), old.workers.names.journal} <= old.naming(gone)

    old.run("forget", gone, "--yes")
    topics = {old.workers.names.journal, old.workers.names.examples, old.workers.names.desk_inbox}
    old.workers.eventually(lambda: any(map(is_farewell, old.lines())), "the feed's readers are told")
    logged = {*topics, old.workers.names.warnings, old.workers.names.alerts, old.workers.names.dead_letters}
    old.workers.eventually(lambda: old.naming(gone) <= logged, "workers and Redis name them no more")
    assert old.feed.warnings(customers=[gone]) == []
    old.workers.wait_quiet(old.committed)
    old.workers.unsupervised(worker).signal(signal.SIGTERM)
    worker.wait(20)

    prefix = f"{topic_prefix}anew."
    old.run("journal", "rewrite", "--to", prefix)
    new = Site(held, kafka, redis_server, prefix, tmp_path / "new", beside=old)
    expected = [entry for entry in old.lines() if entry.customer_id != gone]
    new.workers.start()
    new.workers.eventually(lambda: len(new.lines()) >= len(expected), "the feed is written anew")
    assert new.lines() == expected
    new.workers.eventually(lambda: len(new.feed.warnings()) == len(old.feed.warnings()), "Redis is filled")
    assert {w.id for w in new.feed.warnings()} == {w.id for w in old.feed.warnings()}
    assert new.naming(gone) == set()
    assert new.events() == [event for event in old.events() if event.customer_id != gone]  # none was read again
    assert not new.workers.exits
