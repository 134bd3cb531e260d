"""`streamproc topics`: the topics a cluster needs, those it has, and what is wrong with them."""

import shlex
from collections.abc import Mapping
from typing import Annotated, Any

import typer
from rich.table import Table

from streamproc.adapters.kafka.acls import allowed
from streamproc.adapters.kafka.checks import Finding, check_topics
from streamproc.adapters.kafka.going_on import go_on, made_anew, take
from streamproc.adapters.kafka.names import Names
from streamproc.adapters.kafka.reading import topics_of as topics_on
from streamproc.adapters.kafka.state_topics import state_topics
from streamproc.adapters.kafka.tools import admin_of
from streamproc.adapters.kafka.topics import (
    Found,
    Wanted,
    broker_count,
    create_topics,
    found_topics,
    in_sync_for,
    replicas_for,
    wanted_topics,
)
from streamproc.cli.common import ConfigOption, JsonOption, Screen, command, print_json
from streamproc.cli.findings import tell
from streamproc.config import ConfigError, Settings

HOUR_MS = 3_600_000
DAY_MS = 24 * HOUR_MS

app = typer.Typer(
    help="The topics on Kafka: plan, create, check, go on, who may do what.",
    no_args_is_help=True,
    rich_markup_mode="markdown",
)


@app.command()
def plan(*, json: JsonOption = False, config: ConfigOption = None) -> None:
    """Show the topics that are needed, with their settings, and which of them there are. Nothing is changed.

    For example:

        STREAMPROC_KAFKA__BROKERS=localhost:9092 streamproc topics plan
    """
    with command(config) as screen:
        kafka = screen.settings.kafka
        wanted = topics_of(screen.settings)
        with admin_of(kafka) as admin:
            replicas = replicas_for(broker_count(admin))
            found = found_topics(admin, [topic.name for topic in wanted])
        rows = [_planned(topic, replicas, kafka.partitions, found.get(topic.name)) for topic in wanted]
        if json:
            for row in rows:
                print_json(row)
        else:
            _show(screen, rows)


@app.command()
def create(*, json: JsonOption = False, config: ConfigOption = None) -> None:
    """Make the topics that are missing; those that there are stay as they are.

    The firm's own topics are made, too, where they are missing, with the cluster's own retention.

    For example:

        STREAMPROC_KAFKA__BROKERS=localhost:9092 streamproc topics create
    """
    with command(config) as screen:
        missing, replicas = make_topics(screen.settings)
        for topic in missing:
            if json:
                print_json(_planned(topic, replicas, screen.settings.kafka.partitions, None))
            else:
                screen.line(f"{topic.name}: made")
        if not missing and not json:
            screen.line("all topics are there")


def make_topics(settings: Settings) -> tuple[list[Wanted], int]:
    """Makes the topics that are missing; which these were, and how many copies they have. Raises as `admin_of`."""
    wanted = topics_of(settings)
    with admin_of(settings.kafka) as admin:
        replicas = replicas_for(broker_count(admin))
        found = found_topics(admin, [topic.name for topic in wanted])
        missing = [topic for topic in wanted if topic.name not in found]
        if missing:
            create_topics(admin, missing, replicas=replicas, partitions=settings.kafka.partitions)
    return missing, replicas


@app.command()
def check(*, json: JsonOption = False, config: ConfigOption = None) -> None:
    """Look for settings that would lose records or stop a worker; each fault comes with what mends it.

    Exit code 1: there is a fault.

    For example:

        STREAMPROC_KAFKA__BROKERS=localhost:9092 streamproc topics check
    """
    with command(config) as screen:
        with admin_of(screen.settings.kafka) as admin:
            findings = topic_findings(admin, screen.settings)
        tell(screen, findings, json=json)


@app.command("go-on")
def go_on_at(
    place: Annotated[
        str,
        typer.Argument(metavar="TOPIC[/PARTITION]", help="A partition of a topic of the firm's, or a topic of state."),
    ],
    *,
    config: ConfigOption = None,
) -> None:
    """Give up records that are lost, or take a restored topic for the lost one; workers then go on.

    A worker ends with code 73 where a topic of the firm's no longer holds what it has not read: the topic was made
    anew, or its retention was too short. It does so again until this is said. Where nothing is lost, nothing changes.

    It ends so, too, where a topic that holds its state (progress, a changelog) is not the one the journal began with.
    With the name of the topic alone this says that it is a whole copy of it, made when no worker ran any more. Where it
    is not, warnings will be doubled or be missing.

    For example:

        STREAMPROC_KAFKA__BROKERS=localhost:9092 streamproc topics go-on purchases/0

        STREAMPROC_KAFKA__BROKERS=localhost:9092 streamproc topics go-on streamproc.monitor-changelog
    """
    with command(config) as screen:
        kafka = screen.settings.kafka
        if place in state_topics(Names(kafka.prefix)):
            taken = take(kafka, place)
            screen.line(
                f"{place} stands for the lost one" if taken else f"{place} is the right one, nothing was changed"
            )
            return
        topic, _, number = place.rpartition("/")
        if topic not in kafka.inputs.values() or not number.isdecimal():
            some = ", ".join(f"{name}/0" for name in kafka.inputs.values())
            raise ConfigError(f"{place} is no partition of a topic of the firm's; such are {some}")
        went = go_on(kafka, topic, int(number))
        if went is None:
            screen.line(f"{place}: nothing is lost, nothing was changed")
        elif went.anew:
            screen.line(f"{place} was made anew: read from its beginning, {went.begin}, not from {went.position}")
        else:
            screen.line(f"{place} is read from {went.begin} on; what lay between {went.position} and that is given up")


@app.command()
def acls(
    *,
    principals: Annotated[
        str, typer.Option(metavar="NAME", help="The users' names; {role} in it is the role of each.")
    ] = "User:streamproc-{role}",
    json: JsonOption = False,
    config: ConfigOption = None,
) -> None:
    """Print what each role must be allowed where Kafka asks who may do what, as options for kafka-acls.sh.

    The roles are the four processors (`worker --only intake` runs one), the page with the commands that read, and the
    firm's producers. Nothing is changed, and no cluster is asked. Making topics, importing, redriving and going on need
    more; let a person do that with rights of their own. For example:

        streamproc topics acls | sed "s|^|kafka-acls.sh --bootstrap-server localhost:9092 |" | sh
    """
    with command(config) as screen:
        for permission in allowed(screen.settings.kafka):
            principal = principals.replace("{role}", permission.role)
            if json:
                print_json({"principal": principal, **permission._asdict()})
            else:
                screen.line(shlex.join(permission.words(principal)))


def topics_of(settings: Settings) -> list[Wanted]:
    """All topics that the settings ask for."""
    horizon = max([settings.horizon_days, *settings.horizons.values()]) * DAY_MS
    return wanted_topics(settings.kafka, horizon + settings.lateness_hours * HOUR_MS)


def topic_findings(admin: Any, settings: Settings) -> list[Finding]:  # noqa: ANN401 - kafka-python ships no types
    """What is to be said of each topic. Raises kafka-python's KafkaError, ClusterError."""
    wanted = topics_of(settings)
    found = found_topics(admin, [topic.name for topic in wanted])
    findings = list(check_topics(settings.kafka, wanted, found, broker_count(admin)))
    anew = _made_anew(settings, found)
    return [*(finding for finding in findings if finding.check not in anew or finding.level != "ok"), *anew.values()]


def _made_anew(settings: Settings, found: Mapping[str, Found]) -> dict[str, Finding]:
    """The topics that hold state, and are not those that the journal began with."""
    names = Names(settings.kafka.prefix)
    if names.journal not in found:
        return {}
    with topics_on(settings.kafka) as topics:
        anew = made_anew(topics, {name: found[name].id for name in state_topics(names) if name in found})
    detail = "it was made anew: what the journal's states and positions were is not in it, and workers end with code 73"
    mend = "restore it from a copy, then: streamproc topics go-on {name}"
    return {n: Finding(check=n, level="fault", detail=detail, mend=mend.format(name=n)) for n in anew}


def _planned(topic: Wanted, replicas: int, partitions: int, found: Found | None) -> dict[str, Any]:
    settings = {**topic.settings, "min.insync.replicas": str(in_sync_for(replicas))}
    return {
        "topic": topic.name,
        "ours": topic.ours,
        "partitions": topic.partitions or partitions,
        "replicas": replicas,
        "settings": settings,
        "exists": found is not None,
    }


def _show(screen: Screen, rows: list[dict[str, Any]]) -> None:
    table = Table("topic", "partitions", "copies", "there", "settings", box=None, padding=(0, 2))
    for row in rows:
        settings = "\n".join(f"{name}={value}" for name, value in row["settings"].items())
        table.add_row(
            row["topic"], str(row["partitions"]), str(row["replicas"]), "yes" if row["exists"] else "no", settings
        )
    screen.out.print(table)
