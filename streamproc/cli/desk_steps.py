"""What somebody does at the desk, on its way into the journal: by a run's interface, the folder's writer, or Kafka."""

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any, NamedTuple
from urllib.error import HTTPError, URLError
from urllib.request import ProxyHandler, Request, build_opener

import msgspec

from streamproc.adapters.embedded.lock import holder
from streamproc.adapters.embedded.schema import StoreError
from streamproc.adapters.sources import Item
from streamproc.adapters.web.access import parse_listen
from streamproc.cli.common import wall
from streamproc.cli.home import Home, home_of, on_cluster
from streamproc.cli.writing import writing
from streamproc.config import ConfigError, Settings
from streamproc.core.events import FirmFact
from streamproc.core.ids import short_id
from streamproc.desk.warning import Entry
from streamproc.intake.intake import Intake
from streamproc.intake.intake import Settings as IntakeSettings
from streamproc.intake.journal import JournalEvent
from streamproc.intake.rates import Rates
from streamproc.intake.refusal import Position, Refusal

SOURCE = "desk"
PATIENCE_S = 10.0
"""Seconds within which a running monitor answers a step."""


class Step(NamedTuple):
    """A step as a feed sends it, without its time: of a warning (`warning_id`), a customer, or everybody."""

    members: dict[str, Any]
    warning_id: str | None = None


class NoSuchWarningError(Exception):
    """The feed knows no warning of this id."""


def tell_desk(settings: Settings, data: Path | None, step: Step) -> Entry | None:
    """Sends a step; the feed's line that answers it, None where none came yet (the journal has the step all the same).

    Raises NoSuchWarningError, ConfigError where the step says something that cannot be, StoreError.
    """
    [answer] = tell_desk_all(settings, data, [step])
    return answer


def tell_desk_all(settings: Settings, data: Path | None, steps: Sequence[Step]) -> list[Entry | None]:
    """Sends steps, all or none of them; their answers in the same order. As tell_desk."""
    with home_of(settings, data) as home:
        at, currency = _moment(home), home.setup().currency
        told = [_named(home, step, at) for step in steps]
    events = [_checked(body, currency) for body in told]
    if on_cluster(settings, data):
        steps_to_kafka(settings, events, currency)
    elif holder(settings.data) is not None:
        _to_run(settings, told)
    else:
        _into_folder(settings, events, told)
        return _answers(settings, data, steps, events)
    until = time.monotonic() + PATIENCE_S
    while True:
        found = _answers(settings, data, steps, events)
        waited_for = [step for step, answer in zip(steps, found, strict=True) if step.warning_id and answer is None]
        if not waited_for or time.monotonic() > until:
            return found
        time.sleep(0.2)


def _named(home: Home, step: Step, at: int) -> bytes:
    """The step as a feed sends it. Raises NoSuchWarningError."""
    members = {**step.members, "occurred_at": at}
    if step.warning_id is not None:
        life = home.life_of(step.warning_id)
        if not life:
            raise NoSuchWarningError
        members["customer_id"] = life[0].customer_id
    members["event_id"] = f"d-{short_id(*map(str, members.values()), str(wall()))}"
    return msgspec.json.encode(members)


def _moment(home: Home) -> int:
    """When the step is made (µs): now; where the data make the time, at its end, or it would leap to now."""
    return wall() if home.summary().mode == "wall" else home.clock()


def read_step(body: bytes, currency: str) -> JournalEvent | Refusal:
    """The step as intake reads it, or why it refuses. Raises ConfigError where it is of no kind that is kept."""
    taken = Intake(Rates(currency), settings=IntakeSettings(require_ids=True)).take(body, Position(SOURCE, 1), wall())
    if taken is None:
        raise ConfigError("the step is of no kind that is kept")
    return taken


def _checked(body: bytes, currency: str) -> JournalEvent:
    """The step. Raises ConfigError where intake refuses it."""
    taken = read_step(body, currency)
    if isinstance(taken, Refusal):
        raise ConfigError(f"{taken.field or 'the step'}: {taken.detail or taken.reason}")
    return taken


def _answers(
    settings: Settings, data: Path | None, steps: Sequence[Step], events: Sequence[JournalEvent]
) -> list[Entry | None]:
    with home_of(settings, data) as home:
        return [
            _answer(home, step.warning_id, event.event_id) if step.warning_id is not None else None
            for step, event in zip(steps, events, strict=True)
        ]


def _answer(home: Home, warning_id: str, event_id: str) -> Entry | None:
    life = home.life_of(warning_id)
    return next((entry for entry in life if entry.desk is not None and entry.desk.event_id == event_id), None)


def _into_folder(settings: Settings, events: Sequence[JournalEvent], bodies: Sequence[bytes]) -> None:
    with writing(settings.data) as held:
        pairs = zip(events, bodies, strict=True)
        held.runner.take([Item(event, body, Position(SOURCE, row)) for row, (event, body) in enumerate(pairs, 1)])
        if held.runner.progress.mode == "event":
            held.runner.end_of_data(wall())


def _to_run(settings: Settings, bodies: Sequence[bytes]) -> None:
    """To the process that has the folder. Raises StoreError where it does not answer, or refuses."""
    address = f"{parse_listen(settings.listen).url}events"
    headers = {"content-type": "application/json"}
    if settings.token:
        headers["authorization"] = f"Bearer {settings.token}"
    try:
        body = b"[" + b",".join(bodies) + b"]"
        with build_opener(ProxyHandler({})).open(Request(address, body, headers), timeout=PATIENCE_S):  # noqa: S310 - ours
            return
    except HTTPError as error:
        raise StoreError(f"the run on {settings.data} refused the step: {error.code} {error.reason}") from error
    except (URLError, TimeoutError) as error:
        raise StoreError(
            f"{settings.data} is in use, and {address} does not answer ({error}): is another --listen set?"
        ) from error


def steps_to_kafka(settings: Settings, events: Sequence[JournalEvent], currency: str) -> None:
    """To the topic of the firm's facts, durably. Raises ClusterError."""
    from streamproc.adapters.kafka.produce import Outgoing, sender_to  # noqa: PLC0415 - a folder's desk needs no Kafka
    from streamproc.adapters.kafka.produce_feed import STREAM_OF, feed_body  # noqa: PLC0415 - as above

    with sender_to(settings.kafka, settings.kafka.facts) as sender:
        for event in events:
            key = None if isinstance(event, FirmFact) else event.customer_id.encode()
            sender.send(Outgoing(STREAM_OF[type(event)], key, feed_body(event, currency)))
