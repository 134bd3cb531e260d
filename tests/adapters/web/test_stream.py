import json
from itertools import islice
from typing import Any

import httpx
import pytest

from streamproc.adapters.web.stream import MOST
from tests.adapters.web.kit import DAYS, Site, chunks, purchase


def bodies(site: Site) -> list[tuple[int, Any]]:
    return [(seq, json.loads(body)) for seq, body in site.db.execute("SELECT seq, body FROM feed ORDER BY seq")]


def read(site: Site, count: int, **how: Any) -> list[tuple[int, Any]]:
    with site.client.stream("GET", "/stream", **how) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        got = list(islice(chunks(answer), count))
    assert {fields["event"] for fields in got} <= {"entry"}
    return [(int(fields["id"]), json.loads(fields["data"])) for fields in got]


def test_a_stream_from_the_start_is_the_whole_feed(site: Site) -> None:
    feed = bodies(site)
    assert len(feed) > 2
    assert read(site, len(feed), params={"after": 0}) == feed


def test_a_stream_goes_on_where_it_was_cut_off(site: Site) -> None:
    feed = bodies(site)
    first = read(site, 2, params={"after": 0})
    cut = str(first[-1][0])
    # The header a browser sends when it connects again wins over the address it still has.
    rest = read(site, len(feed) - 2, params={"after": 0}, headers={"last-event-id": cut})
    assert first + rest == feed


def test_what_happens_while_a_stream_is_open_comes_once_and_in_order(site: Site) -> None:
    with site.client.stream("GET", "/stream") as answer:
        before = len(bodies(site))
        for day in range(DAYS, DAYS + 60, 6):
            assert site.post(purchase("pusher", day, f"push-{day}")).status_code == 202
        new = bodies(site)[before:]
        assert new
        got = [(int(f["id"]), json.loads(f["data"])) for f in islice(chunks(answer), len(new))]
    assert got == new


def test_a_place_beyond_the_feed_means_its_end(site: Site) -> None:
    with site.client.stream("GET", "/stream", params={"after": 10**9}) as answer:
        before = len(bodies(site))
        for day in range(DAYS + 60, DAYS + 200, 20):
            site.post(purchase("pusher", day, f"push-{day}"))
        new = bodies(site)[before:]
        assert new
        assert [int(f["id"]) for f in islice(chunks(answer), len(new))] == [seq for seq, _ in new]


@pytest.mark.parametrize("after", ["-1", "x", "1.5", "9" * 30, "٣"])
def test_a_place_that_is_none_is_refused(site: Site, after: str) -> None:
    assert site.client.get("/stream", params={"after": after}).status_code == 400


def test_only_the_head_of_a_stream_can_be_asked_for(site: Site) -> None:
    answer = site.client.head("/stream")
    assert answer.headers["content-type"].startswith("text/event-stream")


def test_there_are_only_so_many_streams_and_a_closed_one_makes_room(site: Site) -> None:
    limits = httpx.Limits(max_connections=None)
    with httpx.Client(base_url=site.url, limits=limits, timeout=60) as client:
        opened = [client.send(client.build_request("GET", "/stream"), stream=True) for _ in range(MOST)]
        assert {answer.status_code for answer in opened} == {200}
        assert site.client.get("/stream").status_code == 503
        for answer in opened:
            answer.close()
        while (last := client.send(client.build_request("GET", "/stream"), stream=True)).status_code == 503:
            last.close()
        assert last.status_code == 200
        last.close()


def test_an_open_stream_does_not_hold_up_the_end(tmp_path_factory: pytest.TempPathFactory) -> None:
    client = httpx.Client(timeout=60)
    with Site(tmp_path_factory.mktemp("end")) as site:
        answer = client.send(client.build_request("GET", f"{site.url}stream"), stream=True)
    assert list(chunks(answer)) == []
    client.close()
