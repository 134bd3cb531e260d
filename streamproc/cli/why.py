"""`streamproc why`: why there was, or was no, warning for a customer."""

from datetime import UTC, datetime
from typing import Annotated

import typer

from streamproc.adapters.embedded import customers
from streamproc.cli.common import (
    FINDING,
    ConfigOption,
    DataOption,
    JsonOption,
    LanguageOption,
    Screen,
    command,
    print_json,
)
from streamproc.cli.customer import HOPS
from streamproc.cli.home import home_of
from streamproc.cli.render import cause_lines, entry_line, reason_lines
from streamproc.config import ConfigError
from streamproc.core.time import from_datetime
from streamproc.desk.report import ServiceWhy, WhyAnswer
from streamproc.words import discontent_lines, outcome_said

ALL_REASONS = 12


def why(
    customer_id: Annotated[
        str, typer.Argument(metavar="ID", help="The customer's id, or an alias of it; or a warning's.")
    ],
    *,
    at: Annotated[str | None, typer.Option(help="As of this time (ISO 8601, UTC), not the last tick.")] = None,
    json: JsonOption = False,
    data: DataOption = None,
    lang: LanguageOption = None,
    config: ConfigOption = None,
) -> None:
    """Why there was, or was no, warning for a customer: the last look, its outcome and the rule's numbers.

    Of a warning's id (w-… or s-…) the answer is that of the look that raised it.

    Where Kafka brokers are set and no `--data` is given, the cluster's journal is asked.

    Exit code 1: no such customer, or no look by then.

    For example:

        streamproc why c-1017
        streamproc why c-1017 --at 2025-03-01
        streamproc why s-0123456789abcdef
    """
    with command(config, data, lang) as screen, home_of(screen.settings, data) as home:
        asked = None if at is None else read_time(at)
        answer = customers.why(home, customer_id, asked)
        if answer.found == "unknown" and (life := home.life_of(customer_id)):
            answer = customers.why(home, life[0].customer_id, read_time(life[0].at) if asked is None else asked)
        for _ in range(HOPS):
            if json or answer.forwarded_to is None:
                break
            other = answer.forwarded_to
            screen.note(screen.words.say("{alias} is an alias of {id}.", alias=answer.customer_id, id=other))
            answer = customers.why(home, other, asked)
        if json:
            print_json(answer)
        else:
            _show(screen, answer, home.setup().currency)
    if answer.found in {"unknown", "not_looked"}:
        raise typer.Exit(FINDING)


def read_time(text: str, option: str = "--at") -> int:
    """A time (µs) as people write it, in UTC unless it says otherwise. Raises ConfigError for what is none."""
    try:
        when = datetime.fromisoformat(text)
    except ValueError:
        raise ConfigError(f'{option} "{text}" is no time: write it as in 2025-03-01 or 2025-03-01T12:00:00Z') from None
    return from_datetime(when if when.tzinfo is not None else when.replace(tzinfo=UTC))


def _show(screen: Screen, answer: WhyAnswer, currency: str) -> None:
    words = screen.words
    if answer.looked_at is None:
        screen.line(_no_look(screen, answer))
        return
    screen.line(f"{answer.customer_id}: {words.term('outcome', answer.outcome)}", "bold")
    screen.line(outcome_said(words, answer))
    looked = words.say(
        "Last look {time}, as {stage}.", time=words.moment(answer.looked_at), stage=words.term("stage", answer.stage)
    )
    screen.line(looked, "dim")
    if answer.standing is not None and answer.value is not None:
        for line in reason_lines(words, answer.reasons, answer.standing, answer.value, ALL_REASONS):
            screen.out.print(line)
        for line in cause_lines(words, answer.causes, at_most=len(answer.causes)):
            screen.out.print(line)
    if answer.disposition is not None:
        screen.line(words.say("At the desk: {answer}.", answer=words.term("disposition", answer.disposition)))
    for entry in answer.life:
        screen.out.print(entry_line(words, entry, currency))
    if answer.service is not None:
        _show_service(screen, answer.service, currency)


def _show_service(screen: Screen, told: ServiceWhy, currency: str) -> None:
    words = screen.words
    outcome = words.term("service outcome", told.outcome)
    screen.line(words.say("Service warning: {outcome}.", outcome=outcome))
    for line in discontent_lines(words, told.discontent):
        screen.line(f"    {words.say('{name}: {text}', name=line.name, text=line.text)}")
    for entry in told.life:
        screen.out.print(entry_line(words, entry, currency))


def _no_look(screen: Screen, answer: WhyAnswer) -> str:
    words = screen.words
    if answer.found == "unknown":
        return words.say("No record tells of a customer {id}.", id=answer.customer_id)
    time = words.moment(answer.asked_at)
    if answer.next_look is None:
        return words.say("Nobody has looked at {id} yet: no tick has passed its events.", id=answer.customer_id)
    return words.say(
        "There was no look at {id} by {time}; the first was {first}.",
        id=answer.customer_id,
        time=time,
        first=words.moment(answer.next_look),
    )
