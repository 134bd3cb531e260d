import json
import socket
from concurrent.futures import ThreadPoolExecutor, as_completed
from itertools import islice

import httpx
import pytest

from streamproc.adapters.embedded import deadletters
from streamproc.adapters.embedded.journal import read
from streamproc.adapters.embedded.schema import connect
from streamproc.adapters.web.bodies import MAX_EVENTS, MAX_REQUEST
from streamproc.adapters.web.posting import POSTS
from streamproc.intake.refusal import MAX_BODY
from tests.adapters.web.kit import DAYS, Site, purchase


def journal_ids(site: Site) -> list[str]:
    """As another process sees them: what is committed."""
    db = connect(site.settings.data, readonly=True)
    found = [n.record.event_id for n in read(db) if hasattr(n.record, "event_id")]
    db.close()
    return found


def statuses(answer: httpx.Response) -> list[str]:
    return [result["status"] for result in answer.json()["results"]]


def letters(site: Site) -> list[bytes]:
    return [kept.letter.raw for kept in deadletters.read(site.db)]


def test_one_event_is_in_the_journal_when_it_is_answered_and_a_repeat_is_said(site: Site) -> None:
    event = purchase("one", DAYS, "one-1")
    answer = site.post(event)
    assert answer.status_code == 202
    assert answer.json() == {
        "new": 1, "repeats": 0, "refused": 0, "results": [{"event_id": "one-1", "status": "new"}]
    }  # fmt: skip
    assert journal_ids(site).count("one-1") == 1
    assert statuses(site.post(event)) == ["repeat"]
    assert journal_ids(site).count("one-1") == 1


def test_an_array_and_lines_are_answered_event_by_event(site: Site) -> None:
    good, bad = purchase("two", DAYS, "two-1"), purchase("two", DAYS, "two-2", amount="much")
    assert statuses(site.post([good, bad, good])) == ["new", "refused", "repeat"]
    lines = b"\n".join(json.dumps(e).encode() for e in (good, purchase("two", DAYS, "two-3")))
    assert statuses(site.post(lines, content_type="application/x-ndjson")) == ["repeat", "new"]


def test_a_refused_event_says_why_and_is_kept_byte_for_byte(site: Site) -> None:
    body = b'{"stream": "purchases",  "event_id": "bad-1", "occurred_at": "2024-10-01T00:00:00Z", "order_id": "x"}'
    answer = site.post(b"[" + body + b"]")
    assert answer.status_code == 422
    assert answer.json()["results"] == [
        {"event_id": "bad-1", "status": "refused", "reason": "missing_field", "field": "customer_id"}
    ]
    assert body in letters(site)


@pytest.mark.parametrize("body", [b"not json", b"[1,", b"\xff\xfe", b"17"])
def test_what_is_no_event_is_kept_too(site: Site, body: bytes) -> None:
    answer = site.post(body)
    assert (answer.status_code, statuses(answer)) == (422, ["refused"])
    assert answer.json()["results"][0]["event_id"] is None
    assert body in letters(site)


def test_an_event_needs_an_id_or_a_single_one_a_key(site: Site) -> None:
    event = purchase("key", DAYS, "")
    refused = site.post(event).json()["results"][0]
    assert (refused["reason"], refused["field"]) == ("missing_field", "event_id")
    assert site.post(event, idempotency_key="key-1").json()["results"] == [{"event_id": "key-1", "status": "new"}]
    assert statuses(site.post(event, idempotency_key='"key-1"')) == ["repeat"]
    assert statuses(site.post([event, event], idempotency_key="key-2")) == ["refused", "refused"]
    assert site.post(event, idempotency_key="k" * 257).status_code == 400


def test_a_large_event_is_refused_alone_and_a_large_request_whole(site: Site) -> None:
    large = purchase("large", DAYS, "large-1", category="x" * MAX_BODY)
    answer = site.post([large, purchase("large", DAYS, "large-2")])
    assert statuses(answer) == ["refused", "new"]
    assert answer.json()["results"][0]["reason"] == "too_large"
    assert site.post(b" " * (MAX_REQUEST + 1)).status_code == 413


def test_a_request_without_a_stated_size_is_cut_off_at_the_bound(site: Site) -> None:
    pieces = (b" " * (1 << 20) for _ in range(18))
    assert site.client.post("/events", content=pieces).status_code == 413


def test_too_many_events_and_none_are_refused(site: Site) -> None:
    assert site.post(b"{}\n" * (MAX_EVENTS + 1), content_type="application/x-ndjson").status_code == 413
    assert site.post(b" ").status_code == 400
    assert site.post(b"{}", content_encoding="gzip").status_code == 415


def test_when_nobody_takes_them_events_are_turned_away_and_none_is_lost_or_doubled(site: Site) -> None:
    before = len(journal_ids(site))
    with ThreadPoolExecutor(20) as pool:
        with site.writer_away():
            asked = [pool.submit(site.post, purchase("many", DAYS, f"many-{n}")) for n in range(20)]
            turned_away = [done.result() for done in islice(as_completed(asked), 20 - POSTS)]
        answers = [answer.result() for answer in asked]
    assert {(a.status_code, a.headers["retry-after"]) for a in turned_away} == {(503, "5")}
    assert [a.status_code for a in answers].count(202) == POSTS
    assert len(journal_ids(site)) - before == POSTS


def test_a_body_that_breaks_off_takes_nothing_and_holds_no_place(site: Site, caplog: pytest.LogCaptureFixture) -> None:
    before = journal_ids(site)
    host, port = site.url.removeprefix("http://").rstrip("/").split(":")
    head = f"POST /events HTTP/1.1\r\nHost: {host}\r\nContent-Length: 1000\r\n\r\n".encode()
    for _ in range(2 * POSTS):
        with socket.create_connection((host, int(port))) as broken:
            broken.sendall(head + json.dumps(purchase("half", DAYS, "half-1")).encode())
    while (answer := site.post(b" ")).status_code == 503:
        pass
    assert answer.status_code == 400
    assert journal_ids(site) == before
    assert caplog.records == []


def test_the_stop_of_a_run_answers_what_still_waits(tmp_path_factory: pytest.TempPathFactory) -> None:
    with Site(tmp_path_factory.mktemp("stop")) as site, ThreadPoolExecutor(1) as pool:
        with site.writer_away():
            asked = pool.submit(site.post, purchase("late", DAYS, "late-1"))
            while not site.inbox.depth():
                pass
            site.inbox.close()
            assert asked.result().status_code == 503
        assert site.client.get("/readyz").status_code == 503
