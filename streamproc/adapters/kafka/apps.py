"""A Faust app from its description."""

import asyncio
from typing import Any, NamedTuple

import faust
from faust.serializers.codecs import Codec
from yarl import URL

from streamproc.adapters.kafka.ownership import AppSpec, Ownership
from streamproc.adapters.kafka.ownership_partition import Pace
from streamproc.adapters.kafka.transactions import Connection
from streamproc.adapters.kafka.transport import Consumer, Transport
from streamproc.adapters.kafka.worker_exit import ExitCode, leave


class Settings(NamedTuple):
    """What all apps of a worker share; `session` is the time (s) after which a silent worker is given up."""

    connection: Connection
    prefix: str = "streamproc."
    session: float = 10.0
    pace: Pace = Pace()


class _AsItIs(Codec):
    """Leaves the value of a channel event alone: it is a Fetched already."""

    def _loads(self, s: Any) -> Any:  # noqa: ANN401 - as in Faust
        return s


class App(faust.App):
    """A Faust app that keeps nothing on disk."""

    ownership: Ownership

    def _new_transport(self) -> Transport:
        return Transport(self.conf.broker_consumer, self)

    def _create_directories(self) -> None:
        """Faust makes folders for its tables; there are none."""


def make_app(spec: AppSpec, settings: Settings) -> App:
    """The app, ready to be started as a service in a running worker."""
    urls = [URL(f"kafka://{broker}") for broker in settings.connection.brokers.split(",")]
    app = App(
        f"{settings.prefix}{spec.name}",
        broker=urls,
        broker_credentials=settings.connection.credentials,
        broker_session_timeout=settings.session,
        broker_heartbeat_interval=settings.session / 6,
        broker_rebalance_timeout=30.0,
        broker_request_timeout=90.0,
        broker_commit_interval=5.0,
        stream_wait_empty=True,
        stream_buffer_maxsize=2,
        topic_allow_declare=False,
        topic_disable_leader=True,
        web_enabled=False,
    )
    app.ownership = Ownership(spec, settings.connection, settings.prefix, settings.pace)
    topic = app.topic(*spec.topics, key_type=None, value_type=None, key_serializer="raw", value_serializer=_AsItIs())
    app.agent(topic, name=f"{spec.name}")(_hand_over)
    return app


async def _hand_over(stream: Any) -> None:  # noqa: ANN401 - as in Faust
    try:
        async for event in stream.events():
            message, consumer = event.message, event.app.consumer
            assert isinstance(consumer, Consumer)
            consumer.accept(message.generation_id, message.tp, event.value)
    except asyncio.CancelledError:
        raise
    except Exception as error:  # noqa: BLE001 - an exception that left the body would restart the agent
        leave(ExitCode.BATCH, f"delivery failed: {error!r}")
