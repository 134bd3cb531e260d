"""The readers' side of the feed in Redis."""

from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import msgspec
from redis import Redis

from streamproc.adapters.redis.client import offset_of, told
from streamproc.adapters.redis.layout import counts_of, keys_under, now_of, row_of
from streamproc.desk.feed import OPEN_STATES, Counts, Line, Order, rank
from streamproc.desk.report import WarningNow
from streamproc.desk.warning import Entry, Warning, raised  # noqa: A004 - it is the domain's word

PAGE_SCRIPT = Path(__file__).with_name("page.lua").read_text(encoding="utf-8")

PAGE = 512
"""Warnings that are asked for at once: others wait for Redis meanwhile."""


class RedisFeedReader:
    """Answers from the feed of this prefix, to any thread; every method raises FeedAwayError."""

    def __init__(self, client: Redis, prefix: str) -> None:
        self._client = client
        self._keys = keys_under(prefix)
        self._page = client.register_script(PAGE_SCRIPT)

    # ---------------------------------------------------------------------------------------- warnings

    def warnings(
        self,
        *,
        open_only: bool = False,
        customers: Iterable[str] | None = None,
        limit: int | None = None,
        order: Order = "newest_first",
        after: str | None = None,
    ) -> list[WarningNow]:
        """Warnings as they stand: open ones, of some customers, at most `limit` behind the warning `after`.

        More than PAGE are read in pages, each as of its own moment.
        """
        if customers is not None:
            return self._of(customers, open_only=open_only, order=order, after=after)[:limit]
        found: dict[str, WarningNow] = {}
        while limit is None or len(found) < limit:
            wanted = PAGE if limit is None else min(PAGE, limit - len(found))
            page = self._pages(wanted, after, order, open_only=open_only)
            found |= {warning.id: warning for warning in page}
            if len(page) < wanted:
                break
            after = page[-1].id
        return list(found.values())

    def _pages(self, limit: int, after: str | None, order: Order, *, open_only: bool) -> list[WarningNow]:
        keys = self._keys
        if order == "newest_first":
            index = keys.open_newest if open_only else keys.newest
        else:
            index = keys.open_stakes if open_only else keys.stakes
        with told():
            found = self._page(keys=[index, keys.stakes, keys.standings, keys.bodies], args=[limit, after or "", order])
        return list(_warnings(found))

    def _of(self, customers: Iterable[str], *, open_only: bool, order: Order, after: str | None) -> list[WarningNow]:
        names = set(customers)
        found = [w for name in names for w in self._of_one(name) if not open_only or w.state in OPEN_STATES]
        if after is not None:
            last = self.warning(after)
            found = [] if last is None else [w for w in found if rank(w, order) < rank(last, order)]
        return sorted(found, key=lambda warning: rank(warning, order), reverse=True)

    def _of_one(self, customer: str) -> list[WarningNow]:
        begin = customer.encode() + b"\0"
        with told():
            members: Any = self._client.zrangebylex(self._keys.customers, b"[" + begin, b"(" + begin[:-1] + b"\1")
            return self._named([member[len(begin) :].split(b"\0", 1)[1] for member in members])

    def _named(self, ids: list[bytes]) -> list[WarningNow]:
        if not ids:
            return []
        with self._client.pipeline(transaction=True) as asked:
            asked.hmget(self._keys.standings, ids)
            asked.hmget(self._keys.bodies, ids)
            standings, bodies = asked.execute()
        return list(_warnings(zip(standings, bodies, strict=True)))

    def warning(self, warning_id: str) -> WarningNow | None:
        """One warning as it stands, None if there is none of this id, or it settled too long ago."""
        with told():
            found = self._named([warning_id.encode()])
        return found[0] if found else None

    def life_of(self, warning_id: str) -> tuple[Entry, ...]:
        """The feed's lines of one warning, from the one that raised it on."""
        with told(), self._client.pipeline(transaction=True) as asked:
            asked.hget(self._keys.bodies, warning_id)
            asked.hget(self._keys.lives, warning_id)
            body, life = asked.execute()
        if body is None:
            return ()
        later = [] if life is None else msgspec.msgpack.decode(life, type=list[str])
        first = raised(msgspec.json.decode(body, type=Warning))
        return (first, *(msgspec.json.decode(line, type=Entry) for line in later))

    def counts(self) -> Counts:
        """How many warnings stand how, of all that ever were."""
        with told():
            found: Any = self._client.hgetall(self._keys.counts)
        return counts_of(found)

    # -------------------------------------------------------------------------------------------- feed

    def version(self) -> int:
        """Another number whenever something was taken in since."""
        with told():
            position: Any = self._client.get(self._keys.position)
        return -1 if position is None else offset_of(position)

    def last(self) -> int:
        """The number of the feed's last line, 0 where there is none."""
        with told():
            found: Any = self._client.xrevrange(self._keys.lines, count=1)
        return _seq(found[0][0]) if found else 0

    def lines(self, after: int, limit: int) -> list[Line]:
        """At most `limit` lines numbered above `after`, in order; those beyond `Bounds.lines` are gone."""
        with told():
            found: Any = self._client.xrange(self._keys.lines, min=f"{after + 1}-0", count=limit)
        return [Line(_seq(number), fields[b"line"]) for number, fields in found]


def _warnings(found: Iterable[tuple[bytes | None, bytes | None]]) -> Iterator[WarningNow]:
    for standing, body in found:
        if standing is not None and body is not None:
            yield now_of(row_of(standing), body)


def _seq(number: bytes) -> int:
    return int(number.split(b"-")[0])
