"""The writer's side of the feed in Redis: one call of take.lua a record."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import redis.asyncio
from redis.exceptions import NoPermissionError, NoScriptError

from streamproc.adapters.redis.client import offset_of, told
from streamproc.adapters.redis.layout import USUAL, Bounds, arguments, keys_under
from streamproc.desk.feed import FeedMovedError, Numbered, Place

TAKE = Path(__file__).with_name("take.lua").read_text(encoding="utf-8")

MOVED = -1


class RedisFeedStore:
    """A feed of this prefix. Several may write to it: whoever is late finds the record taken in already."""

    def __init__(self, client: "redis.asyncio.Redis", prefix: str, bounds: Bounds = USUAL) -> None:
        self._client = client
        self._keys = keys_under(prefix)
        self._bounds = bounds
        self._sha = ""

    async def place(self) -> Place | None:
        """The last record taken in. Raises FeedAwayError."""
        with told():
            async with self._client.pipeline(transaction=True) as asked:
                asked.get(self._keys.position)
                asked.xrevrange(self._keys.lines, count=1)
                position, last = await asked.execute()
            if position is None:
                return None
            offset = offset_of(position)
            is_line = bool(last) and last[0][0] == b"%d-0" % (offset + 1)
            return Place(offset, last[0][1][b"line"] if is_line else None)

    async def write(self, after: int | None, records: Sequence[Numbered]) -> int:
        """Takes in the records that follow `after`; gives how many were new. Raises FeedMovedError, FeedAwayError."""
        with told():
            answers = await self._send(after, records)
            if any(isinstance(answer, NoScriptError) for answer in answers):
                self._sha = await self._client.script_load(TAKE)
                answers = await self._send(after, records)
            for answer in answers:
                if isinstance(answer, Exception):
                    raise answer
        if MOVED in answers:
            raise FeedMovedError
        return sum(answers)

    async def writes_down(self) -> bool | None:
        """Whether what it takes is written to an append-only file, and can be; None: that is not for us to see."""
        with told():
            try:
                seen = await self._client.info("persistence")
            except NoPermissionError:
                return None
        return bool(seen.get("aof_enabled")) and seen.get("aof_last_write_status") != "err"

    async def _send(self, after: int | None, records: Sequence[Numbered]) -> list[Any]:
        # Not a transaction: each record is whole by itself, and others are served in between.
        async with self._client.pipeline(transaction=False) as sent:
            for record in records:
                given = [*self._keys, *arguments(record, after), *self._bounds]
                sent.evalsha(self._sha, len(self._keys), *given)
                after = record.offset
            return await sent.execute(raise_on_error=False)

    def emptying(self) -> str:
        """The command that empties the feed."""
        return f"redis-cli DEL {' '.join(map(repr, self._keys))}"

    def skipping_to(self, offset: int) -> str:
        """The command that makes an empty feed begin at this offset."""
        return f"redis-cli SET '{self._keys.position}' {offset - 1}"
