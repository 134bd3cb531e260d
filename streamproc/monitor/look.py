"""The looks of one tick: all touched and due customers, scored together, judged one by one."""

import traceback
from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from streamproc.core.facts import Facts
from streamproc.core.firm import Firm
from streamproc.core.lifecycle import Stage, lost_at, stage_at
from streamproc.core.loyalty import kind_of_loyalty
from streamproc.core.policy import Outcome, Severity
from streamproc.core.time import DAY, today_of
from streamproc.core.unhappy import DEFAULT_RULES as UNHAPPY
from streamproc.core.unhappy import Discontent
from streamproc.core.value import Grade, Segment, Worth, lifetime_value, retention_a_period, worth
from streamproc.monitor import decide
from streamproc.monitor.blame import Loss, likely_causes, loss_of
from streamproc.monitor.concern import end_concern, settle_concern
from streamproc.monitor.effects import (
    DeadLettered,
    Effect,
    Evidence,
    Figures,
    Looked,
    Reason,
    ServiceWarn,
    Transition,
    Unseen,
    Why,
    WouldWarn,
)
from streamproc.monitor.figures import buyer_of, figures_of
from streamproc.monitor.labels import Blind, label_matured, remember
from streamproc.monitor.state import CustomerState, Episode
from streamproc.scoring.examples import example_of, sighting_of
from streamproc.scoring.features import Features, features
from streamproc.scoring.few import FEW, score_few
from streamproc.scoring.layout import GROUPS
from streamproc.scoring.rows import Buyer, rows_of
from streamproc.scoring.score import probability, score
from streamproc.scoring.snapshot import Snapshot

EVIDENCE_OF = {"returns": "returns", "complaints": "complaints", "contacts": "contacts"}
"""Which stream's last event stands behind a group's reason; the last purchase does for all others."""


class Visit(NamedTuple):
    """A customer whom a tick touches: the state (the visit's own copy), and why.

    `looks`: something of theirs was applied, or a look is due; else only an example or a label is. `own_day`: one of
    their example days begins. `hashed` is their `customer_hash`.
    """

    customer_id: str
    state: CustomerState
    horizon_days: int
    hashed: int
    bought: bool
    looks: bool
    own_day: bool

    def in_trade(self, at: int) -> bool:
        """Whether there is a risk to score: the customer bought and is not lost."""
        lost = lost_at(self.state.facts, self.horizon_days)
        return lost is not None and at < lost


class Scene(NamedTuple):
    """What all visits of a tick share; `lateness` (µs) is how long a label waits for late events.

    `observed`: looks carry their figures, for somebody who asked; else only warnings do. `blind` are the spans in which
    purchases could not be heard of.
    """

    context: decide.Context
    snapshot: Snapshot
    lateness: int
    observed: bool
    firm: Firm
    blind: Sequence[Blind] = ()


class Scored(NamedTuple):
    """The buyers of a tick, and by their places what they scored."""

    buyers: list[Buyer]
    features: Features
    log_odds: list[int]
    groups: list[list[int]]
    churn: list[float]
    place: dict[str, int]


def score_all(buyers: list[Visit], at: int, snapshot: Snapshot) -> Scored | None:
    """The scores of all, each as if it were the only one; None without buyers."""
    if not buyers:
        return None
    today = today_of(at)
    plain = [buyer_of(b.state.facts, b.horizon_days, today) for b in buyers]
    if len(plain) <= FEW:
        x, log_odds, groups = score_few(plain, snapshot)
    else:
        x = features(rows_of(plain), snapshot)
        scores = score(x, snapshot)
        log_odds, groups = scores.log_odds_micro.tolist(), scores.contributions.tolist()
    churn = probability(np.array(log_odds)).round(6).tolist()
    return Scored(plain, x, log_odds, groups, churn, {b.customer_id: i for i, b in enumerate(buyers)})


def score_those_possible(
    buyers: list[Visit], at: int, snapshot: Snapshot
) -> tuple[Scored | None, dict[str, Exception]]:
    """`score_all`, and by customer why one cannot be scored: those are left out, for the sake of the others."""
    try:
        return score_all(buyers, at, snapshot), {}
    except Exception:  # noqa: BLE001 - a bug that one customer's facts bring to light; below it is found out whose
        errors: dict[str, Exception] = {}
        for buyer in buyers:
            try:
                score_all([buyer], at, snapshot)
            except Exception as error:  # noqa: BLE001 - as above
                errors[buyer.customer_id] = error
        return score_all([b for b in buyers if b.customer_id not in errors], at, snapshot), errors


def learn_from(visit: Visit, scored: Scored | None, scene: Scene) -> list[Effect]:
    """Labels that are known by now, the example where one is due, the sighting of a sampled buyer."""
    customer_id, state, at = visit.customer_id, visit.state, scene.context.at
    made: list[Effect] = []
    if visit.own_day and state.decisions.pending:
        made += label_matured(customer_id, state.facts, state.decisions, at, scene.lateness, scene.blind)
    i = None if scored is None else scored.place.get(customer_id)
    if scored is None or i is None:
        return made
    if visit.own_day:
        example = example_of(scored.features, i, customer_id, at, scored.log_odds[i])
        if example.active:
            made.append(example)
            remember(state.decisions, example)
    if visit.bought and visit.hashed < scene.snapshot.sample_below:
        made.append(sighting_of(scored.buyers[i], customer_id, visit.hashed))
    return made


class Look(NamedTuple):
    """What a look found: its effects, the outcome among them, and what the totals are to count of a buyer.

    `held`: the feed of purchases is broken, so silence means nothing; all stays as it was. `loss`: the customer was
    lost just now; `no_loss`: what was counted as one was none (`Loss.text`).
    """

    effects: list[Effect]
    worth: Worth | None = None
    lifetime_value: int = 0
    at_risk: int = 0
    held: bool = False
    loss: Loss | None = None
    no_loss: str = ""


def look_at(visit: Visit, scored: Scored | None, scene: Scene) -> Look:
    """One look: transitions, what becomes of episodes, the outcome; updates the state (in place)."""
    customer_id, state, at = visit.customer_id, visit.state, scene.context.at
    decisions, facts = state.decisions, state.facts
    effects: list[Effect] = []
    loss, no_loss = None, ""
    stage = stage_at(facts, at, visit.horizon_days, scene.context.policy.stages)
    deaf = scene.context.purchases_stale and not visit.bought
    if deaf and stage >= Stage.LOST and stage is not decisions.stage and not _terminated(facts, at):
        decisions.looked_at = at
        return Look([Looked(customer_id, at, Outcome.FEED_STALE, decisions.stage)], held=True)
    if stage is not decisions.stage:
        returned = decisions.stage >= Stage.LOST > stage >= Stage.FIRST_TIME
        won_back = returned and (facts.last_purchase() or 0) >= decisions.lost_at
        if stage is not Stage.PERMANENTLY_LOST:
            no_loss, decisions.loss = "" if won_back else decisions.loss, ""
        if stage is Stage.LOST:
            decisions.lost_at = lost_at(facts, visit.horizon_days) or at
            loss = loss_of(facts, scene.firm, at, visit.horizon_days, scene.context)
            watched = decisions.open_episode()
            loss = loss._replace(silent=watched is not None and watched.holdout)
            decisions.loss = loss.text
        effects.append(Transition(customer_id, at, decisions.stage, stage, won_back))
        decisions.stage = stage
    if decisions.episodes and not deaf:
        effects += decide.settle(customer_id, facts, decisions, at, scene.context.policy.cooldown_days)
        if stage >= Stage.LOST:
            why: Why = "terminated" if _terminated(facts, at) else "silence"
            effects += decide.end_by_loss(customer_id, decisions, at, why, scene.context.policy.cooldown_days)
    if decisions.concern is not None and stage >= Stage.LOST:
        effects += end_concern(
            customer_id, decisions, at, "lost", "terminated" if _terminated(facts, at) else "silence"
        )
    decisions.looked_at = at
    if not facts.n_days:
        return Look([*effects, Looked(customer_id, at, Outcome.NO_PURCHASE, stage)], no_loss=no_loss)
    if stage >= Stage.LOST or scored is None:
        return Look([*effects, Looked(customer_id, at, Outcome.ALREADY_LOST, stage)], loss=loss, no_loss=no_loss)
    return _look_at_buyer(visit, scored, scene, effects)._replace(no_loss=no_loss)


def _terminated(facts: Facts, at: int) -> bool:
    return 0 < facts.terminated_at <= at and facts.terminated_at > (facts.last_purchase() or 0)


def _look_at_buyer(visit: Visit, scored: Scored, scene: Scene, effects: list[Effect]) -> Look:
    customer_id, state, context = visit.customer_id, visit.state, scene.context
    decisions = state.decisions
    i = scored.place[customer_id]
    log_odds, churn, groups = scored.log_odds[i], scored.churn[i], scored.groups[i]
    if visit.bought or decisions.calm_log_odds is None:
        decisions.calm_log_odds = log_odds
        decisions.armed = True  # a new silence is news, however high the risk is after the purchase
    decisions.log_odds = log_odds
    today = today_of(context.at)
    money = worth(state.facts, today, context.policy.value)
    figures = None
    if scene.observed or decide.needs_figures(decisions, churn, context):
        figures = figures_of(visit.state, money, today, visit.horizon_days, (log_odds, churn), scene.snapshot, context)
    if figures is not None:
        context = _with_mute_of_causes(visit, scene, context)
    decided = decide.decide(customer_id, state.facts, decisions, churn, figures, context)
    effects += decided.changes
    shown = figures if scene.observed else None
    shown_groups = tuple(groups) if scene.observed else ()
    effects.append(Looked(customer_id, context.at, decided.outcome, decisions.stage, shown, shown_groups))
    if decided.opened is not None and figures is not None:
        would = _would_warn(visit, decided.opened, figures, groups, scene)
        effects.append(Unseen(customer_id, would) if decided.opened.holdout else would)
    elif figures is not None and (waiting := decisions.unraised()) is not None and not context.purchases_stale:
        effects.append(_would_warn(visit, waiting, figures, groups, scene))

    def figured() -> Figures:
        return figures or figures_of(
            visit.state, money, today, visit.horizon_days, (log_odds, churn), scene.snapshot, context
        )

    def is_muted() -> bool:
        muting = _with_mute_of_causes(visit, scene, context)
        return bool(muting.mutes) and decide.is_muted_for_all(figured(), muting)

    concerned, unhappy = settle_concern(customer_id, state.facts, decisions, context, is_muted)
    effects += concerned
    if unhappy is not None:
        effects.append(_service_warn(visit, figured(), unhappy, scene))
    decisions.groups = groups
    at_risk = figures.expected_loss if figures is not None and decisions.told_warning() is not None else 0
    retention = retention_a_period(churn, visit.horizon_days)
    return Look(effects, money, round(lifetime_value(money.margin, retention, context.policy.value.discount)), at_risk)


def _with_mute_of_causes(visit: Visit, scene: Scene, context: decide.Context) -> decide.Context:
    """The context of this customer's look: causes are asked for only where one is muted."""
    if not any(name.startswith("cause:") for name in context.mutes):
        return context
    causes = likely_causes(visit.state.facts, scene.firm, context.at, visit.horizon_days)
    return replace(context, cause_muted=bool(causes) and f"cause:{causes[0].cause}" in context.mutes)


def _would_warn(visit: Visit, episode: Episode, figures: Figures, groups: Sequence[int], scene: Scene) -> WouldWarn:
    state, facts, at = visit.state, visit.state.facts, scene.context.at
    owner, kind = facts.says("owner"), facts.says("kind")
    return WouldWarn(
        id=episode.id,
        customer_id=visit.customer_id,
        at=episode.raised_at,
        by_when=episode.by_when,
        severity=episode.severity,
        due_at=episode.due_at,
        figures=figures,
        reasons=reasons_of(facts, state.decisions.groups, groups),
        owner=str(owner) if owner is not None else None,
        customer_kind=str(kind) if kind is not None else None,
        causes=likely_causes(facts, scene.firm, at, visit.horizon_days),
        loyalty=kind_of_loyalty(facts, at, today_of(at)).kind,
        anew=at > episode.raised_at,
    )


GRAVITY = {Grade.A: Severity.HIGH, Grade.B: Severity.MEDIUM, Grade.C: Severity.LOW, Grade.D: Severity.LOW}
"""How grave it is that a customer of this grade is unhappy and silent: without a P there is no expected loss."""


def _gravity(figures: Figures) -> Severity:
    if figures.segment is Segment.BLEEDING:
        return Severity.LOW
    return Severity.UNRATED if figures.grade is None else GRAVITY[figures.grade]


def _service_warn(visit: Visit, figures: Figures, unhappy: Discontent, scene: Scene) -> ServiceWarn:
    facts, at = visit.state.facts, scene.context.at
    concern = visit.state.decisions.concern
    assert concern is not None
    owner, kind = facts.says("owner"), facts.says("kind")
    return ServiceWarn(
        id=concern.id,
        customer_id=visit.customer_id,
        at=at,
        by_when=at + UNHAPPY.answer_days * DAY,
        severity=_gravity(figures),
        figures=figures,
        signs=unhappy.signs,
        owner=str(owner) if owner is not None else None,
        customer_kind=str(kind) if kind is not None else None,
        causes=likely_causes(facts, scene.firm, at, visit.horizon_days),
        loyalty=kind_of_loyalty(facts, at, today_of(at)).kind,
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
    return DeadLettered(reason="look_failed", customer_id=customer_id, at=at, trace=traced(error))


def traced(error: Exception) -> str:
    """The end of an error's traceback, for a dead letter."""
    return "".join(traceback.format_exception(error))[-4000:]
