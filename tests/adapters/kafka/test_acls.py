"""On a broker that asks who may do what: the printed permissions suffice, each is used, and none is everybody's."""

import json
import re
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from kafka.admin import (
    ACL,
    ACLOperation,
    ACLPermissionType,
    ACLResourcePatternType,
    ConfigResource,
    ConfigResourceType,
    KafkaAdminClient,
    ResourcePattern,
    ResourceType,
    ScramMechanism,
    UserScramCredentialUpsertion,
)
from kafka.errors import AuthorizationError, KafkaError

from streamproc.adapters.kafka.acls import ROLES
from streamproc.adapters.kafka.security import client_security
from streamproc.config import KafkaSettings
from streamproc.core.control import ModelSnapshot
from streamproc.simulate import Shop, simulate
from tests.adapters.kafka.committed import Committed
from tests.adapters.kafka.workers import PROGRAM, Workers, in_order, journal_of
from tests.servers.broker import PASSWORD, Kafka
from tests.servers.redis_server import RedisServer

ASKING = {
    "authorizer.class.name": "org.apache.kafka.metadata.authorizer.StandardAuthorizer",
    "super.users": "User:ANONYMOUS",  # who comes in without a password is the test itself, and the node
}
WORKERS = ("intake", "monitor", "trainer", "desk")
USED = re.compile(
    r"is Allowed operation = (\w+) .*resourceType=(\w+), resourceName=(\S+), patternType=(\w+), "
    r"principal=User:(\w+), host=\*, operation=(\w+), per"
)
Given = tuple[str, ...]
"""Role, kind, name, pattern and operation of a permission."""


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Kafka]:
    made = Kafka(tmp_path / "kafka", settings=ASKING)
    made.start()
    yield made
    made.kill()


@pytest.fixture
def workers(node: Kafka, redis_server: RedisServer, topic_prefix: str, tmp_path: Path) -> Iterator[Workers]:
    made = Workers(node, redis_server.url, topic_prefix, tmp_path, partitions=2)
    made.make_topics()
    yield made
    made.close()


def secured(node: Kafka, role: str) -> dict[str, Any]:
    door = {"brokers": node.sasl_ssl, "security": "SASL_SSL", "authority": str(node.certificates.authority)}
    return door | {"mechanism": "SCRAM-SHA-512", "user": role, "password": PASSWORD}


def environment(workers: Workers, node: Kafka, role: str) -> dict[str, str]:
    told = {f"STREAMPROC_KAFKA__{name.upper()}": value for name, value in secured(node, role).items()}
    return workers.environment | told


def client(node: Kafka, role: str, make: Callable[..., Any], **more: Any) -> Any:
    settings = KafkaSettings(**secured(node, role))
    return closing(make(bootstrap_servers=settings.brokers, **client_security(settings), **more))


def printed(workers: Workers) -> set[Given]:
    command = [PROGRAM, "topics", "acls", "--json", "--principals", "User:{role}"]
    ran = subprocess.run(command, env=workers.environment, check=True, capture_output=True, text=True)
    rows = [json.loads(line) for line in ran.stdout.splitlines()]
    return {
        (row["role"], row["kind"], row["name"], "prefixed" if row["prefixed"] else "literal", row["operation"].lower())
        for row in rows
        if row["principal"] == f"User:{row['role']}"
    }


def give(admin: Any, given: set[Given]) -> None:
    """The users, and what they may do; from here on the node notes what it lets somebody do, and why."""
    admin.alter_user_scram_credentials(
        [UserScramCredentialUpsertion(role, ScramMechanism.SCRAM_SHA_512, PASSWORD) for role in ROLES]
    )
    admin.create_acls([
        ACL(
            f"User:{role}", "*", ACLOperation[operation.upper()], ACLPermissionType.ALLOW,
            ResourcePattern(ResourceType[_code(kind)], name, ACLResourcePatternType[_code(pattern)]),
        )
        for role, kind, name, pattern, operation in given
    ])  # fmt: skip
    noted = {"kafka.authorizer.logger": "DEBUG"}
    admin.alter_configs([ConfigResource(ConfigResourceType.BROKER_LOGGER, "1", noted)], raise_on_unknown=False)


def _code(word: str) -> str:
    return word.upper().replace("-", "_")


def used(node: Kafka) -> set[Given]:
    found = USED.findall((node.folder / "broker.log").read_text(errors="replace"))
    return {
        (role, kind.lower().replace("_", "-"), name, pattern.lower(), operation.lower())
        for asked, kind, name, pattern, role, operation in found
        if asked == operation
    }


def may_write(node: Kafka, role: str, topic: str) -> bool:
    with client(node, role, KafkaProducer, max_block_ms=5000) as producer:
        try:
            producer.send(topic, b"not for you", partition=0).get(5)
        except KafkaError:
            return False
        return True


def may_read(node: Kafka, role: str, topic: str) -> bool:
    with client(node, role, KafkaConsumer, auto_offset_reset="earliest") as consumer:
        consumer.assign([TopicPartition(topic, 0)])
        try:
            return bool(consumer.poll(2000))
        except AuthorizationError:
            return False


def a_doctor_who_may_not_see_all_says_so(workers: Workers, node: Kafka) -> None:
    told = environment(workers, node, "page")
    asked = subprocess.run([PROGRAM, "doctor", "--json"], env=told, capture_output=True, check=False)
    assert (asked.returncode, asked.stderr) == (0, b"")
    found = {row["check"]: row for row in map(json.loads, asked.stdout.splitlines())}
    for check in (*workers.inputs.values(), workers.names.journal, workers.names.progress, "disk of broker 1"):
        assert found[check]["level"] == "note"
        assert "to this user" in found[check]["detail"]


def test_each_role_may_do_its_part_and_no_other(workers: Workers, node: Kafka) -> None:
    given = printed(workers)
    with closing(KafkaAdminClient(bootstrap_servers=node.bootstrap)) as admin:
        give(admin, given)
    plain = dict(workers.environment)
    for role in WORKERS:
        workers.environment.update(environment(workers, node, role))
        workers.start(role)
        workers.environment.clear()
        workers.environment.update(plain)
    opening, rest = in_order(simulate(Shop(customers=40, days=100, seed=3)))
    with client(node, "producer", KafkaProducer, acks="all") as producer:
        for event in [*opening, *rest]:
            producer.send(workers.inputs[event.stream], event.line)
    committed = Committed(node.bootstrap, workers.topics)
    workers.wait_ready()
    workers.wait_quiet(committed)
    names = workers.names
    assert committed.values((names.warnings, 0))
    assert [r for r in journal_of(committed, names, 0) if isinstance(r, ModelSnapshot)]
    committed.close()
    asked = subprocess.run(
        [PROGRAM, "status", "--json"], env=environment(workers, node, "page"), capture_output=True, check=False
    )
    assert asked.returncode == 0, asked.stderr
    a_doctor_who_may_not_see_all_says_so(workers, node)
    # The firm's topics bear our prefix here, so that to describe them is allowed twice.
    own = {p for p in given if p[0] in WORKERS and p[3:] != ("literal", "describe")}
    if_imported = {(role, "topic", names.examples, "literal", "read") for role in ("intake", "monitor", "desk")}
    assert own - used(node) == if_imported
    for role in ("intake", "monitor", "trainer", "page", "producer"):
        assert not may_write(node, role, names.warnings), role
        assert not may_write(node, role, names.changelog("desk")), role
    assert not may_write(node, "page", names.journal)
    assert not may_write(node, "desk", names.progress)
    assert not may_write(node, "trainer", names.changelog("monitor"))
    assert not may_read(node, "producer", names.journal)
    assert not may_read(node, "producer", workers.inputs["purchases"])
    assert not may_read(node, "trainer", workers.inputs["purchases"])
    assert may_read(node, "page", names.journal)
