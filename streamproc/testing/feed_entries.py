"""Lines of a feed: what a test does not say of a warning has a plain value."""

from msgspec.structs import replace

from streamproc.desk.care import CareText, DeskText
from streamproc.desk.discontent import DiscontentText, SignText
from streamproc.desk.warning import (
    Entry,
    EntryKind,
    EvidenceText,
    ReasonText,
    Risk,
    Standing,
    Value,
    Warning,  # noqa: A004 - it is the domain's word
    raised,
)

RISK = Risk(probability=0.75, log_odds=1.098612, horizon_days=90, model="m-1", speaks="model")
VALUE = Value(
    currency="EUR",
    expected_loss="30.00",
    stake="40.00",
    lifetime_value="40.00",
    revenue_a_year="120.00",
    contribution_a_year="60.00",
    assumed=False,
    measured=True,
)
STANDING = Standing(
    stage="regular",
    phase="retention",
    grade="A",
    tier=None,
    segment=None,
    orders=12,
    purchase_days=11,
    last_purchase="2024-01-02T09:00:00Z",
    recency_days=60,
    usual_gap_days=14.25,
    spend_trend=None,
)
REASONS = (
    ReasonText("silence", 1.5, 0.25, (EvidenceText("purchases", "p-1", "2024-01-02T09:00:00Z"),)),
    ReasonText("level", -0.401388, None),
)


def warned(
    warning_id: str,
    customer_id: str = "c",
    at: str = "2024-03-01T00:00:00Z",
    *,
    loss: str = "30.00",
    severity: str = "high",
    probability: float = 0.75,
    history: bool = False,
) -> Entry:
    """The line of a new warning."""
    return raised(
        Warning(
            id=warning_id,
            customer_id=customer_id,
            raised_at=at,
            by_when="2024-06-01T00:00:00Z",
            severity=severity,
            risk=replace(RISK, probability=probability),
            value=replace(VALUE, expected_loss=loss),
            standing=STANDING,
            reasons=REASONS,
            history=history,
        )
    )


def unhappy(
    warning_id: str = "s-1", customer_id: str = "c", at: str = "2024-03-02T00:00:00Z", *, lifetime: str = "400.00"
) -> Entry:
    """The line of a new service warning: it has no risk, and nothing is expected to be lost."""
    signs = (SignText(sign="unresolved", at="2024-03-01T10:00:00Z", event_id="t-1"),)
    return raised(
        Warning(
            id=warning_id,
            customer_id=customer_id,
            raised_at=at,
            by_when="2024-03-09T00:00:00Z",
            severity="medium",
            risk=None,
            value=replace(VALUE, expected_loss="0.00", lifetime_value=lifetime),
            standing=STANDING,
            reasons=(),
            warning_kind="service",
            discontent=DiscontentText(silent_and_unhappy=True, signs=signs),
            loyalty="price",
        )
    )


def changed(
    warning_id: str,
    kind: EntryKind,
    at: str = "2024-04-01T00:00:00Z",
    *,
    customer_id: str = "c",
    severity: str | None = None,
    probability: float | None = None,
    loss: str | None = None,
) -> Entry:
    """The line of a warning that went on or ended; what is None stays as it is."""
    return Entry(
        warning_id=warning_id, customer_id=customer_id, at=at, kind=kind, history=False, why="risk",
        probability=probability, severity=severity, expected_loss=loss,
    )  # fmt: skip


def judged(warning_id: str, at: str = "2024-06-01T00:00:00Z", *, right: bool = True, customer_id: str = "c") -> Entry:
    """The line of a verdict."""
    return Entry(warning_id=warning_id, customer_id=customer_id, at=at, kind="verdict", history=False, right=right)


def done(
    warning_id: str, kind: EntryKind, care: CareText, at: str = "2024-04-01T00:00:00Z", *, customer_id: str = "c"
) -> Entry:
    """The line of what the desk did about a warning."""
    step = DeskText(action="claim", event_id=f"d-{at}", by="Li", refused="claimed" if kind == "refused" else None)
    return Entry(
        warning_id=warning_id, customer_id=customer_id, at=at, kind=kind, history=False, desk=step, care=care
    )  # fmt: skip
