"""What may happen to a cluster while a shop sells, and how long it then stands still."""

import random
import signal
import threading
import time
from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Self

from streamproc.adapters.kafka.messages import SourceRead, TickDone, for_desk
from streamproc.core.control import Tick
from streamproc.core.time import DAY
from streamproc.simulate import Dirt, Shop, SimEvent, simulate
from streamproc.wire import journal
from tests.adapters.kafka.committed import Committed
from tests.adapters.kafka.oracle import Figures, Judge
from tests.adapters.kafka.workers import HORIZON_DAYS, PATIENCE, PROMISED_EXIT, Worker, Workers, in_order
from tests.servers.broker import Kafka
from tests.servers.redis_server import RedisServer

TRAINING_DAYS = round(HORIZON_DAYS / 13)


def shop(customers: int, days: int, seed: int = 5, poison: float = 0.0) -> list[SimEvent]:
    return list(simulate(Shop(customers=customers, days=days, seed=seed, dirt=Dirt(poison=poison))))


class Scene:
    """A shop that sells to a running cluster, as long as the block; what is done to it is drawn from `chance`."""

    def __init__(self, workers: Workers, redis: RedisServer, chance: random.Random, kafka: Kafka | None = None) -> None:
        self.workers = workers
        self.redis = redis
        self.chance = chance
        self.resumed: list[float] = []
        self._kafka = kafka
        names = workers.names
        self._inbox = Committed(workers.bootstrap, {names.desk_inbox: 1})
        self._journal = Committed(workers.bootstrap, {names.journal: workers.partitions})
        self._hurry = threading.Event()
        self._selling: threading.Thread | None = None
        self._sent: list[SimEvent] = []

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        self._hurry.set()
        self._inbox.close()
        self._journal.close()
        self.workers.close()

    @property
    def kafka(self) -> Kafka:
        assert self._kafka is not None, "this fault needs a broker of its own"
        return self._kafka

    # ------------------------------------------------------------------------------------ the course

    def open(self, events: Sequence[SimEvent], apps: Sequence[str] = ("", "")) -> None:
        """Topics, the first facts, and workers that are ready; one for each of `apps` ("": all four)."""
        opening, self._rest = in_order(events)
        self._sent = [*opening, *self._rest]
        self.workers.make_topics()
        self.workers.produce(opening)
        for only in apps:
            self.workers.start(only)
        self.workers.supervise()
        self.workers.wait_ready()

    def sell_at_once(self, count: int) -> Committed:
        """Sells the first so many and waits until all is quiet; what the topics hold then."""
        first, self._rest = self._rest[:count], self._rest[count:]
        self.workers.produce(first)
        committed = Committed(self.workers.bootstrap, self.workers.topics)
        self.workers.wait_quiet(committed)
        committed.close()
        return committed

    def sell(self, per_second: float) -> None:
        """Begins to sell at this pace."""
        told = (self._rest, per_second, self._hurry)
        self._selling = threading.Thread(target=self.workers.produce, args=told, daemon=True)
        self._selling.start()
        self.wait_resumed(time.time())

    @property
    def selling(self) -> bool:
        """False once all is sold."""
        return self._selling is not None and self._selling.is_alive()

    def suffer(self, fault: "Fault") -> float:
        """One fault, and the seconds until every partition of every processor went on."""
        time.sleep(0.5 + self.chance.random())
        began = time.time()
        fault(self)
        took = self.wait_resumed(time.time())
        self.resumed.append(took)
        print(f"  {fault.__name__}: {time.time() - began:.1f} s, of these {took:.1f} s until all went on", flush=True)
        return took

    def settle(self, seconds: float = PATIENCE) -> Figures:
        """Sells what is left at once, waits until all is quiet, and judges."""
        self._hurry.set()
        assert self._selling is not None
        self._selling.join(seconds)
        committed = Committed(self.workers.bootstrap, self.workers.topics)
        took = self.workers.wait_quiet(committed, seconds)
        committed.close()
        print(f"  quiet after {took:.1f} s; {len(self.workers.exits)} workers had ended", flush=True)
        return Judge(self.workers, committed, self._sent).judge()

    def wait_resumed(self, since: float) -> float:
        """Returns when every partition of journal and purchases moved after `since` (s since 1970); the seconds."""
        purchases = self.workers.inputs["purchases"]
        wanted = {*range(self.workers.partitions), *(f"{purchases}/{n}" for n in range(self.workers.partitions))}

        def went_on() -> bool:
            self._inbox.look()
            fresh = [r for r in self._inbox.records.popitem()[1] if r.timestamp > since * 1000]
            self._inbox.records[self.workers.names.desk_inbox, 0] = []
            for message in (for_desk(record.value or b"") for record in fresh):
                if isinstance(message, TickDone):
                    wanted.discard(message.partition)
                elif isinstance(message, SourceRead):
                    wanted.discard(message.source)
            return not wanted or not self.selling

        self.workers.eventually(went_on, f"{wanted} go on")
        return time.time() - since

    def wait_training_day(self) -> None:
        """Returns when time has just reached a day on which there is a new model."""
        names = self.workers.names

        def reached() -> bool:
            self._journal.look()
            fresh = [journal.decode(body) for body in self._journal.values((names.journal, 0))]
            for records in self._journal.records.values():
                records.clear()
            return any(isinstance(r, Tick) and r.at % (TRAINING_DAYS * DAY) == 0 for r in fresh) or not self.selling

        reached()
        self.workers.eventually(reached, "a training day")

    def one(self, only: str | None = None) -> Worker:
        """One of those that run, by chance; one of these apps alone, where that is asked for."""
        return self.chance.choice([w for w in list(self.workers.running) if only is None or w.only == only])


def fresh_look(workers: Workers) -> Committed:
    """What all topics hold now, read from where each begins."""
    committed = Committed(workers.bootstrap, workers.topics)
    committed.look()
    committed.close()
    return committed


Fault = Callable[[Scene], None]


def kill_one(scene: Scene) -> None:
    scene.one().process.kill()


def kill_both(scene: Scene) -> None:
    for worker in scene.chance.sample(list(scene.workers.running), len(scene.workers.running)):
        worker.process.kill()
        time.sleep(scene.chance.random() / 2)


def stop_and_restart(scene: Scene) -> None:
    _stopped(scene, scene.one())
    scene.workers.start()


def join_and_leave(scene: Scene) -> None:
    third = scene.workers.start()
    scene.workers.eventually(lambda: third.ready, "the third worker is ready")
    time.sleep(1 + scene.chance.random())
    _stopped(scene, third)


def _stopped(scene: Scene, worker: Worker) -> None:
    """It ends with 0, in the time that is promised; one that Python is still starting would end by the signal."""
    scene.workers.eventually(lambda: worker.ready, "the worker that is to stop is ready")
    scene.workers.unsupervised(worker)
    began = time.monotonic()
    worker.signal(signal.SIGTERM)
    code, took = worker.wait(PATIENCE), time.monotonic() - began
    assert code == 0, f"{code}: {worker.last_words()}"
    assert took < PROMISED_EXIT, f"SIGTERM took {took:.1f} s: {worker.last_words()}"


def freeze(scene: Scene) -> None:
    """A process that was paused for too long ends, and not as if all were well."""
    scene.workers.wait_ready()  # one that owns nothing yet has nothing to lose, and goes on
    frozen = scene.workers.unsupervised(scene.one())
    frozen.signal(signal.SIGSTOP)
    time.sleep(scene.workers.session + 3 + 2 * scene.chance.random())
    frozen.signal(signal.SIGCONT)
    assert frozen.wait(PATIENCE) > 0, frozen.last_words()
    scene.workers.start()


def kill_redis(scene: Scene) -> None:
    scene.redis.kill()
    scene.redis.start()


def redis_away(scene: Scene, seconds: float = 4.0) -> None:
    scene.redis.kill()
    time.sleep(seconds)
    scene.redis.start()


def broker_away(scene: Scene, seconds: float = 5.0) -> None:
    scene.kafka.kill()
    time.sleep(seconds)
    scene.kafka.start()


def kill_the_trainer(scene: Scene) -> None:
    scene.workers.wait_ready()
    scene.wait_training_day()
    time.sleep(scene.chance.random() / 4)
    scene.one("trainer").process.kill()


def kill_the_desk(scene: Scene) -> None:
    scene.one("desk").process.kill()
