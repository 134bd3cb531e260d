"""A worker process: one or several apps in one event loop, until SIGTERM."""

import asyncio
import signal
from collections.abc import Callable, Sequence
from typing import Any, NoReturn

import mode
import uvloop

from streamproc.adapters.kafka.apps import App, Settings, make_app
from streamproc.adapters.kafka.liveness import Liveness
from streamproc.adapters.kafka.ownership import AppSpec
from streamproc.adapters.kafka.worker_exit import end

STOP_SECONDS = 9.5
"""How long a stop may take: SIGTERM promises ten seconds. The batches in hand have eight of them."""

UNBEGUN_SECONDS = 1.0
"""How long a stop may take while nothing is owned: there is no batch to be finished."""


class Host(mode.Service):
    """Starts and stops the apps side by side: each waits for its group, and need not wait for the others'."""

    def __init__(self, apps: Sequence[App], **kwargs: Any) -> None:  # noqa: ANN401 - as in mode
        super().__init__(**kwargs)
        self._apps = apps

    async def on_start(self) -> None:
        """Returns when every app is in its group and ready."""
        for app in self._apps:
            app.beacon.reattach(self.beacon)
        await asyncio.gather(*(app.maybe_start() for app in self._apps))

    async def on_stop(self) -> None:
        """Returns when every app has finished its batches and left its group."""
        await asyncio.gather(*(app.stop() for app in self._apps))


class Process(mode.Worker):
    """A worker's process. A stop ends it as soon as the services have stopped, or their time is over.

    What Faust does then is to cancel whatever still runs, with tracebacks of what was no error; and what is stopped
    while it starts may wait for ever. Neither can lose anything: what is not committed by then does not exist.
    """

    def __init__(self, apps: Sequence[App], *services: mode.Service, **kwargs: Any) -> None:  # noqa: ANN401 - as in mode
        super().__init__(*services, **kwargs)
        self._apps = apps

    async def _stop_on_signal(self, signal: signal.Signals) -> None:  # noqa: ARG002 - as in mode
        owned = any(app.ownership.owned for app in self._apps)
        await asyncio.wait({asyncio.ensure_future(self.stop())}, timeout=STOP_SECONDS if owned else UNBEGUN_SECONDS)
        end()


def run(
    specs: Sequence[AppSpec],
    settings: Settings,
    beside: Callable[[Sequence[Liveness]], Sequence[mode.Service]] = lambda _: (),
) -> NoReturn:
    """Runs the apps until SIGTERM or SIGINT. Exits 0 after these, else not 0.

    `beside` makes the services that run beside them, started before and stopped after them.
    """
    uvloop.install()
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    apps = [make_app(spec, settings) for spec in specs]
    services = [*beside([app.ownership.liveness for app in apps]), Host(apps)]
    worker = Process(apps, *services, override_logging=False, redirect_stdouts=False, quiet=True, loop=loop)
    worker.execute_from_commandline()
