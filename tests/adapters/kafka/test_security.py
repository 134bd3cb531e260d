"""Every client comes in through every door of a real broker, and none comes in without what the door wants."""

import asyncio
import gc
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import aiokafka
import faust
import pytest
from aiokafka.errors import KafkaError as AioError
from faust.transport.drivers.aiokafka import credentials_to_aiokafka_auth
from kafka import KafkaProducer
from kafka.admin import KafkaAdminClient
from kafka.errors import KafkaError
from pydantic import SecretStr
from redis import Redis
from redis.exceptions import RedisError

from streamproc.adapters.kafka.security import broker_credentials, client_security, redis_arguments
from streamproc.config import ConfigError, KafkaSettings, RedisSettings
from tests.servers import redis_server as secure_redis
from tests.servers.broker import PASSWORD, USER, Broker
from tests.servers.redis_server import RedisServer

SECONDS = 20
DOORS = ("PLAINTEXT", "SSL", "SCRAM-SHA-512", "SCRAM-SHA-256", "PLAIN")
LEFT_OPEN = pytest.mark.filterwarnings("ignore:unclosed:ResourceWarning")
"""Both clients forget a socket that was refused: collect it where it is expected."""
Visit = Callable[[KafkaSettings], set[str]]


def settings_for(door: str, broker: Broker, **other: Any) -> KafkaSettings:
    files = broker.certificates
    match door:
        case "PLAINTEXT":
            given: dict[str, Any] = {"brokers": broker.bootstrap}
        case "SSL":
            given = {"brokers": broker.ssl, "security": "SSL", "authority": files.authority}
            given |= {"certificate": files.client, "certificate_key": files.client_key}
        case _:
            given = {"brokers": broker.sasl_ssl, "security": "SASL_SSL", "authority": files.authority}
            given |= {"mechanism": door, "user": USER, "password": PASSWORD}
    return KafkaSettings(**{**given, **other})


def by_kafka_python(settings: KafkaSettings) -> set[str]:
    admin = KafkaAdminClient(bootstrap_servers=settings.brokers, bootstrap_timeout_ms=3000, **client_security(settings))
    try:
        return set(admin.list_topics())
    finally:
        admin.close()


def by_aiokafka(settings: KafkaSettings) -> set[str]:
    return asyncio.run(topics_seen(settings.brokers, client_security(settings)))


def by_faust(settings: KafkaSettings) -> set[str]:
    # An app hands its credentials to its clients in these words.
    app = faust.App("door", broker=f"kafka://{settings.brokers}", broker_credentials=broker_credentials(settings))
    return asyncio.run(topics_seen(settings.brokers, dict(credentials_to_aiokafka_auth(app.conf.broker_credentials))))


async def topics_seen(brokers: str, security: dict[str, Any]) -> set[str]:
    consumer = aiokafka.AIOKafkaConsumer(bootstrap_servers=brokers, **security)
    try:
        async with asyncio.timeout(SECONDS):
            await consumer.start()
            return set(await consumer.topics())
    finally:
        await consumer.stop()


def refused(visit: Visit, settings: KafkaSettings) -> None:
    with pytest.raises((KafkaError, AioError, TimeoutError, OSError)):
        visit(settings)
    gc.collect()


@pytest.fixture(scope="module")
def topic(kafka: Broker) -> str:
    kafka.create({"doors": 1})
    return "doors"


@pytest.mark.parametrize("visit", [by_kafka_python, by_aiokafka, by_faust])
@pytest.mark.parametrize("door", DOORS)
def test_every_client_comes_in(kafka: Broker, topic: str, visit: Visit, door: str) -> None:
    assert topic in visit(settings_for(door, kafka))


@LEFT_OPEN
@pytest.mark.parametrize("visit", [by_kafka_python, by_aiokafka, by_faust])
@pytest.mark.parametrize(
    ("door", "other"),
    [
        ("SCRAM-SHA-512", {"password": "wrong"}),
        ("PLAIN", {"password": "wrong"}),
        ("SSL", {"certificate": None, "certificate_key": None}),
        ("SSL", {"authority": None}),
    ],
)
def test_nobody_comes_in_otherwise(kafka: Broker, visit: Visit, door: str, other: dict[str, Any]) -> None:
    refused(visit, settings_for(door, kafka, **other))


@LEFT_OPEN
@pytest.mark.parametrize("visit", [by_kafka_python, by_aiokafka])
def test_a_certificate_of_another_host_is_refused(kafka: Broker, visit: Visit) -> None:
    other_name = f"localhost:{kafka.ports.ssl}"
    refused(visit, settings_for("SSL", kafka, brokers=other_name))


def test_no_password_is_shown(kafka: Broker) -> None:
    settings = settings_for("SCRAM-SHA-512", kafka)
    assert PASSWORD not in repr(broker_credentials(settings))


def test_a_file_that_cannot_be_used_is_told_by_its_setting(kafka: Broker, tmp_path: Path) -> None:
    empty = tmp_path / "empty.pem"
    empty.touch()
    for other, named in (
        ({"authority": tmp_path / "missing.pem"}, "kafka.authority"),
        ({"authority": empty}, "kafka.authority"),
        ({"certificate": empty}, "kafka.certificate"),
    ):
        with pytest.raises(ConfigError, match=named):
            client_security(settings_for("SSL", kafka, **other))


def test_redis_is_reached_with_its_user_and_checked(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "redis", secure=True)
    server.start()
    try:
        user = f"{secure_redis.USER}:{secure_redis.QUOTED_PASSWORD}"
        url = SecretStr(server.url.replace("://", f"://{user}@"))
        assert server.certificates is not None
        trusted = RedisSettings(url=url, authority=server.certificates.authority)
        with Redis.from_url(**redis_arguments(trusted)) as client:
            assert client.ping()
        with Redis.from_url(**redis_arguments(RedisSettings(url=url))) as client, pytest.raises(RedisError):
            client.ping()
    finally:
        server.kill()


def test_redis_in_the_clear_is_its_address_alone() -> None:
    assert redis_arguments(RedisSettings(url=SecretStr("redis://r:6379/1"))) == {"url": "redis://r:6379/1"}
    with pytest.raises(ConfigError, match=r"redis\.authority"):
        redis_arguments(RedisSettings(url=SecretStr("rediss://r:6379/1"), authority=Path("missing.pem")))


APP = """
import os
import faust
from streamproc.adapters.kafka.security import broker_credentials
from streamproc.config import load

settings, name = load().kafka, os.environ["TOPIC"]
app = faust.App(
    name, broker=f"kafka://{settings.brokers}", broker_credentials=broker_credentials(settings),
    topic_allow_declare=False, topic_disable_leader=True, web_enabled=False, consumer_auto_offset_reset="earliest",
    datadir=".",
)
topic = app.topic(name, value_type=bytes, value_serializer="raw")

@app.agent(topic)
async def read(stream):
    async for value in stream:
        if value == b"seen":
            os._exit(7)
        await app.producer.send_and_wait(name, None, b"seen", None, None, None)

app.main()
"""


@pytest.mark.parametrize("door", DOORS)
def test_a_faust_worker_reads_and_writes_through_every_door(
    kafka: Broker, topic_prefix: str, door: str, tmp_path: Path
) -> None:
    topic = f"{topic_prefix}worker"
    kafka.create({topic: 1})
    producer = KafkaProducer(bootstrap_servers=kafka.bootstrap)
    producer.send(topic, b"first").get(30)
    producer.close()
    settings = settings_for(door, kafka).model_dump(mode="json", exclude_none=True)
    settings |= {"password": PASSWORD} if settings["user"] else {}
    named = {f"STREAMPROC_KAFKA__{name.upper()}": str(value) for name, value in settings.items()}
    command = [sys.executable, "-c", APP, "worker", "-l", "warn"]
    ran = subprocess.run(
        command,
        env={**os.environ, **named, "TOPIC": topic},
        cwd=tmp_path,
        capture_output=True,
        timeout=90,
        check=False,
        text=True,
    )
    assert ran.returncode == 7, ran.stderr
    assert PASSWORD not in ran.stdout + ran.stderr
