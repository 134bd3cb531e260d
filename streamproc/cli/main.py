"""The program: its commands, each loaded only when it is called (river alone takes seconds to import)."""

# ruff: noqa: PLC0415 - see above

import os
from collections.abc import Callable
from typing import Annotated, Any, NamedTuple

import typer
from typer.core import TyperGroup

import streamproc

Function = Callable[..., None]


class Entry(NamedTuple):
    """A command: what the list of commands says of it, and where it is loaded from."""

    short: str
    load: Callable[[], Function | typer.Typer]


def _run() -> Function:
    from streamproc.cli.run import run

    return run


def _warnings() -> Function:
    from streamproc.cli.warnings import warnings

    return warnings


def _alerts() -> Function:
    from streamproc.cli.alerts import alerts

    return alerts


def _desk() -> typer.Typer:
    from streamproc.cli.desk import app

    return app


def _customer() -> Function:
    from streamproc.cli.customer import customer

    return customer


def _why() -> Function:
    from streamproc.cli.why import why

    return why


def _status() -> Function:
    from streamproc.cli.status import status

    return status


def _record() -> Function:
    from streamproc.cli.record import record

    return record


def _report() -> Function:
    from streamproc.cli.report import report

    return report


def _backtest() -> Function:
    from streamproc.cli.backtest import backtest

    return backtest


def _replay() -> Function:
    from streamproc.cli.replay import replay

    return replay


def _dead_letters() -> typer.Typer:
    from streamproc.cli.dead_letters import app

    return app


def _models() -> typer.Typer:
    from streamproc.cli.models import app

    return app


def _simulate() -> Function:
    from streamproc.cli.simulate import simulate

    return simulate


def _doctor() -> Function:
    from streamproc.cli.doctor import doctor

    return doctor


def _worker() -> Function:
    from streamproc.cli.worker import worker

    return worker


def _serve() -> Function:
    from streamproc.cli.serve_cluster import serve

    return serve


def _topics() -> typer.Typer:
    from streamproc.cli.topics import app

    return app


def _produce() -> Function:
    from streamproc.cli.produce import produce

    return produce


def _journal() -> typer.Typer:
    from streamproc.cli.journal import app

    return app


def _lag() -> Function:
    from streamproc.cli.lag import lag

    return lag


def _backup() -> Function:
    from streamproc.cli.backup import backup

    return backup


def _restore() -> Function:
    from streamproc.cli.backup import restore

    return restore


def _retract() -> Function:
    from streamproc.cli.retract import retract

    return retract


def _forget() -> Function:
    from streamproc.cli.forget import forget

    return forget


def _version() -> Function:
    return version


COMMANDS = {
    "run": Entry("Read events, keep each customer's state, learn, and warn of those about to leave.", _run),
    "warnings": Entry("The warnings as they stand, or as they come.", _warnings),
    "alerts": Entry("Alerts to those who run the shop: of feeds, of complaints, of the base.", _alerts),
    "desk": Entry("The work list, and what people do about warnings.", _desk),
    "customer": Entry("All that is known of one customer.", _customer),
    "why": Entry("Why there was, or was no, warning for a customer.", _why),
    "status": Entry("The whole base at a glance.", _status),
    "record": Entry("Whether the warnings earn their cost: right, early, few false ones, value saved.", _record),
    "report": Entry("Write the firm at a glance: one HTML file with charts, to be read, mailed or printed.", _report),
    "backtest": Entry(
        "Run the monitor once through recorded events and write what risk it gave everybody at each cut.", _backtest
    ),
    "replay": Entry("Run the journal again: the same warnings, or those of another policy.", _replay),
    "dead-letters": Entry("What was refused: list, look, send again.", _dead_letters),
    "models": Entry("The models learned so far: list, look, pin, roll back.", _models),
    "simulate": Entry("Write the feeds of a simulated shop, and the truth about who left.", _simulate),
    "doctor": Entry("Look for what is wrong with a data folder or the installation.", _doctor),
    "worker": Entry("Run one worker of a cluster.", _worker),
    "topics": Entry("The topics on Kafka: plan, create, check.", _topics),
    "serve": Entry("Serve the page and the interface of a cluster.", _serve),
    "produce": Entry("Send files to the firm's topics on Kafka, in order of time, keyed by customer.", _produce),
    "journal": Entry("The journal on Kafka: into files, as it comes, out of a data folder.", _journal),
    "lag": Entry("How far each processor on Kafka is behind what there is to read.", _lag),
    "backup": Entry("Copy a data folder into one file, while it is in use.", _backup),
    "restore": Entry("Make a data folder from a backup.", _restore),
    "retract": Entry("Take a bad import back: the journal is made anew without it.", _retract),
    "forget": Entry("Take a person out of all that is kept.", _forget),
    "version": Entry("The version of streamproc.", _version),
}


# Read when numpy is loaded. The work is small vectors: a thread pool makes a fit fifty times slower on busy cores.
THREADS = ("OMP_NUM_THREADS", "OPENBLAS_NUM_THREADS")


class Commands(TyperGroup):
    """The commands, in the order above; the list of them loads none."""

    _listing = False

    def list_commands(self, ctx: Any) -> list[str]:  # noqa: ANN401, ARG002 - typer's context has no public type
        """Their names."""
        return list(COMMANDS)

    def get_command(self, ctx: Any, cmd_name: str) -> Any:  # noqa: ANN401, ARG002 - nor have its commands
        """The command, None if there is none of the name."""
        entry = COMMANDS.get(cmd_name)
        if entry is None:
            return None
        if self._listing:
            return typer.core.TyperCommand(cmd_name, help=entry.short)
        for name in THREADS:
            os.environ.setdefault(name, "1")
        return _command(cmd_name, entry.load())

    def format_help(self, ctx: Any, formatter: Any) -> None:  # noqa: ANN401 - as above
        """The list of commands."""
        self._listing = True
        super().format_help(ctx, formatter)
        self._listing = False


def _command(name: str, loaded: Function | typer.Typer) -> Any:  # noqa: ANN401 - as above
    if isinstance(loaded, typer.Typer):
        return typer.main.get_command(loaded)
    single = typer.Typer(rich_markup_mode="markdown", add_completion=False)
    single.command(name)(loaded)
    return typer.main.get_command(single)


app = typer.Typer(cls=Commands, rich_markup_mode="markdown", no_args_is_help=True, add_completion=False)


def version() -> None:
    """The version of streamproc."""
    typer.echo(streamproc.__version__)


def _told_version(value: bool) -> None:
    if value:
        version()
        raise typer.Exit


@app.callback()
def streamproc_(
    _version: Annotated[
        bool, typer.Option("--version", callback=_told_version, is_eager=True, help="Print the version and leave.")
    ] = False,
) -> None:
    """A streaming churn monitor: who is about to leave, why, what is at stake.

    Start with `streamproc run --demo`, or with `streamproc run my-orders.csv`.

    Settings come from the command line, from `STREAMPROC_…` in the environment, from `streamproc.toml`, in this order.

    Exit codes: 0 fine; 1 a finding, or nothing found; 2 wrong usage or settings; 3 the data folder, a source or a disk
    cannot be used; 130 stopped by Ctrl-C.
    """
