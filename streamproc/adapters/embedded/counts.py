"""Counters of what happened, by name and label: bounded labels only, never a customer."""

from collections import Counter

from streamproc.monitor.effects import (
    DeadLettered,
    Effect,
    EpisodeChanged,
    LateEvent,
    Looked,
    Transition,
    Verdict,
    WouldWarn,
)


def tally(counts: Counter[tuple[str, str]], effect: Effect) -> None:
    """Counts an effect (in place)."""
    match effect:
        case Looked(outcome=outcome):
            counts["looks", outcome] += 1
        case Transition(before=before, after=after, won_back=won_back):
            counts["transitions", f"{before.code}>{after.code}"] += 1
            counts["won_back", ""] += won_back
        case WouldWarn(severity=severity):
            counts["warnings", "raised"] += 1
            counts["severities", severity.code] += 1
        case EpisodeChanged(change=change):
            counts["warnings", change] += 1
        case Verdict(right=right):
            counts["verdicts", "right" if right else "wrong"] += 1
        case LateEvent(too_late=too_late):
            counts["late", "too_late" if too_late else "late"] += 1
        case DeadLettered(reason=reason):
            counts["refused", reason] += 1
        case _:
            pass
