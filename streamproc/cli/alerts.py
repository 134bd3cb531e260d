"""`streamproc alerts`: what those who run the shop should know, as it stands or as it comes."""

from typing import Annotated

import typer

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
from streamproc.cli.home import Home, home_of
from streamproc.cli.render import step_lines
from streamproc.core.alerts import Alert
from streamproc.words import alert_said

SHOWN = 20
STYLES = {"low": "", "medium": "yellow", "high": "red", "critical": "bold red"}


def alerts(
    *,
    open_only: Annotated[bool, typer.Option("--open", help="Only those that have not ended.")] = False,
    follow: Annotated[bool, typer.Option("--follow", help="Only what comes from now on, until Ctrl-C.")] = False,
    limit: Annotated[
        int | None, typer.Option(min=1, help="At most so many.", show_default=f"{SHOWN}; with --json all")
    ] = None,
    json: JsonOption = False,
    data: DataOption = None,
    lang: LanguageOption = None,
    config: ConfigOption = None,
) -> None:
    """Alerts to those who run the shop: of feeds, of complaints, of the base.

    The newest come first. With `--json` a line is an alert's last line: its `state` raised, worse or ended,
    `started_at`, `ended_at`, and the evidence in `figures`. With `--follow` it is each line as it comes.

    Where Kafka brokers are set and no `--data` is given, they are the cluster's.

    Exit code 1: there is none.

    For example:

        streamproc alerts --open
        streamproc alerts --follow --json | jq .kind
        streamproc alerts --lang zh-CN
    """
    with command(config, data, lang) as screen, home_of(screen.settings, data, follow=follow) as home:
        if follow:
            _follow(screen, home, json=json)
            return
        found = home.alerts(open_only=open_only)
        for alert in found[: limit or (None if json else SHOWN)]:
            _show(screen, alert, json=json)
        if not found and not json:
            screen.note(screen.words.say("There is no such alert."))
        elif len(found) > (limit or SHOWN) and not json:
            screen.note(screen.words.say("There are more: --limit shows more of them."))
    if not found:
        raise typer.Exit(FINDING)


def _show(screen: Screen, alert: Alert, *, json: bool) -> None:
    if json:
        print_json(alert)
        return
    words = screen.words
    lasted = words.moment(alert.started_at)
    if alert.ended_at is not None:
        lasted = f"{lasted} – {words.moment(alert.ended_at)}"  # noqa: RUF001 - from, to
    severity, state = words.term("severity", alert.severity), words.term("alert state", alert.state)
    style = "" if alert.state == "ended" else STYLES[alert.severity]
    screen.line(f"{lasted}  {severity} · {state}  {alert_said(words, alert)}", style)
    if alert.customers and alert.state != "ended":
        screen.line(f"    {words.say('Customers with most to lose: {names}', names=', '.join(alert.customers))}")
        for line in step_lines(words, alert.steps):
            screen.out.print(line)


def _follow(screen: Screen, home: Home, *, json: bool) -> None:
    news = home.alert_news()
    screen.note(screen.words.say("Waiting for alerts; Ctrl-C ends."))
    for alert in news:
        _show(screen, alert, json=json)
