"""The warning policy: when a look becomes a warning, how grave it is, and when it is over. Data, no code."""

from enum import IntEnum, StrEnum
from math import inf

from msgspec import Struct, field

from streamproc.core.lifecycle import MOST_DAYS, StageRules
from streamproc.core.population import GRADE_SHARES, GradeShares
from streamproc.core.promises import Promises
from streamproc.core.value import ValueRules


class Outcome(StrEnum):
    """The one named outcome of a look; `would_warn` then gets the desk's disposition."""

    NO_PURCHASE = "no_purchase_yet"
    ALREADY_LOST = "already_lost"
    FEED_STALE = "feed_stale"
    EPISODE_OPEN = "episode_open"
    BELOW_THRESHOLD = "below_threshold"
    MINIMUM_EVIDENCE = "minimum_evidence"
    HYSTERESIS = "hysteresis"
    COOLDOWN = "cooldown"
    RECENT_CONTACT = "recent_contact"
    DO_NOT_CONTACT = "do_not_contact"
    CONTACTED_ENOUGH = "contacted_enough"
    SNOOZED = "snoozed"
    MUTED = "muted"
    MODEL_NOT_TRUSTED = "model_not_trusted"
    BLEEDING = "bleeding_segment"
    HOLDOUT = "holdout"
    WOULD_WARN = "would_warn"


class Severity(IntEnum):
    """How much is at stake, by the base's own grade thresholds; UNRATED while there are none."""

    UNRATED = 0
    LOW = 1
    MEDIUM = 2
    HIGH = 3
    CRITICAL = 4

    @property
    def code(self) -> str:
        """The severity's name on the wire."""
        return self.name.lower()


HALF = 0.5

DUE_HOURS = {"critical": 4, "high": 24, "medium": 72, "unrated": 72, "low": 168}


class Policy(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Probabilities are P(no purchase within the horizon); days are days.

    A warning is raised at `raise_at`, once the customer has been silent for the share `minimum_silence` of the usual
    gap (of two thirds of the horizon at the most): who buys seldom is no case on the day of a purchase. It is not
    raised again before a purchase came or the risk was under `clear_at` (hysteresis), and `cooldown_days` have passed
    since the last one ended. At `escalate_at` it escalates. An expected loss of `severity_share` of what the least A
    customer brings a year makes it critical, of B high, of C medium. Below `minimum_expected_loss` (minor units; 0: no
    such rule) nobody is warned of, as far as money is known.

    `capacity_a_day` warnings a day are as many as the desk can work (0: any number). Nobody is warned of whom the firm
    has contacted `most_contacts` times within `contacts_days` (0: no such rule). `holdout_share` of the customers is
    watched in silence, so that what warning brings can be measured. Somebody should have a warning `due_hours` after
    it was raised, by severity (one that is not named: never). `promises` are those to whoever complains.

    `stages`, `value` and `grade_shares` hold the numbers by which a customer is placed, valued and graded.
    """

    name: str = "default"
    raise_at: float = 0.45
    clear_at: float = 0.3
    escalate_at: float = 0.7
    minimum_silence: float = 0.5
    minimum_purchase_days: int = 2
    minimum_customers_fitted: int = 20
    cooldown_days: int = 30
    recent_contact_days: int = 14
    severity_share: float = 2.0
    minimum_expected_loss: int = 0
    capacity_a_day: int = 0
    most_contacts: int = 0
    contacts_days: int = 90
    holdout_share: float = 0.0
    due_hours: dict[str, int] = field(default_factory=DUE_HOURS.copy)
    promises: Promises = Promises()
    stages: StageRules = StageRules()
    value: ValueRules = ValueRules()
    grade_shares: GradeShares = GRADE_SHARES

    def __post_init__(self) -> None:
        """Raises ValueError where the thresholds contradict each other."""
        if not 0.0 <= self.clear_at <= self.raise_at <= self.escalate_at <= 1.0:
            raise ValueError("0 <= clear_at <= raise_at <= escalate_at <= 1 must hold")
        days = (self.minimum_purchase_days, self.cooldown_days, self.recent_contact_days, self.contacts_days)
        if not 0 <= min(days) <= max(days) <= MOST_DAYS:
            raise ValueError(f"days may not be negative, and {MOST_DAYS} at the most")
        if not 0.0 <= self.minimum_silence < inf:
            raise ValueError("minimum_silence may not be negative, nor without end")
        if self.minimum_customers_fitted < 0:
            raise ValueError("minimum_customers_fitted may not be negative")
        if not 0.0 < self.severity_share < inf:
            raise ValueError("severity_share must be above 0, and have an end")
        if min(self.minimum_expected_loss, self.capacity_a_day, self.most_contacts) < 0:
            raise ValueError("minimum_expected_loss, capacity_a_day, most_contacts: not below 0")
        if not 0.0 <= self.holdout_share <= HALF:
            raise ValueError("holdout_share must be from 0 to 0.5")
        if not self.due_hours.keys() <= {severity.code for severity in Severity}:
            raise ValueError("due_hours: hours by severity (unrated, low, medium, high, critical)")
        hours = self.due_hours.values()
        if not 0 <= min(hours, default=0) <= max(hours, default=0) <= MOST_DAYS * 24:
            raise ValueError(f"due_hours may not be negative, and {MOST_DAYS * 24} at the most")


def severity_of(expected_loss: int, grades: tuple[int, int, int] | None, policy: Policy) -> Severity:
    """How grave an expected loss is (minor units), measured by what the base's A, B and C customers bring a year.

    A base in which nobody is known to bring anything is no measure, and a grade that brings nothing is passed over.
    """
    if grades is None or max(grades) <= 0:
        return Severity.UNRATED
    for severity, least in zip((Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM), grades, strict=True):
        if 0 < policy.severity_share * least <= expected_loss:
            return severity
    return Severity.LOW
