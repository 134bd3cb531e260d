"""What a worker tells supervisors and Prometheus: /livez, /readyz, /metrics.

It is served by the worker's own event loop: one that hangs answers nothing, and a supervisor restarts it.
"""

import asyncio
import socket
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, NamedTuple, cast

import uvicorn
from prometheus_client import CollectorRegistry, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import CONTENT_TYPE_PLAIN_1_0_0
from prometheus_client.metrics_core import Metric
from prometheus_client.registry import Collector
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from streamproc.adapters.kafka.feeds import Standing
from streamproc.adapters.kafka.liveness import Liveness
from streamproc.core.time import SECOND

Trouble = Callable[[], str]
"""What is wrong with something that runs beside the apps, empty for nothing."""


class Gauges(Collector):
    """Per app: assigned and read back; per owned partition: what is still to be read."""

    def __init__(self, apps: Sequence[Liveness]) -> None:
        self._apps = apps

    def collect(self) -> Iterator[Metric]:
        """The figures as they are now."""
        ready = GaugeMetricFamily(
            "streamproc_worker_ready", "Whether the app owns its partitions and has read them back.", labels=["app"]
        )
        lag = GaugeMetricFamily(
            "streamproc_lag_records", "Committed records not processed yet.", labels=["app", "topic", "partition"]
        )
        held = GaugeMetricFamily(
            "streamproc_source_held",
            "1 where a source is more than an hour of event time ahead of the slowest, and waits for it.",
            labels=["topic", "partition"],
        )
        for app in self._apps:
            ready.add_metric([app.app], float(app.ready))
            for place, progress in app.partitions.items():
                topic, number = cast("tuple[str, int]", place)
                lag.add_metric([app.app, str(topic), str(number)], float(progress.lag))
                if app.app == "intake":
                    held.add_metric([str(topic), str(number)], float(place in app.held))
        yield ready
        yield lag
        yield held


class FeedGauges(Collector):
    """Of the worker that has the desk, and with it the clock: how the firm's feeds stand. Others tell nothing.

    `feeds` says of each of the firm's topics which feed it carries.
    """

    def __init__(self, look: Callable[[], Standing | None], feeds: Mapping[str, str]) -> None:
        self._look = look
        self._feeds = feeds

    def collect(self) -> Iterator[Metric]:
        """The figures as they are now."""
        seen = self._look()
        if seen is None:
            return
        yield GaugeMetricFamily(
            "streamproc_clock_timestamp_seconds", "The last tick, as Unix time.", value=seen.clock / SECOND
        )
        yield GaugeMetricFamily(
            "streamproc_behind_seconds",
            "How far time is behind the wall; 0 where it does not follow it.",
            value=seen.behind / SECOND,
        )
        holds = GaugeMetricFamily(
            "streamproc_source_holds_seconds",
            "By how much a source that is not read to its end holds time back; 0: it does not.",
            labels=["topic", "partition"],
        )
        for source, by in seen.holds.items():
            topic, _, number = source.rpartition("/")
            holds.add_metric([topic, number], by / SECOND)
        yield holds
        read = GaugeMetricFamily(
            "streamproc_feed_read_timestamp_seconds", "The newest event of a feed, as Unix time.", labels=["feed"]
        )
        stale = GaugeMetricFamily(
            "streamproc_feed_stale", "1 where a feed has brought nothing for long: time passes it.", labels=["feed"]
        )
        age = GaugeMetricFamily(
            "streamproc_feed_age_seconds",
            "How long before the program's own time the newest event of a feed lies; its time is the wall's once it is "
            "live.",
            labels=["feed"],
        )
        for topic, at in seen.read.items():
            feed = self._feeds[topic]
            read.add_metric([feed], at / SECOND)
            stale.add_metric([feed], float(topic in seen.stale))
            if at:
                age.add_metric([feed], max(0, seen.clock + seen.behind - at) / SECOND)
        yield read
        yield stale
        yield age
        yield GaugeMetricFamily(
            "streamproc_purchases_stale",
            "1 where customers' silence is not taken for silence, for purchases are stale.",
            value=float(bool(seen.deaf_since)),
        )


class Refusals(NamedTuple):
    """How many snapshots were ever refused, and whether the newest was."""

    ever: int
    newest: bool


class TrainerCounts(Collector):
    """Of the worker that has the trainer: what it refused; None where it is elsewhere."""

    def __init__(self, refused: Callable[[], Refusals | None]) -> None:
        self._refused = refused

    def collect(self) -> Iterator[Metric]:
        """The figures as they are now."""
        refused = self._refused()
        if refused is not None:
            told = "Snapshots that the trainer refused: not finite, or worse than the one in force."
            yield CounterMetricFamily("streamproc_refused_snapshots", told, value=refused.ever)
            told = "1 where the newest snapshot was refused, so that an older one stays in force; the log says why."
            yield GaugeMetricFamily("streamproc_snapshot_refused", told, value=float(refused.newest))


def application(
    apps: Sequence[Liveness], troubles: Sequence[Trouble] = (), collectors: Sequence[Collector] = ()
) -> Starlette:
    """The three answers. Trouble beside the apps (Redis away) is told by /readyz, and restarts nothing."""
    registry = CollectorRegistry()
    for collector in (Gauges(apps), *collectors):
        registry.register(collector)

    async def livez(_request: Request) -> Response:
        stalled = [app.app for app in apps if app.stalled]
        return PlainTextResponse(f"stalled: {', '.join(stalled)}\n" if stalled else "ok\n", 503 if stalled else 200)

    async def readyz(_request: Request) -> Response:
        wrong = [f"{app.app}: not ready" for app in apps if not app.ready]
        wrong += [trouble for told in troubles if (trouble := told())]
        return PlainTextResponse("\n".join(wrong or ["ok"]) + "\n", 503 if wrong else 200)

    async def metrics(_request: Request) -> Response:
        return Response(generate_latest(registry), media_type=CONTENT_TYPE_PLAIN_1_0_0)

    return Starlette(routes=[Route("/livez", livez), Route("/readyz", readyz), Route("/metrics", metrics)])


class Health:
    """Serves an application on a socket that is bound already, in the running event loop."""

    def __init__(self, application: Any, bound: socket.socket) -> None:  # noqa: ANN401 - any ASGI application
        config = uvicorn.Config(application, http="h11", ws="none", lifespan="off", log_config=None, access_log=False)
        self._server = uvicorn.Server(config)
        self._socket = bound
        self._task: asyncio.Task[None] | None = None

    async def start(self) -> None:
        """Begins to serve."""
        self._task = asyncio.create_task(self._server._serve(sockets=[self._socket]))  # noqa: SLF001 - without signals

    async def stop(self) -> None:
        """Returns when nothing is served any more."""
        self._server.should_exit = True
        if self._task is not None:
            await self._task
