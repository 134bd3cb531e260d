"""A processor to test the transport with, and a worker that runs it: `python -m tests.adapters.kafka.toy '{…}'`.

It counts per customer. One record in a hundred, by hash, is an alert that says what it was counted from; every
record's fate is a function of the records before it in its partition, so that a pure run over them is the oracle.
"""

import json
import logging
import os
import signal
import sys
import time
from collections.abc import Sequence
from functools import partial
from typing import Any
from zlib import crc32

from streamproc.adapters.kafka import transport
from streamproc.adapters.kafka.apps import Settings
from streamproc.adapters.kafka.ownership import AppSpec
from streamproc.adapters.kafka.ownership_partition import Pace
from streamproc.adapters.kafka.security import broker_credentials, client_security
from streamproc.adapters.kafka.transactions import Connection, Output, Record, Writes
from streamproc.adapters.kafka.worker import run
from streamproc.config import KafkaSettings
from streamproc.core.turns import Turns

POISON = b"POISON"
RAISE = b"RAISE"
SLOW = b"SLOW"


class Counter:
    """The toy processor of one partition."""

    def __init__(self, topic: str, partition: int, prefix: str, *, ticks: int = 0) -> None:
        self.source = f"{topic}/{partition}"
        self.states: dict[bytes, tuple[int, int]] = {}
        self.restored = 0
        self._alerts, self._dead, self._ticks = f"{prefix}alerts", f"{prefix}dead", f"{prefix}ticks"
        self._broadcast = ticks
        self.tick = 0

    def restore(self, key: bytes, value: bytes) -> None:
        if key == b"tick":
            self.tick = int(value)
        else:
            count, total = json.loads(value)
            self.states[key] = count, total
            self.restored += 1

    def process(self, records: Sequence[Record]) -> Turns[Writes]:
        outputs, changed = [], set()
        for record in records:
            yield
            if record.value == POISON:
                os.kill(os.getpid(), signal.SIGKILL)
            if record.value == RAISE:
                raise ValueError("this record is an error of the processor")
            if record.value == SLOW:
                time.sleep(0.5)
                continue
            assert record.key is not None
            assert record.value is not None
            count, total = self.states.get(record.key, (0, 0))
            self.states[record.key] = count + 1, total + int(record.value)
            changed.add(record.key)
            if crc32(b"%s %d" % (record.key, count)) % 100 == 0:
                found = {"from": self.source, "offset": record.offset, "state": self.states[record.key]}
                outputs.append(Output(self._alerts, 0, record.key, json.dumps(found).encode()))
        return Writes(outputs, [(key, json.dumps(self.states[key]).encode()) for key in sorted(changed)])

    def poison(self, record: Record) -> Writes:
        place = f"{self.source}/{record.offset}".encode()
        return Writes([Output(self._dead, 0, record.key, record.value, (("place", place),))], [])

    def wake(self, now: float, *, caught_up: bool) -> Writes | None:  # noqa: ARG002 - the door's
        if not self._broadcast:
            return None
        self.tick += 1
        value = json.dumps([self.tick, int(now)]).encode()
        ticks = [Output(self._ticks, n, self.source.encode(), value) for n in range(self._broadcast)]
        return Writes(ticks, [(b"tick", b"%d" % self.tick)])


def specs(prefix: str, apps: Sequence[dict[str, Any]]) -> list[AppSpec]:
    return [
        AppSpec(
            name=app["name"],
            topics=tuple(f"{prefix}{topic}" for topic in app["topics"]),
            changelog=f"{prefix}{app['changelog']}",
            processor=partial(Counter, prefix=prefix, ticks=app.get("ticks", 0)),
            shared=app.get("shared", False),
            mending=app.get("mending", ""),
        )
        for app in apps
    ]


def connection(told: dict[str, Any]) -> Connection:
    settings = KafkaSettings(brokers=told["brokers"], **told.get("secured", {}))
    return Connection(settings.brokers, broker_credentials(settings), client_security(settings))


if __name__ == "__main__":
    told = json.loads(sys.argv[1])
    logging.basicConfig(level=told.get("log", "INFO"), stream=sys.stderr, format="%(asctime)s %(name)s %(message).400s")
    pace = Pace(**told.get("pace", {}))
    transport.FETCH_WAIT_MS = told.get("fetch_wait", transport.FETCH_WAIT_MS)
    run(specs(told["prefix"], told["apps"]), Settings(connection(told), told["prefix"], told.get("session", 6.0), pace))
