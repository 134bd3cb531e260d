"""One Apache Kafka node: broker and controller in one process, from the jars that `make servers` lays down."""

import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import NamedTuple

from kafka.admin import KafkaAdminClient

from tests.servers.certificates import Certificates, certificates_in, make_certificates
from tests.servers.process import ServerError, ServerProcess, free_ports, needed

HERE = Path(__file__).resolve().parent
JARS = HERE.parents[1] / "build" / "kafka"
CLUSTER = "c3RyZWFtcHJvYy10ZXN0cw"
STARTED = "Kafka Server started"
USER, PASSWORD = "streamproc", "a password with 'quotes' = spaces"

# A small heap and the quick compiler alone: up in seconds, and two cores are left to what is tested.
JAVA = (
    "-Xms128m",
    "-Xmx512m",
    "-XX:+UseSerialGC",
    "-XX:TieredStopAtLevel=1",
    "-Xshare:auto",
    "-Djava.awt.headless=true",
)

FIXED = {
    "process.roles": "broker,controller",
    "node.id": "1",
    "controller.listener.names": "CONTROLLER",
    "inter.broker.listener.name": "PLAINTEXT",
    "auto.create.topics.enable": "false",
    "num.partitions": "1",
    "default.replication.factor": "1",
    "offsets.topic.replication.factor": "1",
    "offsets.topic.num.partitions": "4",
    "transaction.state.log.replication.factor": "1",
    "transaction.state.log.min.isr": "1",
    "transaction.state.log.num.partitions": "4",
    # Groups form at once; a member that is gone is missed as soon as it asks for.
    "group.initial.rebalance.delay.ms": "0",
    "group.min.session.timeout.ms": "1000",
    # A killed node is waited for until its session is over before it may serve again.
    "broker.session.timeout.ms": "4000",
    "broker.heartbeat.interval.ms": "500",
    # A transaction past its time is ended at once, so that its readers go on.
    "transaction.abort.timed.out.transaction.cleanup.interval.ms": "500",
    # Retention and compaction do soon what they would do some day.
    "log.initial.task.delay.ms": "500",
    "log.retention.check.interval.ms": "1000",
    "log.cleaner.backoff.ms": "500",
    "log.cleaner.dedupe.buffer.size": "8388608",
    "log.segment.delete.delay.ms": "1000",
    "num.network.threads": "2",
    "num.io.threads": "3",
    "background.threads": "2",
}


class Ports(NamedTuple):
    """Where each listener of the node is reached, on 127.0.0.1."""

    plaintext: int
    controller: int
    sasl_ssl: int
    ssl: int


class Broker:
    """A node that serves, as a client sees it.

    `bootstrap` takes anybody. `sasl_ssl` wants `USER` and `PASSWORD` by SCRAM or PLAIN, `ssl` a client's certificate;
    both show a certificate of `certificates.authority`.
    """

    def __init__(self, folder: Path, ports: Ports) -> None:
        self.folder = folder
        self.ports = ports
        self.certificates = certificates_in(folder / "certificates")

    @property
    def bootstrap(self) -> str:
        return f"127.0.0.1:{self.ports.plaintext}"

    @property
    def sasl_ssl(self) -> str:
        return f"127.0.0.1:{self.ports.sasl_ssl}"

    @property
    def ssl(self) -> str:
        return f"127.0.0.1:{self.ports.ssl}"

    def create(self, topics: Mapping[str, int], **settings: str) -> None:
        """Makes topics of so many partitions, all with the same settings, `cleanup_policy="compact"` say.

        Returns when each has a leader.
        """
        configs = {name.replace("_", "."): value for name, value in settings.items()}
        admin = KafkaAdminClient(bootstrap_servers=self.bootstrap)
        try:
            new = {name: {"num_partitions": count, "configs": configs} for name, count in topics.items()}
            admin.create_topics(new, wait_for_metadata=True)
        finally:
            admin.close()


class Kafka(Broker):
    """A node in a folder of its own; `start` after `stop` or `kill` goes on with the same data on the same ports.

    `settings` are the broker's own, over those above. It does not outlive the process `owner`, this one by default.
    """

    def __init__(self, folder: Path, *, owner: int | None = None, settings: Mapping[str, str] | None = None) -> None:
        super().__init__(folder, Ports(*free_ports(len(Ports._fields))))
        self._owner = owner
        self._process: ServerProcess | None = None
        self._properties = folder / "server.properties"
        make_certificates(folder / "certificates")
        everything = FIXED | _listeners(self.ports) | _security(self.certificates) | dict(settings or {})
        everything["log.dirs"] = str(folder / "data")
        lines = [f"{name}={value}\n" for name, value in everything.items()]
        self._properties.write_text("".join(lines), encoding="utf-8")

    @property
    def pid(self) -> int:
        return self._running().pid

    def start(self) -> None:
        """Starts the node and returns once it serves. Raises ServerError if something is missing, or it will not."""
        if not (self.folder / "data").exists():
            self._format()
        process = ServerProcess(self._java("kafka.Kafka"), self.folder / "broker.log", owner=self._owner)
        process.wait_ready(lambda: STARTED in process.said())
        self._process = process

    def stop(self) -> None:
        """Shuts the node down in order; nothing if it does not run."""
        if self._process is not None:
            process, self._process = self._process, None
            process.stop()

    def kill(self) -> None:
        """Ends the node with SIGKILL; nothing if it does not run."""
        if self._process is not None:
            process, self._process = self._process, None
            process.kill()

    def restart(self) -> None:
        """Stops it in order if it runs, and starts it again."""
        self.stop()
        self.start()

    def _running(self) -> ServerProcess:
        if self._process is None:
            raise ServerError("this Kafka does not run")
        return self._process

    def _format(self) -> None:
        scram = [f"{name}=[name={USER},password={PASSWORD}]" for name in ("SCRAM-SHA-256", "SCRAM-SHA-512")]
        words = ["--cluster-id", CLUSTER, *(word for entry in scram for word in ("--add-scram", entry))]
        command = self._java("kafka.tools.StorageTool", "format", "--config")
        done = subprocess.run([*command, *words], capture_output=True, text=True, check=False)
        if done.returncode:
            raise ServerError(f"Kafka's folder cannot be formatted:\n{done.stdout}{done.stderr}")

    def _java(self, program: str, *words: str) -> list[str]:
        java = needed("java", "default-jre-headless")
        if not (JARS / ".complete").exists():
            raise ServerError("no Kafka here; run: make servers")
        logging = f"-Dlog4j2.configurationFile={HERE / 'log4j2.properties'}"
        return [java, *JAVA, logging, "-cp", f"{JARS}/*", program, *words, str(self._properties)]


def _listeners(ports: Ports) -> dict[str, str]:
    at = {name.upper(): f"{name.upper()}://127.0.0.1:{port}" for name, port in ports._asdict().items()}
    return {
        "listeners": ",".join(at.values()),
        "advertised.listeners": ",".join(address for name, address in at.items() if name != "CONTROLLER"),
        "listener.security.protocol.map": ",".join(f"{n}:{'PLAINTEXT' if n == 'CONTROLLER' else n}" for n in at),
        "controller.quorum.voters": f"1@127.0.0.1:{ports.controller}",
    }


def _security(certificates: Certificates) -> dict[str, str]:
    modules = "org.apache.kafka.common.security"
    sasl = "listener.name.sasl_ssl"
    scram = f"{modules}.scram.ScramLoginModule required;"
    return {
        "ssl.keystore.type": "PEM",
        "ssl.keystore.location": str(certificates.server_chain),
        "ssl.truststore.type": "PEM",
        "ssl.truststore.location": str(certificates.authority),
        "listener.name.ssl.ssl.client.auth": "required",
        f"{sasl}.sasl.enabled.mechanisms": "SCRAM-SHA-256,SCRAM-SHA-512,PLAIN",
        f"{sasl}.scram-sha-256.sasl.jaas.config": scram,
        f"{sasl}.scram-sha-512.sasl.jaas.config": scram,
        f"{sasl}.plain.sasl.jaas.config": f'{modules}.plain.PlainLoginModule required user_{USER}="{PASSWORD}";',
    }
