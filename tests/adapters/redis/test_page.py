"""The page and the interface say the same of a feed in Redis as of the one in the data folder."""

import asyncio
import re
from collections.abc import Iterator
from pathlib import Path

import httpx
import msgspec
import pytest
from starlette.types import ASGIApp

from streamproc.adapters.embedded.inbox import Inbox
from streamproc.adapters.embedded.timings import Timings
from streamproc.adapters.metrics import Metrics
from streamproc.adapters.redis.reader import RedisFeedReader
from streamproc.adapters.web.access import Access
from streamproc.adapters.web.app import build
from streamproc.adapters.web.ports import Asked, Behind
from streamproc.cli.reading import FolderReader
from streamproc.cli.serve import InboxTaker
from streamproc.desk.feed import Line
from streamproc.desk.report import WarningNow
from streamproc.desk.warning import Entry
from streamproc.intake.rates import Rates
from tests.adapters.redis.kit import RedisFeed
from tests.adapters.web.kit import read_history
from tests.servers.redis_server import RedisServer


class MixedReader(FolderReader):
    """A reader whose feed is in Redis; what it says of customers and the base is the folder's."""

    def __init__(self, folder: Path, feed: RedisFeedReader) -> None:
        super().__init__(folder)
        self._feed = feed

    def warnings(self, asked: Asked) -> list[WarningNow]:
        return self._feed.warnings(
            open_only=asked.open_only,
            customers=None if asked.customer is None else [asked.customer],
            limit=asked.limit,
            order=asked.order,
            after=asked.after,
        )

    def warning(self, warning_id: str) -> WarningNow | None:
        return self._feed.warning(warning_id)

    def version(self) -> int:
        return self._feed.version()

    def last(self) -> int:
        return self._feed.last()

    def lines(self, after: int, limit: int) -> list[Line]:
        return [Line(*line) for line in self._feed.lines(after, limit)]


class Client:
    """Asks an application, without a server."""

    def __init__(self, reader: FolderReader) -> None:
        behind = Behind(reader, InboxTaker(Inbox(bound=1), Rates("EUR")), Metrics(lambda: reader.seen(0, Timings())))
        self._app: ASGIApp = build(behind, Access("127.0.0.1")).app

    def get(self, path: str) -> httpx.Response:
        async def ask() -> httpx.Response:
            transport = httpx.ASGITransport(self._app)
            async with httpx.AsyncClient(transport=transport, base_url="http://127.0.0.1") as client:
                return await client.get(path)

        return asyncio.run(ask())


@pytest.fixture(scope="module")
def clients(one_redis: RedisServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[list[Client]]:
    """The page over the folder, and over Redis."""
    folder = tmp_path_factory.mktemp("past")
    read_history(folder)
    in_folder = FolderReader(folder)
    with RedisFeed(one_redis.url) as feed:
        feed.client.flushall()
        feed.write([msgspec.json.decode(line.body, type=Entry) for line in in_folder.lines(0, 1 << 30)])
        mixed = MixedReader(folder, feed)
        yield [Client(in_folder), Client(mixed)]
        in_folder.close()
        mixed.close()


@pytest.mark.parametrize(
    "path",
    [
        "/?lang=en",
        "/?lang=zh-CN",
        "/api/warnings",
        "/api/warnings?open=true",
        "/api/warnings?limit=2",
        "/api/warnings?customer=left-90",
        "/api/warnings?customer=nobody",
        "/api/warnings/unknown",
    ],
)
def test_an_answer_is_the_same(clients: list[Client], path: str) -> None:
    folder, redis = (client.get(path) for client in clients)
    assert folder.status_code in {200, 404}
    line_number = re.compile(r'data-after="\d+"')
    assert line_number.sub("", folder.text) == line_number.sub("", redis.text)


def test_all_pages_are_the_same(clients: list[Client]) -> None:
    lists = []
    for client in clients:
        found, after = [], ""
        while True:
            page = client.get(f"/api/warnings?limit=3{after}").json()
            found += page["warnings"]
            if page["next_after"] is None:
                break
            after = f"&after={page['next_after']}"
        assert [client.get(f"/api/warnings/{warning['id']}").json() for warning in found] == found
        lists.append(found)
    assert lists[0] == lists[1]
    assert len(lists[0]) > 3
