"""What steers a journal: its set-up, ticks, the clock's mode, policy, model snapshots, and what the desk answered.

These are records like the events: a replay reads them, and nothing else, to come to the same result.
"""

from typing import Literal

from msgspec import Raw, Struct

from streamproc.core.events import CustomerEvent, FirmFact
from streamproc.core.playbook import Playbook
from streamproc.core.policy import Policy
from streamproc.core.time import DAY

CORE_VERSION = 3
"""The version of the rules by which records are applied: raised when the same journal would come to something else."""


LONGEST_LATENESS = 29 * DAY
"""The longest lateness (µs): the 32 purchase days kept of a customer must reach back to what a label asks for."""


class Control(Struct, frozen=True, kw_only=True, omit_defaults=True, tag_field="type"):
    """A record for every partition; `at` (µs) is the time it stands for."""

    at: int


class Setup(Control, frozen=True, kw_only=True, tag="setup"):
    """The first record of a journal: what may not change while it lasts.

    `horizon_days` is H, `horizons` H by customer kind; an event up to `lateness` (µs) behind the clock corrects labels.
    `core_version` is that of the program that began the journal.
    """

    horizon_days: int = 90
    horizons: dict[str, int] = {}
    lateness: int = 24 * 3600 * 1_000_000
    currency: str = "EUR"
    core_version: int = CORE_VERSION

    def __post_init__(self) -> None:
        """Raises ValueError where a horizon is shorter than a day, or lateness below zero or above its bound."""
        if min((self.horizon_days, *self.horizons.values())) < 1:
            raise ValueError("a horizon has at least one day")
        if self.lateness < 0:
            raise ValueError("lateness may not be negative")
        if self.lateness > LONGEST_LATENESS:
            raise ValueError("lateness may be 29 days at the most")


class ClockMode(Control, frozen=True, kw_only=True, tag="clock_mode"):
    """How time moves from here: by the largest event time read, or by the wall. `live`: warnings are for people."""

    mode: Literal["event", "wall"]
    live: bool = False


class Tick(Control, frozen=True, kw_only=True, tag="tick"):
    """Time reaches `at`: what lies before is applied, who is due is looked at.

    `progress` is each feed's own (µs), given where it changed; `stale` names the feeds that lag so far that
    silence cannot be told from a broken feed, `stale_since` (µs) how far the purchases were read then; `grades` are
    the least contributions of grades A, B and C, given where they changed.
    """

    progress: dict[str, int] = {}
    stale: tuple[str, ...] = ()
    stale_since: int = 0
    grades: tuple[int, int, int] | None = None


class ModelSnapshot(Control, frozen=True, kw_only=True, tag="model"):
    """A model comes into force. `snapshot` is the snapshot's JSON, unread."""

    snapshot: Raw
    reason: Literal["trained", "pinned", "rolled_back"] = "trained"


class PolicyChange(Control, frozen=True, kw_only=True, tag="policy"):
    """A warning policy comes into force."""

    policy: Policy


class PlaybookChange(Control, frozen=True, kw_only=True, tag="playbook"):
    """A playbook comes into force: warnings raised from here on ask for its steps."""

    playbook: Playbook


class Disposition(Control, frozen=True, kw_only=True, tag="disposition"):
    """What became of a would-warn at the desk, told to its customer's partition.

    capacity: it waits, others are worth more and no more can be worked a day; `raised` may follow.
    """

    customer_id: str
    warning_id: str
    outcome: Literal["raised", "capacity"]


class Handover(Control, frozen=True, kw_only=True, tag="handover"):
    """An old id's facts on their way to the new id's partition (`customer_id`); `facts` are encoded facts.

    `muted_until` (µs): until then nobody was to be warned of the old id.
    """

    customer_id: str
    alias: str
    facts: bytes
    muted_until: int = 0


class Forget(Control, frozen=True, kw_only=True, tag="forget"):
    """Somebody is forgotten: all that is known of the id goes, and what happened to it before `at` is taken no more.

    What happens later is a new customer's. `who` is the id's mark (`ids.mark_of`); the id itself stands here only until
    the journal is made anew without the records that name it.
    """

    who: str
    customer_id: str | None = None


JournalRecord = (
    CustomerEvent
    | FirmFact
    | Setup
    | ClockMode
    | Tick
    | ModelSnapshot
    | PolicyChange
    | PlaybookChange
    | Disposition
    | Handover
    | Forget
)
"""All that a monitor partition reads."""
