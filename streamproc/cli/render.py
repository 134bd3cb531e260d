"""Warnings on a terminal: one line that says who, how likely, by when and what is at stake, then why."""

from collections.abc import Sequence
from contextlib import closing

from rich.console import Console, RenderableType
from rich.padding import Padding
from rich.text import Text

from streamproc.adapters.embedded import queries
from streamproc.adapters.embedded.schema import connect
from streamproc.config import Settings
from streamproc.core.playbook import StepText
from streamproc.desk.feed import OPEN_STATES
from streamproc.desk.report import WarningNow
from streamproc.desk.warning import CauseText, Entry, ReasonText, Standing, Value, Warning  # noqa: A004
from streamproc.words import (
    Language,
    Words,
    cause_said,
    clues_said,
    discontent_lines,
    first_steps,
    loyalty_said,
    main_reasons,
    money_notes,
    no_cause_said,
    reason_said,
    stance_said,
    standing_said,
    step_said,
    words_in,
)

STYLES = {"critical": "bold red", "high": "red", "medium": "yellow", "low": "cyan", "unrated": "dim"}
"""How severities look."""

SHOWN_AFTER_REPLAY = 10


def warning_lines(warning: Warning, language: Language) -> list[RenderableType]:
    """A warning as it was raised, ready to print line by line; what to do as long as it is open."""
    words = words_in(language)
    over = isinstance(warning, WarningNow) and warning.state not in OPEN_STATES
    return [
        headline(words, warning),
        *reason_lines(words, warning.reasons, warning.standing, warning.value),
        *bond_notes(words, warning),
        *cause_lines(words, warning.causes),
        *([] if over or warning.stance is None else [_indented(Text(stance_said(words, warning.stance), "green"))]),
        *([] if over else step_lines(words, warning.steps)),
    ]


def headline(words: Words, warning: Warning) -> Text:
    """Who, since when, how likely, by when, and the expected loss; for one read from the folder also how it stands."""
    line = Text()
    line.append(words.term("severity", warning.severity), STYLES[warning.severity])
    line.append("  ")
    line.append(warning.customer_id, "bold")
    line.append(f"  {words.say('on {date}', date=words.date(warning.raised_at))}  ")
    line.append(what_threatens(words, warning))
    line.append(f"  {at_stake(words, warning)}")
    if isinstance(warning, WarningNow):
        line.append("  ")
        line.append(standing_of(words, warning), "italic")
    line.append(f"  {warning.id}", "dim")
    return line


def what_threatens(words: Words, warning: Warning) -> str:
    """How likely the customer is lost by when; or that they are unhappy and silent, and by when to speak to them."""
    date = words.date(warning.by_when)
    if warning.risk is None:
        return words.say("unhappy and silent; to be spoken to by {date}", date=date)
    risk = words.probability(warning.risk.probability)
    return words.say("{risk} likely to buy nothing by {date}", risk=risk, date=date)


def at_stake(words: Words, warning: Warning) -> str:
    """The expected loss, or that it is not known; without a probability the lifetime value."""
    value = warning.value
    if not value.measured:
        return words.say("amounts unknown")
    if warning.risk is None:
        return words.say("lifetime value {amount}", amount=words.money(value.lifetime_value, value.currency))
    amount = words.money(value.expected_loss, value.currency)
    if value.assumed:
        return words.say("expected loss {amount} (costs assumed)", amount=amount)
    return words.say("expected loss {amount}", amount=amount)


def standing_of(words: Words, warning: WarningNow) -> str:
    """What became of the warning so far."""
    state = standing_said(words, warning.state, warning.care)
    if warning.verdict is None:
        return state
    verdict = words.term("verdict", "right" if warning.verdict else "wrong")
    return words.say("{state}, judged {verdict}", state=state, verdict=verdict)


def reason_lines(
    words: Words, reasons: tuple[ReasonText, ...], standing: Standing, value: Value, at_most: int = 3
) -> list[RenderableType]:
    """The main reasons, a sentence each, indented."""
    return [
        _indented(Text(reason_said(words, reason, standing, value).text)) for reason in main_reasons(reasons, at_most)
    ]


def cause_lines(words: Words, causes: Sequence[CauseText], at_most: int = 2) -> list[RenderableType]:
    """The likeliest causes with their evidence, indented; that none is known, where none is."""
    found = [
        Text(words.say("{cause}: {evidence}", cause=cause_said(words, cause), evidence=clues_said(words, cause)))
        for cause in causes[:at_most]
    ]
    return [_indented(line) for line in found or [Text(no_cause_said(words), "dim")]]


STEPS_SHOWN = 4


def step_lines(words: Words, steps: Sequence[StepText]) -> list[RenderableType]:
    """The steps due first, indented, and how many there are beside them."""
    lines = [_indented(Text(step_said(words, step), "green")) for step in first_steps(steps, STEPS_SHOWN)]
    if (left := len(steps) - STEPS_SHOWN) > 0:
        lines.append(_indented(Text(words.count("{n} further step", "{n} further steps", left), "dim")))
    return lines


def _indented(text: Text) -> RenderableType:
    return Padding(text, (0, 0, 0, 4), expand=False)


def bond_notes(words: Words, warning: Warning) -> list[RenderableType]:
    """The signs of discontent, and what the kind of loyalty means, indented."""
    signs = [] if warning.discontent is None else discontent_lines(words, warning.discontent)
    told = [f"{line.name}: {line.text}" for line in signs]
    if warning.loyalty is not None:
        told.append(loyalty_said(words, warning.loyalty))
    return [Padding(Text(text), (0, 0, 0, 4), expand=False) for text in told]


def entry_line(words: Words, entry: Entry, currency: str) -> Text:
    """A line of the feed that tells how a warning went on."""
    line = Text()
    line.append(words.term("state", entry.kind), "green" if entry.kind == "recovered" else "bold")
    line.append(f"  {entry.customer_id}  {words.date(entry.at)}", "bold")
    if entry.kind == "verdict":
        line.append(f"  {_verdict(words, right=bool(entry.right))}")
    if entry.why is not None:
        line.append(f"  {words.term('why', entry.why)}")
    if entry.desk is not None:
        line.append(f"  {' → '.join(who for who in (entry.desk.by, entry.desk.to) if who is not None)}")
        line.append("" if entry.desk.refused is None else f"  {words.term('refused', entry.desk.refused)}")
    if entry.probability is not None:
        line.append(f"  {words.probability(entry.probability)}")
    if entry.expected_loss is not None:
        line.append(f"  {words.money(entry.expected_loss, currency)}")
    line.append(f"  {entry.warning_id}", "dim")
    return line


def _verdict(words: Words, *, right: bool) -> str:
    if right:
        return words.say("the warning was right: no purchase came")
    return words.say("the warning was wrong: a purchase came")


def print_open_warnings(console: Console, settings: Settings) -> None:
    """After a replay: how many warnings are open, and those with most at stake."""
    words = words_in(settings.language)
    with closing(connect(settings.data, readonly=True)) as db:
        found = queries.warnings(db, open_only=True, order="most_at_stake")
    if not found:
        console.print(words.say("No warning is open."))
        return
    console.print(words.count("{n} warning is open.", "{n} warnings are open.", len(found)), style="bold")
    for warning in found[:SHOWN_AFTER_REPLAY]:
        for line in warning_lines(warning, settings.language):
            console.print(line)
    for note in money_notes(words, found[0].value):
        console.print(note, style="dim")
    if len(found) > SHOWN_AFTER_REPLAY:
        console.print(words.say("All of them: {command}", command=f"streamproc warnings --open --data {settings.data}"))
