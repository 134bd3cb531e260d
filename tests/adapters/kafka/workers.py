"""Real worker processes on a real Kafka and Redis: started, supervised, killed, paused, and awaited."""

import os
import re
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec
from kafka import KafkaProducer

from streamproc.adapters.kafka.changelog import POSITION
from streamproc.adapters.kafka.names import Names
from streamproc.adapters.redis.client import reading_client
from streamproc.adapters.redis.layout import keys_under
from streamproc.core.control import JournalRecord
from streamproc.core.policy import Policy
from streamproc.simulate import SimEvent
from streamproc.wire import journal
from tests.adapters.kafka.committed import Committed, Place
from tests.servers.broker import Broker
from tests.servers.health import door_in, is_ready
from tests.servers.process import GUARD

PROGRAM = str(Path(sys.executable).with_name("streamproc"))
STREAMS = ("purchases", "complaints", "contacts", "facts")
HORIZON_DAYS = 45
EAGER = Policy(raise_at=0.3, clear_at=0.2, escalate_at=0.6, minimum_customers_fitted=20)
PATIENCE = 240.0
RESTART_SECONDS = 0.5
PROMISED_EXIT = 10.0


class Exit(NamedTuple):
    """How a worker ended that nobody told to."""

    code: int
    last_words: str


class Worker:
    """One process; what it says goes to `log`, and it does not outlive the tests."""

    def __init__(self, only: str, environment: dict[str, str], folder: Path, log: Path) -> None:
        self.only = only
        self.log = log
        command = [PROGRAM, "worker", *(["--only", only] if only else [])]
        with log.open("wb") as output:
            self.process = subprocess.Popen(
                command, env=environment, cwd=folder, stdin=subprocess.DEVNULL, stdout=output, stderr=output
            )
        self._guard = subprocess.Popen(
            ["sh", "-c", GUARD, "guard", str(os.getpid()), str(self.process.pid)], start_new_session=True
        )

    @property
    def ready(self) -> bool:
        """Whether all its apps own what they should."""
        return is_ready(door_in(self.log))

    def signal(self, number: signal.Signals) -> None:
        self.process.send_signal(number)

    def wait(self, seconds: float) -> int:
        """The exit code."""
        code = self.process.wait(seconds)
        self._guard.kill()
        self._guard.wait()
        return code

    def kill(self) -> None:
        self.process.kill()
        self.wait(PATIENCE)

    def last_words(self) -> str:
        return self.log.read_text(errors="replace")[-3000:]


class Workers:
    """The workers of one installation, and a supervisor that starts again what has ended."""

    def __init__(
        self, node: Broker, redis_url: str, prefix: str, folder: Path, *, partitions: int = 3, session: float = 6.0
    ) -> None:
        self.names = Names(prefix)
        self.partitions = partitions
        self.session = session
        self.redis_url = redis_url
        self.bootstrap = node.bootstrap
        self.exits: list[Exit] = []
        self.running: list[Worker] = []
        self._folder = folder
        self._started = 0
        self._lock = threading.RLock()
        self._ended = threading.Event()
        self._supervisor = threading.Thread(target=self._supervise, daemon=True)
        self.environment = {
            **{name: value for name, value in os.environ.items() if not name.startswith("STREAMPROC_")},
            "OMP_NUM_THREADS": "1",
            "OPENBLAS_NUM_THREADS": "1",
            "STREAMPROC_KAFKA__BROKERS": node.bootstrap,
            "STREAMPROC_KAFKA__PREFIX": prefix,
            "STREAMPROC_KAFKA__PARTITIONS": str(partitions),
            "STREAMPROC_KAFKA__CLOCK": "event",
            "STREAMPROC_KAFKA__SESSION_SECONDS": str(session),
            "STREAMPROC_HORIZON_DAYS": str(HORIZON_DAYS),
            "STREAMPROC_REDIS__URL": redis_url,
            "STREAMPROC_POLICY": msgspec.json.encode(EAGER).decode(),
            **{f"STREAMPROC_KAFKA__{name.upper()}": topic for name, topic in self.inputs.items()},
        }

    @property
    def inputs(self) -> dict[str, str]:
        """The firm's topics, by stream."""
        return {stream: f"{self.names.prefix}{stream}" for stream in STREAMS}

    @property
    def topics(self) -> dict[str, int]:
        """All topics with their partitions."""
        names, many = self.names, self.partitions
        single = (names.examples, names.desk_inbox, names.warnings, names.dead_letters, names.progress)
        return {
            **dict.fromkeys(self.inputs.values(), many),
            **dict.fromkeys((names.journal, names.changelog("monitor")), many),
            **dict.fromkeys((*single, names.changelog("trainer"), names.changelog("desk")), 1),
        }

    def make_topics(self) -> None:
        command = [PROGRAM, "topics", "create"]
        subprocess.run(command, env=self.environment, cwd=self._folder, check=True, capture_output=True)

    # ---------------------------------------------------------------------------------- processes

    def supervise(self) -> None:
        self._supervisor.start()

    def _supervise(self) -> None:
        while not self._ended.wait(RESTART_SECONDS):
            with self._lock:
                for worker in [w for w in self.running if w.process.poll() is not None]:
                    self.running.remove(worker)
                    self.exits.append(Exit(worker.wait(1), worker.last_words()))
                    self.start(worker.only)

    def start(self, only: str = "") -> Worker:
        with self._lock:
            self._started += 1
            log = self._folder / f"worker-{self._started}.log"
            worker = Worker(only, self.environment, self._folder, log)
            self.running.append(worker)
        return worker

    def unsupervised(self, worker: Worker) -> Worker:
        """The worker, whose end is now the caller's affair."""
        with self._lock:
            self.running.remove(worker)
        return worker

    def wait_ready(self, seconds: float = PATIENCE) -> float:
        """Returns when all that run are ready; the seconds that took."""
        return self.eventually(lambda: all(worker.ready for worker in list(self.running)), "workers ready", seconds)

    def eventually(self, condition: Callable[[], bool], what: str, seconds: float = PATIENCE) -> float:
        """Waits until it holds; the seconds that took."""
        began = time.monotonic()
        while not condition():
            if time.monotonic() - began > seconds:
                words = "\n".join(f"{w.log.name}: {w.last_words()}" for w in list(self.running))
                raise AssertionError(f"not within {seconds:.0f} s: {what}\n{words}")
            time.sleep(0.2)
        return time.monotonic() - began

    def close(self) -> None:
        self._ended.set()
        if self._supervisor.is_alive():
            self._supervisor.join()
        for worker in self.running:
            worker.kill()

    # -------------------------------------------------------------------------------- what goes in

    def produce(
        self, events: Sequence[SimEvent], per_second: float = 0.0, hurry: threading.Event | None = None
    ) -> None:
        """Sends lines to their topics, by customer: all at once, or so many a second until there is a `hurry`.

        Brokers that are away are waited for.
        """
        producer = KafkaProducer(
            bootstrap_servers=self.bootstrap, acks="all", enable_idempotence=True, linger_ms=10,
            delivery_timeout_ms=3_600_000, max_block_ms=3_600_000,
        )  # fmt: skip
        began = time.monotonic()
        sent = []
        for number, event in enumerate(events):
            if hurry is not None and per_second:
                hurry.wait(max(0.0, began + number / per_second - time.monotonic()))
            sent.append(producer.send(self.inputs[event.stream], event.line, key=_key(event.line)))
        producer.flush()
        for future in sent:
            future.get(PATIENCE)
        producer.close()

    # --------------------------------------------------------------------------------- what comes out

    def wait_quiet(self, committed: Committed, seconds: float = PATIENCE) -> float:
        """Returns when all is read, time is at its end and the feed has all lines; the seconds that took."""

        def quiet() -> bool:
            committed.look()
            if not (self._all_read(committed) and self._at_the_end(committed)):
                return False
            time.sleep(1.5)
            return committed.look() == 0

        took = self.eventually(quiet, "the cluster is quiet", seconds)
        last = committed.records[self.names.warnings, 0][-1:]
        with reading_client(self.redis_url) as client:
            position = keys_under(self.names.prefix).position
            return took + self.eventually(
                lambda: not last or client.get(position) == b"%d" % last[0].offset, "the feed has all lines", seconds
            )

    def _all_read(self, committed: Committed) -> bool:
        names = self.names
        progress = committed.kept((names.progress, 0))
        read: dict[Place, bytes] = {
            (topic, n): progress.get(f"{topic}/{n}/".encode() + POSITION, b"0")
            for topic in self.inputs.values()
            for n in range(self.partitions)
        }
        for n in range(self.partitions):
            read[names.journal, n] = committed.kept((names.changelog("monitor"), n)).get(POSITION, b"0")
        read[names.examples, 0] = committed.kept((names.changelog("trainer"), 0)).get(POSITION, b"0")
        read[names.desk_inbox, 0] = committed.kept((names.changelog("desk"), 0)).get(POSITION, b"0")
        return all(int(position) >= committed.end(place) for place, position in read.items())

    def _at_the_end(self, committed: Committed) -> bool:
        """Whether the last tick has passed the last event."""
        last_event = last_tick = 0
        for n in range(self.partitions):
            for body in committed.values((self.names.journal, n)):
                head = _HEAD.decode(body)
                if head.type == "tick":
                    last_tick = max(last_tick, head.at)
                elif head.event_id:
                    last_event = max(last_event, head.at)
        return 0 < last_event < last_tick


class _Head(msgspec.Struct):
    type: str
    at: int
    event_id: str = ""


_HEAD = msgspec.json.Decoder(_Head)
_CUSTOMER = re.compile(rb'"customer_id":"([^"]{1,64})"')


def _key(line: bytes) -> bytes | None:
    found = _CUSTOMER.search(line)
    return found[1] if found else None


def journal_of(committed: Committed, names: Names, number: int) -> list[JournalRecord]:
    """The records of one of the journal's partitions."""
    records: list[JournalRecord] = []
    for body in committed.values((names.journal, number)):
        record = journal.decode(body)
        assert not isinstance(record, journal.DecodeFailure), record
        records.append(record)
    return records


def in_order(events: Iterable[SimEvent]) -> tuple[list[SimEvent], list[SimEvent]]:
    """The facts of the first instant, to be there before anything is taken in, and all else as it comes."""
    every = [event for event in events if event.stream in STREAMS]
    opening = [e for e in every if e.stream == "facts" and e.at == every[0].at and not e.fault]
    first = set(opening)
    return opening, [event for event in every if event not in first]
