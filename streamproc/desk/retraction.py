"""What the feed is told where a journal was made anew without some of its records: the difference, as further lines.

The rule kept here: what was told stays told, and nothing is told again. A warning that is not raised any more is
withdrawn; one that is raised both times keeps its id, its outcome and whoever claimed it, and is told only where it
stands otherwise; one that is raised only now is told with how it stands.
"""

from collections.abc import Callable, Mapping
from operator import attrgetter
from typing import Final

from msgspec import Struct

from streamproc.desk.feed import OPEN_STATES
from streamproc.desk.warning import Entry, State, Warning, kind_of_warning, raised  # noqa: A004 - the domain's word

WHY: Final = "retracted"

Right = bool | None


class Standing(Struct, frozen=True, kw_only=True):
    """How a warning stands, as far as the feed is told: figures as its lines carry them, `right` is its verdict."""

    customer_id: str
    state: State
    severity: str
    probability: float | None
    expected_loss: str
    right: bool | None
    history: bool

    @property
    def is_open(self) -> bool:
        """Whether somebody may still act on it."""
        return self.state in OPEN_STATES


Raised = Callable[[str], Warning]
"""A warning as it was raised, by its id."""


def difference(
    before: Mapping[str, Standing], after: Mapping[str, Standing], raised_as: Raised, at: str, *, live: bool
) -> list[Entry]:
    """The lines that lead from how warnings stood to how they stand now, said at the time `at` (RFC 3339).

    `raised_as` is asked for those that were never told. What was over before, and is now, is history; so is all where
    time is not `live`.
    """
    lines: list[Entry] = []
    for name in sorted({*before, *after}):
        then, now = before.get(name), after.get(name)
        if now is None and then is not None:
            lines += _withdrawn(name, then, at, live=live)
        elif now is not None and then is None:
            lines.append(raised(raised_as(name)))
            lines += _moved(name, lines[-1].kind, None, now, at, live=live)
        elif now is not None and then is not None:
            lines += _moved(name, then.state, then.right, now, at, live=live and (then.is_open or now.is_open))
    return sorted(lines, key=attrgetter("customer_id"))


def _withdrawn(name: str, then: Standing, at: str, *, live: bool) -> list[Entry]:
    if then.state == "withdrawn":
        return []
    history = not (live and then.is_open)
    line = Entry(
        warning_id=name, customer_id=then.customer_id, at=at, kind="withdrawn", history=history, why=WHY,
        warning_kind=kind_of_warning(name),
    )  # fmt: skip
    return [line] if then.right is None else [line, _verdict(name, then, None, at)]


def _moved(name: str, state: str, right: Right, now: Standing, at: str, *, live: bool) -> list[Entry]:
    lines = []
    if now.state != state:
        lines.append(
            Entry(
                warning_id=name, customer_id=now.customer_id, at=at, kind=now.state, history=not live, why=WHY,
                probability=now.probability, severity=now.severity, expected_loss=now.expected_loss,
                warning_kind=kind_of_warning(name),
            )
        )  # fmt: skip
    return lines if now.right == right else [*lines, _verdict(name, now, now.right, at)]


def _verdict(name: str, of: Standing, right: Right, at: str) -> Entry:
    """None takes back what was said."""
    return Entry(warning_id=name, customer_id=of.customer_id, at=at, kind="verdict", history=True, why=WHY, right=right)
