"""What people do about warnings, by the interface: claim, snooze, hand over, note, outcome, mute, recovery.

The rules kept here:
- a step is an event of the desk's like any other: the journal judges it, by the order of steps in time, and the feed
  tells what came of it; nothing is decided here;
- who sends the same step again with the same Idempotency-Key gets the same answer, and the journal has it once.
"""

import asyncio
import time
from collections.abc import Awaitable, Callable
from http import HTTPStatus
from typing import Any, Literal, NamedTuple, TypeVar

import anyio
import msgspec
from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response

from streamproc.adapters.web import answers, bodies
from streamproc.adapters.web.answers import ProblemError
from streamproc.adapters.web.asked import moment_of
from streamproc.adapters.web.pages import Ask
from streamproc.adapters.web.paths import customer_of
from streamproc.adapters.web.ports import BusyError, Reader, Result, Sent, Taker
from streamproc.adapters.web.posting import MAX_ID, UPLOAD
from streamproc.core.events import RecoveryStep, WarningOutcome
from streamproc.core.ids import short_id
from streamproc.core.time import SECOND
from streamproc.desk.warning import Entry

MAX_STEP = 16 << 10
"""Bytes a step may have."""

WAITING = 16
"""Requests that wait at once for what comes of their step; more are asked to come back."""

PATIENCE, POLL = 10.0, 0.2
"""Seconds within which the feed tells what came of a step, or its sender is told to look later; how often is asked."""

FIRMS_MUTES = ("segment:", "cause:")
"""What a fact of the firm's mutes; anything else is a customer's id."""

B = TypeVar("B", bound=Struct)


class Claim(Struct, frozen=True, forbid_unknown_fields=True):
    """Who takes the warning on."""

    by: str


class Snooze(Struct, frozen=True, forbid_unknown_fields=True):
    """Until when (RFC 3339, or a date) the warning is to sleep."""

    by: str
    until: str
    text: str | None = None


class HandOver(Struct, frozen=True, forbid_unknown_fields=True):
    """Who has the warning from now on."""

    by: str
    to: str


class Note(Struct, frozen=True, forbid_unknown_fields=True):
    """What is to be remembered."""

    by: str
    text: str


class Outcome(Struct, frozen=True, forbid_unknown_fields=True):
    """How it went, and what the offer cost, in the reporting currency."""

    by: str
    outcome: WarningOutcome
    cost: str | None = None


class Mute(Struct, frozen=True, forbid_unknown_fields=True):
    """Of whom or what nobody is to be warned until then: a customer's id, `segment:NAME` or `cause:NAME`."""

    by: str
    what: str
    until: str | None = None
    text: str | None = None


class Unmute(Struct, frozen=True, forbid_unknown_fields=True):
    """Of whom or what to warn again."""

    by: str
    what: str


class Recover(Struct, frozen=True, forbid_unknown_fields=True):
    """Which of the seven steps of service recovery was done about which complaint."""

    by: str
    complaint_id: str
    recovery: RecoveryStep
    text: str | None = None


class Taken(Struct, frozen=True):
    """The step is in the journal, or was; it counts from the next tick on. `event_id` is its name there."""

    event_id: str
    status: Literal["new", "repeat"]


STEPS: dict[str, type[Struct]] = {
    "claim": Claim,
    "snooze": Snooze,
    "hand-over": HandOver,
    "note": Note,
    "outcome": Outcome,
}
"""What may be done about a warning, by the last word of the path, and what is said with it."""


class _Event(NamedTuple):
    """A step as a feed sends it, without its id and time; `path` and `key` tell a repeat."""

    members: dict[str, Any]
    path: str
    key: str

    def named(self, at: int) -> dict[str, Any]:
        said = [self.path, *(f"{name}={value}" for name, value in sorted(self.members.items()))]
        name = short_id("key", self.key, *said) if self.key else short_id(*said, str(at), str(time.time_ns()))
        return {**self.members, "occurred_at": at, "event_id": f"d-{name}"}


class Acting:
    """Answers the routes."""

    def __init__(self, reader: Reader, taker: Taker, read: Ask) -> None:
        self._reader = reader
        self._taker = taker
        self._read = read
        self._taking = anyio.CapacityLimiter(1)
        self._waiting = 0

    def step(self, name: str) -> Callable[[Request], Awaitable[Response]]:
        """`POST /api/warnings/{warning_id}/…`: 200 with the feed's line, 409 where it was refused."""

        async def answer(request: Request) -> Response:
            body = await _body(request, STEPS[name])
            warning_id: str = request.path_params["warning_id"]
            life = await self._life(warning_id)
            if not life:
                raise ProblemError(HTTPStatus.NOT_FOUND, "there is no warning of this id")
            whose = {"warning_id": warning_id, "customer_id": life[0].customer_id}
            return await self._about(warning_id, _event(request, name.replace("-", "_"), body, **whose))

        return answer

    async def mute(self, request: Request) -> Response:
        """`POST /api/mute`."""
        body = await _body(request, Mute)
        if not body.what.startswith(FIRMS_MUTES):
            return await self._send(_event(request, "mute", body, customer_id=body.what))
        value = None if body.until is None else moment_of(body.until, "until") / SECOND
        return await self._send(_fact(request, body.what, value, body.by, body.text))

    async def unmute(self, request: Request) -> Response:
        """`POST /api/unmute`."""
        body = await _body(request, Unmute)
        if not body.what.startswith(FIRMS_MUTES):
            return await self._send(_event(request, "unmute", body, customer_id=body.what))
        return await self._send(_fact(request, body.what, 0.0, body.by, None))

    async def recover(self, request: Request) -> Response:
        """`POST /api/customers/{customer_id}/recover`."""
        body = await _body(request, Recover)
        return await self._send(_event(request, "recover", body, customer_id=customer_of(request)))

    # ---------------------------------------------------------------------------------------- carrying out

    async def _about(self, warning_id: str, event: _Event) -> Response:
        """Sends a step about a warning and waits for what came of it."""
        if self._waiting >= WAITING:
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "too many steps at once", answers.LATER)
        self._waiting += 1
        try:
            taken = await self._take(event)
            until = time.monotonic() + PATIENCE
            while time.monotonic() < until:
                for entry in await self._life(warning_id):
                    if entry.desk is not None and entry.desk.event_id == taken.event_id:
                        return _answer(entry)
                await asyncio.sleep(POLL)
        finally:
            self._waiting -= 1
        return answers.json(taken, HTTPStatus.ACCEPTED)

    async def _send(self, event: _Event) -> Response:
        return answers.json(await self._take(event), HTTPStatus.ACCEPTED)

    async def _life(self, warning_id: str) -> tuple[Entry, ...]:
        return await self._read(lambda: self._reader.life_of(warning_id))

    async def _take(self, event: _Event) -> Taken:
        """Has the journal take the step. Raises ProblemError where it says something that cannot be."""
        members = event.named(await self._read(self._moment))
        sent = Sent(msgspec.json.encode(members), 1, "")
        try:
            done = await anyio.to_thread.run_sync(self._taker.take, [sent], limiter=self._taking)
            # Shielded: what was handed on will be taken, whether or not its sender still waits.
            [result] = await asyncio.wait_for(asyncio.shield(asyncio.wrap_future(done)), PATIENCE)
        except BusyError as error:
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, str(error), answers.LATER) from error
        except TimeoutError as error:
            raise ProblemError(HTTPStatus.SERVICE_UNAVAILABLE, "not durable yet: ask again", answers.LATER) from error
        return _taken(result, members["event_id"])

    def _moment(self) -> int:
        """When the step is made (µs): now; where the data make the time, where that stands, or it would leap to now."""
        summary = self._reader.summary()
        return time.time_ns() // 1_000 if summary and summary.mode == "wall" else self._reader.position().clock


def _event(request: Request, action: str, body: Struct, **members: str) -> _Event:
    said = {name: value for name, value in msgspec.structs.asdict(body).items() if name != "what"}
    return _Event({"stream": "desk", "action": action, **said, **members}, request.url.path, _key(request))


def _fact(request: Request, subject: str, value: float | None, by: str, text: str | None) -> _Event:
    members = {"fact": "mute", "subject": subject, "value": value, "detail": {"by": by, "reason": text}}
    return _Event(members, request.url.path, _key(request))


def _key(request: Request) -> str:
    key = request.headers.get("idempotency-key", "").strip().strip('"')
    if len(key.encode()) > MAX_ID:
        raise ProblemError(HTTPStatus.BAD_REQUEST, f"an Idempotency-Key may have {MAX_ID} bytes")
    return key


async def _body(request: Request, kind: type[B]) -> B:
    """What is said with the step. Raises ProblemError where it is not what its schema says."""
    try:
        async with asyncio.timeout(UPLOAD):
            body = await bodies.read(request, MAX_STEP)
        return msgspec.json.decode(body, type=kind)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, f"this cannot be read: {error}") from None
    except bodies.TooLargeError:
        raise ProblemError(
            HTTPStatus.REQUEST_ENTITY_TOO_LARGE, f"a step may have {MAX_STEP} bytes", {"connection": "close"}
        ) from None
    except TimeoutError:
        raise ProblemError(
            HTTPStatus.REQUEST_TIMEOUT, "the body took too long: nothing was taken", {"connection": "close"}
        ) from None


def _taken(result: Result, event_id: str) -> Taken:
    if result.status == "refused":
        said = " ".join(part for part in (result.field, result.detail or result.reason) if part)
        raise ProblemError(HTTPStatus.UNPROCESSABLE_ENTITY, f"this cannot be: {said}")
    return Taken(event_id, result.status)


_REFUSED = {"claimed": "somebody else has it", "ended": "the warning has ended"}


def _answer(entry: Entry) -> Response:
    """What came of a step. Raises ProblemError where it was refused."""
    refused = None if entry.desk is None else entry.desk.refused
    if refused is None:
        return answers.json(entry)
    holder = None if entry.care is None else entry.care.claimed_by
    why = _REFUSED.get(refused, refused)
    raise ProblemError(HTTPStatus.CONFLICT, f"{why}: {holder}" if holder else why)
