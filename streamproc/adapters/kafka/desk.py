"""The desk on Kafka, and the clock: what intake and monitors tell in, ticks and the feed's lines out.

The rule kept here: a tick's effects are answered once every partition is through with the tick, sorted by customer,
ticks in order of time: so it does not matter how the partitions' messages were mixed.
"""

from collections.abc import Iterator, Sequence

import msgspec
from msgspec import Struct

from streamproc.adapters.kafka import clock
from streamproc.adapters.kafka.clock import ClockState, Mode, Source, Work, work_in
from streamproc.adapters.kafka.letters import KILLED, letter
from streamproc.adapters.kafka.messages import (
    DeskMessage,
    LetGo,
    PastForDesk,
    SourceRead,
    TickDone,
    TickPart,
    WorkLeft,
    encode,
    for_desk,
)
from streamproc.adapters.kafka.names import Names
from streamproc.adapters.kafka.transactions import Output, Record, Writes
from streamproc.core.control import ClockMode, Disposition, JournalRecord, PlaybookChange, PolicyChange, Tick
from streamproc.core.ids import partition_of
from streamproc.core.playbook import Playbook, digest
from streamproc.core.policy import Policy
from streamproc.core.time import HOUR, SECOND, to_text
from streamproc.core.turns import Turns
from streamproc.desk.counts import tally_line
from streamproc.desk.desk import Desk, end_of_tick
from streamproc.desk.forgetting import farewell_of, let_go
from streamproc.desk.warning import Entry, Money
from streamproc.monitor.counts import Counts
from streamproc.monitor.effects import Effect, PartitionSummary
from streamproc.monitor.totals import merged
from streamproc.wire import journal

OPEN_TICKS = 64
"""Ticks written and not yet answered by all partitions: with so many, time waits."""

STATE, _PART, _WORK = b"d", b"p", b"w"
TICK_HEADER = "streamproc.tick"


class Rules(Struct, frozen=True):
    """The settings: how time moves, which sources must have been heard of, when (µs) silence is no sign, the policy.

    Without a playbook warnings ask for nothing.
    """

    mode: Mode
    expected: frozenset[str]
    stale_after: int
    policy: Policy
    playbook: Playbook | None = None


class _State(Struct):
    """What the desk remembers; `through`: by partition the last tick it is through with, `open`: ticks not answered.

    `past`: what the journal was begun with, until the last of its ticks is in the feed; until then time stands.
    `past_ticks` are those of its ticks that the first partition is through with, and that are not in the feed.
    `playbook` is the digest of the one the journal was told last.
    """

    desk: Desk
    clock: ClockState
    through: dict[int, int] = {}
    open: list[int] = []
    policy: Policy | None = None
    past: PastForDesk | None = None
    past_ticks: list[int] = []
    playbook: str = ""


def desk_in(value: bytes) -> Desk:
    """The desk in what the changelog holds under STATE."""
    return msgspec.msgpack.decode(value, type=_State).desk


class DeskProcessor:
    """The desk behind the one partition of its inbox; what the feed is told is counted in `counts`."""

    def __init__(self, names: Names, partitions: int, money: Money, rules: Rules, counts: Counts | None = None) -> None:
        self._counts = Counts() if counts is None else counts
        self._names = names
        self._partitions = partitions
        self._rules = rules
        self._state = _State(Desk(money), ClockState())
        self._work = Work()
        self._parts: dict[int, dict[int, TickPart]] = {}  # by tick and offset
        self._now = 0.0

    @property
    def clock(self) -> ClockState:
        """How far time and the sources are."""
        return self._state.clock

    @property
    def desk(self) -> Desk:
        """What the desk has open."""
        return self._state.desk

    @property
    def open_ticks(self) -> int:
        """Ticks that are written and that not every partition is through with."""
        return len(self._state.open)

    def restore(self, key: bytes, value: bytes) -> None:
        """Takes back the state, what ticks are due for, or a part of a tick that is not answered."""
        if key == STATE:
            self._state = msgspec.msgpack.decode(value, type=_State)
            return
        if key == _WORK:
            self._work = work_in(value)
            return
        part = for_desk(value)
        assert isinstance(part, TickPart)
        self._parts.setdefault(part.at, {})[int(key[1:])] = part

    def process(self, records: Sequence[Record]) -> Turns[Writes]:
        """Answers the ticks that are complete; writes those that are due."""
        outputs: list[Output] = []
        changes: dict[bytes, bytes | None] = {}
        for record in records:
            yield
            body = record.value or b""
            message = for_desk(body)
            if isinstance(message, TickPart):
                changes[_part(record.offset)] = body
                self._parts.setdefault(message.at, {})[record.offset] = message
            elif isinstance(message, LetGo):
                outputs += self._let_go(message, changes)
            else:
                self._note(message, changes)
            while self._complete():
                outputs += self._answer(self._state.open.pop(0), changes)
        if self._state.past is not None:
            outputs += self._tell_past(self._state.past, changes)
        outputs += self._ticks()
        return self._writes(outputs, changes)

    def poison(self, record: Record) -> Writes:
        """The record goes to the dead letters unread."""
        self._counts["refused", KILLED] += 1
        return Writes([letter(self._names.dead_letters, record, (self._names.desk_inbox, 0), KILLED)], [])

    def wake(self, now: float, *, caught_up: bool) -> Writes | None:  # noqa: ARG002 - the door's
        """Writes the ticks that the wall clock has brought."""
        self._now = now
        outputs = list(self._ticks())
        return self._writes(outputs, {}) if outputs else None

    def _writes(self, outputs: list[Output], changes: dict[bytes, bytes | None]) -> Writes:
        changes[STATE] = msgspec.msgpack.encode(self._state)
        return Writes(outputs, list(changes.items()))

    def _note(self, message: DeskMessage, changes: dict[bytes, bytes | None]) -> None:
        state = self._state
        if isinstance(message, SourceRead):
            told = Source(message.read, message.caught_up, message.purchases, self._now)
            clock.see(state.clock, message.source, told, brought=bool(message.due))
            if message.due:
                self._work.add(message.due)
                changes[_WORK] = self._work.encoded()  # not after each tick: what was passed since is seen by the clock
        elif isinstance(message, TickDone):
            state.through[message.partition] = message.at
            if not message.partition and message.at not in state.open:
                state.past_ticks.append(message.at)
        elif isinstance(message, PastForDesk):
            self._begin_with(message)
            changes[_WORK] = self._work.encoded()
        elif isinstance(message, WorkLeft) and self._is_past(message.partition):
            state.clock.left = True  # before, the past's own ticks come for them

    def _is_past(self, partition: int) -> bool:
        """Whether the partition is through with the past that the journal was begun with."""
        past = self._state.past
        return past is None or self._state.through.get(partition, 0) >= past.clock

    def _let_go(self, message: LetGo, changes: dict[bytes, bytes | None]) -> Iterator[Output]:
        """Nothing of the customer is kept, nor told from here on; the feed's readers are told to do the same."""
        customers = frozenset((message.customer_id,))
        for parts in self._parts.values():
            for offset, part in parts.items():
                left = [e for e in part.effects if getattr(e, "customer_id", None) not in customers]
                if len(left) < len(part.effects):
                    parts[offset] = msgspec.structs.replace(part, effects=left)
                    changes[_part(offset)] = encode(parts[offset])
        at = self._state.clock.clock
        for alert in let_go(self._state.desk, customers, at):
            yield Output(self._names.alerts, 0, alert.id.encode(), msgspec.json.encode(alert))
        yield self._line(farewell_of(message.customer_id, to_text(at)), at)

    def _begin_with(self, past: PastForDesk) -> None:
        """Time goes on where the past ends."""
        state = self._state
        state.clock.clock, state.policy, state.desk.announced = past.clock, past.policy, past.announced
        state.clock.bought = past.bought  # or a feed that is dead from here on would never be missed
        state.past = past if past.clock else None
        self._work.add(past.due)

    def _tell_past(self, past: PastForDesk, changes: dict[bytes, bytes | None]) -> Iterator[Output]:
        """The feed's lines of the past's ticks that all partitions are through with; the answers are in the journal."""
        through = self._through()
        ticks = self._state.past_ticks
        self._state.past_ticks = [at for at in ticks if at > through]
        for at in [at for at in ticks if at <= through]:
            self._state.desk.live = _was_live(past, at)
            told = (self._names.warnings, self._names.alerts)
            yield from (output for output in self._answer(at, changes) if output.topic in told)
        if through >= past.clock:
            self._state.past, self._state.desk.live = None, False

    def _through(self) -> int:
        """The last tick (µs) that every partition is through with, 0 where there is none."""
        through = self._state.through
        return min(through.values()) if len(through) == self._partitions else 0

    def _complete(self) -> bool:
        return bool(self._state.open) and self._through() >= self._state.open[0]

    def _answer(self, at: int, changes: dict[bytes, bytes | None]) -> Iterator[Output]:
        parts = self._parts.pop(at, {})
        changes.update(dict.fromkeys(map(_part, parts)))
        effects: list[Effect] = [effect for _, part in sorted(parts.items()) for effect in part.effects]
        effects.sort(key=lambda effect: getattr(effect, "customer_id", ""))
        summaries = [effect for effect in effects if isinstance(effect, PartitionSummary)]
        base = merged([s.totals for s in sorted(summaries, key=lambda s: s.partition)]) if summaries else None
        entries, dispositions, alerts = end_of_tick(self._state.desk, at, effects, base)
        for entry in entries:
            tally_line(self._counts, entry)
            yield self._line(entry, at)
        for alert in alerts:
            yield Output(self._names.alerts, 0, alert.id.encode(), msgspec.json.encode(alert))
        for record in dispositions:
            yield self._to_customer(record)

    def _line(self, entry: Entry, at: int) -> Output:
        headers = [(TICK_HEADER, str(at).encode())]
        return Output(self._names.warnings, 0, entry.customer_id.encode(), msgspec.json.encode(entry), headers)

    def _to_customer(self, record: Disposition) -> Output:
        number = partition_of(record.customer_id, self._partitions)
        return Output(self._names.journal, number, record.customer_id.encode(), journal.encode(record))

    def _broadcast(self, record: JournalRecord) -> Iterator[Output]:
        body = journal.encode(record)
        for number in range(self._partitions):
            yield Output(self._names.journal, number, None, body)

    def _ticks(self) -> Iterator[Output]:
        """The ticks up to where time may go, as far as the partitions keep up."""
        state, rules = self._state, self._rules
        if state.past is not None:
            return
        self._work.passed(state.clock.clock)
        upto = clock.target(state.clock, rules.expected, rules.mode, self._now) if self._now else None
        if upto is None:
            return
        step = clock.grid(upto, rules.mode, self._now)
        if state.policy != rules.policy:
            state.policy = rules.policy
            yield from self._broadcast(PolicyChange(at=state.clock.clock, policy=rules.policy))
        if rules.playbook is not None and state.playbook != (told := digest(rules.playbook)):
            state.playbook = told
            yield from self._broadcast(PlaybookChange(at=state.clock.clock, playbook=rules.playbook))
        if rules.mode == "wall" and not state.desk.live and self._now * SECOND - upto < HOUR and state.clock.clock:
            state.desk.live = True
            yield from self._broadcast(ClockMode(at=state.clock.clock, mode="wall", live=True))
        while len(state.open) < OPEN_TICKS:
            at = clock.next_tick(state.clock, self._work, upto, step, state.desk.next_due())
            if at is None:
                return
            yield from self._broadcast(self._tick(at))
            clock.ticked(state.clock, self._work, at)
            state.open.append(at)

    def _tick(self, at: int) -> Tick:
        state = self._state
        since = clock.stale_since(state.clock, at, self._rules.stale_after)
        return Tick(
            at=at,
            progress=clock.news(state.clock, at),
            stale=("purchases",) if since else (),
            stale_since=since,
            grades=state.desk.news(),
        )


def _was_live(past: PastForDesk, at: int) -> bool:
    """Whether what the past's tick `at` (µs) warned of was for people."""
    return next((live for after, live in reversed(past.live) if after < at), False)


def _part(offset: int) -> bytes:
    return _PART + str(offset).encode()
