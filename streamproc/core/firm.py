"""The firm's own facts: who left, where dealers may sell, prices, products, holidays, campaigns, outages.

The rule kept here: of each kind the latest facts stay, told apart by their ids; so the same facts leave the same
memory in any order and with repeats. Currency rates are intake's: amounts come in the reporting currency.
"""

from bisect import insort
from collections.abc import Iterator
from typing import Final

from msgspec import Struct

from streamproc.core.events import FirmFact
from streamproc.core.value import acquisition_cost

KEPT: Final = {
    "staff_left": 256,
    "dealer_region": 1024,
    "list_price": 256,
    "product": 256,
    "holiday": 128,
    "working_hours": 32,
    "marketing": 64,
    "outage": 64,
    "mute": 256,
}
"""How many facts of each kind are kept, the latest ones."""

DETAILS: Final = frozenset(
    ("change", "successor", "region", "until", "planned", "day", "from", "to", "days", "cost_per_mailing",
     "response_rate")
)  # fmt: skip
"""The members beside subject and value that something reads; all others are let go."""

TEXT_KEPT = 64
"""Characters kept of a member's text."""


class Note(Struct, array_like=True, frozen=True):
    """One fact as far as later looks need it; `at` in µs."""

    at: int
    event_id: str
    subject: str = ""
    value: float | None = None
    detail: dict[str, str | float | bool | None] = {}

    def text(self, name: str) -> str | None:
        """A member's text, None where it holds none."""
        value = self.detail.get(name)
        return value if isinstance(value, str) else None

    def number(self, name: str) -> float | None:
        """A member's number, None where it holds none."""
        value = self.detail.get(name)
        return float(value) if isinstance(value, int | float) and not isinstance(value, bool) else None

    def flag(self, name: str) -> bool:
        """Whether a member says yes: true, or a text that means it."""
        value = self.detail.get(name)
        return value.strip().lower() in {"true", "yes", "1"} if isinstance(value, str) else bool(value)


class Firm(Struct):
    """The facts by kind, each list in order of time and id; at most KEPT of a kind."""

    notes: dict[str, list[Note]] = {}

    def of(self, kind: str, subject: str | None = None) -> Iterator[Note]:
        """The facts of a kind, of one subject where one is given, in order of time."""
        return (note for note in self.notes.get(kind, ()) if subject is None or note.subject == subject)

    def acquisition_cost(self) -> float | None:
        """What a new customer cost by the last campaign that states it, in units of the currency."""
        for note in reversed(self.notes.get("marketing", ())):
            cost, rate = note.number("cost_per_mailing"), note.number("response_rate")
            if cost is not None and rate is not None and rate > 0:
                return acquisition_cost(cost, rate)
        return None


def note(firm: Firm, fact: FirmFact) -> None:
    """Takes one fact in (in place); a kind that nothing here reads leaves no trace."""
    most = KEPT.get(fact.kind)
    if most is None:
        return
    notes = firm.notes.setdefault(fact.kind, [])
    detail = {
        name: value[:TEXT_KEPT] if isinstance(value, str) else value
        for name, value in sorted(fact.detail.items())
        if name in DETAILS
    }
    new = Note(fact.at, fact.event_id, fact.subject or "", fact.value, detail)
    known = next((old for old in notes if old.event_id == new.event_id), None)
    if known is not None:
        if _precedence(new) <= _precedence(known):
            return
        notes.remove(known)
    insort(notes, new, key=_precedence)
    del notes[:-most]


def _precedence(note: Note) -> tuple[int, str, str, str]:
    """By time and id; of one id told in two ways the later one stays, else any fixed rule does."""
    return note.at, note.event_id, note.subject, f"{note.value} {note.detail}"
