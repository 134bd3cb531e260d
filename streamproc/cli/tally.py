"""What became of the records that a run has read: how many were new, known already, refused and why, or too late."""

from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from streamproc.adapters.embedded.runner import Arrival
from streamproc.core.events import CustomerEvent, DeskStep
from streamproc.core.time import to_text
from streamproc.intake.refusal import Refusal
from streamproc.words import Words, told

REASONS_SHOWN = 3


class Tally:
    """Counts what was taken; `read` is how many records these were."""

    def __init__(self) -> None:
        self._late = 0
        self._settled = 0
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

    def add(self, arrivals: Sequence[Arrival], statuses: Sequence[str], settled: int = 0) -> None:
        """Some more, and what became of each. What lies before `settled` (µs) comes too late; people's steps never."""
        self._settled = max(self._settled, settled)
        self._statuses.update(statuses)
        for arrival, status in zip(arrivals, statuses, strict=True):
            if isinstance(arrival.outcome, CustomerEvent) and not isinstance(arrival.outcome, DeskStep):
                self._late += status == "new" and arrival.outcome.at < settled
            elif isinstance(arrival.outcome, Refusal):
                why = arrival.outcome.reason, arrival.outcome.field
                self._refused[why] += 1
                self._details.setdefault(why, arrival.outcome.detail)

    def tell(self, console: Console, words: Words, folder: Path, *, skipped: int = 0) -> None:
        """One line; where something was refused also why, and what to do."""
        said = [
            words.count("{n} record read", "{n} records read", self.read),
            words.say("{n} new", n=words.number(self._statuses["new"])),
        ]
        if known := self._statuses["repeat"]:
            said.append(words.say("{n} known already", n=words.number(known)))
        if self.refused:
            said.append(words.say("{n} refused", n=words.number(self.refused)))
        if skipped:
            said.append(words.say("{n} of kinds to skip", n=words.number(skipped)))
        console.print(words.say(", ").join(said))
        if self.refused:
            self._tell_why(console, words, folder)
        if self._late:
            self._tell_late(console, words)

    def _tell_why(self, console: Console, words: Words, folder: Path) -> None:
        for (reason, field), n in self._refused.most_common(REASONS_SHOWN):
            detail = self._details[reason, field]
            why = told(words, detail) if detail else words.term("refusal", reason)
            if field:
                why = words.say("{field}: {why}", field=field, why=why)
            line = words.say("{n} refused: {why}", n=words.number(n), why=why)
            console.print(f"  {line}", style="yellow", markup=False)
        if len(self._refused) > REASONS_SHOWN:
            console.print(f"  {words.say('and for other reasons')}", style="yellow")
        hint = words.say(
            "{command} shows them; --map tells how to read other forms",
            command=f"streamproc dead-letters list --data {folder}",
        )
        console.print(hint, style="yellow", markup=False, soft_wrap=True)

    def _tell_late(self, console: Console, words: Words) -> None:
        line = words.say(
            "{records}: what was before {time} is judged already. From now on they count in what is known of the "
            "customers, but they bring about no warning of that time, and nothing is learned from it",
            records=words.count("{n} record came too late", "{n} records came too late", self._late),
            time=words.moment(to_text(self._settled)),
        )
        console.print(line, style="yellow", markup=False)
        hint = words.say("a folder of its own that begins with them takes them in time: run it with another --data")
        console.print(hint, style="yellow", markup=False)


def all_refused(tallies: Sequence[Tally]) -> bool:
    """Whether something was read, and nothing of it could be used."""
    return 0 < sum(tally.read for tally in tallies) == sum(tally.refused for tally in tallies)
