"""`streamproc simulate`: the feeds of a simulated shop, and the truth about who left."""

from datetime import datetime
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from streamproc.cli.common import Screen, command
from streamproc.cli.outputs import check_folder
from streamproc.config import ConfigError
from streamproc.simulate import Dirt, Shop, write


def simulate(  # noqa: PLR0913 - one a flag
    *,
    out: Annotated[Path, typer.Option(help="The folder to write to; files of these names in it are replaced.")],
    customers: Annotated[int, typer.Option(min=1, help="All who ever come.")] = 1000,
    days: Annotated[int, typer.Option(min=1, help="How long the shop is watched.")] = 730,
    seed: Annotated[int, typer.Option(help="The same seed writes the same bytes.")] = 1,
    start: Annotated[datetime, typer.Option(formats=["%Y-%m-%d"], help="The first day.")] = datetime(2024, 1, 1),  # noqa: DTZ001 - a day
    currency: Annotated[str, typer.Option(help="Of all amounts.")] = "EUR",
    duplicates: Annotated[float, typer.Option(help="Share of events that arrive twice, 0-1.")] = 0.0,
    disorder: Annotated[float, typer.Option(help="Share of events that arrive late, 0-1.")] = 0.0,
    poison: Annotated[
        float, typer.Option(help="Share of events beside which stands a line no reader can accept.")
    ] = 0.0,
) -> None:
    """Write the feeds of a simulated shop, and the truth about who left.

    purchases.jsonl, complaints.jsonl, contacts.jsonl and facts.jsonl are what a shop would export; truth.jsonl says who
    left, when and why, and is not for `streamproc run`.

    For example:

        streamproc simulate --customers 2000 --days 730 --seed 7 --out shop
        streamproc run shop/purchases.jsonl shop/complaints.jsonl shop/contacts.jsonl shop/facts.jsonl
    """
    with command() as screen:
        try:
            dirt = Dirt(duplicates=duplicates, disorder=disorder, poison=poison)
            shop = Shop(customers=customers, days=days, seed=seed, start=start.date(), currency=currency, dirt=dirt)
        except ValueError as error:
            raise ConfigError(str(error)) from error
        check_folder("--out", out)
        for name, lines in _written(screen, shop, out).items():
            screen.line(f"{lines:>10,}  {out / f'{name}.jsonl'}")


def _written(screen: Screen, shop: Shop, out: Path) -> dict[str, int]:
    columns = (TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=screen.err, transient=True, disable=not screen.err.is_terminal) as bar:
        task = bar.add_task("customers", total=shop.customers)
        counts = write(shop, out, lambda done, total: bar.update(task, completed=done, total=total))
    return {str(name): lines for name, lines in counts.items()}
