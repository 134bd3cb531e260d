"""The writer's side of the feed in Redis: one call of take.lua a record."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import msgspec
import redis.asyncio
from redis.exceptions import NoPermissionError, NoScriptError, WatchError

from streamproc.adapters.redis.client import offset_of, told
from streamproc.adapters.redis.layout import USUAL, Bounds, arguments, counts_of, keys_under
from streamproc.desk.feed import Counts, FeedMovedError, Numbered, Place
from streamproc.desk.forgetting import is_farewell

TAKE = Path(__file__).with_name("take.lua").read_text(encoding="utf-8")

MOVED = -1

PAGE = 1_000
"""Lines that are looked through at once: others are served in between."""


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
        written, begin = 0, 0
        for number, record in enumerate(records):
            if record.entry is not None and is_farewell(record.entry):
                written += await self._write(after, records[begin:number])
                await self._drop_lines(record.entry.customer_id, record.offset)  # before the position tells it done
                after, begin = records[number - 1].offset if number else after, number
        return written + await self._write(after, records[begin:])

    async def _drop_lines(self, customer_id: str, before: int) -> None:
        """Makes the lines anew without those of one customer from records before this offset.

        What is deleted from a stream stays in it until all its neighbours are deleted too.
        """
        named = b'"customer_id":' + msgspec.json.encode(customer_id)
        with told():
            while not await self._drop_once(named, before):
                pass

    async def _drop_once(self, named: bytes, before: int) -> bool:
        """Whether it went through: another writer may write a line meanwhile."""
        lines = self._keys.lines
        async with self._client.pipeline(transaction=True) as held:
            await held.watch(lines)
            kept, dropped = await self._copy_lines(named, before)
            if not dropped:
                await self._client.delete(f"{lines}:new")
                return True
            held.multi()  # type: ignore[no-untyped-call]
            held.rename(f"{lines}:new", lines) if kept else held.delete(lines)
            try:
                await held.execute()
            except WatchError:
                return False
        return True

    async def _copy_lines(self, named: bytes, before: int) -> tuple[int, int]:
        """Copies the lines but those that hold `named`; how many were copied, and how many not."""
        copy, begin, kept, dropped = f"{self._keys.lines}:new", "-", 0, 0
        await self._client.delete(copy)
        while True:
            found: Any = await self._client.xrange(self._keys.lines, min=begin, count=PAGE)
            if not found:
                return kept, dropped
            async with self._client.pipeline(transaction=False) as sent:
                for number, fields in found:
                    if named in fields[b"line"] and int(number.split(b"-")[0]) <= before:
                        dropped += 1
                    else:
                        sent.xadd(copy, fields, id=number)
                        kept += 1
                await sent.execute()
            begin = "(" + found[-1][0].decode()

    async def _write(self, after: int | None, records: Sequence[Numbered]) -> int:
        if not records:
            return 0
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

    async def counts(self) -> Counts | None:
        """How many warnings stand how; None: that is not for us to see. Raises FeedAwayError."""
        with told():
            try:
                found: Any = await self._client.hgetall(self._keys.counts)
            except NoPermissionError:
                return None
        return counts_of(found)

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
