"""uvicorn in a thread of its own: started, asked for its address, stopped."""

import asyncio
import logging
import signal
import socket
import threading

import uvicorn

from streamproc.adapters.web.access import AccessError, Address
from streamproc.adapters.web.app import Built

BACKLOG = 128
CONNECTIONS = 256
"""Connections at once, streams among them; more are answered 503."""

GRACE = 5


class Server:
    """A bound and running server; `address` is where, with the port the system chose if 0 was asked for."""

    def __init__(self, built: Built, address: Address) -> None:
        """Raises AccessError where the address cannot be bound."""
        self._built = built
        self._socket = _bound(address)
        self.address = Address(address.host, self._socket.getsockname()[1])
        self._started = threading.Event()
        self._loop: asyncio.AbstractEventLoop | None = None
        config = uvicorn.Config(
            built.app,
            http="h11",
            ws="none",
            lifespan="on",
            log_config=None,  # whoever runs the process says where logs go
            access_log=False,
            server_header=False,
            limit_concurrency=CONNECTIONS,
            timeout_graceful_shutdown=GRACE,
        )
        # Paths hold customers' ids: no handler that others install may ever see them.
        logging.getLogger("uvicorn.access").setLevel(logging.CRITICAL + 1)
        self._server = uvicorn.Server(config)
        self._thread = threading.Thread(target=self._run, name="http", daemon=True)

    def start(self) -> None:
        """Returns once requests are answered."""
        self._thread.start()
        self._started.wait()

    def stop(self) -> None:
        """Ends streams, lets running requests finish, and returns once the server has ended."""
        if self._loop is not None and self._thread.is_alive():
            asyncio.run_coroutine_threadsafe(self._built.feed.close(), self._loop).result(GRACE)
        self._server.handle_exit(signal.SIGTERM, None)
        self._thread.join()
        self._socket.close()

    def _run(self) -> None:
        asyncio.run(self._serve())

    async def _serve(self) -> None:
        self._loop = asyncio.get_running_loop()
        self._loop.call_soon(self._started.set)
        await self._server.serve(sockets=[self._socket])


def _bound(address: Address) -> socket.socket:
    try:
        family, kind, _, _, where = socket.getaddrinfo(address.host, address.port, type=socket.SOCK_STREAM)[0]
        bound = socket.socket(family, kind)
    except OSError as error:
        raise AccessError(f"cannot listen on {address.host}:{address.port}: {error.strerror or error}") from error
    try:
        bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        bound.bind(where)
        bound.listen(BACKLOG)
    except OSError as error:
        bound.close()
        raise AccessError(
            f"cannot listen on {address.host}:{address.port}: {error.strerror}; "
            "give another address with --listen, or --listen off"
        ) from error
    return bound
