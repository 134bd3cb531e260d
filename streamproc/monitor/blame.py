"""Causes, where somebody asks for them: with a warning, in a report, and once when a customer is lost."""

from typing import NamedTuple

from streamproc.core.causes import Cause, causes_of
from streamproc.core.facts import Facts
from streamproc.core.firm import Firm
from streamproc.core.lifecycle import lost_at, spend_trend
from streamproc.core.time import DAY, to_text, today_of
from streamproc.core.value import worth
from streamproc.monitor.decide import Context
from streamproc.monitor.effects import Totals
from streamproc.monitor.figures import standing_of
from streamproc.monitor.schedule import usual_gap

MONTHS_KEPT = 24
"""Months of losses that a partition's totals remember."""

UNKNOWN = "unknown"
"""Where no cause has left evidence, or a grade or segment cannot be told."""


_SILENT = "/silent"


class Loss(NamedTuple):
    """What is counted of a customer who was lost: the month (`YYYY-MM`), the likeliest cause, and who it was.

    `silent`: they were watched in silence, so nobody could be told.
    """

    month: str
    cause: str
    grade: str
    segment: str
    silent: bool = False

    @property
    def key(self) -> str:
        """Under which it is counted in its month."""
        return f"{self.cause}/{self.grade}/{self.segment}"

    @property
    def text(self) -> str:
        """All of it, for `uncount_loss`."""
        return f"{self.month}/{self.key}{_SILENT if self.silent else ''}"


Losses = dict[str, dict[str, int]]
"""By month, by `cause/grade/segment`, how many were lost."""


def likely_causes(facts: Facts, firm: Firm, at: int, horizon_days: int) -> tuple[Cause, ...]:
    """The likely causes at `at` (µs), strongest first."""
    return causes_of(facts, firm, at, usual_gap(facts, horizon_days))


def loss_of(facts: Facts, firm: Firm, at: int, horizon_days: int, context: Context) -> Loss:
    """The loss of a customer who is found lost at `at` (µs).

    The month is that of the loss, however late it is found; grade and segment are those of the last day of trade.
    """
    causes = likely_causes(facts, firm, at, horizon_days)
    day = facts.last_day()
    money = worth(facts, day, context.policy.value)
    grade, segment = standing_of(facts, money, spend_trend(facts, day), context)
    return Loss(
        month=to_text(today_of(min(at, lost_at(facts, horizon_days) or at)) * DAY)[:7],
        cause=causes[0].cause if causes else UNKNOWN,
        grade=grade or UNKNOWN,
        segment=segment or UNKNOWN,
    )


def count_loss(totals: Totals, loss: Loss) -> None:
    """Counts one more (in place)."""
    for table in (totals.losses, totals.silent_losses) if loss.silent else (totals.losses,):
        add_losses(table, {loss.month: {loss.key: 1}})


def uncount_loss(totals: Totals, text: str) -> None:
    """Takes back one that was none (in place), unless its month is no longer remembered."""
    month, _, key = text.removesuffix(_SILENT).partition("/")
    for table in (totals.losses, totals.silent_losses) if text.endswith(_SILENT) else (totals.losses,):
        counts = table.get(month, {})
        if key in counts:
            counts[key] -= 1
            if not counts[key]:
                del counts[key]
            if not counts:
                del table[month]


def add_losses(losses: Losses, others: Losses) -> None:
    """Adds others' counts (in place); the latest months stay."""
    for month, counts in others.items():
        mine = losses.setdefault(month, {})
        for key, count in counts.items():
            mine[key] = mine.get(key, 0) + count
    for month in sorted(losses)[:-MONTHS_KEPT]:
        del losses[month]
