"""The warning policy at one look: exactly one outcome, and what becomes of the customer's episode."""

from collections.abc import Iterable

from msgspec import Struct
from msgspec.structs import replace

from streamproc.core.buckets import BUCKET_DAYS, CONTACT_OUT
from streamproc.core.facts import Facts
from streamproc.core.holdout import band_of, is_held_out
from streamproc.core.ids import short_id
from streamproc.core.policy import Outcome, Policy, Severity, severity_of
from streamproc.core.time import DAY, HOUR, SECOND
from streamproc.core.value import Segment
from streamproc.monitor.effects import (
    ArmName,
    EpisodeChange,
    EpisodeChanged,
    Figures,
    Foretold,
    StepTaken,
    Unseen,
    Verdict,
    Why,
)
from streamproc.monitor.labels import expose
from streamproc.monitor.state import Care, Decisions, Episode

MICRO = 1_000_000


class Context(Struct, frozen=True):
    """What a look is judged by beside the customer's own state."""

    at: int
    policy: Policy
    grades: tuple[int, int, int] | None
    purchases_stale: bool
    model_trusted: bool
    live: bool = False
    mutes: frozenset[str] = frozenset()
    cause_muted: bool = False


Told = EpisodeChanged | Verdict | StepTaken | Unseen | Foretold
"""What becomes of an episode, as the desk or only the record is told, or as it is counted."""


class Decided(Struct, frozen=True):
    """The look's outcome, the episode it opened, and what happened to earlier ones."""

    outcome: Outcome
    opened: Episode | None = None
    changes: tuple[Told, ...] = ()


def needs_figures(decisions: Decisions, churn: float, context: Context) -> bool:
    """Whether the outcome depends on more than the risk: a warning is open, or the risk is high enough for one."""
    if context.purchases_stale:
        return bool(decisions.episodes)
    return churn >= context.policy.raise_at or decisions.open_episode() is not None


def quiet_days(figures: Figures, policy: Policy) -> float:
    """How many days of silence a warning needs: a share of the usual gap, as far as the horizon lets it grow."""
    usual = figures.usual_gap_days if figures.usual_gap_days is not None else figures.horizon_days / 3
    return policy.minimum_silence * min(usual, figures.horizon_days * 2 / 3)


def too_little(figures: Figures, policy: Policy) -> bool:
    """Whether less is at stake than a warning is worth; what is not measured is not held against it."""
    return figures.money_measured and figures.expected_loss < policy.minimum_expected_loss


def decide(
    customer_id: str, facts: Facts, decisions: Decisions, churn: float, figures: Figures | None, context: Context
) -> Decided:
    """Judges a buyer who is not lost, after `settle`; updates the decisions (in place: the caller owns the copy).

    `figures` may be None where `needs_figures` says so.
    """
    policy = context.policy
    if churn < policy.clear_at:
        decisions.armed = True
    episode = decisions.open_episode()
    if figures is None:
        return Decided(Outcome.FEED_STALE if context.purchases_stale else Outcome.BELOW_THRESHOLD)
    severity = severity_of(figures.expected_loss, context.grades, policy)
    if episode is not None:
        against = _against(facts, decisions, episode, figures, context)
        if against is not None:
            return Decided(against, None, tuple(_take_back(customer_id, decisions, episode, context.at, against)))
        if context.purchases_stale:  # the risk rose by a silence that is none
            return Decided(Outcome.EPISODE_OPEN)
        changes = _go_on(customer_id, decisions, episode, figures, severity, context)
        return Decided(_while_open(decisions, episode, context.at), None, tuple(changes))
    outcome = _judge(facts, decisions, figures, context)
    if outcome is not Outcome.WOULD_WARN:
        return Decided(outcome)
    opened = _opened(customer_id, decisions, figures, severity, context)
    return Decided(Outcome.HOLDOUT if opened.holdout else outcome, opened)


def _while_open(decisions: Decisions, episode: Episode, at: int) -> Outcome:
    if episode.holdout:
        return Outcome.HOLDOUT
    return Outcome.SNOOZED if at < decisions.snoozed_until else Outcome.EPISODE_OPEN


def _opened(customer_id: str, decisions: Decisions, figures: Figures, severity: Severity, context: Context) -> Episode:
    """A new episode, its arm drawn; waiting examples whose windows it reaches into are marked (decisions in place).

    What is warned of while time lies in the past tells nobody: no arm is drawn, and nobody is expected to act.
    """
    policy = context.policy
    share = policy.holdout_share if context.live else 0.0
    opened = Episode(
        id=f"w-{short_id(customer_id, str(context.at))}",
        raised_at=context.at,
        by_when=context.at + figures.horizon_days * DAY,
        log_odds=figures.log_odds,
        severity=severity,
        expected_loss=figures.expected_loss,
        last_purchase=figures.last_purchase,
        escalated=figures.probability >= policy.escalate_at,
        stake=figures.stake,
        share=share,
        holdout=is_held_out(customer_id, context.at, share),
        due_at=_due_at(context.at, severity, policy, live=context.live),
    )
    decisions.episodes.append(opened)
    decisions.armed = False
    for pending in decisions.pending:
        expose(pending, opened, context.at)
    return opened


def _due_at(at: int, severity: Severity, policy: Policy, *, live: bool) -> int:
    """When (µs) somebody should have a warning that people hear of at `at`; 0: nobody need."""
    hours = policy.due_hours.get(severity.code, 0) if live else 0
    return at + hours * HOUR if hours else 0


def _judge(facts: Facts, decisions: Decisions, figures: Figures, context: Context) -> Outcome:
    """The first rule that speaks against a warning names the outcome."""
    policy, at = context.policy, context.at
    rules = (
        (context.purchases_stale, Outcome.FEED_STALE),
        (figures.probability < policy.raise_at, Outcome.BELOW_THRESHOLD),
        (figures.recency_days < quiet_days(figures, policy), Outcome.BELOW_THRESHOLD),
        (too_little(figures, policy), Outcome.BELOW_THRESHOLD),
        (figures.n_days < policy.minimum_purchase_days, Outcome.MINIMUM_EVIDENCE),
        (at < decisions.cooldown_until, Outcome.COOLDOWN),
        (not decisions.armed, Outcome.HYSTERESIS),
        *bars_of_contact(facts, policy, at),
        (at < decisions.snoozed_until, Outcome.SNOOZED),
        (not context.model_trusted, Outcome.MODEL_NOT_TRUSTED),
        (figures.segment is Segment.BLEEDING, Outcome.BLEEDING),
        (_is_muted(decisions, figures, context), Outcome.MUTED),
    )
    return next((outcome for speaks, outcome in rules if speaks), Outcome.WOULD_WARN)


Rules = Iterable[tuple[bool, Outcome]]
"""What may speak against a warning, and the outcome that each names."""


def bars_of_contact(facts: Facts, policy: Policy, at: int) -> Rules:
    """Whether the customer may be contacted at all at `at` (µs), and not so soon or so often."""
    recently = at // SECOND - policy.recent_contact_days * (DAY // SECOND)
    touched = any(t.outward and t.purpose == "retention" and t.at >= recently for t in facts.contacts)
    yield touched, Outcome.RECENT_CONTACT
    yield facts.says("do_not_contact") is True, Outcome.DO_NOT_CONTACT
    yield _contacted_enough(facts, policy, at), Outcome.CONTACTED_ENOUGH


def _against(
    facts: Facts, decisions: Decisions, episode: Episode, figures: Figures, context: Context
) -> Outcome | None:
    """What takes an open episode back: nobody may contact the customer.

    Or, as long as nobody has been told of it, what else keeps a warning from being raised. The silent arm's go on all
    the same, as do those that were told of at once.
    """
    if facts.says("do_not_contact") is True:
        return Outcome.DO_NOT_CONTACT
    if episode.raised or episode.holdout:
        return None
    policy = context.policy
    rules: Rules = (
        (figures.n_days < policy.minimum_purchase_days, Outcome.MINIMUM_EVIDENCE),
        *bars_of_contact(facts, policy, context.at),
        (figures.segment is Segment.BLEEDING, Outcome.BLEEDING),
        (_is_muted(decisions, figures, context), Outcome.MUTED),
        (too_little(figures, policy), Outcome.BELOW_THRESHOLD),
    )
    return next((outcome for speaks, outcome in rules if speaks), None)


_WHY: dict[Outcome, Why] = {
    Outcome.DO_NOT_CONTACT: "do_not_contact",
    Outcome.RECENT_CONTACT: "contacted",
    Outcome.CONTACTED_ENOUGH: "contacted",
    Outcome.BLEEDING: "bleeding",
    Outcome.MUTED: "muted",
    Outcome.MINIMUM_EVIDENCE: "corrected",
    Outcome.BELOW_THRESHOLD: "too_little",
}


def _take_back(customer_id: str, decisions: Decisions, episode: Episode, at: int, against: Outcome) -> list[Told]:
    """Withdraws an open episode (in place): once nothing speaks against it any more, there may be another.

    Where arms are drawn, one that nobody was told of keeps its verdict: its like in the silent arm have theirs.
    """
    decisions.armed = True
    if against is Outcome.DO_NOT_CONTACT or not episode.share:
        return withdraw(customer_id, decisions, at, _WHY[against])
    episode.ended_at, episode.taken_back = at, True
    return [_changed(customer_id, episode, at, "withdrawn", _WHY[against])]


def is_muted_for_all(figures: Figures, context: Context) -> bool:
    """Whether nobody of the customer's segment, or for the likeliest cause, is to be warned of."""
    return context.cause_muted or f"segment:{figures.segment}" in context.mutes


def _is_muted(decisions: Decisions, figures: Figures, context: Context) -> bool:
    return is_muted_for_all(figures, context) or context.at < decisions.muted_until


def _contacted_enough(facts: Facts, policy: Policy, at: int) -> bool:
    """Whether the firm has been in touch as often as it may.

    Of a customer's contacts the last eight are kept; those before them are counted as far as whole buckets tell.
    """
    if not policy.most_contacts:
        return False
    since = at // SECOND - policy.contacts_days * (DAY // SECOND)
    outward = sum(touch.outward and touch.at >= since for touch in facts.contacts)
    first = -(-since // (BUCKET_DAYS * DAY // SECOND))
    counted = sum(counts[CONTACT_OUT] for number, counts in facts.buckets.kinds.items() if number >= first)
    return max(outward, counted) >= policy.most_contacts


def _go_on(
    customer_id: str, decisions: Decisions, episode: Episode, figures: Figures, severity: Severity, context: Context
) -> list[Told]:
    """What an open episode does at a look without a purchase: it ends, escalates, or just goes on."""
    policy, at = context.policy, context.at
    if figures.probability < policy.clear_at:
        _end(decisions, episode, at, policy.cooldown_days)
        return [_changed(customer_id, episode, at, "recovered", "risk_fell", figures)]
    told = _overdue(customer_id, episode, at)
    if not (episode.raised or episode.holdout):
        told += _escalate(customer_id, episode, figures, severity, context)
        _measure_anew(episode, figures, severity, context)
        return told
    bleeds = figures.segment is Segment.BLEEDING  # nothing is lost with them: never a grave warning
    if bleeds or at < decisions.snoozed_until or _is_muted(decisions, figures, context):
        return told
    return told + _escalate(customer_id, episode, figures, severity, context)


def _escalate(customer_id: str, episode: Episode, figures: Figures, severity: Severity, context: Context) -> list[Told]:
    """An open episode rises where the risk or the gravity does (in place)."""
    risen = figures.probability >= context.policy.escalate_at and not episode.escalated
    graver = severity > episode.severity > Severity.UNRATED
    if episode.severity is Severity.UNRATED:  # raised before there were grades: measured now, not risen
        episode.severity = severity
    if not (risen or graver):
        return []
    episode.escalated = episode.escalated or risen
    episode.severity = max(episode.severity, severity)
    episode.expected_loss = figures.expected_loss
    return [_changed(customer_id, episode, context.at, "escalated", "risk" if risen else "severity", figures)]


def _measure_anew(episode: Episode, figures: Figures, severity: Severity, context: Context) -> None:
    """An episode that nobody has been told of is as grave as it is now: it rises from there (in place)."""
    policy = context.policy
    episode.severity, episode.expected_loss = severity, figures.expected_loss
    episode.escalated = figures.probability >= policy.escalate_at
    episode.due_at = _due_at(episode.raised_at, severity, policy, live=context.live)


def _overdue(customer_id: str, episode: Episode, at: int) -> list[Told]:
    """Told once, where nobody has the warning by the time somebody should (in place)."""
    if not episode.due_at or at < episode.due_at or not (episode.raised or episode.holdout):
        return []
    due, episode.due_at = episode.due_at, 0
    if episode.holdout or (episode.care is not None and episode.care.claimed_by):
        return []
    episode.care = episode.care or Care()
    episode.care.overdue = True
    told = StepTaken(
        id=episode.id, customer_id=customer_id, at=at, event_id=f"{episode.id}-overdue", action="overdue", by="",
        care=replace(episode.care), until=due,
    )  # fmt: skip
    return [told]


def settle(customer_id: str, facts: Facts, decisions: Decisions, at: int, cooldown_days: int) -> list[Told]:
    """Ends the open episode where a purchase, a correction or its by-when does, and gives verdicts that are due.

    Decisions are updated in place; an episode leaves them with its verdict.
    """
    found: list[Told] = []
    last = facts.last_purchase() or 0
    kept = []
    for episode in decisions.episodes:
        if not episode.ended_at:
            if last >= episode.raised_at // SECOND * SECOND:
                _end(decisions, episode, at, cooldown_days)
                found.append(_changed(customer_id, episode, at, "recovered", "bought"))
            elif last > episode.last_purchase or not last:
                decisions.armed = True  # raised on wrong facts: neither right nor wrong, and no reason for silence
                found.append(_changed(customer_id, episode, at, "withdrawn", "corrected"))
                continue
            elif at >= episode.by_when:
                found += _lost(customer_id, decisions, episode, at, "silence", cooldown_days)
        if at >= episode.by_when:
            bought = bought_between(facts, episode.raised_at, episode.by_when)
            found.append(_verdict(customer_id, episode, at, right=not bought))
        else:
            kept.append(episode)
    decisions.episodes = kept
    return found


def end_by_loss(customer_id: str, decisions: Decisions, at: int, why: Why, cooldown_days: int) -> list[Told]:
    """Ends the open episode of a customer who is lost by now; its verdict still waits for the by-when."""
    episode = decisions.open_episode()
    if episode is None:
        return []
    return _lost(customer_id, decisions, episode, at, why, cooldown_days)


def _lost(
    customer_id: str, decisions: Decisions, episode: Episode, at: int, why: Why, cooldown_days: int
) -> list[Told]:
    """The customer of an open episode is lost: a horizon after the last purchase, or found so before (in place)."""
    _end(decisions, episode, at, cooldown_days)
    told: list[Told] = [_changed(customer_id, episode, at, "lost", why)]
    if episode.raised and not episode.holdout:
        lost_at = min(at, episode.last_purchase + episode.by_when - episode.raised_at)
        told.append(Foretold(customer_id, max(0, lost_at - (episode.told_at or episode.raised_at))))
    return told


def withdraw(customer_id: str, decisions: Decisions, at: int, why: Why) -> list[Told]:
    """Takes the open episode back: it should not have been, so it gets no verdict."""
    episode = decisions.open_episode()
    if episode is None:
        return []
    decisions.episodes.pop()
    return [_changed(customer_id, episode, at, "withdrawn", why)]


def bought_between(facts: Facts, since: int, until: int) -> bool:
    """Whether a purchase stands in [since, until) (µs), among the kept ones."""
    first, last = since // SECOND, until // SECOND
    return any(first <= order.at < last for order in facts.recent.known() if not order.cancelled)


def _end(decisions: Decisions, episode: Episode, at: int, cooldown_days: int) -> None:
    episode.ended_at = at
    decisions.cooldown_until = at + cooldown_days * DAY


def _verdict(customer_id: str, episode: Episode, at: int, *, right: bool) -> Told:
    care = episode.care or Care()
    arm: ArmName = "holdout" if episode.holdout else "warned"
    drawn = arm if episode.share else None
    told = Verdict(
        id=episode.id, customer_id=customer_id, at=at, right=right, arm=drawn, stake=episode.stake, cost=care.cost,
        band=band_of(episode.log_odds), told=episode.raised,
    )  # fmt: skip
    return _seen_or_not(episode, told)


def _seen_or_not(episode: Episode, told: EpisodeChanged | Verdict) -> Told:
    unseen = episode.holdout or (episode.taken_back and isinstance(told, Verdict))
    return Unseen(told.customer_id, told) if unseen else told


def _changed(
    customer_id: str, episode: Episode, at: int, change: EpisodeChange, why: Why, figures: Figures | None = None
) -> Told:
    told = EpisodeChanged(
        id=episode.id,
        customer_id=customer_id,
        at=at,
        change=change,
        why=why,
        probability=figures.probability if figures else None,
        severity=episode.severity,
        expected_loss=figures.expected_loss if figures else None,
    )
    return _seen_or_not(episode, told)
