"""What is said of one customer: computed by running that customer's journal records again, wherever they are kept."""

from collections.abc import Iterable, Iterator
from itertools import takewhile
from typing import NamedTuple, Protocol

from msgspec.structs import replace

from streamproc.adapters.embedded.journal import Numbered
from streamproc.adapters.embedded.replay import Replay
from streamproc.core.control import Disposition, Handover, Setup, Tick
from streamproc.core.policy import Outcome, Policy
from streamproc.core.time import to_text
from streamproc.desk.report import (
    CustomerReport,
    Trail,
    WarningNow,
    Whose,
    WhyAnswer,
    customer_report,
    rule_of,
    service_why,
    why_looked,
)
from streamproc.desk.warning import Entry, cause_of, money_of
from streamproc.monitor.effects import Looked
from streamproc.monitor.partition import Partition
from streamproc.monitor.state import CustomerState, new_state


class Past(Protocol):
    """A journal and its feed: a data folder's, or a cluster's."""

    def setup(self) -> Setup:
        """The journal's set-up."""
        ...

    def clock(self) -> int:
        """How far time has come (µs)."""
        ...

    def known(self, customer_id: str) -> bool:
        """Whether the journal holds a record of this id."""
        ...

    def records(self, customer_id: str) -> Iterator[Numbered]:
        """The customer's records and those for everybody, in order."""
        ...

    def own(self, customer_id: str) -> Iterator[Numbered]:
        """The customer's records alone."""
        ...

    def warnings(self, customer_ids: Iterable[str]) -> list[WarningNow]:
        """These customers' warnings, the newest first."""
        ...

    def life_of(self, warning_id: str) -> tuple[Entry, ...]:
        """The feed's lines of one warning."""
        ...


def report(past: Past, customer_id: str) -> CustomerReport | None:
    """The customer's report as of the clock, None for an id the journal has no record of.

    An alias' own report says where it was `forwarded_to`; the report of that id has the facts of both.
    """
    if not past.known(customer_id):
        return None
    money = money_of(past.setup())
    replay, trail = Replay(money, observed=True), Trail()
    aliases = []
    for replayed in replay.run(past.records(customer_id)):
        trail.take(replayed.effects)
        if isinstance(replayed.numbered.record, Handover):
            aliases.append(replayed.numbered.record.alias)
    partition = replay.pipeline.partitions[0]
    ids = _with_theirs(past, customer_id, aliases)
    state = partition.state_of(customer_id) or new_state()
    whose = Whose(
        customer_id=customer_id,
        aliases=ids[1:],
        clock=partition.meta.clock,
        next_due=partition.next_work(),
        causes=partition.causes_of(customer_id),
    )
    return customer_report(whose, trail, state, past.warnings(ids), money)


def _with_theirs(past: Past, customer_id: str, aliases: list[str]) -> list[str]:
    """The customer's id, the aliases whose facts were handed over to it, and theirs."""
    ids, wanted = [customer_id], aliases
    while wanted:
        one = wanted.pop()
        if one not in ids:
            ids.append(one)
            wanted += [n.record.alias for n in past.own(one) if isinstance(n.record, Handover)]
    return ids


class _Judged(NamedTuple):
    """What the last look left, and what it was judged by."""

    state: CustomerState
    policy: Policy
    fitted: int


def why(past: Past, customer_id: str, at: int | None = None) -> WhyAnswer:
    """Why the last look at or before `at` (µs; None: the clock) came out as it did."""
    money = money_of(past.setup())
    asked = past.clock() if at is None else at
    blank = WhyAnswer(customer_id=customer_id, asked_at=to_text(asked), found="unknown")
    if not past.known(customer_id):
        return blank
    replay, trail = Replay(money, observed=True), Trail()
    partition = replay.pipeline.partitions[0]
    judged: _Judged | None = None
    dispositions: dict[str, str] = {}
    records = past.records(customer_id)
    for replayed in replay.run(_upto(records, asked)):
        dispositions |= _answers([replayed.numbered])
        trail.take(replayed.effects)
        if any(isinstance(effect, Looked) for effect in replayed.effects):
            judged = _judged(partition, customer_id)
    state = partition.state_of(customer_id)
    if state is not None and state.forward_to is not None:
        return replace(blank, found="alias", forwarded_to=state.forward_to)
    if judged is None:
        return replace(blank, found="not_looked", next_look=_first_look(past, customer_id))
    rule = rule_of(trail.looks[-1], judged.state, judged.policy, judged.fitted, money)
    answer = why_looked(customer_id, blank.asked_at, trail, judged.state, rule, money)
    service = service_why(trail.looks[-1], judged.state, judged.policy)
    if service.warning_id is not None:
        service = replace(service, life=past.life_of(service.warning_id))
    answer = replace(answer, causes=tuple(map(cause_of, partition.causes_of(customer_id))), service=service)
    if answer.outcome not in {Outcome.WOULD_WARN, Outcome.EPISODE_OPEN}:
        return answer
    warning_id = judged.state.decisions.episodes[-1].id
    if warning_id not in dispositions:  # a cluster's desk answers some ticks later
        dispositions |= _answers(records)
    return replace(
        answer, warning_id=warning_id, disposition=dispositions.get(warning_id), life=past.life_of(warning_id)
    )


def _answers(records: Iterable[Numbered]) -> dict[str, str]:
    """What became of would-warns, by their ids."""
    return {n.record.warning_id: n.record.outcome for n in records if isinstance(n.record, Disposition)}


def _upto(records: Iterable[Numbered], at: int) -> Iterator[Numbered]:
    """The records before the first tick after `at`."""
    return takewhile(lambda numbered: not isinstance(numbered.record, Tick) or numbered.record.at <= at, records)


def _judged(partition: Partition, customer_id: str) -> _Judged:
    state = partition.state_of(customer_id) or new_state()
    return _Judged(state, partition.meta.policy, partition.meta.snapshot.trained_on.customers)


def _first_look(past: Past, customer_id: str) -> str | None:
    for replayed in Replay(money_of(past.setup()), observed=True).run(past.records(customer_id)):
        for effect in replayed.effects:
            if isinstance(effect, Looked):
                return to_text(effect.at)
    return None
