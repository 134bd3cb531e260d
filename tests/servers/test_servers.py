"""The servers of the tests are real, keep what they should, and are gone when their tests are."""

import subprocess
import sys
from pathlib import Path

import pytest
from kafka import KafkaConsumer, KafkaProducer, TopicPartition
from redis.exceptions import AuthenticationError

from tests.servers.broker import Broker, Kafka
from tests.servers.process import ServerError, ServerProcess, needed, wait_until
from tests.servers.redis_server import USER, RedisServer


def values(node: Broker, topic: str) -> list[bytes]:
    consumer = KafkaConsumer(bootstrap_servers=node.bootstrap, consumer_timeout_ms=5000)
    partition = TopicPartition(topic, 0)
    consumer.assign([partition])
    consumer.seek_to_beginning(partition)
    [end] = consumer.end_offsets([partition]).values()
    found = [next(consumer).value for _ in range(end)]
    consumer.close()
    return found


def write(node: Broker, topic: str, value: bytes) -> None:
    producer = KafkaProducer(bootstrap_servers=node.bootstrap, acks="all")
    producer.send(topic, value, key=value, partition=0).get(30)
    producer.close()


def test_the_shared_kafka_takes_topics(kafka: Broker, topic_prefix: str) -> None:
    kafka.create({f"{topic_prefix}a": 1}, cleanup_policy="compact", segment_bytes="1048576")
    write(kafka, f"{topic_prefix}a", b"1")
    assert values(kafka, f"{topic_prefix}a") == [b"1"]


def test_a_killed_kafka_comes_back_with_its_data(kafka_own: Kafka) -> None:
    kafka_own.create({"a": 1})
    write(kafka_own, "a", b"before")
    pid = kafka_own.pid
    kafka_own.kill()
    assert not alive(pid)
    kafka_own.start()
    write(kafka_own, "a", b"killed")
    kafka_own.restart()
    write(kafka_own, "a", b"stopped")
    assert values(kafka_own, "a") == [b"before", b"killed", b"stopped"]


def test_redis_keeps_what_it_wrote_down(redis_server: RedisServer) -> None:
    with redis_server.connect() as client:
        client.set("a", 1)
    redis_server.kill()
    redis_server.start()
    with redis_server.connect() as client:
        assert client.get("a") == b"1"


def test_redis_with_snapshots_alone_loses_what_came_since(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "redis", append_only=False)
    server.start()
    try:
        with server.connect() as client:
            client.set("a", 1)
            client.save()
            client.set("a", 2)
        server.kill()
        server.start()
        with server.connect() as client:
            assert client.get("a") == b"1"
    finally:
        server.kill()


def test_a_secure_redis_knows_its_user_alone(tmp_path: Path) -> None:
    server = RedisServer(tmp_path / "redis", secure=True)
    server.start()
    try:
        with server.connect() as client:
            assert client.acl_whoami() == USER
            with pytest.raises(AuthenticationError):
                client.auth("wrong", USER)
    finally:
        server.kill()


def test_a_missing_server_is_told_with_the_command_that_installs_it() -> None:
    with pytest.raises(ServerError, match="sudo apt-get install redis-server"):
        needed("no-such-program", "redis-server")


def test_a_server_that_will_not_start_is_told_with_its_last_words(tmp_path: Path) -> None:
    server = ServerProcess(["sh", "-c", "echo no room; exit 3"], tmp_path / "log")
    with pytest.raises(ServerError, match=r"ended with 3(.|\n)*no room"):
        server.wait_ready(lambda: False)


def test_a_server_does_not_outlive_a_killed_run(tmp_path: Path) -> None:
    script = """if True:
        import sys
        from pathlib import Path
        from tests.servers.process import ServerProcess
        print(ServerProcess(["sleep", "600"], Path(sys.argv[1])).pid, flush=True)
        sys.stdin.read()
    """
    command = [sys.executable, "-c", script, str(tmp_path / "log")]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as run:
        assert run.stdout is not None
        pid = int(run.stdout.readline())
        assert alive(pid)
        run.kill()
    wait_until(lambda: not alive(pid), "the server is gone", seconds=20)


def alive(pid: int) -> bool:
    try:
        state = Path(f"/proc/{pid}/stat").read_text(encoding="utf-8").rsplit(")", 1)[1].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
