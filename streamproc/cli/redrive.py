"""Dead letters on their way through intake again."""

from collections.abc import Sequence
from pathlib import Path
from typing import Literal

from msgspec import Struct
from msgspec.structs import replace

from streamproc.adapters.embedded.deadletters import JOURNAL, Kept, mark_redriven
from streamproc.adapters.embedded.runner import Runner, batches
from streamproc.adapters.sources import FileSource, Item, SourceError
from streamproc.cli.common import wall
from streamproc.cli.session import rates_of, read_mapping
from streamproc.cli.writing import Held, writing
from streamproc.config import ConfigError, Settings
from streamproc.core.events import CustomerEvent
from streamproc.core.time import to_text
from streamproc.intake.intake import Intake
from streamproc.intake.intake import Settings as IntakeSettings
from streamproc.intake.mapping import Mapping
from streamproc.intake.rates import Rates
from streamproc.intake.refusal import Position, Refusal
from streamproc.wire.journal import decode

SOURCE = "redrive"
BATCH = 1_000


class Redriven(Struct, frozen=True, kw_only=True, omit_defaults=True):
    """What became of a dead letter: new to the journal, a repeat of what is in it, skipped, or refused once more."""

    id: int
    status: Literal["new", "repeat", "skipped", "refused"]
    reason: str | None = None
    field: str | None = None
    detail: str | None = None


class Reader:
    """Reads dead letters as intake would: records of the journal, rows of a table `like` another, or JSON."""

    def __init__(self, rates: Rates, mapping: Mapping | None, like: Path | None, settings: IntakeSettings) -> None:
        """Raises ConfigError where `like` is no table that can be read."""
        self._table: FileSource | None = None
        if like is not None:
            try:
                self._table = FileSource(like, rates, mapping=mapping, settings=settings, name=SOURCE)
            except SourceError as error:
                raise ConfigError(str(error)) from error
        self._intake = Intake(rates, mapping, None, settings)

    def item(self, kept: Kept, now: int) -> Item | None:
        """The record or refusal, None for a kind that the mapping skips."""
        raw = kept.letter.raw
        if kept.letter.source == JOURNAL:
            return Item(_from_journal(kept), raw, Position(SOURCE, kept.id))
        if self._table is not None:
            return self._table.take((kept.id, 0, raw), now)
        outcome = self._intake.take(raw, Position(SOURCE, kept.id), now)
        return None if outcome is None else Item(outcome, raw, Position(SOURCE, kept.id))


def _from_journal(kept: Kept) -> CustomerEvent | Refusal:
    """The event under an id of its own: the journal knows the old one already, and it was not applied."""
    record = decode(kept.letter.raw)
    if not isinstance(record, CustomerEvent):
        return Refusal("not_json", "", "no event was kept: what failed was a look")
    return replace(record, event_id=f"{SOURCE}-{kept.id}-{record.event_id}"[:256], source=SOURCE)


def redriven(settings: Settings, wanted: Sequence[Kept], map_file: Path | None, like: Path | None) -> list[Redriven]:
    """Sends dead letters again and marks those that were taken; those still refused stay as they are.

    Raises StoreError while another process runs on the folder, ConfigError where mapping or table cannot be read.
    """
    mapping = read_mapping(map_file)
    with writing(settings.data) as held:
        rates = rates_of(held.db, held.setup.currency)
        reader = Reader(rates, mapping, like, IntakeSettings(keep_text=settings.keep_text))
        now = wall()
        read = [(kept.id, reader.item(kept, now)) for kept in wanted]
        taken = _take(held, [item for _, item in read if item is not None and not isinstance(item.outcome, Refusal)])
        results = [_result(number, item, taken) for number, item in read]
        held.db.execute("BEGIN IMMEDIATE")
        for result in results:
            if result.status != "refused":
                mark_redriven(held.db, result.id, to_text(now // 1_000_000 * 1_000_000))
        held.db.execute("COMMIT")
    return results


def _take(held: Held, items: list[Item]) -> dict[int, Literal["new", "repeat", "refused"]]:
    """What became of each item, by its dead letter's number."""
    runner: Runner = held.runner
    items.sort(key=lambda item: 0 if isinstance(item.outcome, Refusal) else item.outcome.at)
    statuses = [status for batch in batches(items, BATCH) for status in runner.take(batch).statuses]
    if runner.progress.mode == "event":
        runner.end_of_data(wall())
    return {item.position.row: status for item, status in zip(items, statuses, strict=True)}


def _result(number: int, item: Item | None, taken: dict[int, Literal["new", "repeat", "refused"]]) -> Redriven:
    if item is None:
        return Redriven(id=number, status="skipped")
    if isinstance(item.outcome, Refusal):
        refusal = item.outcome
        return Redriven(id=number, status="refused", reason=refusal.reason, field=refusal.field, detail=refusal.detail)
    return Redriven(id=number, status=taken[number])
