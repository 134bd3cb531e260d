"""The desk lets go of somebody who is to be forgotten, and how the feed's readers are told."""

from collections.abc import Iterable
from typing import Final

from msgspec import Struct
from msgspec.structs import replace

from streamproc.core.alerts import Alert, alert_of
from streamproc.desk.desk import Desk
from streamproc.desk.warning import Entry, kind_of_warning

WHY: Final = "forgotten"

OWN: Final = frozenset({"customer", "complaint", "repeats"})
"""What of an alert's names is the customer's own."""


class Traces(Struct, frozen=True, kw_only=True):
    """What is held of somebody under all their `ids`: how many rows of each kind."""

    ids: tuple[str, ...]
    records: int
    warnings: int
    dead_letters: int


def let_go(desk: Desk, customers: frozenset[str], at: int) -> list[Alert]:
    """Keeps nothing that names one of them (in place). Counts and the days' figures stay: they name nobody.

    Gives the ends, at `at` (µs), of the alerts that were about one of them alone.
    """
    capacity, watch = desk.capacity, desk.watch
    ended: list[Alert] = []
    capacity.waiting = [would for would in capacity.waiting if would.customer_id not in customers]
    book = watch.cases
    book.open = {name: case for name, case in book.open.items() if case.customer_id not in customers}
    for key, opened in list(watch.open.items()):
        finding = opened.finding
        if finding.names.get("customer") in customers:
            del watch.open[key]
            ended.append(alert_without(alert_of(opened, "ended", at, history=True), customers))
        elif not customers.isdisjoint(finding.customers):
            others = tuple(name for name in finding.customers if name not in customers)
            opened.finding = replace(finding, customers=others)
    sources = desk.incidents.sources
    for subject, source in list(sources.items()):
        source.members = {name: one for name, one in source.members.items() if one.customer_id not in customers}
        if not source.members:
            del sources[subject]
            if (over := watch.open.pop(f"incident/{subject}", None)) is not None:
                ended.append(alert_without(alert_of(over, "ended", at, history=True), customers))
    return ended


def alert_without(alert: Alert, customers: frozenset[str]) -> Alert:
    """An alert's line without them: of one about one of them alone there is left that there was one."""
    if alert.names.get("customer") in customers:
        names = {name: text for name, text in alert.names.items() if name not in OWN}
        return replace(alert, subject=alert.subject.partition("/")[0], names=names)
    if customers.isdisjoint(alert.customers):
        return alert
    return replace(alert, customers=tuple(name for name in alert.customers if name not in customers))


def farewell_of(customer_id: str, at: str) -> Entry:
    """The same said of a customer by name, where readers of the feed are told in a log that names them anyway."""
    return Entry(warning_id="", customer_id=customer_id, at=at, kind="withdrawn", history=True, why=WHY)


def is_farewell(entry: Entry) -> bool:
    """Whether a line of the feed says that its customer is to be forgotten."""
    return entry.why == WHY and not entry.warning_id


def farewell(warnings: Iterable[str], at: str) -> list[Entry]:
    """What the feed's readers are told: these warnings are no more, and they are to keep nothing of them.

    The lines name nobody.
    """
    return [
        Entry(
            warning_id=name,
            customer_id="",
            at=at,
            kind="withdrawn",
            history=True,
            why=WHY,
            warning_kind=kind_of_warning(name),
        )
        for name in warnings
    ]
