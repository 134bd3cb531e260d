"""Examples waiting for their labels: features as they were at T, the label once T + H + lateness is over."""

from streamproc.core.facts import Facts
from streamproc.core.time import DAY, day_of
from streamproc.monitor.state import Decisions, Pending
from streamproc.scoring.examples import Example

PENDING_KEPT = 4


def remember(decisions: Decisions, example: Example) -> None:
    """Keeps a fresh example until its label is known (in place); a customer has at most four waiting."""
    if len(decisions.pending) < PENDING_KEPT:
        decisions.pending.append(
            Pending(
                at=example.at, features=example.features, repeats=example.repeats, recency=example.recency,
                age=example.age, log_odds=example.log_odds_micro, horizon=round(example.horizon),
            )
        )  # fmt: skip


def ignore_too_late(facts: Facts, decisions: Decisions, day: int) -> None:
    """A purchase of `day` came too late: no waiting example may see it (in place). Call before taking the event."""
    if any(d == day and n for d, n in zip(facts.recent.day, facts.recent.count, strict=True)):
        return  # that day counted already
    for pending in decisions.pending:
        if day_of(pending.at) <= day < day_of(pending.at) + pending.horizon:
            pending.too_late.append(day)


def label_matured(customer_id: str, facts: Facts, decisions: Decisions, at: int, lateness: int) -> list[Example]:
    """The waiting examples whose labels are known by `at`, labelled; they leave the decisions (in place)."""
    labelled = []
    while decisions.pending:
        first = decisions.pending[0]
        if first.at + first.horizon * DAY + lateness > at:
            break
        del decisions.pending[0]
        labelled.append(_labelled(customer_id, first, _bought(facts, first)))
    return labelled


def _bought(facts: Facts, pending: Pending) -> bool:
    since = day_of(pending.at)
    return any(
        since <= day < since + pending.horizon and day not in pending.too_late
        for day, count in zip(facts.recent.day, facts.recent.count, strict=True)
        if count
    )


def _labelled(customer_id: str, pending: Pending, bought: bool) -> Example:  # noqa: FBT001 - the label itself
    return Example(
        customer_id=customer_id,
        at=pending.at,
        features=pending.features,
        repeats=pending.repeats,
        recency=pending.recency,
        age=pending.age,
        horizon=float(pending.horizon),
        log_odds_micro=pending.log_odds,
        active=True,
        label=0 if bought else 1,
    )
