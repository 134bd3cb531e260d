"""What applying a record brings about, as values: the runtime carries it out, or only counts it."""

from typing import Literal

from msgspec import Struct, field

from streamproc.core.causes import Cause
from streamproc.core.control import JournalRecord, PlaybookChange, PolicyChange
from streamproc.core.dealing import Dealing
from streamproc.core.events import ComplaintStatus, CustomerEvent, DeskAction, FirmFact, RecoveryStep
from streamproc.core.holdout import Arm, Band
from streamproc.core.lifecycle import Phase, Stage
from streamproc.core.loyalty import Kind
from streamproc.core.policy import Outcome, Severity
from streamproc.core.population import Histogram
from streamproc.core.unhappy import Sign
from streamproc.core.value import Grade, Segment, Tier
from streamproc.monitor.state import Care
from streamproc.scoring.examples import Example, Sighting


class Evidence(Struct, frozen=True):
    """An event a reason points to: its stream, id and time (µs)."""

    stream: str
    event_id: str
    at: int


class Reason(Struct, frozen=True):
    """What one group of the model contributes to the log-odds (millionths), and how much more than at the last look."""

    group: str
    contribution: int
    change: int | None
    evidence: tuple[Evidence, ...] = ()


class Figures(Struct, frozen=True, kw_only=True):
    """All that a look computed of one customer. Money in minor units, times in µs, log-odds in millionths.

    None: not measured. `stake` is the lifetime value at the retention before the risk rose, `lifetime_value` that at
    today's. `last_gap_days` lies between the last two days of purchase; `articles_a_day` is how many distinct articles
    were bought on one, of those kept.
    """

    stage: Stage
    phase: Phase
    horizon_days: int
    n_days: int
    orders: int
    last_purchase: int
    recency_days: int
    log_odds: int
    probability: float
    lifetime_value: int
    stake: int
    expected_loss: int
    revenue: int
    contribution: int
    cost_assumed: bool
    money_measured: bool
    usual_gap_days: float | None
    trend: float | None
    grade: Grade | None
    tier: Tier | None
    segment: Segment | None
    model: str
    speaks: str
    last_gap_days: int | None = None
    articles_a_day: float | None = None
    discount_share: float | None = None


class Looked(Struct, frozen=True):
    """A look at one customer and its one outcome; no figures before the first purchase or after the loss."""

    customer_id: str
    at: int
    outcome: Outcome
    stage: Stage
    figures: Figures | None = None
    groups: tuple[int, ...] = ()


class Transition(Struct, frozen=True):
    """A customer moved on in the lifecycle."""

    customer_id: str
    at: int
    before: Stage
    after: Stage
    won_back: bool = False


class WouldWarn(Struct, frozen=True, kw_only=True, tag="would_warn"):
    """The monitor would warn: the desk decides what becomes of it. `causes`: the likely ones, strongest first.

    `anew`: it was raised before, and is not known to have gone out; this is what a later look found.
    """

    id: str
    customer_id: str
    at: int
    by_when: int
    severity: Severity
    figures: Figures
    reasons: tuple[Reason, ...]
    owner: str | None = None
    customer_kind: str | None = None
    due_at: int = 0
    causes: tuple[Cause, ...] = ()
    loyalty: Kind | None = None
    anew: bool = False


class ServiceWarn(Struct, frozen=True, kw_only=True, tag="service_warn"):
    """The customer is unhappy and silent, by these signs: a warning of its own kind, without a probability.

    Somebody should have spoken to them `by_when` (µs).
    """

    id: str
    customer_id: str
    at: int
    by_when: int
    severity: Severity
    figures: Figures
    signs: tuple[Sign, ...]
    owner: str | None = None
    customer_kind: str | None = None
    causes: tuple[Cause, ...] = ()
    loyalty: Kind | None = None


ArmName = Literal["warned", "holdout"]
EpisodeChange = Literal["escalated", "recovered", "lost", "withdrawn"]
Why = Literal[
    "risk",
    "severity",
    "bought",
    "risk_fell",
    "silence",
    "terminated",
    "corrected",
    "alias",
    "content",
    "complained",
    "faded",
    "do_not_contact",
    "contacted",
    "bleeding",
    "muted",
    "too_little",
]


class EpisodeChanged(Struct, frozen=True, kw_only=True, tag="episode_changed"):
    """A warning's episode went on, or ended."""

    id: str
    customer_id: str
    at: int
    change: EpisodeChange
    why: Why
    probability: float | None = None
    severity: Severity | None = None
    expected_loss: int | None = None


class Verdict(Struct, frozen=True, kw_only=True, tag="verdict"):
    """Whether a warning was right: no purchase between its raising and its by-when.

    `arm` is what was drawn, None where nothing was; `stake` and what the offer `cost` in minor units; `band` how likely
    leaving was when it was raised, `told` whether people were told of it then or later.
    """

    id: str
    customer_id: str
    at: int
    right: bool
    arm: ArmName | None = None
    stake: int = 0
    cost: int = 0
    band: Band | None = None
    told: bool = True


StepAction = DeskAction | Literal["overdue"]


class StepTaken(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="step_taken"):
    """What somebody did about a warning (`id`; empty: of a customer without one), or that nobody did until it was due.

    `care` is how the warning stands after it; `refused` says why it was not done: somebody else has "claimed" the
    warning, or it has "ended". Times in µs.
    """

    id: str
    customer_id: str
    at: int
    event_id: str
    action: StepAction
    by: str
    care: Care
    refused: str | None = None
    to: str | None = None
    until: int | None = None
    text: str | None = None
    complaint_id: str | None = None
    recovery: RecoveryStep | None = None


class Unseen(Struct, frozen=True):
    """What a warning of the silent arm would have told. It is for the record: the desk never reads it."""

    customer_id: str
    effect: WouldWarn | EpisodeChanged | Verdict


DeadReason = Literal["too_old", "apply_failed", "look_failed", "alias_of_itself", "no_such_warning"]


class DeadLettered(Struct, frozen=True, kw_only=True):
    """An event that could not be applied: too old to be judged, or its application failed (`trace`)."""

    reason: DeadReason
    customer_id: str
    at: int
    event: CustomerEvent | None = None
    trace: str = ""


class LateEvent(Struct, frozen=True):
    """An event came after its tick; `too_late` ones changed facts but no label."""

    customer_id: str
    at: int
    too_late: bool


class Forgotten(Struct, frozen=True, kw_only=True, tag="forgotten"):
    """Somebody asked to be forgotten: whoever keeps something of the customer lets it go."""

    customer_id: str
    at: int


class OfForgotten(Struct, frozen=True):
    """An event of somebody who is forgotten, from before that: it was not taken. It does not say of whom."""

    at: int


class Repeated(Struct, frozen=True):
    """An event told nothing new: it was told before, or a later word on the same thing was known already."""

    customer_id: str


class ComplaintHeard(Struct, frozen=True):
    """A step of a complaint told something new; `after` (µs) is how long after the complaint's beginning it was."""

    customer_id: str
    status: ComplaintStatus
    category: str | None
    after: int


class Foretold(Struct, frozen=True):
    """Somebody was lost of whom people had been warned, so long (`lead`, µs) before."""

    customer_id: str
    lead: int


OnlyCounted = Repeated | ComplaintHeard | Foretold
"""What is only counted: it goes nowhere."""


class ToJournal(Struct, frozen=True):
    """A record for another customer's partition: a handover, or a straggler of an alias."""

    record: JournalRecord


class Totals(Struct):
    """Figures over a partition's customers, each as of their last look; they add up over partitions.

    `open_warnings` are those people have been told of, `at_risk` is what may be lost with them.
    `seen` and `lost` only grow: events applied in time by stream, customers lost by the grade they had, and `losses`,
    by month (`YYYY-MM`) and `cause/grade/segment`. Of those who are customers now: the sum of the days of their first
    purchase, the sum of `breadth` (categories bought from lately) over the `broad`, of whom it is known, the sums of
    `satisfaction.service_sums`, and how many are `unhappy` and silent. `content` holds by grade how many answers were
    given in a year, and the sums of what they say was perceived and expected. `silent_losses` are those of `losses` who
    were watched in silence.
    """

    contribution: Histogram
    revenue: Histogram
    stages: dict[str, int] = {}
    grades: dict[str, int] = {}
    equity: int = 0
    at_risk: int = 0
    open_warnings: int = 0
    seen: dict[str, int] = {}
    lost: dict[str, int] = {}
    arms: dict[str, Arm] = {}
    losses: dict[str, dict[str, int]] = {}
    first_days: int = 0
    breadth: int = 0
    broad: int = 0
    service: list[int] = []
    unhappy: int = 0
    dealing: Dealing = field(default_factory=Dealing)
    content: dict[str, list[int]] = {}
    silent_losses: dict[str, dict[str, int]] = {}
    segments: dict[str, int] = {}


class PartitionSummary(Struct, frozen=True, tag="partition_summary"):
    """A partition's totals at the end of a tick."""

    partition: int
    at: int
    totals: Totals


class ComplaintStep(Struct, frozen=True, kw_only=True, omit_defaults=True, tag="complaint_step"):
    """A complaint went on: what it is after this step, whatever the order its steps were heard in.

    Times in µs. `first`: the complaint was not heard of before; `reopened` is how often it was, `repeats` the first
    event of an earlier complaint about the same thing within REPEATED_DAYS. `grade`, `product` and `region` are the
    customer's by then; `owner` is who heard it.
    """

    customer_id: str
    at: int
    complaint_id: str
    status: ComplaintStatus
    opened_at: int
    first: bool = False
    reopened: int = 0
    repeats: str | None = None
    category: str | None = None
    severity: int = 0
    valid: bool | None = None
    channel: str | None = None
    owner: str | None = None
    grade: str | None = None
    product: str | None = None
    region: str | None = None


class FirmTold(Struct, frozen=True, tag="firm_told"):
    """A fact of the firm's, or a policy, that the desk goes by; the first partition tells it, for it reaches all."""

    at: int
    record: FirmFact | PolicyChange | PlaybookChange


ForDesk = WouldWarn | ServiceWarn | EpisodeChanged | Verdict | PartitionSummary | ComplaintStep | FirmTold | StepTaken
"""What the desk is told at the end of a tick. Each tells its `type`, so that one channel can carry them."""

Effect = (
    Looked
    | Transition
    | DeadLettered
    | LateEvent
    | Forgotten
    | OfForgotten
    | OnlyCounted
    | ToJournal
    | Example
    | Sighting
    | Unseen
    | ForDesk
)
