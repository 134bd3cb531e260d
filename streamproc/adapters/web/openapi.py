"""The OpenAPI 3.1 document: paths written here, schemas from the very types that are sent."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import msgspec
from msgspec import Struct

from streamproc import __version__
from streamproc.adapters.web.acting import STEPS, Mute, Recover, Taken, Unmute
from streamproc.adapters.web.answers import PROBLEM_TYPE, Problem
from streamproc.adapters.web.api import MAX_PAGE, AlertPage, WarningPage
from streamproc.adapters.web.bodies import MAX_EVENTS, MAX_REQUEST
from streamproc.adapters.web.health import Health
from streamproc.adapters.web.posting import Receipt
from streamproc.desk.record import Record
from streamproc.desk.report import CustomerReport, Summary, WarningNow, WhyAnswer
from streamproc.desk.warning import Entry
from streamproc.wire.feed import FeedComplaint, FeedContact, FeedCustomerFact, FeedDeskStep, FeedFirmFact, FeedPurchase

Json = dict[str, Any]

_EVENTS = (FeedPurchase, FeedComplaint, FeedContact, FeedCustomerFact, FeedDeskStep, FeedFirmFact)
_TYPES = (
    WarningPage,
    WarningNow,
    CustomerReport,
    WhyAnswer,
    Summary,
    Record,
    Receipt,
    Health,
    Problem,
    Entry,
    AlertPage,
    Taken,
    *STEPS.values(),
    Mute,
    Unmute,
    Recover,
    *_EVENTS,
)
_REF = "#/components/schemas/{name}"


class Said(NamedTuple):
    """One answer of an operation: its status, what it means, and the type or the media type of what is sent."""

    status: int
    meaning: str
    what: type | str


class Asked(NamedTuple):
    """One parameter."""

    name: str
    place: str
    meaning: str
    schema: Json
    required: bool = False


class Operation(NamedTuple):
    """What one route does."""

    path: str
    name: str
    summary: str
    answers: Sequence[Said]
    parameters: Sequence[Asked] = ()
    method: str = "get"
    body: type[Struct] | None = None


_CUSTOMER = Asked("customer_id", "path", "The customer's id, percent-encoded whole.", {"type": "string"}, required=True)
_WARNING = Asked("warning_id", "path", "The warning's id.", {"type": "string"}, required=True)
_PAGE = (
    Asked("open", "query", "Only warnings that are open.", {"type": "boolean", "default": False}),
    Asked("customer", "query", "Only this customer's.", {"type": "string"}),
    Asked("limit", "query", "At most so many.", {"type": "integer", "minimum": 1, "maximum": MAX_PAGE, "default": 100}),
    Asked("after", "query", "Those behind this warning's id: `next_after` of the page before.", {"type": "string"}),
)
_AT = Asked("at", "query", "An RFC 3339 time, or a date (its first instant, UTC); now if left out.", {"type": "string"})
_SINCE = Asked("since", "query", "Only warnings raised from this RFC 3339 time, or date, on.", {"type": "string"})
_AFTER = Asked("after", "query", "Begin behind this line of the feed.", {"type": "integer", "minimum": 0})
_RESUME = Asked("Last-Event-ID", "header", "As `after`; sent by a browser that connects again.", {"type": "integer"})
_KEY = Asked(
    "Idempotency-Key", "header", "Names a single event that has no event_id.", {"type": "string", "maxLength": 256}
)
_REPEAT = Asked(
    "Idempotency-Key", "header", "The same step with the same key is done once.", {"type": "string", "maxLength": 256}
)
_LANG = Asked("lang", "query", "The page's language.", {"type": "string", "enum": ["en", "zh-CN"]})
_WRONG = Said(400, "A parameter cannot be used.", Problem)
_UNKNOWN = Said(404, "There is none of this id.", Problem)
_BUSY = Said(503, "Not now: come back after Retry-After seconds.", Problem)
_HTML = "text/html"
_TAKEN = Said(202, "It is in the journal and counts from the next tick on.", Taken)
_REFUSED = (
    Said(400, "The Idempotency-Key, or a time, cannot be used.", Problem),
    Said(403, "A browser sent it from another site.", Problem),
    Said(408, "The body took too long: nothing was taken.", Problem),
    Said(413, "Too many bytes: nothing was taken.", Problem),
    Said(422, "This cannot be: nothing was taken.", Problem),
    _BUSY,
)
_SAID_OF = {
    "claim": "Take a warning on; of two who claim it the earlier one has it.",
    "snooze": "Let a warning sleep.",
    "hand-over": "Give a warning to somebody else.",
    "note": "Write something beside a warning.",
    "outcome": "Say how it went.",
}


def _step(name: str) -> "Operation":
    said = (
        Said(200, "Done: the feed's line that says so.", Entry), _TAKEN, _UNKNOWN,
        Said(409, "Not done: somebody else has the warning, or it has ended.", Problem), *_REFUSED,
    )  # fmt: skip
    path = f"/api/warnings/{{warning_id}}/{name}"
    return Operation(path, name.replace("-", "_"), _SAID_OF[name], said, (_WARNING, _REPEAT), "post", STEPS[name])


OPERATIONS = (
    Operation("/", "page", "The page with the open warnings.", (Said(200, "The page.", _HTML),), (_LANG,)),
    Operation(
        "/customers/{customer_id}", "customer_page", "A customer's page.",
        (Said(200, "The page.", _HTML), Said(404, "Nothing is known of this customer.", _HTML)), (_CUSTOMER, _LANG),
    ),
    Operation("/record", "record_page", "Whether the warnings were right.", (Said(200, "The page.", _HTML),), (_LANG,)),
    Operation(
        "/report", "report_page", "The firm at a glance.",
        (Said(200, "The page.", _HTML), Said(202, "It is being made: ask again.", _HTML)), (_LANG,),
    ),
    Operation(
        "/stream", "stream",
        "The feed as server-sent events: `id` is the line's number, `event` is `entry`, `data` an Entry.",
        (Said(200, "Lines as they come.", "text/event-stream"), _WRONG, _BUSY), (_RESUME, _AFTER),
    ),
    Operation(
        "/api/warnings", "warnings", "Warnings as they stand, the newest first.",
        (Said(200, "A page of warnings.", WarningPage), _WRONG), _PAGE,
    ),
    Operation(
        "/api/warnings/{warning_id}", "warning", "One warning as it stands.",
        (Said(200, "The warning.", WarningNow), _UNKNOWN), (_WARNING,),
    ),
    Operation(
        "/api/customers/{customer_id}", "customer", "All that is known of one customer.",
        (Said(200, "The report.", CustomerReport), _UNKNOWN), (_CUSTOMER,),
    ),
    Operation(
        "/api/customers/{customer_id}/why", "why", "Why there was, or was no, warning at a time.",
        (Said(200, "The answer.", WhyAnswer), _WRONG, _UNKNOWN), (_CUSTOMER, _AT),
    ),
    Operation(
        "/api/summary", "summary", "The whole base at a glance.",
        (Said(200, "The summary.", Summary), _BUSY),
    ),
    Operation(
        "/api/record", "record", "Whether the warnings were right, how early, what they were worth.",
        (Said(200, "The record.", Record), _WRONG), (_SINCE,),
    ),
    Operation(
        "/api/alerts", "alerts", "Alerts to those who run the shop, each by its last line, the newest first.",
        (Said(200, "The alerts.", AlertPage), _WRONG),
        (
            Asked("open", "query", "Only those that have not ended.", {"type": "boolean", "default": False}),
            next(asked for asked in _PAGE if asked.name == "limit"),
        ),
    ),
    *map(_step, STEPS),
    Operation(
        "/api/mute", "mute", "Warn nobody of a customer, of a segment or for a cause.",
        (_TAKEN, *_REFUSED), (_REPEAT,), "post", Mute,
    ),
    Operation(
        "/api/unmute", "unmute", "Warn again of what was muted.", (_TAKEN, *_REFUSED), (_REPEAT,), "post", Unmute,
    ),
    Operation(
        "/api/customers/{customer_id}/recover", "recover", "Tick off one of the seven steps of service recovery.",
        (_TAKEN, *_REFUSED), (_CUSTOMER, _REPEAT), "post", Recover,
    ),
    Operation(
        "/events", "events",
        f"Events in: one object, an array, or one a line; at most {MAX_EVENTS} events and {MAX_REQUEST} bytes.",
        (
            Said(202, "What was taken is durable; refused events are kept as dead letters.", Receipt),
            Said(422, "All events were refused.", Receipt),
            Said(400, "There is no event in the request.", Problem),
            Said(403, "A browser sent it from another site.", Problem),
            Said(408, "The body took too long: nothing was taken.", Problem),
            Said(413, "Too many bytes or events: nothing was taken.", Problem),
            Said(415, "The body is packed: nothing was taken.", Problem),
            _BUSY,
        ),
        (_KEY,), "post",
    ),
    Operation("/metrics", "metrics", "Metrics for Prometheus.", (Said(200, "The metrics.", "text/plain"),)),
    Operation("/livez", "livez", "Whether the process answers.", (Said(200, "It does.", "text/plain"),)),
    Operation(
        "/readyz", "readyz", "Whether the writer answers and time moves.",
        (Said(200, "All is at work.", Health), Said(503, "Something is not.", Health)),
    ),
    Operation("/login", "login_page", "Where a browser gives the token.", (Said(200, "The form.", _HTML),)),
    Operation(
        "/login", "login", "Sets the cookie that lets the page in.",
        (Said(303, "On to the page, or back to the form.", ""),), (), "post",
    ),
    Operation("/openapi.json", "openapi", "This document.", (Said(200, "The document.", "application/json"),)),
)  # fmt: skip
"""Every route there is, but for the style and the script of the page."""

WITHOUT_TOKEN = frozenset(("/livez", "/readyz", "/login"))


def document(*, token: bool, events: bool = True, steps: bool = True) -> Json:
    """The whole document; with a `token`, how it is shown; without `events` or `steps` where none can be posted."""
    _, schemas = msgspec.json.schema_components(_TYPES, ref_template=_REF)
    paths: Json = {}
    for operation in OPERATIONS:
        if (operation.path == "/events" and not events) or (operation.body is not None and not steps):
            continue
        paths.setdefault(operation.path, {})[operation.method] = _operation(operation, token=token)
    components: Json = {"schemas": schemas}
    if token:
        components["securitySchemes"] = {
            "bearer": {"type": "http", "scheme": "bearer"},
            "cookie": {"type": "apiKey", "in": "cookie", "name": "streamproc"},
        }
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "streamproc",
            "version": __version__,
            "summary": "Who is about to leave, why, what is at stake.",
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "paths": paths,
        "components": components,
    }


def _operation(operation: Operation, *, token: bool) -> Json:
    answers = {str(said.status): _answer(said) for said in operation.answers}
    found: Json = {"operationId": operation.name, "summary": operation.summary, "responses": answers}
    if operation.parameters:
        found["parameters"] = [
            {"name": p.name, "in": p.place, "description": p.meaning, "schema": p.schema, "required": p.required}
            for p in operation.parameters
        ]
    if operation.name == "events":
        found["requestBody"] = _events()
    if operation.body is not None:
        schema = {"$ref": _REF.format(name=operation.body.__name__)}
        found["requestBody"] = {"required": True, "content": {"application/json": {"schema": schema}}}
    if operation.name == "login":
        form = {"type": "object", "properties": {"token": {"type": "string"}}, "required": ["token"]}
        found["requestBody"] = {"content": {"application/x-www-form-urlencoded": {"schema": form}}}
    if token and operation.path not in WITHOUT_TOKEN:
        found["security"] = [{"bearer": []}, {"cookie": []}]
        answers["401"] = _answer(Said(401, "The token is missing or wrong.", Problem))
    return found


def _answer(said: Said) -> Json:
    if isinstance(said.what, str):
        content: Json = {said.what: {}} if said.what else {}
    else:
        media = PROBLEM_TYPE if said.what is Problem else "application/json"
        content = {media: {"schema": {"$ref": _REF.format(name=said.what.__name__)}}}
    return {"description": said.meaning, "content": content} if content else {"description": said.meaning}


def _events() -> Json:
    one: Json = {"anyOf": [{"$ref": _REF.format(name=kind.__name__)} for kind in _EVENTS]}
    many: Json = {"type": "array", "items": one, "minItems": 1, "maxItems": MAX_EVENTS}
    return {
        "required": True,
        "content": {
            "application/json": {"schema": {"anyOf": [one, many]}},
            "application/x-ndjson": {"schema": {"type": "string", "description": "One event a line."}},
        },
    }
