"""What the desk is told of complaints: the standing of each after a step, whatever the order the steps came in."""

from msgspec.structs import replace

from streamproc.core.complaints import STATUSES, ComplaintFile
from streamproc.core.events import Complaint
from streamproc.core.facts import Facts
from streamproc.core.ids import hash32
from streamproc.core.time import DAY, SECOND
from streamproc.monitor.effects import ComplaintHeard, ComplaintStep, Repeated

REPEATED_DAYS = 90
"""A complaint about what was complained of so many days before is a repeated one."""


def knows(facts: Facts, complaint_id: str) -> bool:
    """Whether a complaint of this id was heard of."""
    key = hash32(complaint_id)
    return key in facts.complaints_gone or any(file.key == key for file in facts.complaints)


def kept_of(facts: Facts, complaint_id: str) -> ComplaintFile | None:
    """A copy of what is kept of a complaint, None where nothing is."""
    key = hash32(complaint_id)
    return next((replace(file) for file in facts.complaints if file.key == key), None)


def heard(facts: Facts, event: Complaint, before: ComplaintFile | None) -> ComplaintHeard | Repeated:
    """What is counted of the event once the facts have taken it; `before` is what was kept of its complaint."""
    now = kept_of(facts, event.complaint_id)
    if now is not None and now == before:
        return Repeated(event.customer_id)
    category = event.category if now is None else now.category
    began = event.at if now is None else now.opened_at() * SECOND
    return ComplaintHeard(event.customer_id, event.status, category, max(0, event.at - began))


def step_of(facts: Facts, event: Complaint, grade: str | None, *, first: bool) -> ComplaintStep:
    """What the desk is told once the facts have taken the event."""
    key = hash32(event.complaint_id)
    file = next((file for file in facts.complaints if file.key == key), None)
    if file is None:  # so old that it was let go at once: it stands where this step left it
        file = ComplaintFile(key, [], event.event_id, event.severity or 0, event.category, event.valid)
    status = file.status() if file.steps else event.status
    return ComplaintStep(
        customer_id=event.customer_id,
        at=event.at,
        complaint_id=event.complaint_id,
        status=status,
        opened_at=file.opened_at() * SECOND if file.steps else event.at,
        first=first,
        reopened=sum(STATUSES[step.status] == "reopened" for step in file.steps),
        repeats=_repeats(facts, file),
        category=file.category,
        severity=file.severity,
        valid=file.valid,
        channel=event.channel or file.channel,
        owner=file.owner or event.owner,
        grade=grade or None,
        product=_text(facts, "category"),
        region=_text(facts, "region"),
    )


def _repeats(facts: Facts, file: ComplaintFile) -> str | None:
    """The first event of the latest complaint before this one about the same thing, None where there is none."""
    if not file.steps or file.category is None:
        return None
    since = file.opened_at() - REPEATED_DAYS * DAY // SECOND
    before = [f for f in facts.complaints if f.key != file.key and f.category == file.category]
    earlier = [f for f in before if since <= f.opened_at() <= file.opened_at()]
    return max(earlier, key=lambda f: (f.opened_at(), f.key)).event_id if earlier else None


def _text(facts: Facts, name: str) -> str | None:
    said = facts.says(name)
    return said if isinstance(said, str) else None
