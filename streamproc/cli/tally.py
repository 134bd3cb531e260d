"""What became of the records that a run has read: how many were new, known already or refused, and why."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from streamproc.adapters.embedded.runner import Arrival
from streamproc.intake.refusal import Refusal
from streamproc.words import words_in

REASONS_SHOWN = 3


class Tally:
    """Counts what was taken; `read` is how many records these were."""

    def __init__(self) -> None:
        self._statuses: Counter[str] = Counter()
        self._refused: Counter[tuple[str, str]] = Counter()
        self._details: dict[tuple[str, str], str] = {}

    @property
    def read(self) -> int:
        """All of them."""
        return self._statuses.total()

    @property
    def refused(self) -> int:
        """Those that intake refused."""
        return self._refused.total()

    def add(self, arrivals: Sequence[Arrival], statuses: Sequence[str]) -> None:
        """Some more, and what became of each."""
        self._statuses.update(statuses)
        for arrival in arrivals:
            if isinstance(arrival.outcome, Refusal):
                why = arrival.outcome.reason, arrival.outcome.field
                self._refused[why] += 1
                self._details.setdefault(why, arrival.outcome.detail)

    def tell(self, console: Console, folder: Path, *, skipped: int = 0) -> None:
        """One line; where something was refused also why, and what to do."""
        said = [f"{self.read:,} {'record' if self.read == 1 else 'records'} read", f"{self._statuses['new']:,} new"]
        others = (("known already", self._statuses["repeat"]), ("refused", self.refused))
        said += [f"{n:,} {what}" for what, n in (*others, ("of kinds to skip", skipped)) if n]
        console.print(", ".join(said))
        if not self._refused:
            return
        terms = words_in("en")
        for (reason, field), n in self._refused.most_common(REASONS_SHOWN):
            why = self._details[reason, field] or terms.term("refusal", reason)
            console.print(f"  {n:,} refused: {f'{field}: ' if field else ''}{why}", style="yellow", markup=False)
        if len(self._refused) > REASONS_SHOWN:
            console.print("  and for other reasons", style="yellow")
        hint = f"streamproc dead-letters list --data {folder} shows them; --map tells how to read other forms"
        console.print(hint, style="yellow", markup=False, soft_wrap=True)


def all_refused(tallies: Sequence[Tally]) -> bool:
    """Whether something was read, and nothing of it could be used."""
    return 0 < sum(tally.read for tally in tallies) == sum(tally.refused for tally in tallies)
