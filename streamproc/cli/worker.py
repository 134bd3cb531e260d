"""`streamproc worker`: one process of a cluster. Here its apps are put together from the settings."""

import asyncio
import logging
import socket
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import AbstractAsyncContextManager
from functools import partial
from typing import Annotated

import mode
import typer

from streamproc.adapters.kafka import worker as engine
from streamproc.adapters.kafka.abreast import Abreast
from streamproc.adapters.kafka.apps import Settings as AppSettings
from streamproc.adapters.kafka.beginning import BeginningError, Begun, begin
from streamproc.adapters.kafka.desk import DeskProcessor, Rules
from streamproc.adapters.kafka.feeds import Crier, Standing, Watched, standing
from streamproc.adapters.kafka.feedwriter import FeedPositionError, FeedWriter
from streamproc.adapters.kafka.health import FeedGauges, Health, Refusals, TrainerCounts, Trouble, application
from streamproc.adapters.kafka.intake import IntakeProcessor
from streamproc.adapters.kafka.journal_size import JournalSize
from streamproc.adapters.kafka.liveness import Liveness
from streamproc.adapters.kafka.monitor import MonitorProcessor
from streamproc.adapters.kafka.names import Names
from streamproc.adapters.kafka.ownership import AppSpec
from streamproc.adapters.kafka.rates import learning
from streamproc.adapters.kafka.security import broker_credentials, client_security, redis_arguments
from streamproc.adapters.kafka.state_topics import state_topics
from streamproc.adapters.kafka.tools import admin_of
from streamproc.adapters.kafka.topics import Found, there
from streamproc.adapters.kafka.trainer import TrainerProcessor
from streamproc.adapters.kafka.transactions import Connection, Processor
from streamproc.adapters.kafka.worker_exit import ExitCode, leave
from streamproc.adapters.redis.client import writing_client
from streamproc.adapters.redis.store import RedisFeedStore
from streamproc.adapters.web.access import AccessError, parse_listen
from streamproc.cli.common import ConfigOption, command, seldom_collecting, wall
from streamproc.cli.session import agreed, asked_setup, playbook_of, policy_of, read_mapping
from streamproc.cli.topics import topics_of
from streamproc.cli.worker_figures import Here, RedisFigures, WorkerFigures, has, process_collectors
from streamproc.config import ConfigError, Settings
from streamproc.core.time import HOUR
from streamproc.desk.warning import money_of
from streamproc.intake.intake import Intake
from streamproc.intake.intake import Settings as IntakeSettings
from streamproc.intake.mapping import Mapping
from streamproc.intake.rates import Rates
from streamproc.trainer.state import config_of

APPS = ("intake", "monitor", "trainer", "desk")
CLOCK_SECONDS = 0.1
"""How often the clock looks whether a tick is due: as much later than its second may a tick be written."""

LOOK_SECONDS = 5.0
"""How often it is looked whether a feed lags or has fallen silent."""

REDIS_SECONDS = 30.0
"""How often Redis is asked whether it writes down what it takes."""

SIZE_SECONDS = 600.0
"""How often it is measured how large the journal has become."""

log = logging.getLogger(__name__)

GO_ON = "`streamproc topics go-on {place}` gives up what is lost, and goes on with what is there"
RESTORE = (
    "Nothing can stand in for {place}: restore it from a copy, or begin anew under another prefix "
    "(STREAMPROC_KAFKA__PREFIX)"
)


def worker(
    *,
    only: Annotated[
        str, typer.Option(metavar="APPS", help=f"Which of {', '.join(APPS)} to run, parted by commas.")
    ] = ",".join(APPS),
    health: Annotated[
        str, typer.Option(metavar="HOST:PORT", help="Where /livez, /readyz and /metrics are; port 0: any.")
    ] = "127.0.0.1:0",
    config: ConfigOption = None,
) -> None:
    """Run one worker of a cluster.

    Start as many as there is work for, on as many machines: each takes its share of the partitions, and that of one
    that dies. The topics must be there. For example:

        export STREAMPROC_KAFKA__BROKERS=localhost:9092 STREAMPROC_REDIS__URL=redis://localhost:6379/0

        streamproc topics create && streamproc worker

    It ends with 0 after SIGTERM or Ctrl-C, within ten seconds; with another code where it cannot be sure to lose
    nothing: whatever supervises it starts it again.
    """
    with command(config) as screen:
        chosen = tuple(dict.fromkeys(name.strip() for name in only.split(",")))
        if unknown := [name for name in chosen if name not in APPS]:
            raise ConfigError(f"--only: there is no {', '.join(map(repr, unknown))}; there are {', '.join(APPS)}")
        logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(levelname)s %(message)s")
        for chatty in ("aiokafka", "faust", "kafka", "mode", "uvicorn"):
            logging.getLogger(chatty).setLevel(logging.WARNING)
        plan = _plan(screen.settings)
        bound = _bound(health)
        host, port = bound.getsockname()[:2]
        screen.note(f"{', '.join(chosen)} · http://{host}:{port}/readyz")
    settings = AppSettings(plan.connection, plan.names.prefix, plan.settings.kafka.session_seconds)
    with seldom_collecting():
        engine.run(
            [spec for spec in plan.specs() if spec.name in chosen],
            settings,
            lambda apps: plan.beside(apps, bound, chosen),
        )


class Plan:
    """What a worker is made of: where Kafka is, what the journal was begun with, and who processes what."""

    def __init__(self, settings: Settings, connection: Connection, begun: Begun, inputs: dict[str, int]) -> None:
        self.settings = settings
        self.connection = connection
        self.setup = begun.setup
        self._state_ids = begun.ids
        self.names = Names(settings.kafka.prefix)
        self.rates = Rates(begun.setup.currency)
        self._mapping = read_mapping(settings.kafka.mapping) or Mapping()
        self._policy, self._playbook = policy_of(settings), playbook_of(settings)
        self.inputs = inputs  # the firm's topics, and how many partitions each has
        self.abreast = Abreast(self._expected, settings.kafka.clock)
        self._here = Here(money_of(self.setup))

    def specs(self) -> list[AppSpec]:
        """The four apps."""
        names = self.names
        journal = tuple((names.journal, number) for number in range(self.settings.kafka.partitions))
        inbox, examples, letters = (names.desk_inbox, 0), (names.examples, 0), (names.dead_letters, 0)
        specs = [
            AppSpec(
                "intake", tuple(self.inputs), names.progress, self._intake, shared=True,
                mending=GO_ON, writes=(*journal, inbox, letters),
                held=self.abreast.held,
            ),
            AppSpec(
                "monitor", (names.journal,), names.changelog("monitor"), self._monitor, mending=RESTORE,
                writes=(*journal, inbox, examples, letters),
            ),
            AppSpec(
                "trainer", (names.examples,), names.changelog("trainer"), self._trainer,
                mending=RESTORE, writes=(*journal, letters),
            ),
            AppSpec(
                "desk", (names.desk_inbox,), names.changelog("desk"), self._desk,
                mending=RESTORE, wake=CLOCK_SECONDS,
                writes=(*journal, (names.warnings, 0), (names.alerts, 0), letters),
            ),
        ]  # fmt: skip
        return [spec._replace(changelog_id=self._state_ids.get(spec.changelog, "")) for spec in specs]

    def beside(self, apps: Sequence[Liveness], bound: socket.socket, chosen: Sequence[str]) -> list[mode.Service]:
        """What runs beside the apps: rates for intake, the feed's writer for the desk, health for everybody."""
        services: list[mode.Service] = []
        troubles: list[Trouble] = []
        figures = WorkerFigures(apps, self._here)
        if "intake" in chosen:
            services.append(FollowService(self.rates_learned()))
            services.append(FollowService(self.abreast.following(self.connection, self.names.progress)))
        if "desk" in chosen and self.settings.redis.url.get_secret_value():
            store = RedisFeedStore(writing_client(**redis_arguments(self.settings.redis)), self.names.prefix)
            writer = FeedWriter(self.connection, self.names.warnings, store)
            troubles.append(lambda: writer.status.trouble)
            figures.redis = RedisFigures(writer, store)
            services.append(FeedService(writer, figures.redis))
        if "monitor" in chosen:
            figures.journal = JournalSize(self.connection, self.names.journal)
            services.append(SizeService(figures.journal, figures.owned))
        watch = FeedsWatch(partial(self._standing, apps))
        feeds = FeedGauges(watch.look, {topic: feed for feed, topic in self.settings.kafka.inputs.items()})
        gauges = [feeds, TrainerCounts(partial(self._refused, apps)), figures, *process_collectors()]
        return [HealthService(Health(application(apps, troubles, gauges), bound)), *services, watch]

    def _standing(self, apps: Sequence[Liveness]) -> Standing | None:
        """How the firm's feeds stand; None where another worker has the clock."""
        if self._here.desk is None or not has(apps, "desk"):
            return None
        kafka = self.settings.kafka
        missed = [topic for topic in self.inputs if topic != kafka.facts]  # facts may well be silent
        watched = Watched(kafka.clock, self._expected, missed, self.settings.stale_hours * HOUR)
        return standing(self._here.desk.clock, watched, time.time())

    def _refused(self, apps: Sequence[Liveness]) -> Refusals | None:
        """What the trainer has refused; None where another worker has it."""
        trainer = self._here.trainer
        if trainer is None or not has(apps, "trainer"):
            return None
        return Refusals(trainer.trainer.refused, bool(trainer.refusal))

    @property
    def _expected(self) -> frozenset[str]:
        """Every source that time waits for."""
        return frozenset(f"{topic}/{n}" for topic, partitions in self.inputs.items() for n in range(partitions))

    def intake(self) -> Intake:
        """An intake of its own, over the rates that all share."""
        settings = IntakeSettings(keep_text=self.settings.keep_text)
        return Intake(self.rates, self._mapping, settings=settings)

    def rates_learned(self) -> AbstractAsyncContextManager[None]:
        """Within it the currency rates are known, and each new one."""
        facts = self.settings.kafka.facts
        return learning(self.connection, facts, self.inputs[facts], self.intake())

    def _intake(self, topic: str, number: int) -> Processor:
        partitions, counts = self.settings.kafka.partitions, self._here.counts
        return IntakeProcessor((topic, number), self.names, partitions, self.intake(), wall, counts)

    def _monitor(self, _topic: str, number: int) -> Processor:
        made = MonitorProcessor(number, self.names, self.settings.kafka.partitions, self._here.counts)
        self._here.monitors[number] = made
        return made

    def _trainer(self, _topic: str, _number: int) -> Processor:
        made = TrainerProcessor(self.names, self.settings.kafka.partitions, config_of(self.setup), self._here.counts)
        self._here.trainer = made
        return made

    def _desk(self, _topic: str, _number: int) -> Processor:
        stale_after = self.settings.stale_hours * HOUR
        rules = Rules(self.settings.kafka.clock, self._expected, stale_after, self._policy, self._playbook)
        made = DeskProcessor(self.names, self.settings.kafka.partitions, self._here.money, rules, self._here.counts)
        self._here.desk = made
        return made


def _plan(settings: Settings) -> Plan:
    """Looks at the cluster. Raises ConfigError where it is not made for these settings, ClusterError."""
    kafka = settings.kafka
    with admin_of(kafka) as admin:
        wanted = topics_of(settings)
        found = there(admin, [topic.name for topic in wanted])
    missing = [topic.name for topic in wanted if topic.name not in found]
    if missing:
        raise ConfigError(f"there is no topic {', '.join(missing)}: `streamproc topics create` makes what is missing")
    names = Names(kafka.prefix)
    _check_partitions(names, kafka.partitions, found)
    connection = Connection(kafka.brokers, broker_credentials(kafka), client_security(kafka))
    try:
        ids = {name: found[name].id for name in state_topics(names) if found[name].id}
        begun = asyncio.run(begin(connection, names, kafka.partitions, asked_setup(settings), ids))
    except BeginningError as error:
        raise ConfigError(str(error)) from error
    setup = agreed(begun.setup, settings, names.journal, "choose another prefix for another journal")
    return Plan(
        settings,
        connection,
        begun._replace(setup=setup),
        {name: found[name].partitions for name in kafka.inputs.values()},
    )


def _check_partitions(names: Names, partitions: int, found: dict[str, Found]) -> None:
    for topic in (names.journal, names.changelog("monitor")):
        if found[topic].partitions != partitions:
            raise ConfigError(
                f"{topic} has {found[topic].partitions} partitions, and {partitions} are set: "
                f"STREAMPROC_KAFKA__PARTITIONS={found[names.journal].partitions}; `streamproc topics check` says more"
            )


def _bound(health: str) -> socket.socket:
    try:
        address = parse_listen(health)
        family = socket.AF_INET6 if ":" in address.host else socket.AF_INET
        return socket.create_server((address.host, address.port), family=family)
    except (AccessError, OSError) as error:
        raise ConfigError(f"--health {health}: {error}") from error


class HealthService(mode.Service):
    """Tells how the worker is doing, as long as it runs."""

    def __init__(self, health: Health) -> None:
        super().__init__()
        self._health = health

    async def on_start(self) -> None:
        """Begins to answer."""
        await self._health.start()

    async def on_stop(self) -> None:
        """Stops to answer."""
        await self._health.stop()


class FollowService(mode.Service):
    """Follows a topic that intake must know: to its end before intake begins, and on from there."""

    def __init__(self, following: AbstractAsyncContextManager[None]) -> None:
        super().__init__()
        self._following = following

    async def on_start(self) -> None:
        """Returns when all up to now is known."""
        await self._following.__aenter__()

    async def on_stop(self) -> None:
        """Learns no more."""
        await self._following.__aexit__(None, None, None)


class FeedsWatch(mode.Service):
    """Says in the log when a feed holds time back or has fallen silent, and when that is over."""

    def __init__(self, look: Callable[[], Standing | None]) -> None:
        super().__init__()
        self.look = look
        self._crier = Crier()

    @mode.Service.task
    async def _watch(self) -> None:
        while not self.should_stop:
            await self.sleep(LOOK_SECONDS)
            seen = self.look()
            for line in self._crier.news(seen) if seen is not None else ():
                log.warning(line)


class SizeService(mode.Service):
    """Measures the journal now and then, and where other partitions of it are owned than before."""

    def __init__(self, size: JournalSize, owned: Callable[[], list[int]]) -> None:
        super().__init__()
        self._size = size
        self._owned = owned

    @mode.Service.task
    async def _look(self) -> None:
        seen: tuple[list[int], float] = ([], float("-inf"))
        while not self.should_stop:
            owned, now = self._owned(), time.monotonic()
            if owned != seen[0] or now - seen[1] > SIZE_SECONDS:
                await self._size.look(owned)
                seen = (owned, now)
            await self.sleep(LOOK_SECONDS)


class FeedService(mode.Service):
    """Brings the warnings to Redis."""

    def __init__(self, writer: FeedWriter, redis: RedisFigures) -> None:
        super().__init__()
        self._writer = writer
        self._redis = redis
        self._task: asyncio.Task[None] | None = None

    async def on_start(self) -> None:
        """Begins to write."""
        self._task = asyncio.create_task(self._run())

    async def on_stop(self) -> None:
        """Stops to write; the feed knows where it stands."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait({self._task})

    async def _run(self) -> None:
        try:
            await self._writer.run()
        except FeedPositionError as error:
            leave(ExitCode.POSITION, str(error))
        except Exception as error:  # noqa: BLE001 - or the feed would stand still, and the worker look well
            leave(ExitCode.BESIDE, f"the feed cannot be written: {error!r}")

    @mode.Service.task
    async def _look(self) -> None:
        while not self.should_stop:
            await self._redis.look()
            await self.sleep(REDIS_SECONDS)
