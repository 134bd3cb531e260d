import json
import re
from typing import Any

import jsonschema
import pytest
from starlette.routing import Mount, Route

from streamproc.adapters.metrics import Metrics
from streamproc.adapters.web.access import Access
from streamproc.adapters.web.app import build
from streamproc.adapters.web.guard import Guard
from streamproc.adapters.web.openapi import OPERATIONS, document
from streamproc.adapters.web.paths import customer_page
from streamproc.adapters.web.ports import Behind
from streamproc.cli.reading import FolderReader
from streamproc.cli.serve import InboxTaker
from streamproc.intake.rates import Rates
from tests.adapters.web.kit import DAYS, HOSTILE, Site, purchase, when

DOCUMENT = json.loads(json.dumps(document(token=False)))
ENCODED = customer_page(HOSTILE).removeprefix("/customers/")


def schema(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}", "components": DOCUMENT["components"]}


def warning_id(site: Site) -> str:
    found: str = site.client.get("/api/warnings").json()["warnings"][0]["id"]
    return found


ASKED = [
    ("/api/warnings", {}, 200),
    ("/api/warnings", {"open": "true", "limit": "1"}, 200),
    ("/api/warnings", {"limit": "0"}, 400),
    ("/api/warnings", {"limit": "501"}, 400),
    ("/api/warnings", {"open": "maybe"}, 400),
    ("/api/warnings/{warning_id}", {}, 200),
    ("/api/warnings/none", {}, 404),
    ("/api/customers/{customer_id}", {}, 200),
    ("/api/customers/nobody", {}, 404),
    ("/api/customers/{customer_id}/why", {}, 200),
    ("/api/customers/{customer_id}/why", {"at": when(200)}, 200),
    ("/api/customers/{customer_id}/why", {"at": "2024-03-01"}, 200),
    ("/api/customers/{customer_id}/why", {"at": "soon"}, 400),
    ("/api/customers/{customer_id}/why", {"at": "9999-12-31T23:59:59.999999Z"}, 200),
    ("/api/customers/nobody/why", {}, 404),
    ("/api/summary", {}, 200),
    ("/stream", {"after": "x"}, 400),
    ("/readyz", {}, 200),
]


@pytest.mark.parametrize(("path", "query", "status"), ASKED)
def test_each_route_answers_with_what_its_schema_says(
    site: Site, path: str, query: dict[str, str], status: int
) -> None:
    known = {"customer_id": ENCODED, "warning_id": warning_id(site)}
    answer = site.client.get(path.format(**known), params=query)
    assert answer.status_code == status, answer.text
    pattern = next(p for p in DOCUMENT["paths"] if re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", p), path))
    said = DOCUMENT["paths"][pattern]["get"]["responses"][str(status)]["content"]
    media = answer.headers["content-type"]
    jsonschema.validate(answer.json(), {**said[media]["schema"], "components": DOCUMENT["components"]})


@pytest.mark.parametrize(
    "body", [[purchase("s", DAYS, "schema-1")], [purchase("s", DAYS, "schema-1", amount="x")], b" ", b"{"]
)
def test_what_is_answered_to_events_is_what_the_schema_says(site: Site, body: object) -> None:
    answer = site.post(body)
    said = DOCUMENT["paths"]["/events"]["post"]["responses"][str(answer.status_code)]["content"]
    media = answer.headers["content-type"]
    jsonschema.validate(answer.json(), {**said[media]["schema"], "components": DOCUMENT["components"]})


def test_the_lines_of_the_stream_are_what_the_schema_says(site: Site) -> None:
    reader = FolderReader(site.settings.data)
    for line in reader.lines(0, 1_000):
        jsonschema.validate(json.loads(line.body), schema("Entry"))
    reader.close()


def test_each_route_is_documented_and_each_documented_one_is_there(site: Site) -> None:
    reader = FolderReader(site.settings.data)
    behind = Behind(reader, InboxTaker(site.inbox, Rates("EUR")), Metrics(lambda: None))
    guard = build(behind, Access("127.0.0.1")).app
    reader.close()
    assert isinstance(guard, Guard)
    routes = {
        (method.lower(), route.path)
        for route in guard._app.routes  # type: ignore[attr-defined]  # a Starlette
        if isinstance(route, Route)
        for method in route.methods or ()
        if method != "HEAD"
    }
    assert routes == {(operation.method, operation.path) for operation in OPERATIONS}
    assert [r.path for r in guard._app.routes if isinstance(r, Mount)] == ["/static"]  # type: ignore[attr-defined]


def test_the_document_is_served_and_holds_together(site: Site) -> None:
    assert site.client.get("/openapi.json").json() == DOCUMENT
    assert DOCUMENT["openapi"] == "3.1.0"
    names = [operation["operationId"] for methods in DOCUMENT["paths"].values() for operation in methods.values()]
    assert len(names) == len(set(names))
    refs = set(re.findall(r"#/components/schemas/(\w+)", str(DOCUMENT)))
    assert refs <= set(DOCUMENT["components"]["schemas"])
    for found in DOCUMENT["components"]["schemas"].values():
        jsonschema.Draft202012Validator.check_schema(found)
    for path, methods in DOCUMENT["paths"].items():
        for operation in methods.values():
            said = {p["name"] for p in operation.get("parameters", ()) if p["in"] == "path"}
            assert said == set(re.findall(r"\{(\w+)\}", path))


def test_the_record_is_that_of_the_command(site: Site) -> None:
    answer = site.client.get("/api/record")
    jsonschema.validate(answer.json(), schema("Record"))
    record, summary = answer.json(), site.client.get("/api/summary").json()
    assert (record["open"], record["judged"]) == (summary["open_warnings"], sum(summary["verdicts"].values()))
    assert site.client.get("/api/record", params={"since": "2100-01-01"}).json()["raised"] == 0
    assert site.client.get("/api/record", params={"since": "soon"}).status_code == 400


def test_warnings_are_paged_without_gap_or_repeat(site: Site) -> None:
    everything = [w["id"] for w in site.client.get("/api/warnings").json()["warnings"]]
    assert len(everything) > 3
    got: list[str] = []
    after: dict[str, str] = {}
    while True:
        page = site.client.get("/api/warnings", params={"limit": 2, **after}).json()
        got += [w["id"] for w in page["warnings"]]
        if page["next_after"] is None:
            break
        after = {"after": page["next_after"]}
    assert got == everything


def test_warnings_of_one_customer_are_theirs(site: Site) -> None:
    found = site.client.get("/api/warnings", params={"customer": HOSTILE}).json()["warnings"]
    assert {w["customer_id"] for w in found} == {HOSTILE}
    still_open = site.client.get("/api/warnings", params={"open": "true"}).json()["warnings"]
    assert {w["state"] for w in still_open} <= {"raised", "escalated"}


def test_a_customer_s_id_may_hold_any_character(site: Site) -> None:
    report = site.client.get(f"/api/customers/{ENCODED}").json()
    assert report["customer_id"] == HOSTILE
    for odd in ("a/why", "a%2Fb", "é 客户", "?x#y"):
        assert site.post(purchase(odd, DAYS, f"odd-{odd}")).status_code == 202
        answer = site.client.get(f"/api{customer_page(odd)}")
        assert answer.json()["customer_id"] == odd


def test_a_route_that_is_not_there_is_a_problem_for_programs_and_a_page_for_people(site: Site) -> None:
    answer = site.client.get("/nowhere")
    jsonschema.validate(answer.json(), schema("Problem"))
    assert answer.status_code == 404
    page = site.client.get("/nowhere", headers={"accept": "text/html"})
    assert (page.status_code, page.headers["content-type"]) == (404, "text/html; charset=utf-8")
    assert site.client.delete("/api/summary").status_code == 405
