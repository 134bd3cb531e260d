"""`streamproc customer`: all that is known of one customer."""

from typing import Annotated

import typer
from rich.table import Table

from streamproc.adapters.embedded import customers
from streamproc.adapters.embedded.customers import Past
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
from streamproc.cli.home import home_of
from streamproc.cli.render import cause_lines, headline
from streamproc.desk.report import CustomerReport, Recovered
from streamproc.words import Words, bond_lines, model_note, money_notes, reason_said

LOOKS_SHOWN = 12
HOPS = 16
"""Aliases of aliases that are followed."""


def customer(
    customer_id: Annotated[str, typer.Argument(metavar="ID", help="The customer's id, or an alias of it.")],
    *,
    json: JsonOption = False,
    data: DataOption = None,
    lang: LanguageOption = None,
    config: ConfigOption = None,
) -> None:
    """All that is known of one customer: standing, risk and its reasons, value, history, warnings.

    It is computed by running the customer's own records again. An alias leads to the id it belongs to; with `--json`
    the line is about the very id that was asked for, and `forwarded_to` names the other.

    Where Kafka brokers are set and no `--data` is given, the cluster's journal is asked.

    Exit code 1: no such customer.

    For example:

        streamproc customer c-1017
        streamproc customer c-1017 --json | jq .risk.probability
    """
    with command(config, data, lang) as screen, home_of(screen.settings, data) as home:
        report = customers.report(home, customer_id) if json else _followed(screen, home, customer_id)
        if report is None:
            screen.note(screen.words.say("No record tells of a customer {id}.", id=customer_id))
            raise typer.Exit(FINDING)
        if json:
            print_json(report)
        else:
            _show(screen, report)


def _followed(screen: Screen, home: Past, customer_id: str) -> CustomerReport | None:
    report = customers.report(home, customer_id)
    for _ in range(HOPS):
        if report is None or report.forwarded_to is None:
            break
        screen.note(screen.words.say("{alias} is an alias of {id}.", alias=report.customer_id, id=report.forwarded_to))
        report = customers.report(home, report.forwarded_to)
    return report


def _show(screen: Screen, report: CustomerReport) -> None:
    words = screen.words
    screen.line(report.customer_id, "bold")
    _facts(screen, report)
    _risk(screen, report)
    _bond(screen, report)
    _history(screen, report)
    _open_matters(screen, report)
    for warning in report.warnings:
        screen.out.print(headline(words, warning))
    if report.value is not None:
        for note in money_notes(words, report.value):
            screen.note(note)


def _facts(screen: Screen, report: CustomerReport) -> None:
    words, standing, value = screen.words, report.standing, report.value
    rows = [(words.say("Stage"), words.term("stage", report.stage))]
    if report.aliases:
        rows.append((words.say("Aliases"), ", ".join(report.aliases)))
    if report.customer_kind is not None:
        rows.append((words.say("Kind"), words.term("customer kind", report.customer_kind)))
    if report.owner is not None:
        rows.append((words.say("Owner"), report.owner))
    if report.do_not_contact:
        rows.append((words.say("Contact"), words.term("outcome", "do_not_contact")))
    if report.known_since is not None:
        rows.append((words.say("Known since"), words.date(report.known_since)))
    if standing is not None:
        rows += [
            (words.say("Phase"), words.term("phase", standing.phase)),
            (words.say("Grade"), words.term("grade", standing.grade)),
            (words.say("Pyramid"), words.term("tier", standing.tier)),
            (words.say("Segment"), words.term("segment", standing.segment)),
            (words.say("Orders"), words.number(standing.orders)),
        ]
    if value is not None and value.measured:
        rows += [
            (words.say("Revenue, last year"), words.money(value.revenue_a_year, value.currency)),
            (words.say("Contribution, last year"), words.money(value.contribution_a_year, value.currency)),
            (words.say("Lifetime value at today's risk"), words.money(value.lifetime_value, value.currency)),
            (words.say("Lifetime value before the risk rose"), words.money(value.stake, value.currency)),
            (words.say("Expected loss"), words.money(value.expected_loss, value.currency)),
        ]
    if report.next_due is not None:
        rows.append((words.say("Next look"), words.moment(report.next_due)))
    print_pairs(screen, rows)


def _risk(screen: Screen, report: CustomerReport) -> None:
    words, risk, standing, value = screen.words, report.risk, report.standing, report.value
    if risk is None or standing is None or value is None or report.scored_at is None:
        return
    screen.line()
    said = words.say(
        "{risk} likely to buy nothing within {days}, as of {date}",
        risk=words.probability(risk.probability),
        days=words.days(risk.horizon_days),
        date=words.moment(report.scored_at),
    )
    screen.line(said, "bold")
    screen.line(model_note(words, risk))
    table = Table.grid(padding=(0, 2))
    for reason in sorted(report.reasons, key=lambda r: -abs(r.log_odds)):
        text = reason_said(words, reason, standing, value)
        table.add_row(f"{reason.log_odds:+.2f}", text.fact, text.effect, text.change)
    table.add_row(f"{risk.log_odds:+.2f}", words.say("in all (log-odds)"), style="bold")
    screen.out.print(table)
    screen.line()
    for line in cause_lines(words, report.causes, at_most=len(report.causes)):
        screen.out.print(line)


def _bond(screen: Screen, report: CustomerReport) -> None:
    screen.line()
    screen.line(screen.words.say("Satisfaction and loyalty"), "bold")
    print_pairs(screen, [(line.name, line.text) for line in bond_lines(screen.words, report.bond)])


def _history(screen: Screen, report: CustomerReport) -> None:
    words = screen.words
    screen.line()
    screen.line(words.say("Looks"), "bold")
    table = Table.grid(padding=(0, 2))
    for look in report.looks[-LOOKS_SHOWN:]:
        risk = "" if look.probability is None else words.probability(look.probability)
        table.add_row(words.moment(look.at), risk, words.term("outcome", look.outcome))
    screen.out.print(table)
    if report.transitions:
        screen.line()
        screen.line(words.say("Lifecycle"), "bold")
    for move in report.transitions:
        screen.line(f"{words.moment(move.at)}  {_move(words, move.before, move.after, won_back=move.won_back)}")


def _move(words: Words, before: str, after: str, *, won_back: bool) -> str:
    text = f"{words.term('stage', before)} → {words.term('stage', after)}"
    return f"{text} ({words.term('change', 'won_back')})" if won_back else text


def _ticked(words: Words, step: Recovered) -> str:
    term = words.term("recovery", step.step)
    if step.at is None:
        return f"  [ ] {term}"
    return "  [x] " + words.say("{step} ({by}, {when})", step=term, by=step.by or "", when=words.moment(step.at))


def _open_matters(screen: Screen, report: CustomerReport) -> None:
    words = screen.words
    if report.open_complaints:
        screen.line()
        screen.line(words.say("Open complaints"), "bold")
    for complaint in report.open_complaints:
        about = words.term("cause", complaint.category)
        screen.line(f"{words.date(complaint.opened_at)}  {words.term('complaint status', complaint.status)}  {about}")
    if report.recoveries:
        screen.line()
        screen.line(words.say("Service recovery"), "bold")
    for recovery in report.recoveries:
        status = words.term("complaint status", recovery.status)
        screen.line(words.say("complaint {complaint}, {status}", complaint=recovery.complaint_id, status=status))
        for step in recovery.steps:
            screen.line(_ticked(words, step))
    if report.last_contacts:
        screen.line()
        screen.line(words.say("Last contacts"), "bold")
    for contact in report.last_contacts:
        told = (
            words.term("direction", contact.direction),
            words.term("purpose", contact.purpose),
            words.term("result", contact.result),
        )
        screen.line("  ".join((words.date(contact.at), *told)))
    if report.warnings:
        screen.line()
        screen.line(words.say("Warnings"), "bold")


def print_pairs(screen: Screen, rows: list[tuple[str, str]]) -> None:
    """Names and values in two columns."""
    table = Table.grid(padding=(0, 2))
    table.add_column(style="dim")
    for name, text in rows:
        table.add_row(name, text)
    screen.out.print(table)
