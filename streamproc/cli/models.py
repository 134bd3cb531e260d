"""`streamproc models`: the models learned so far; one can be pinned, or rolled back to."""

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal, NamedTuple

import msgspec
import typer
from rich.table import Table

from streamproc.adapters.embedded import queries
from streamproc.adapters.embedded.models import KnownModel, models, note_pin, pinned
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
    reading,
)
from streamproc.cli.home import on_cluster
from streamproc.config import Settings
from streamproc.core.control import ModelSnapshot
from streamproc.core.time import to_text
from streamproc.scoring.snapshot import Snapshot, default_snapshot, is_finite
from streamproc.words import Words

if TYPE_CHECKING:
    from streamproc.trainer.watch import Record

SHOWN = 20

app = typer.Typer(
    help="The models learned so far: list, look, pin, roll back.", no_args_is_help=True, rich_markup_mode="markdown"
)

IdArgument = Annotated[str, typer.Argument(metavar="ID", help="The model's id, or the beginning of it.")]


@app.command("list")
def list_(
    *,
    limit: Annotated[int, typer.Option(min=1, help="The newest so many (not with --json).")] = SHOWN,
    json: JsonOption = False,
    data: DataOption = None,
    lang: LanguageOption = None,
    config: ConfigOption = None,
) -> None:
    """All models, oldest first: when each was made, what it rests on, whether it came into force.

    Where Kafka brokers are set and no `--data` is given, they are those in the cluster's journal.

    For example:

        streamproc models list
    """
    with command(config, data, lang) as screen, _shelf_of(screen.settings, data) as shelf:
        if json:
            for model in shelf.known:
                print_json(as_json(model, shelf.running.id, shelf.pin))
        else:
            _table(screen, shelf.known[-limit:], shelf.running, shelf.pin)


@app.command()
def show(
    model_id: IdArgument,
    *,
    json: JsonOption = False,
    data: DataOption = None,
    lang: LanguageOption = None,
    config: ConfigOption = None,
) -> None:
    """One model's numbers, a data folder's or, as with `models list`, the cluster's.

    Exit code 1: there is none of this id.

    For example:

        streamproc models show cb03386c --json | jq .speaks
    """
    with command(config, data, lang) as screen, _shelf_of(screen.settings, data) as shelf:
        snapshot = find(shelf, screen.words, model_id)
        body = msgspec.json.encode(snapshot)
        print_json(snapshot) if json else screen.line(msgspec.json.format(body, indent=2).decode())


@app.command()
def record(
    *, json: JsonOption = False, data: DataOption = None, lang: LanguageOption = None, config: ConfigOption = None
) -> None:
    """How our model stands beside a plain one (scaler and logistic regression) on the same outcomes, and what drifts.

    Every outcome is judged before it is learned from. Exit code 1: nothing was trained yet.
    """
    from streamproc.adapters.embedded.pipeline import trainer_config  # noqa: PLC0415 - river takes seconds to import
    from streamproc.trainer.trainer import Trainer  # noqa: PLC0415

    with command(config, data, lang) as screen, reading(screen.settings.data) as db:
        row = db.execute("SELECT body FROM meta WHERE key = 'trainer'").fetchone()
        if row is None:
            fail(screen.words.say("Nothing was trained yet: the buying pattern alone speaks."), FINDING)
        status = Trainer(trainer_config(queries.the_setup(db)), row[0]).record()
        print_json(status) if json else _standing(screen, status.standing)


def _standing(screen: Screen, standing: "Record") -> None:
    words, table = screen.words, Table.grid(padding=(0, 2))
    screen.line(words.say("Outcomes judged: {n}", n=words.number(standing.judged)))
    screen.line(words.say("Share who left: {share}", share=words.share(standing.base_rate)))
    figures = ("log_loss", "auc", "brier", "calibration_error")
    table.add_row("", "log-loss", "AUC", "Brier", "ECE")
    for name, one in ((words.say("Ours"), standing.ours), (words.say("Plain model"), standing.challenger)):
        table.add_row(name, *("-" if one is None else f"{getattr(one, figure):.4f}" for figure in figures))
    screen.out.print(table)
    drifts = ", ".join(f"{name}: {n}" for name, n in standing.drifts.items() if n) or words.say("none")
    screen.line(words.say("Drifts seen: {drifts}", drifts=drifts))


@app.command()
def pin(
    model_id: IdArgument, *, data: DataOption = None, lang: LanguageOption = None, config: ConfigOption = None
) -> None:
    """Bring a model into force and keep it: what is learned meanwhile is refused until `models unpin`.

    No other process may run on a data folder meanwhile. On a cluster the trainer is told, and does it at once.

    For example:

        streamproc models pin cb03386c
    """
    with command(config, data, lang) as screen:
        with _shelf_of(screen.settings, data) as shelf:
            chosen = find(shelf, screen.words, model_id)
        if not is_finite(chosen):
            fail(
                screen.words.say("Model {id} has numbers that are not finite: it cannot be used.", id=chosen.id),
                FINDING,
            )
        _bring_into_force(screen, data, chosen, "pinned")
        screen.line(screen.words.say("Model {id} is pinned.", id=chosen.id))


@app.command()
def unpin(*, data: DataOption = None, lang: LanguageOption = None, config: ConfigOption = None) -> None:
    """Let newly learned models come into force again. The pinned one stays until the next is made."""
    with command(config, data, lang) as screen:
        with _shelf_of(screen.settings, data) as shelf:
            held = shelf.pin
        if held is None:
            screen.note(screen.words.say("No model is pinned."))
            raise typer.Exit(FINDING)
        if on_cluster(screen.settings, data):
            _tell_trainer(screen, None, pinned=False)
        else:
            _unpin(screen.settings)
        screen.line(screen.words.say("Model {id} is no longer pinned.", id=held))


@app.command()
def rollback(*, data: DataOption = None, lang: LanguageOption = None, config: ConfigOption = None) -> None:
    """Bring the model into force that was before the running one. The next training may replace it: see `models pin`.

    Rolling back again goes further back. No other process may run on a data folder meanwhile. Exit code 1: there is no
    earlier model, or one is pinned.
    """
    with command(config, data, lang) as screen:
        with _shelf_of(screen.settings, data) as shelf:
            if shelf.pin is not None:
                fail(screen.words.say("A model is pinned: `streamproc models unpin` first, or pin another."), FINDING)
            earlier = _before(shelf.known, shelf.running.id)
        if earlier is None:
            fail(screen.words.say("There is no earlier model to go back to."), FINDING)
        _bring_into_force(screen, data, earlier, "rolled_back")
        screen.line(screen.words.say("Model {id} is in force again.", id=earlier.id))


class Shelf(NamedTuple):
    """The models there are, the one in force, and the id of the one that is pinned."""

    known: list[KnownModel]
    running: Snapshot
    pin: str | None


def _shelf(db: sqlite3.Connection) -> Shelf:
    return Shelf(models(db), _running(db), pinned(db))


@contextmanager
def _shelf_of(settings: Settings, data: Path | None) -> Iterator[Shelf]:
    if on_cluster(settings, data):
        from streamproc.cli.cluster import cluster_of  # noqa: PLC0415 - a folder's models need no Kafka

        with cluster_of(settings) as cluster:
            known = cluster.models()
            yield Shelf(known, known[-1].snapshot if known else default_snapshot(), cluster.pinned())
        return
    with reading(settings.data) as db:
        yield _shelf(db)


def find(shelf: Shelf, words: Words, model_id: str) -> Snapshot:
    """The model whose id begins so; ends the command with exit code 1 where there is none, or more than one."""
    found = {m.id: m.snapshot for m in shelf.known if m.id.startswith(model_id)}
    if shelf.running.id.startswith(model_id):
        found[shelf.running.id] = shelf.running
    if len(found) != 1:
        several = words.say("More than one model begins with {id}: see `streamproc models list`.", id=model_id)
        none = words.say("There is no model {id}: see `streamproc models list`.", id=model_id)
        fail(several if found else none, FINDING)
    return next(iter(found.values()))


def as_json(model: KnownModel, running: str, pin: str | None) -> dict[str, object]:
    """A model for programs."""
    trained = model.snapshot.trained_on
    return {
        "seq": model.seq,
        "id": model.id,
        "at": to_text(model.at),
        "speaks": model.snapshot.speaks,
        "examples": trained.examples,
        "customers": trained.customers,
        "refused": model.refused,
        "running": model.refused is None and model.id == running,
        "pinned": model.id == pin,
    }


def _running(db: sqlite3.Connection) -> Snapshot:
    queries.the_setup(db)
    return queries.metas(db)[0].snapshot


def _before(known: list[KnownModel], running: str) -> Snapshot | None:
    """The model in force before the running one was made, so that rolling back again goes further back."""
    in_force = [m for m in known if m.refused is None]
    made = next((i for i, m in enumerate(in_force) if m.id == running), 0)
    return in_force[made - 1].snapshot if made else None


def _bring_into_force(
    screen: Screen, data: Path | None, snapshot: Snapshot, reason: Literal["pinned", "rolled_back"]
) -> None:
    if on_cluster(screen.settings, data):
        _tell_trainer(screen, snapshot, pinned=reason == "pinned")
        return
    from streamproc.cli.writing import writing  # noqa: PLC0415 - the writer takes seconds to import

    with writing(screen.settings.data) as folder:
        body = msgspec.Raw(msgspec.json.encode(snapshot))
        record = ModelSnapshot(at=folder.runner.progress.clock, snapshot=body, reason=reason)
        folder.db.execute("BEGIN IMMEDIATE")
        note_pin(folder.db, snapshot.id if reason == "pinned" else None)
        folder.runner.set_model(record)  # commits the pin with it


def _unpin(settings: Settings) -> None:
    from streamproc.cli.writing import writing  # noqa: PLC0415 - as above

    with writing(settings.data) as folder:
        folder.db.execute("BEGIN IMMEDIATE")
        note_pin(folder.db, None)
        folder.db.execute("COMMIT")


def _tell_trainer(screen: Screen, snapshot: Snapshot | None, *, pinned: bool) -> None:
    from streamproc.cli.models_cluster import choose  # noqa: PLC0415 - a folder's models need no Kafka

    if not choose(screen.settings, snapshot, pinned=pinned):
        screen.note(
            screen.words.say("The trainer is told, and has not done it yet: `streamproc lag` says how far it is.")
        )


def _table(screen: Screen, known: list[KnownModel], running: Snapshot, pin: str | None) -> None:
    words = screen.words
    headings = (
        words.say("Model"),
        words.say("Made"),
        words.say("Speaks"),
        words.say("Outcomes"),
        words.say("Customers"),
        "",
    )
    table = Table(*headings, box=None, padding=(0, 2))
    for model in known:
        trained = model.snapshot.trained_on
        marks = []
        if model.refused is not None:
            marks.append(words.say("refused: {why}", why=model.refused))
        elif model.id == running.id:
            marks.append(words.say("running"))
        if model.id == pin and model.refused is None:
            marks.append(words.say("pinned"))
        table.add_row(
            model.id,
            words.moment(to_text(model.at)),
            words.term("speaks", model.snapshot.speaks),
            words.number(trained.examples),
            words.number(trained.customers),
            ", ".join(marks),
        )
    screen.out.print(table)
    if not any(model.refused is None and model.id == running.id for model in known):
        screen.note(words.say("Running: {id}.", id=running.id))
