"""The feed as server-sent events: one look at the store for all clients, each at its own place.

The rules kept here:
- `id` is the line's number in the feed, so Last-Event-ID goes on exactly where a client was cut off;
- a client asks for what comes after its own place: a slow one waits in its own connection and loses nothing;
- what is kept in memory is the last RING lines, once; older ones are read from the store page by page.
"""

import asyncio
from collections import deque
from http import HTTPStatus

from starlette.concurrency import run_in_threadpool
from starlette.types import Message, Receive, Scope, Send

from streamproc.adapters.web.ports import AwayError, Gauge, Reader
from streamproc.desk.feed import Line

POLL = 0.25
AWAY = 2.0
"""Seconds until what does not answer is asked again."""

HEARTBEAT = 15.0
PATIENCE = 30.0
"""Seconds a client may take to accept what is sent before it is cut off."""

RING = 1_024
PAGE = 256
MOST = 64
"""Streams at once."""


class Feed:
    """The feed's end as it grows, and who follows it."""

    def __init__(self, reader: Reader, gauge: Gauge) -> None:
        self._reader = reader
        self._gauge = gauge
        self._ring: deque[Line] = deque(maxlen=RING)
        self._from = self._end = 0  # the ring holds all lines numbered in (from, end]
        self._news = asyncio.Condition()
        self._followers = 0
        self.closed = False

    async def watch(self) -> None:
        """Looks for new lines until it is cancelled."""
        seen: int | None = None
        while True:
            try:
                seen = await self._look(seen)
            except AwayError:
                await asyncio.sleep(AWAY)
            else:
                await asyncio.sleep(POLL)

    async def _look(self, seen: int | None) -> int:
        version = await run_in_threadpool(self._reader.version)
        if seen is None or (version != seen and not self._followers):
            await self._skip_to_end()
        elif version != seen:
            await self._catch_up()
        return version

    async def _skip_to_end(self) -> None:
        """Nobody needs the lines in between here: whoever is behind reads them from the store."""
        self._ring.clear()
        self._from = self._end = await run_in_threadpool(self._reader.last)
        await self._wake()

    async def _catch_up(self) -> None:
        while lines := await run_in_threadpool(self._reader.lines, self._end, PAGE):
            if len(self._ring) + len(lines) > RING:
                self._from = self._ring[len(self._ring) + len(lines) - RING - 1].seq
            self._ring.extend(lines)
            self._end = lines[-1].seq
            await self._wake()

    async def _wake(self) -> None:
        async with self._news:
            self._news.notify_all()

    async def after(self, seq: int, seconds: float) -> list[Line]:
        """A page of the lines numbered above `seq`; waits for them, but not longer than this."""
        try:
            async with asyncio.timeout(seconds), self._news:
                await self._news.wait_for(lambda: self._end > seq or self.closed)
        except TimeoutError:
            return []
        if seq < self._from:
            return await run_in_threadpool(self._reader.lines, seq, PAGE)
        return [line for line in self._ring if line.seq > seq][:PAGE]

    async def last(self) -> int:
        """The number of the last line there is."""
        return await run_in_threadpool(self._reader.last)

    def join(self) -> bool:
        """Counts one more follower; False where there are enough."""
        if self._followers >= MOST or self.closed:
            return False
        self._followers += 1
        self._gauge.streams(self._followers)
        return True

    def leave(self) -> None:
        """Counts one follower less."""
        self._followers -= 1
        self._gauge.streams(self._followers)

    async def close(self) -> None:
        """Ends every stream."""
        self.closed = True
        await self._wake()


class EventStream:
    """One client's stream from `seq` on; `feed.join()` came before."""

    def __init__(self, feed: Feed, seq: int) -> None:
        self._feed = feed
        self._seq = seq

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answers as an ASGI application."""
        del scope
        try:
            sending = asyncio.create_task(self._send(send))
            leaving = asyncio.create_task(_gone(receive))
            done, waiting = await asyncio.wait((sending, leaving), return_when=asyncio.FIRST_COMPLETED)
            for task in waiting:
                task.cancel()
            await asyncio.gather(*waiting, return_exceptions=True)
            if sending in done and not isinstance(sending.exception(), TimeoutError | AwayError):
                sending.result()
        finally:
            self._feed.leave()

    async def _send(self, send: Send) -> None:
        headers = [(b"content-type", b"text/event-stream; charset=utf-8"), (b"x-accel-buffering", b"no")]
        await _in_time(send, {"type": "http.response.start", "status": int(HTTPStatus.OK), "headers": headers})
        await _in_time(send, _chunk(b"retry: 2000\n\n"))
        while not self._feed.closed:
            lines = await self._feed.after(self._seq, HEARTBEAT)
            body = b"".join(b"id: %d\nevent: entry\ndata: %b\n\n" % line for line in lines)
            await _in_time(send, _chunk(body or b": still here\n\n"))
            if lines:
                self._seq = lines[-1].seq
        await _in_time(send, _chunk(b"", more=False))


async def _gone(receive: Receive) -> None:
    while (await receive())["type"] != "http.disconnect":
        pass


async def _in_time(send: Send, message: Message) -> None:
    async with asyncio.timeout(PATIENCE):
        await send(message)


def _chunk(body: bytes, *, more: bool = True) -> Message:
    return {"type": "http.response.body", "body": body, "more_body": more}
