"""`streamproc dead-letters`: what was refused, byte for byte, and how it is sent again."""

import sqlite3
from base64 import b64encode
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Protocol

import typer
from rich.table import Table

from streamproc.adapters.embedded import deadletters
from streamproc.adapters.embedded.deadletters import Kept
from streamproc.cli.common import (
    FINDING,
    ConfigOption,
    DataOption,
    JsonOption,
    LanguageOption,
    Screen,
    command,
    print_json,
    print_raw,
    reading,
)
from streamproc.cli.home import on_cluster
from streamproc.config import ConfigError
from streamproc.words import Words, told

if TYPE_CHECKING:
    from streamproc.cli.redrive import Redriven

SHOWN = 50

app = typer.Typer(help="What was refused: list, look, send again.", no_args_is_help=True, rich_markup_mode="markdown")

ReasonOption = Annotated[str | None, typer.Option(help="Only those refused for this reason.")]


@app.command("list")
def list_(
    *,
    reason: ReasonOption = None,
    limit: Annotated[int, typer.Option(min=1, help="At most so many (not with --json).")] = SHOWN,
    json: JsonOption = False,
    data: DataOption = None,
    lang: LanguageOption = None,
    config: ConfigOption = None,
) -> None:
    """The dead letters, oldest first. With `--json` each has its bytes as `raw_base64`.

    Where Kafka brokers are set and no `--data` is given, they are those of the cluster's topic; a letter's number is
    its offset there.

    For example:

        streamproc dead-letters list --reason no_rate
    """
    with command(config, data, lang) as screen, _letters(screen, data) as letters:
        found = letters.read(reason)
        if json:
            for kept in found:
                print_json(letters.as_json(kept))
        else:
            _table(screen, list(islice(found, limit + 1)), limit)


@app.command()
def show(
    number: Annotated[int, typer.Argument(metavar="ID", help="The dead letter's number in the list.")],
    *,
    raw: Annotated[bool, typer.Option("--raw", help="The bytes as they came, and nothing else.")] = False,
    json: JsonOption = False,
    data: DataOption = None,
    lang: LanguageOption = None,
    config: ConfigOption = None,
) -> None:
    """One dead letter: why it was refused, where it stood, and its bytes. Exit code 1: there is none of this number.

    For example:

        streamproc dead-letters show 17 --raw | jq .
    """
    with command(config, data, lang) as screen, _letters(screen, data) as letters:
        kept = letters.one(number)
        if kept is None:
            screen.note(screen.words.say("There is no dead letter {n}.", n=str(number)))
            raise typer.Exit(FINDING)
        if raw:
            print_raw(kept.letter.raw)
        elif json:
            print_json(letters.as_json(kept))
        else:
            _show(screen, kept, letters.place(kept))


@app.command()
def redrive(  # noqa: PLR0913 - one a flag
    numbers: Annotated[list[int] | None, typer.Argument(metavar="[ID]...", help="These, by number.")] = None,
    *,
    reason: ReasonOption = None,
    everything: Annotated[bool, typer.Option("--all", help="All that were not sent again yet.")] = False,
    map_file: Annotated[Path | None, typer.Option("--map", help="A TOML file that says how to read them.")] = None,
    like: Annotated[
        Path | None, typer.Option(help="The table they came from, or one of the same columns: needed for its rows.")
    ] = None,
    json: JsonOption = False,
    data: DataOption = None,
    lang: LanguageOption = None,
    config: ConfigOption = None,
) -> None:
    """Send dead letters through intake again, as a source of its own named `redrive`.

    Those that intake takes now are marked; those it still refuses stay as they are. No other process may run on the
    folder meanwhile. Exit code 1: some are still refused, or there is nothing to send.

    On a cluster the original bytes go to the topic and partition where they came from, and the workers judge them anew;
    what is refused once more is a new dead letter. How they are read is the workers' own mapping (`kafka.mapping`).

    For example:

        streamproc dead-letters redrive --reason no_rate
        streamproc dead-letters redrive 17 18 --like orders.csv --map orders.toml
    """
    with command(config, data, lang) as screen:
        if not (numbers or reason or everything):
            raise ConfigError(screen.words.say("say which: their numbers, --reason REASON, or --all"))
        if on_cluster(screen.settings, data):
            _redrive_on_cluster(screen, numbers, reason, [map_file, like], json=json)
            return
        from streamproc.cli.redrive import redriven  # noqa: PLC0415 - the writer takes seconds to import

        with reading(screen.settings.data) as db:
            wanted = _wanted(db, numbers or [], reason)
        results = redriven(screen.settings, wanted, map_file, like) if wanted else []
        for result in results:
            if json:
                print_json(result)
        if not json:
            _tell(screen, results)
        if not results or any(result.status == "refused" for result in results):
            raise typer.Exit(FINDING)


def _wanted(db: sqlite3.Connection, numbers: Sequence[int], reason: str | None) -> list[Kept]:
    """Those named, or all of the reason that were never sent again."""
    found = deadletters.read(db, reason=reason)
    if numbers:
        return [kept for kept in found if kept.id in numbers]
    return [kept for kept in found if kept.redriven is None]


def _redrive_on_cluster(
    screen: Screen, numbers: list[int] | None, reason: str | None, files: list[Path | None], *, json: bool
) -> None:
    if any(files):
        raise ConfigError("--map and --like are for a data folder: workers read by their own mapping, kafka.mapping")
    from streamproc.cli.dead_letters_cluster import sent_again  # noqa: PLC0415 - a folder's need no Kafka

    counts = Counter[str]()
    for sent in sent_again(screen.settings, numbers, reason):
        counts[sent.status] += 1
        if json:
            print_json(sent)
        elif sent.detail is not None:
            screen.line(f"{sent.id}: {sent.detail}")
    words = screen.words
    if not counts:
        screen.note(words.say("There is nothing to send again."))
    elif not json:
        screen.line(f"{words.say('Sent again')}: {words.number(counts['sent'])}")
    if counts["refused"] or not counts:
        raise typer.Exit(FINDING)


class Letters(Protocol):
    """Dead letters, a data folder's or a cluster's."""

    def read(self, reason: str | None) -> Iterator[Kept]:
        """Those of one reason, or all, oldest first."""
        ...

    def one(self, number: int) -> Kept | None:
        """That of this number."""
        ...

    def place(self, kept: Kept) -> str:
        """Where it stood."""
        ...

    def as_json(self, kept: Kept) -> dict[str, object]:
        """A dead letter for programs."""
        ...


class _FolderLetters:
    def __init__(self, db: sqlite3.Connection, words: Words) -> None:
        self._db = db
        self._words = words

    def read(self, reason: str | None) -> Iterator[Kept]:
        return deadletters.read(self._db, reason=reason)

    def one(self, number: int) -> Kept | None:
        return next((k for k in deadletters.read(self._db, after=number - 1) if k.id == number), None)

    def place(self, kept: Kept) -> str:
        where = f"{kept.letter.source}:{kept.letter.row}"
        return self._words.say("Stood at {place}, byte {offset}", place=where, offset=str(kept.letter.offset))

    def as_json(self, kept: Kept) -> dict[str, object]:
        letter = kept.letter
        return {
            "id": kept.id,
            "reason": letter.reason,
            "field": letter.field,
            "detail": letter.detail,
            "source": letter.source,
            "row": letter.row,
            "offset": letter.offset,
            "redriven": kept.redriven,
            "raw_base64": b64encode(letter.raw).decode(),
        }


@contextmanager
def _letters(screen: Screen, data: Path | None) -> Iterator[Letters]:
    if on_cluster(screen.settings, data):
        from streamproc.cli.dead_letters_cluster import letters_of  # noqa: PLC0415 - as above

        with letters_of(screen.settings) as letters:
            yield letters
        return
    with reading(screen.settings.data) as db:
        yield _FolderLetters(db, screen.words)


def _table(screen: Screen, found: list[Kept], limit: int) -> None:
    words = screen.words
    if not found:
        screen.note(words.say("There are no dead letters."))
        return
    headings = (
        words.say("Number"),
        words.say("Reason"),
        words.say("Field"),
        words.say("Detail"),
        words.say("Source"),
        words.say("Sent again"),
    )
    table = Table(*headings, box=None, padding=(0, 2))
    for kept in found[:limit]:
        letter = kept.letter
        detail = told(words, (letter.detail.strip().splitlines() or [""])[-1])
        again = "" if kept.redriven is None else words.moment(kept.redriven)
        reason = words.term("refusal", letter.reason)
        table.add_row(str(kept.id), reason, letter.field, detail, f"{letter.source}:{letter.row}", again)
    screen.out.print(table)
    if len(found) > limit:
        screen.note(words.say("There are more: --limit shows more of them."))


def _show(screen: Screen, kept: Kept, place: str) -> None:
    words, letter = screen.words, kept.letter
    screen.line(f"{kept.id}  {words.term('refusal', letter.reason)} ({letter.reason})", "bold")
    if letter.field:
        screen.line(words.say("Field: {field}", field=letter.field))
    if letter.detail:
        screen.line(told(words, letter.detail))
    screen.line(place, "dim")
    if kept.redriven is not None:
        screen.line(words.say("Sent again {time}", time=words.moment(kept.redriven)), "dim")
    screen.line()
    screen.line(letter.raw.decode("utf-8", "backslashreplace"))


def _tell(screen: Screen, results: "list[Redriven]") -> None:
    words = screen.words
    if not results:
        screen.note(words.say("There is nothing to send again."))
        return
    for result in results:
        if result.status == "refused":
            why = words.term("refusal", result.reason)
            screen.line(words.say("{n}: still refused: {why}", n=str(result.id), why=f"{why} {result.field}".rstrip()))
    taken = sum(result.status != "refused" for result in results)
    screen.line(words.count("{n} dead letter was taken.", "{n} dead letters were taken.", taken))
