"""One redis-server, with what it writes down chosen by the test."""

from pathlib import Path
from typing import Any
from urllib.parse import quote

from redis import Redis
from redis.exceptions import RedisError

from tests.servers.certificates import Certificates, make_certificates
from tests.servers.process import ServerProcess, free_ports, needed, wait_until

USER, PASSWORD = "streamproc", "p4ss:word/with@signs"
QUOTED_PASSWORD = quote(PASSWORD, safe="")
"""As it stands in an address."""

APPEND_ONLY = ("appendonly yes", "appendfsync everysec", "save ''")
SNAPSHOTS_ONLY = ("appendonly no", "save 3600 1")


class RedisServer:
    """A server in a folder of its own; `start` after `stop` or `kill` goes on with what was written down.

    With `append_only` every write is in the log within a second; without, only snapshots are kept. With `secure` it
    takes TLS alone, and the user `USER` alone.
    """

    def __init__(self, folder: Path, *, append_only: bool = True, secure: bool = False) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        [self.port] = free_ports(1)
        self.certificates: Certificates | None = make_certificates(folder / "certificates") if secure else None
        self._folder = folder
        self._process: ServerProcess | None = None
        lines = ["bind 127.0.0.1", f"dir {folder}", *(APPEND_ONLY if append_only else SNAPSHOTS_ONLY)]
        lines += [f"port {self.port}"] if self.certificates is None else _secured(self.port, self.certificates)
        self._config = folder / "redis.conf"
        self._config.write_text("\n".join(lines) + "\n", encoding="utf-8")

    @property
    def url(self) -> str:
        """Where it is reached, without user and password."""
        return f"{'redis' if self.certificates is None else 'rediss'}://127.0.0.1:{self.port}/0"

    def connect(self) -> Redis:
        """A client of the server."""
        if self.certificates is None:
            return Redis.from_url(self.url)
        return Redis.from_url(self.url, username=USER, password=PASSWORD, ssl_ca_certs=str(self.certificates.authority))

    def start(self) -> None:
        """Starts it and returns once it answers. Raises ServerError if it is not installed or will not."""
        command = [needed("redis-server", "redis-server"), str(self._config)]
        process = ServerProcess(command, self._folder / "redis.log")
        with self.connect() as client:
            process.wait_ready(lambda: _answers(client))
        self._process = process

    def stop(self) -> None:
        """Shuts it down in order; nothing if it does not run."""
        if self._process is not None:
            process, self._process = self._process, None
            process.stop()

    def kill(self) -> None:
        """Ends it with SIGKILL; nothing if it does not run."""
        if self._process is not None:
            process, self._process = self._process, None
            process.kill()

    def wait_written(self) -> None:
        """Returns once its log is whole: a server that still writes its first one does not end when it is asked to."""
        with self.connect() as client:
            wait_until(lambda: not _writes_its_log(client), "the log is written")

    def restart(self) -> None:
        """Stops it in order if it runs, and starts it again."""
        self.stop()
        self.start()


def _answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except RedisError:  # refused, or still reading its log
        return False


def _secured(port: int, certificates: Certificates) -> list[str]:
    return [
        "port 0",
        f"tls-port {port}",
        f"tls-cert-file {certificates.server}",
        f"tls-key-file {certificates.server_key}",
        f"tls-ca-cert-file {certificates.authority}",
        "tls-auth-clients no",
        "user default off",
        f"user {USER} on >{PASSWORD} ~* &* +@all",
    ]


def _writes_its_log(client: Redis) -> bool:
    told: Any = client.info("persistence")
    return bool(told["aof_rewrite_in_progress"] or told["aof_rewrite_scheduled"])
