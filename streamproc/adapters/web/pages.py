"""The pages: the list of open warnings, a customer's page, the form for the token. Whole without any script."""

from collections.abc import Awaitable, Callable
from collections.abc import Set as AbstractSet
from http import HTTPStatus
from pathlib import Path
from typing import Any, Protocol, TypeVar

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from streamproc import __version__
from streamproc.adapters.web import answers
from streamproc.adapters.web.charts import bar, risk_chart
from streamproc.adapters.web.paths import customer_of, customer_page
from streamproc.adapters.web.ports import Asked, Drawn, Reader
from streamproc.adapters.web.texts import NAMES, choose, labels_in
from streamproc.adapters.web.views import Card, Push, alarms_of, blamed, incidents_in, lost_of, pushes_of, view_of
from streamproc.desk.report import WarningNow
from streamproc.words import LANGUAGES, Language, Words, bond_lines, model_note, money_notes, outcome_said, words_in

T = TypeVar("T")

SHOWN = 50
"""Open warnings on the page."""

ALERTS_SHOWN = 10
"""Open alerts on the page, the gravest."""

PAGES_READ = 10
"""Pages of open warnings that are read for those to show: incidents' have no cards of their own."""

ASK_AGAIN = 3
"""Seconds after which a browser asks again for a report that is being made."""

LOOKS_SHOWN = 30
LANGUAGE_COOKIE = "lang"
YEAR = 365 * 24 * 3600


class Ask(Protocol):
    """Asks the reader something, off the event loop."""

    def __call__(self, question: Callable[[], T]) -> Awaitable[T]:
        """The answer."""
        ...


class Pages:
    """Answers the pages' routes."""

    def __init__(self, ask: Ask, reader: Reader, default: Language) -> None:
        self._ask = ask
        self._reader = reader
        self._default = default
        self._environment = Environment(
            loader=FileSystemLoader(Path(__file__).with_name("templates")),
            autoescape=True,
            undefined=StrictUndefined,
            trim_blocks=True,
            lstrip_blocks=True,
        )

    async def index(self, request: Request) -> Response:
        """`GET /`."""
        reader = self._reader
        alerts = await self._ask(reader.alerts)
        folded = incidents_in(alerts)
        last, summary, found = await self._ask(
            lambda: (reader.last(), reader.summary(), _most_at_stake(reader, folded))
        )
        words = words_in(self.language(request))
        cards = [view_of(warning, words) for warning in found]
        return self._page(
            request,
            "index.html",
            last=last,
            summary=summary,
            cards=cards,
            alarms=alarms_of(alerts, words)[:ALERTS_SHOWN],
            all_alarms=len(alerts),
            folded=bool(folded),
            lost=lost_of(summary.losses if summary is not None else (), words),
        )

    async def customer(self, request: Request) -> Response:
        """`GET /customers/{customer_id}`."""
        wanted, reader = customer_of(request), self._reader
        report = await self._ask(lambda: reader.customer(wanted))
        if report is None:
            return self._page(request, "unknown.html", HTTPStatus.NOT_FOUND)
        last, why, alerts = await self._ask(lambda: (reader.last(), reader.why(wanted, None), reader.alerts()))
        words, incidents = words_in(self.language(request)), incidents_in(alerts)
        cards: list[Card] = [view_of(warning, words, incidents) for warning in report.warnings]
        pushes: list[Push] = []
        if report.standing is not None and report.value is not None:
            pushes = pushes_of(report.reasons, report.standing, report.value, words)
        return self._page(
            request,
            "customer.html",
            last=last,
            report=report,
            cards=cards,
            pushes=pushes,
            causes=blamed(report.causes, words),
            chart=risk_chart(report.looks, report.warnings),
            looks=report.looks[-LOOKS_SHOWN:][::-1],
            outcome=outcome_said(words, why),
            notes=money_notes(words, report.value) if report.value is not None else [],
            model=model_note(words, report.risk) if report.risk is not None else "",
            bond=bond_lines(words, report.bond),
        )

    async def record(self, request: Request) -> Response:
        """`GET /record`."""
        language = self.language(request)
        return _drawn(await self._ask(lambda: self._reader.record_page(language)))

    async def report(self, request: Request) -> Response:
        """`GET /report`: 202 while it is being made, with a page that asks again."""
        language = self.language(request)
        drawn = await self._ask(lambda: self._reader.report_page(language))
        if drawn is not None:
            return _drawn(drawn)
        response = self._page(request, "making.html", HTTPStatus.ACCEPTED)
        response.headers["refresh"] = str(ASK_AGAIN)
        return response

    async def login(self, request: Request) -> Response:
        """`GET /login`."""
        return self._page(request, "login.html", wrong="wrong" in request.query_params)

    async def error(self, request: Request, error: Exception) -> Response:
        """What Starlette refuses by itself: no such page, another method."""
        assert isinstance(error, HTTPException)
        status = HTTPStatus(error.status_code)
        if answers.wants_page(request.headers):
            return self._page(request, "error.html", status, detail=status.phrase)
        return answers.problem(status, error.detail, error.headers)

    async def away(self, request: Request, error: Exception) -> Response:
        """What is behind the pages does not answer."""
        if answers.wants_page(request.headers):
            return self._page(request, "error.html", HTTPStatus.SERVICE_UNAVAILABLE, detail=str(error))
        return answers.problem(HTTPStatus.SERVICE_UNAVAILABLE, str(error), answers.LATER)

    def language(self, request: Request) -> Language:
        """The reader's language: asked for, chosen before, the browser's, the default."""
        asked = (request.query_params.get("lang"), request.cookies.get(LANGUAGE_COOKIE))
        return choose(asked, request.headers.get("accept-language", ""), self._default)

    def _page(self, request: Request, template: str, status: HTTPStatus = HTTPStatus.OK, **values: Any) -> Response:  # noqa: ANN401 - whatever the template reads
        language = self.language(request)
        words: Words = words_in(language)
        labels = labels_in(language)
        text = self._environment.get_template(template).render(
            labels=labels,
            words=words,
            language=language,
            languages=[(code, NAMES[code]) for code in LANGUAGES if code != language],
            customer_page=customer_page,
            bar=bar,
            version=__version__,
            **values,
        )
        response = Response(text, status, media_type="text/html", headers={"content-language": language})
        response.headers["vary"] = "Accept-Language, Cookie"
        if request.query_params.get("lang") == language:
            response.set_cookie(LANGUAGE_COOKIE, language, max_age=YEAR, httponly=True, samesite="strict")
        return response


def _drawn(page: Drawn) -> Response:
    policy = f"{page.policy}; frame-ancestors 'none'"
    return Response(page.html, media_type="text/html", headers={"content-security-policy": policy})


def _most_at_stake(reader: Reader, folded: AbstractSet[str]) -> list[WarningNow]:
    """The open warnings with most at stake, without those of the incidents given."""
    found: list[WarningNow] = []
    after = None
    for _ in range(PAGES_READ):
        page = reader.warnings(Asked(open_only=True, limit=SHOWN, order="most_at_stake", after=after))
        found += [warning for warning in page if warning.incident not in folded]
        if len(found) >= SHOWN or len(page) < SHOWN:
            break
        after = page[-1].id
    return found[:SHOWN]
