"""A complaint's life (抱怨、投诉): opened → acknowledged → resolved → reopened …, or withdrawn.

The rule kept here: steps arrive in any order and more than once; the complaint's standing is that of its latest step.
"""

from itertools import pairwise

from msgspec import Struct

from streamproc.core.events import Complaint, ComplaintStatus
from streamproc.core.ids import hash32

COMPLAINTS_KEPT = 8
STEPS_KEPT = 8

STATUSES: tuple[ComplaintStatus, ...] = ("opened", "acknowledged", "resolved", "reopened", "withdrawn")
OPEN = frozenset({"opened", "acknowledged", "reopened"})

FOLLOWS: dict[ComplaintStatus, frozenset[ComplaintStatus]] = {
    "opened": frozenset({"acknowledged", "resolved", "withdrawn"}),
    "acknowledged": frozenset({"resolved", "withdrawn"}),
    "resolved": frozenset({"reopened"}),
    "reopened": frozenset({"acknowledged", "resolved", "withdrawn"}),
    "withdrawn": frozenset({"reopened"}),
}
"""Which step may follow which: what else is seen says that a step is missing or that two feeds disagree."""


class Step(Struct, array_like=True, frozen=True, order=True):
    """One step: seconds since the epoch, and an index into STATUSES."""

    at: int
    status: int


class ComplaintFile(Struct, array_like=True):
    """What is kept of one complaint. `valid` is None until the firm has judged it; `event_id` is the first step's.

    `channel` is what the earliest step that names one says, `owner` what the latest does, `resolution_score` (1-5, 0:
    none) is that of the latest resolution with one; each with the second it was said at.
    """

    key: int
    steps: list[Step]
    event_id: str
    severity: int = 0
    category: str | None = None
    valid: bool | None = None
    channel: str | None = None
    channel_at: int = 0
    owner: str | None = None
    owner_at: int = 0
    resolution_score: int = 0
    scored_at: int = 0

    def status(self) -> ComplaintStatus:
        """The status after the latest step."""
        return STATUSES[self.steps[-1].status]

    def is_open(self) -> bool:
        """Whether somebody still owes the customer an answer."""
        return self.status() in OPEN

    def opened_at(self) -> int:
        """Seconds of the first step heard of."""
        return self.steps[0].at

    def answered_after(self) -> int | None:
        """Seconds from the first step to the first acknowledgement or resolution; None while unanswered."""
        answered = [s.at for s in self.steps if STATUSES[s.status] in {"acknowledged", "resolved"}]
        return max(0, answered[0] - self.steps[0].at) if answered else None

    def times(self, status: ComplaintStatus) -> int:
        """How many of the steps kept have this status."""
        wanted = STATUSES.index(status)
        return sum(s.status == wanted for s in self.steps)

    def contradictions(self) -> int:
        """How many of the steps may not follow the one before them."""
        names = [STATUSES[s.status] for s in self.steps]
        return sum(b not in FOLLOWS[a] for a, b in pairwise(names))


def take_step(files: list[ComplaintFile], event: Complaint) -> tuple[int | None, int]:
    """Takes one step into the files (in place); when the complaint began as told before it and after, in seconds.

    None before: a complaint not heard of. The eight that began last are kept, with the first and the seven
    latest steps of each.
    """
    step = Step(event.at // 1_000_000, STATUSES.index(event.status))
    key, severity = hash32(event.complaint_id), event.severity or 0
    heard = _heard(key, step, severity, event)
    file = next((f for f in files if f.key == key), None)
    if file is None:
        files.append(heard)
        trim(files)
        return None, heard.opened_at()
    before = file.opened_at()
    _join(file, heard)
    trim(files)
    return before, file.opened_at()


def _heard(key: int, step: Step, severity: int, event: Complaint) -> ComplaintFile:
    """One step alone, as a file."""
    file = ComplaintFile(key, [step], event.event_id, severity, event.category, event.valid)
    if event.channel is not None:
        file.channel, file.channel_at = event.channel, step.at
    if event.owner is not None:
        file.owner, file.owner_at = event.owner, step.at
    if event.status == "resolved" and event.resolution_score:
        file.resolution_score, file.scored_at = event.resolution_score, step.at
    return file


def _join(file: ComplaintFile, other: ComplaintFile) -> None:
    _, file.event_id = min((file.steps[0], file.event_id), (other.steps[0], other.event_id))
    steps = sorted({*file.steps, *other.steps})
    file.steps = steps[:1] + steps[1:][-(STEPS_KEPT - 1) :]
    file.severity = max(file.severity, other.severity)
    file.category = max(filter(None, (file.category, other.category)), default=None)
    if other.valid is not None:
        file.valid = other.valid or bool(file.valid)
    if other.channel is not None:
        said = (other.channel_at, other.channel)
        if file.channel is None or said < (file.channel_at, file.channel):
            file.channel_at, file.channel = said
    if other.owner is not None:
        said = (other.owner_at, other.owner)
        if file.owner is None or said > (file.owner_at, file.owner):
            file.owner_at, file.owner = said
    scored = max((file.scored_at, file.resolution_score), (other.scored_at, other.resolution_score))
    file.scored_at, file.resolution_score = scored


def trim(files: list[ComplaintFile]) -> None:
    """Keeps the complaints that began last, in order of their beginning (in place)."""
    files.sort(key=lambda f: (f.opened_at(), f.key))
    del files[:-COMPLAINTS_KEPT]


def merge_files(files: list[ComplaintFile], others: list[ComplaintFile]) -> list[int]:
    """Takes another customer's complaints in (in place); of each that stood in both, its later beginning (seconds)."""
    doubled = []
    for other in others:
        file = next((f for f in files if f.key == other.key), None)
        if file is None:
            files.append(other)
        else:
            doubled.append(max(file.opened_at(), other.opened_at()))
            _join(file, other)
    trim(files)
    return doubled
