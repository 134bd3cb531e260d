"""Events in a line: what a test does not say of an event has a plain value, and ids are made of place and time."""

from typing import Any

from streamproc.core.events import Complaint, ComplaintStatus, Contact, CustomerFact, Direction, Purchase
from streamproc.core.time import DAY, HOUR

START_DAY = 20_000
"""The day that `on` counts from: 2024-10-04."""

START = START_DAY * DAY


def on(day: float, hour: float = 0) -> int:
    """The instant (µs) so many days and hours after `START`."""
    return START + round(day * DAY + hour * HOUR)


def bought(at: int, amount: int | None = 1_000, *, customer_id: str = "c", **more: Any) -> Purchase:  # noqa: ANN401
    """One order, named after its time unless `order_id` says otherwise."""
    given: dict[str, Any] = {"event_id": f"{customer_id}-p{at}", "order_id": f"o{at}"} | more
    return Purchase(customer_id=customer_id, at=at, amount=amount, **given)


def sent_back(at: int, amount: int | None = -500, *, customer_id: str = "c", **more: Any) -> Purchase:  # noqa: ANN401
    """One return."""
    given: dict[str, Any] = {"event_id": f"{customer_id}-r{at}", "order_id": f"r{at}"} | more
    return Purchase(customer_id=customer_id, at=at, amount=amount, returned=True, **given)


def complained(
    at: int,
    status: ComplaintStatus = "opened",
    *,
    complaint_id: str = "k",
    customer_id: str = "c",
    **more: Any,  # noqa: ANN401
) -> Complaint:
    """One step in a complaint's life."""
    given: dict[str, Any] = {"event_id": f"{customer_id}-{complaint_id}-{status}-{at}"} | more
    return Complaint(customer_id=customer_id, at=at, complaint_id=complaint_id, status=status, **given)


def touched(at: int, direction: Direction = "in", *, customer_id: str = "c", **more: Any) -> Contact:  # noqa: ANN401
    """One contact."""
    given: dict[str, Any] = {"event_id": f"{customer_id}-t{at}", "contact_id": f"t{at}"} | more
    return Contact(customer_id=customer_id, at=at, direction=direction, **given)


def known(at: int, *, customer_id: str = "c", **more: Any) -> CustomerFact:  # noqa: ANN401
    """What the firm knows of a customer from `at` on."""
    given: dict[str, Any] = {"event_id": f"{customer_id}-f{at}"} | more
    return CustomerFact(customer_id=customer_id, at=at, **given)
