"""Examples waiting for their labels: features as they were at T, the label once T + H + lateness is over."""

from collections.abc import Sequence

from msgspec import Struct

from streamproc.core.facts import Facts
from streamproc.core.holdout import quarter_of
from streamproc.core.time import DAY, day_of
from streamproc.monitor.state import Decisions, Episode, Exposure, Pending
from streamproc.scoring.examples import Example

PENDING_KEPT = 4
BLIND_KEPT = 16


class Blind(Struct):
    """A span (µs) in which purchases could not be heard of: their feed was broken."""

    since: int
    until: int


def note_blind(spans: list[Blind], since: int, at: int) -> None:
    """The feed, read up to `since`, is still broken at `at` (in place; the latest spans are kept)."""
    if spans and spans[-1].since == since:
        spans[-1].until = at
    else:
        spans.append(Blind(since, at))
        del spans[:-BLIND_KEPT]


def remember(decisions: Decisions, example: Example) -> None:
    """Keeps a fresh example until its label is known (in place); a customer has at most four waiting."""
    if len(decisions.pending) < PENDING_KEPT:
        pending = Pending(
            at=example.at, features=example.features, repeats=example.repeats, recency=example.recency,
            age=example.age, log_odds=example.log_odds_micro, horizon=round(example.horizon),
        )  # fmt: skip
        decisions.pending.append(pending)
        episode = decisions.open_episode()
        if episode is not None:
            expose(pending, episode, example.at)


def expose(pending: Pending, episode: Episode, at: int) -> None:
    """Marks a waiting example whose window an open episode reaches into at `at` µs (in place).

    One draw counts once. Where no arms are drawn nothing is marked: what warning did to the label is unmeasured.
    """
    drawn = quarter_of(episode.raised_at)
    inside = at < pending.at + pending.horizon * DAY
    if episode.share and inside and all(seen.quarter != drawn for seen in pending.exposed):
        pending.exposed.append(Exposure(drawn, episode.share if episode.holdout else 0.0))


def weight_of(pending: Pending) -> float:
    """What a label counts: nothing where people were told, and as many times more in the silent arm as it is small.

    So the risk that is learned is that of customers nobody calls: those who are called would teach that a high risk is
    harmless, and without their like in the silent arm the riskiest would be missing.
    """
    weight = 1.0
    for exposure in pending.exposed:
        weight *= 1.0 / exposure.chance if exposure.chance else 0.0
    return weight


def live_days(facts: Facts) -> set[int]:
    """The kept days on which a purchase stands."""
    return {day for day, count in zip(facts.recent.day, facts.recent.count, strict=True) if count}


def ignore_too_late(decisions: Decisions, before: set[int], after: set[int]) -> None:
    """An event that came too late changed the live days: no waiting example may see that (in place)."""
    for pending in decisions.pending:
        since = day_of(pending.at)
        for day in sorted(d for d in before ^ after if since <= d < since + pending.horizon):
            mark, opposite = (day, ~day) if day in after else (~day, day)
            if opposite in pending.too_late:
                pending.too_late.remove(opposite)
            else:
                pending.too_late.append(mark)


def count_in_time(decisions: Decisions, day: int) -> None:
    """A purchase of `day` came in time: it counts, whatever else of that day came too late (in place)."""
    for pending in decisions.pending:
        if day in pending.too_late:
            pending.too_late.remove(day)


def label_matured(
    customer_id: str, facts: Facts, decisions: Decisions, at: int, lateness: int, blind: Sequence[Blind] = ()
) -> list[Example]:
    """The waiting examples whose labels are known by `at`, labelled; they leave the decisions (in place).

    One whose window lies partly in a `blind` span gets no label: a purchase there may never have been heard of.
    """
    labelled = []
    while decisions.pending:
        first = decisions.pending[0]
        if first.at + first.horizon * DAY + lateness > at:
            break
        del decisions.pending[0]
        until = first.at + first.horizon * DAY
        if not any(span.since < until and first.at < span.until for span in blind):
            labelled.append(_labelled(customer_id, first, _bought(facts, first)))
    return labelled


def _bought(facts: Facts, pending: Pending) -> bool:
    since = day_of(pending.at)
    return any(mark < 0 for mark in pending.too_late) or any(
        since <= day < since + pending.horizon and day not in pending.too_late for day in live_days(facts)
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
        weight=weight_of(pending),
        active=True,
        label=0 if bought else 1,
        treated=any(not exposure.chance for exposure in pending.exposed),
    )
