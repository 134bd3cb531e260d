"""What people do about warnings, posted: the journal decides, the feed tells, and a repeat is done once."""

import json
import re
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import count
from pathlib import Path

import httpx
import jsonschema
import pytest

from streamproc.adapters.embedded.journal import read
from streamproc.adapters.embedded.schema import connect
from streamproc.adapters.web import acting
from streamproc.adapters.web.openapi import document
from streamproc.core.events import DeskStep, FirmFact
from tests.adapters.web.kit import DAYS, Site, copy_of, purchase

DOCUMENT = json.loads(json.dumps(document(token=False)))
DAY = count(DAYS + 1)


@pytest.fixture
def own(past: Path, tmp_path: Path) -> Iterator[Site]:
    """A run of the test's own: time has reached the end of its past, and goes on with what is posted."""
    with Site(copy_of(past, tmp_path / "own")) as running:
        yield running


def warning_ids(site: Site) -> list[str]:
    return [w["id"] for w in site.client.get("/api/warnings", params={"open": "true"}).json()["warnings"]]


def steps(site: Site) -> list[DeskStep]:
    db = connect(site.settings.data, readonly=True)
    found = [n.record for n in read(db) if isinstance(n.record, DeskStep)]
    db.close()
    return found


def say(site: Site, path: str, body: object, key: str = "") -> httpx.Response:
    return site.client.post(path, json=body, headers={"idempotency-key": key} if key else {})


def checked(answer: httpx.Response, path: str) -> httpx.Response:
    """The answer, once it is found to be what the document says of it."""
    pattern = next(p for p in DOCUMENT["paths"] if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", p), path))
    said = DOCUMENT["paths"][pattern]["post"]["responses"][str(answer.status_code)]["content"]
    schema = said[answer.headers["content-type"]]["schema"]
    jsonschema.validate(answer.json(), {**schema, "components": DOCUMENT["components"]})
    return answer


def at_once(site: Site, *asked: Callable[[], httpx.Response]) -> list[httpx.Response]:
    """The answers to requests whose steps are in the journal before an event brings the tick that takes them up."""
    before = len(steps(site))
    with ThreadPoolExecutor(len(asked)) as pool:
        sent = [pool.submit(one) for one in asked]
        while len(steps(site)) < before + len(sent) and not any(one.done() for one in sent):
            pass
        assert site.post(purchase("time", next(DAY))).status_code == 202
        return [one.result() for one in sent]


def test_of_two_who_claim_at_once_one_has_it_and_the_other_is_told(own: Site) -> None:
    path = f"/api/warnings/{warning_ids(own)[0]}/claim"
    told = at_once(own, *(partial(say, own, path, {"by": name}) for name in ("Li", "Wang")))
    answers = sorted(told, key=lambda answer: answer.status_code)
    assert [checked(answer, path).status_code for answer in answers] == [200, 409]
    holder = answers[0].json()["care"]["claimed_by"]
    assert answers[1].json()["detail"] == f"somebody else has it: {holder}"
    assert own.client.get(path.removesuffix("/claim")).json()["care"]["claimed_by"] == holder


def test_a_step_that_is_sent_again_with_its_key_is_done_once_and_answered_the_same(own: Site) -> None:
    path, body = f"/api/warnings/{warning_ids(own)[0]}/claim", {"by": "Li"}
    [first] = at_once(own, lambda: say(own, path, body, "k-1"))
    again = say(own, path, body, "k-1")
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.json() == first.json()
    assert len(steps(own)) == 1
    [other] = at_once(own, lambda: say(own, path, {"by": "Wang"}, "k-1"))
    assert other.status_code == 409


def test_each_step_of_the_terminals_is_there_too(own: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(acting, "PATIENCE", 0.5)
    warning = warning_ids(own)[0]
    bodies = {
        "claim": {"by": "Li"},
        "snooze": {"by": "Li", "until": "2030-01-01", "text": "away"},
        "note": {"by": "Wang", "text": "called twice"},
        "hand-over": {"by": "boss", "to": "Wang"},
        "outcome": {"by": "Wang", "outcome": "kept", "cost": "12.50"},
    }
    for name, body in bodies.items():
        path = f"/api/warnings/{warning}/{name}"
        assert checked(say(own, path, body), path).status_code == 202  # no tick came within half a second
        own.post(purchase("time", next(DAY)))
    now = own.client.get(f"/api/warnings/{warning}").json()
    assert now["care"] == {
        "claimed_by": "Wang", "snoozed_until": "2030-01-01T00:00:00Z", "outcome": "kept", "cost": "12.50",
        "overdue": False,
    }  # fmt: skip
    for path, body in (
        ("/api/mute", {"by": "Li", "what": "c/1", "until": "2030-01-01"}),
        ("/api/mute", {"by": "Li", "what": "segment:bleeding", "until": "2030-01-01T00:00:00Z", "text": "sale"}),
        ("/api/unmute", {"by": "Li", "what": "segment:bleeding"}),
        ("/api/unmute", {"by": "Li", "what": "c/1"}),
        ("/api/customers/c%2F1/recover", {"by": "Li", "complaint_id": "k", "recovery": "apologise"}),
    ):
        assert checked(say(own, path, body), path).status_code == 202
    assert [(s.action, s.customer_id) for s in steps(own)][-3:] == [
        ("mute", "c/1"),
        ("unmute", "c/1"),
        ("recover", "c/1"),
    ]
    db = connect(own.settings.data, readonly=True)
    facts = [n.record for n in read(db) if isinstance(n.record, FirmFact)]
    db.close()
    assert [(fact.kind, fact.subject, fact.value) for fact in facts] == [
        ("mute", "segment:bleeding", 1_893_456_000.0), ("mute", "segment:bleeding", 0.0)
    ]  # fmt: skip


REFUSED = [
    ("/api/warnings/none/claim", {"by": "Li"}, 404),
    ("/api/warnings/{id}/claim", {}, 422),
    ("/api/warnings/{id}/claim", {"by": ""}, 422),
    ("/api/warnings/{id}/claim", {"by": "Li", "for": "fun"}, 422),
    ("/api/warnings/{id}/snooze", {"by": "Li", "until": "soon"}, 422),
    ("/api/warnings/{id}/outcome", {"by": "Li", "outcome": "won"}, 422),
    ("/api/warnings/{id}/outcome", {"by": "Li", "outcome": "kept", "cost": "-3"}, 422),
    ("/api/warnings/{id}/note", {"by": "Li", "text": "x" * acting.MAX_STEP}, 413),
    ("/api/mute", {"by": "Li", "what": "segment:lead", "until": "soon"}, 400),
    ("/api/customers/c/recover", {"by": "Li", "complaint_id": "k", "recovery": "sing"}, 422),
]


@pytest.mark.parametrize(("path", "body", "status"), REFUSED)
def test_what_cannot_be_is_said_and_leaves_no_step(site: Site, path: str, body: object, status: int) -> None:
    before = len(steps(site))
    path = path.format(id=warning_ids(site)[0])
    assert checked(say(site, path, body), path).status_code == status
    assert len(steps(site)) == before


def test_another_sites_page_claims_nothing(site: Site) -> None:
    path = f"/api/warnings/{warning_ids(site)[0]}/claim"
    answer = site.client.post(path, json={"by": "Li"}, headers={"origin": "http://evil.example"})
    assert checked(answer, path).status_code == 403


def test_alerts_are_told_as_on_the_terminal(site: Site) -> None:
    answer = site.client.get("/api/alerts")
    said = DOCUMENT["paths"]["/api/alerts"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    jsonschema.validate(answer.json(), {**said, "components": DOCUMENT["components"]})
    every, opened = answer.json(), site.client.get("/api/alerts", params={"open": "true"}).json()
    assert len(every["alerts"]) >= len(opened["alerts"]) > 0
    assert {alert["state"] for alert in opened["alerts"]} <= {"raised", "worse"}
    few = site.client.get("/api/alerts", params={"limit": "1"}).json()
    assert (len(few["alerts"]), few["more"]) == (1, len(every["alerts"]) > 1)
    assert site.client.get("/api/alerts", params={"open": "maybe"}).status_code == 400
