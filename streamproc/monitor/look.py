"""The looks of one tick: all touched and due customers, scored together, judged one by one."""

import traceback
from collections.abc import Sequence
from typing import NamedTuple

from streamproc.core.facts import Facts
from streamproc.core.lifecycle import Stage, lost_at, stage_at
from streamproc.core.policy import Outcome
from streamproc.core.time import DAY, day_of, today_of
from streamproc.monitor import decide
from streamproc.monitor.effects import (
    DeadLettered,
    Effect,
    Evidence,
    Figures,
    Looked,
    Reason,
    Transition,
    Why,
    WouldWarn,
)
from streamproc.monitor.figures import figures_of, rows_of
from streamproc.monitor.labels import label_matured, remember
from streamproc.monitor.state import CustomerState, Episode
from streamproc.scoring.examples import customer_hash, example_of, sighting_of
from streamproc.scoring.features import Features, features
from streamproc.scoring.layout import GROUPS
from streamproc.scoring.rows import Rows
from streamproc.scoring.score import Scores, probability, score
from streamproc.scoring.snapshot import Snapshot

EVIDENCE_OF = {"returns": "returns", "complaints": "complaints", "contacts": "contacts"}
"""Which stream's last event stands behind a group's reason; the last purchase does for all others."""


class Touched(NamedTuple):
    """A customer to look at: the state (a copy of the look's own) and whether the tick applied a purchase."""

    customer_id: str
    state: CustomerState
    bought: bool
    horizon_days: int


class Scene(NamedTuple):
    """What all looks of a tick share; `lateness` (µs) is how long a label waits for late events."""

    context: decide.Context
    snapshot: Snapshot
    lateness: int


class Scored(NamedTuple):
    """The buyers of a tick in columns."""

    rows: Rows
    features: Features
    scores: Scores
    churn: list[float]
    place: dict[str, int]


def in_trade(touched: Touched, at: int) -> bool:
    """Whether there is a risk to score: the customer bought and is not lost."""
    lost = lost_at(touched.state.facts, touched.horizon_days)
    return lost is not None and at < lost


def score_all(buyers: list[Touched], at: int, snapshot: Snapshot) -> Scored | None:
    """One vectorised call for all; None without buyers."""
    if not buyers:
        return None
    rows = rows_of([b.state.facts for b in buyers], [b.horizon_days for b in buyers], today_of(at))
    x = features(rows, snapshot)
    scores = score(x, snapshot)
    churn = [float(p) for p in probability(scores.log_odds_micro)]
    return Scored(rows, x, scores, churn, {b.customer_id: i for i, b in enumerate(buyers)})


def example_step(horizon_days: int) -> int:
    """Days between a customer's examples: 4H/13, so that a label's delay spans at most four."""
    return max(1, round(4 * horizon_days / 13))


def look_at(touched: Touched, scored: Scored | None, scene: Scene) -> list[Effect]:
    """One look: transitions, examples, the outcome; updates the state (in place)."""
    customer_id, state, _, horizon = touched
    decisions, facts, at = state.decisions, state.facts, scene.context.at
    effects: list[Effect] = []
    stage = stage_at(facts, at, horizon)
    if stage is not decisions.stage:
        won_back = decisions.stage >= Stage.LOST and stage < Stage.LOST
        effects.append(Transition(customer_id, at, decisions.stage, stage, won_back))
        decisions.stage = stage
    effects += label_matured(customer_id, facts, decisions, at, scene.lateness)
    policy = scene.context.policy
    ended = decide.settle(customer_id, facts, decisions, at, policy.cooldown_days)
    if stage >= Stage.LOST:
        why: Why = "terminated" if facts.terminated_at and facts.terminated_at <= at else "silence"
        ended += decide.end_by_loss(customer_id, decisions, at, why)
    effects += ended
    if not facts.n_days:
        effects.append(Looked(customer_id, at, Outcome.NO_PURCHASE, stage))
    elif stage >= Stage.LOST or scored is None:
        effects.append(Looked(customer_id, at, Outcome.ALREADY_LOST, stage))
    else:
        effects += _look_at_buyer(touched, stage, scored, scene)
    decisions.looked_at = at
    return effects


def _look_at_buyer(touched: Touched, stage: Stage, scored: Scored, scene: Scene) -> list[Effect]:
    customer_id, state, bought, horizon = touched
    decisions, at = state.decisions, scene.context.at
    i = scored.place[customer_id]
    log_odds = int(scored.scores.log_odds_micro[i])
    if bought or decisions.calm_log_odds is None:
        decisions.calm_log_odds = log_odds
    effects: list[Effect] = list(_learn(touched, scored, i, scene))
    figures = figures_of(
        state, stage, today_of(at), horizon, (log_odds, scored.churn[i]), scene.snapshot, scene.context.grades
    )
    groups = tuple(int(c) for c in scored.scores.contributions[i])
    decided = decide.decide(customer_id, state.facts, decisions, figures, scene.context)
    effects += decided.changes
    effects.append(Looked(customer_id, at, decided.outcome, stage, figures, groups))
    if decided.opened is not None:
        effects.append(_would_warn(customer_id, state, decided.opened, figures, groups))
    decisions.log_odds, decisions.groups = log_odds, list(groups)
    return effects


def _learn(touched: Touched, scored: Scored, i: int, scene: Scene) -> list[Effect]:
    """The example, where one falls on this midnight, and the sighting of a sampled buyer."""
    customer_id, state, bought, horizon = touched
    at = scene.context.at
    made: list[Effect] = []
    hashed = customer_hash(customer_id)
    step = example_step(horizon)
    if at % DAY == 0 and day_of(at) % step == hashed % step:
        example = example_of(scored.features, i, customer_id, at, int(scored.scores.log_odds_micro[i]))
        if example.active:
            made.append(example)
            remember(state.decisions, example)
    if bought and hashed < scene.snapshot.sample_below:
        made.append(sighting_of(scored.rows, i, customer_id))
    return made


def _would_warn(
    customer_id: str, state: CustomerState, episode: Episode, figures: Figures, groups: tuple[int, ...]
) -> WouldWarn:
    facts = state.facts
    owner, kind = facts.says("owner"), facts.says("kind")
    return WouldWarn(
        id=episode.id,
        customer_id=customer_id,
        at=episode.raised_at,
        by_when=episode.by_when,
        severity=episode.severity,
        figures=figures,
        reasons=reasons_of(facts, state.decisions.groups, groups),
        owner=str(owner) if owner is not None else None,
        customer_kind=str(kind) if kind is not None else None,
    )


def reasons_of(facts: Facts, before: Sequence[int], groups: Sequence[int]) -> tuple[Reason, ...]:
    """A look's contributions as reasons; `before` are those of the look before it, empty at the first."""
    return tuple(
        Reason(name, groups[i], groups[i] - before[i] if before else None, _evidence(facts, name))
        for i, name in enumerate(GROUPS)
    )


def _evidence(facts: Facts, group: str) -> tuple[Evidence, ...]:
    stream = EVIDENCE_OF.get(group, "purchases")
    latest = facts.evidence.get(stream)
    return () if latest is None or group == "level" else (Evidence(stream, str(latest.value), latest.at),)


def failed(customer_id: str, at: int, error: Exception) -> DeadLettered:
    """A look that could not be made, as a value; the state stays as the events left it."""
    trace = "".join(traceback.format_exception(error))
    return DeadLettered(reason="look_failed", customer_id=customer_id, at=at, trace=trace[-4000:])
