"""`streamproc desk`: the work list, and what people do about warnings."""

from pathlib import Path
from typing import Annotated, Any, Literal, NamedTuple

import typer
from rich.table import Table

from streamproc.cli.common import (
    FINDING,
    ConfigOption,
    DataOption,
    JsonOption,
    LanguageOption,
    Screen,
    command,
    fail,
    print_json,
)
from streamproc.cli.complaints import complaints
from streamproc.cli.desk_steps import NoSuchWarningError, Step, tell_desk, tell_desk_all
from streamproc.cli.home import home_of
from streamproc.cli.why import read_time
from streamproc.core.events import RecoveryStep
from streamproc.core.time import HOUR, SECOND
from streamproc.desk.warning import Entry
from streamproc.desk.worklist import Work, work_list
from streamproc.words import Language, Words, lasting

SHOWN = 30
NOBODY = "-"
MUTABLE = ("segment:", "cause:")

app = typer.Typer(
    help="The work list, and what people do about warnings.", no_args_is_help=True, rich_markup_mode="markdown"
)

WarningArgument = Annotated[str, typer.Argument(metavar="WARNING", help="The warning's id, as `desk list` shows it.")]
ByOption = Annotated[str, typer.Option("--by", envvar="USER", help="Who does it.")]
UntilOption = Annotated[str | None, typer.Option(help="Until when: a day or an instant, as 2026-02-10.")]
TextOption = Annotated[str | None, typer.Option("--reason", help="Why, for those who ask later.")]


class Where(NamedTuple):
    """Which folder or cluster, in which language, by which settings."""

    data: Path | None
    language: Language | None
    config: Path | None


@app.command("list")
def list_(
    *,
    mine: Annotated[str | None, typer.Option("--owner", help="Only what is this person's or role's.")] = None,
    asleep: Annotated[bool, typer.Option("--asleep", help="Also what was put to sleep.")] = False,
    incident: Annotated[str | None, typer.Option(help="Only this incident's, each for itself.")] = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many (not with --json).")] = SHOWN,
    json: JsonOption = False,
    data: DataOption = None,
    lang: LanguageOption = None,
    config: ConfigOption = None,
) -> None:
    """Open warnings that wait for somebody: the largest expected loss first, then the least time left.

    What many share, as an outage, is one row: an incident, whose warnings `--incident` lists.

    For example:

        streamproc desk list --owner Li
        streamproc desk list --incident i-0123456789abcdef
    """
    with command(config, data, lang) as screen, home_of(screen.settings, data) as home:
        found = home.standing(open_only=True, customer=None, limit=None, order="most_at_stake")
        if incident is not None:
            found = [warning for warning in found if warning.incident == incident]
        alerts = home.alerts(open_only=True) if incident is None else []
        works = work_list(found, home.clock(), whose=mine, asleep=asleep, incidents=alerts)
        if json:
            for work in works:
                print_json(work)
        elif works:
            _table(screen, works[:limit], home.setup().currency)
        else:
            screen.line(screen.words.say("Nothing waits for anybody."))


def _table(screen: Screen, works: list[Work], currency: str) -> None:
    words = screen.words
    table = Table(box=None, pad_edge=False)
    for name in ("warning", "customer", "severity", "expected loss", "owner", "time left", "state"):
        table.add_column(words.term("desk list", name), no_wrap=name in {"warning", "expected loss"})
    for work in works:
        warning, fold = work.warning, work.incident
        who = warning.customer_id
        if fold is not None:
            parts = words.count("{n} warning of one incident", "{n} warnings of one incident", fold.warnings)
            who = f"{parts} ({words.term('cause', fold.cause)})"
        table.add_row(
            warning.id if fold is None else fold.subject,
            who,
            words.term("severity", warning.current.severity),
            words.money(str(work.expected_loss), currency),
            work.owner or NOBODY,
            _left(words, work.hours_left),
            words.term("state", _state(work)),
        )
    screen.out.print(table)


def _left(words: Words, hours: float) -> str:
    span = lasting(words, abs(hours) * HOUR / SECOND)
    return span if hours >= 0 else words.say("{span} late", span=span)


def _state(work: Work) -> str:
    care = work.warning.care
    if work.asleep:
        return "snoozed"
    if work.claimed:
        return "claimed"
    return "overdue" if care is not None and care.overdue else work.warning.state


app.command()(complaints)


@app.command()
def claim(
    warning: WarningArgument,
    *,
    by: ByOption,
    data: DataOption = None,
    lang: LanguageOption = None,
    config: ConfigOption = None,
) -> None:
    """Take a warning on. Of two who claim it the earlier one has it; exit code 1: somebody else has it.

    Of an incident (i-…) all warnings are claimed that nobody has.

    For example:

        streamproc desk claim w-0123456789abcdef --by Li
        streamproc desk claim i-0123456789abcdef --by Li
    """
    where = Where(data, lang, config)
    if warning.startswith("i-"):
        _claim_all(warning, by, where)
    else:
        _do("claim", warning, by, where)


@app.command()
def snooze(
    warning: WarningArgument,
    until: Annotated[str, typer.Argument(help="A day or an instant, as 2026-02-10 or 2026-02-10T09:00:00+08:00.")],
    *,
    by: ByOption,
    text: TextOption = None,
    data: DataOption = None,
    lang: LanguageOption = None,
    config: ConfigOption = None,
) -> None:
    """Let a warning sleep: until then it does not escalate, and the customer is not warned of anew."""
    _do("snooze", warning, by, Where(data, lang, config), until=until, text=text)


@app.command("hand-over")
def hand_over(
    warning: WarningArgument,
    to: Annotated[str, typer.Argument(help="Who has it from now on.")],
    *,
    by: ByOption,
    data: DataOption = None,
    lang: LanguageOption = None,
    config: ConfigOption = None,
) -> None:
    """Give a warning to somebody else."""
    _do("hand_over", warning, by, Where(data, lang, config), to=to)


@app.command()
def note(
    warning: WarningArgument,
    text: Annotated[str, typer.Argument(help="What is to be remembered.")],
    *,
    by: ByOption,
    data: DataOption = None,
    lang: LanguageOption = None,
    config: ConfigOption = None,
) -> None:
    """Write something beside a warning."""
    _do("note", warning, by, Where(data, lang, config), text=text)


@app.command()
def outcome(
    warning: WarningArgument,
    went: Annotated[Literal["kept", "lost", "wrong_warning", "no_answer"], typer.Argument(help="How it went.")],
    *,
    by: ByOption,
    cost: Annotated[str | None, typer.Option(help="What the offer cost, in the reporting currency.")] = None,
    data: DataOption = None,
    lang: LanguageOption = None,
    config: ConfigOption = None,
) -> None:
    """Say how it went, and what the offer cost. Whether the warning was right the customer's purchases tell."""
    _do("outcome", warning, by, Where(data, lang, config), outcome=went, cost=cost)


@app.command()
def mute(
    what: Annotated[str, typer.Argument(help="A customer's id, or segment:NAME, or cause:NAME.")],
    *,
    by: ByOption,
    until: UntilOption = None,
    text: TextOption = None,
    data: DataOption = None,
    lang: LanguageOption = None,
    config: ConfigOption = None,
) -> None:
    """Warn nobody of a customer, of a segment or for a cause, until then or until unmuted.

    For example:

        streamproc desk mute segment:small_ordinary --until 2026-03-01 --by Li --reason "sale"
    """
    _mute("mute", what, by, Where(data, lang, config), until=until, text=text)


@app.command()
def unmute(
    what: Annotated[str, typer.Argument(help="A customer's id, or segment:NAME, or cause:NAME.")],
    *,
    by: ByOption,
    data: DataOption = None,
    lang: LanguageOption = None,
    config: ConfigOption = None,
) -> None:
    """Warn again of what was muted."""
    _mute("unmute", what, by, Where(data, lang, config))


@app.command()
def recover(
    customer: Annotated[str, typer.Argument(help="The customer who complained.")],
    complaint: Annotated[str, typer.Argument(help="The complaint's id.")],
    step: Annotated[RecoveryStep, typer.Argument(help="Which of the seven steps was done.")],
    *,
    by: ByOption,
    text: TextOption = None,
    data: DataOption = None,
    lang: LanguageOption = None,
    config: ConfigOption = None,
) -> None:
    """Tick off one of the seven steps of service recovery; `streamproc customer` shows the list.

    For example:

        streamproc desk recover c-1017 k-9 apologise --by Li
    """
    members: dict[str, Any] = {"stream": "desk", "action": "recover", "by": by, "customer_id": customer}
    members |= {"complaint_id": complaint, "recovery": step, "text": text}
    with command(config, data, lang) as screen:
        tell_desk(screen.settings, data, Step(members))
        screen.line(screen.words.say("Taken in; it counts from the next tick on."))


def _do(action: str, warning: str, by: str, where: Where, **more: str | None) -> None:
    members = {"stream": "desk", "action": action, "by": by, "warning_id": warning, **more}
    with command(where.config, where.data, where.language) as screen:
        try:
            line = tell_desk(screen.settings, where.data, Step(members, warning))
        except NoSuchWarningError:
            fail(screen.words.say("There is no warning {id}.", id=warning), FINDING)
        _tell(screen, line)


def _claim_all(incident: str, by: str, where: Where) -> None:
    with command(where.config, where.data, where.language) as screen:
        with home_of(screen.settings, where.data) as home:
            found = home.standing(open_only=True, customer=None, limit=None, order="most_at_stake")
        free = [w for w in found if w.incident == incident and not (w.care and (w.care.claimed_by or w.care.outcome))]
        if not free:
            fail(screen.words.say("Nobody need claim anything of {id}.", id=incident), FINDING)
        members = {"stream": "desk", "action": "claim", "by": by}
        steps = [Step({**members, "warning_id": one.id}, one.id) for one in free]
        lines = tell_desk_all(screen.settings, where.data, steps)
        for line in sorted(lines, key=_is_refused):  # the first that was refused ends the command
            _tell(screen, line)


def _is_refused(line: Entry | None) -> bool:
    return line is not None and line.desk is not None and line.desk.refused is not None


def _tell(screen: Screen, line: Entry | None) -> None:
    words = screen.words
    if line is None or line.desk is None:
        screen.line(words.say("Taken in; it counts from the next tick on."))
    elif line.desk.refused is None:
        screen.line(f"{words.term('state', line.kind)}  {line.customer_id}  {line.warning_id}")
    else:
        holder = NOBODY if line.care is None or line.care.claimed_by is None else line.care.claimed_by
        why = words.term("refused", line.desk.refused)
        fail(words.say("Not done: {why} ({who}).", why=why, who=holder), FINDING)


def _mute(action: str, what: str, by: str, where: Where, until: str | None = None, text: str | None = None) -> None:
    with command(where.config, where.data, where.language) as screen:
        if not what.startswith(MUTABLE):
            members: dict[str, Any] = {"stream": "desk", "action": action, "by": by, "customer_id": what}
            members |= {"until": until, "text": text}
        else:
            members = {"fact": "mute", "subject": what, "detail": {"by": by, "reason": text}}
            members["value"] = _end_of(action, until)
        tell_desk(screen.settings, where.data, Step(members))
        screen.line(screen.words.say("Taken in; it counts from the next tick on."))


def _end_of(action: str, until: str | None) -> float | None:
    """Until when, in seconds since the epoch. Raises ConfigError."""
    if action == "unmute":
        return 0.0
    return None if until is None else read_time(until, "--until") / SECOND
