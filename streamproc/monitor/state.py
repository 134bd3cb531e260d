"""What the monitor keeps of a customer: facts and decisions, encoded as one value with a version in front."""

import msgspec
from msgspec import Struct

from streamproc.core.facts import Facts, new_facts
from streamproc.core.lifecycle import Stage
from streamproc.core.policy import Severity

VERSION = 2
"""Of states as they are written; older ones are read, what they do not tell has its defaults."""


class StateTooNewError(Exception):
    """A state, or facts handed over, were written by a newer version of the program."""


class Exposure(Struct, array_like=True, frozen=True):
    """A warning that reached into an example's window while arms were drawn.

    `quarter` is the draw's; `chance` that of the silent arm where the customer was in it, 0 where people were told.
    """

    quarter: int
    chance: float


class Pending(Struct, array_like=True):
    """An example waiting for its label; `exposed` are the warnings that reach into its window, one a draw.

    `too_late` are purchase days that came too late to change it, and, as ~day, such as were taken back too late.
    """

    at: int
    features: bytes
    repeats: int
    recency: int
    age: int
    log_odds: int
    horizon: int
    too_late: list[int] = []
    exposed: list[Exposure] = []


class Care(Struct, array_like=True):
    """What the desk does about a warning: whose it is (empty: nobody's yet), how it went, what the offer cost.

    `overdue`: nobody had it when somebody should have.
    """

    claimed_by: str = ""
    outcome: str = ""
    cost: int = 0
    snoozed_until: int = 0
    overdue: bool = False


class Episode(Struct, array_like=True):
    """One warning's life. Times in µs, log-odds in millionths, money in minor units.

    `last_purchase` is the one known when it was raised; `ended_at` 0 while open. Its verdict is due at `by_when`.
    `share` is the silent arm's when the arm was drawn (0: none was), `holdout` that this one is in it. `due_at` is when
    somebody should have it, 0 once that has been told or where nobody need. `raised`: people were told of it;
    `taken_back`: they never will be, and it stays for its verdict alone. `told_at` is when they were told of one that
    had to wait, 0 for one that did not.
    """

    id: str
    raised_at: int
    by_when: int
    log_odds: int
    severity: Severity
    expected_loss: int
    last_purchase: int
    ended_at: int = 0
    escalated: bool = False
    raised: bool = False
    stake: int = 0
    share: float = 0.0
    holdout: bool = False
    due_at: int = 0
    care: Care | None = None
    taken_back: bool = False
    told_at: int = 0


class Counted(Struct, array_like=True):
    """What the partition's totals hold of this customer, so that it can be taken out again.

    `first_day` is that of the first purchase, `breadth` the number of categories bought from lately, `service` the sums
    of `satisfaction.service_sums` (empty: nothing was told), `unhappy` that a service warning is open, `graded` that
    the answers are in the sums by grade, too, `segment` which of the five, from 1 on (0: it cannot be told, or an
    earlier version counted).
    """

    contribution: int = 0
    revenue: int = 0
    lifetime_value: int = 0
    at_risk: int = 0
    warned: bool = False
    grade: str = ""
    first_day: int = 0
    breadth: int = 0
    service: list[int] = []
    unhappy: bool = False
    graded: bool = False
    segment: int = 0


class Concern(Struct, array_like=True):
    """One service warning's life, times in µs; `ended_at` is 0 while it is open."""

    id: str
    raised_at: int
    ended_at: int = 0
    care: Care | None = None


class Decisions(Struct, array_like=True):
    """What was decided of a customer, in journal order.

    `calm_log_odds` is the risk at the look that applied the last purchase (None until that look); `groups` are the
    last look's contributions, `next_look` (µs) is when a look is due though nothing happens (0: never), `armed` says
    that the risk was low since the last warning, `lost_at` (µs) is when the customer was lost last, `loss` under what
    that was counted (`blame.Loss`; empty: it was not, or the customer has come back since).
    """

    stage: Stage = Stage.POTENTIAL
    looked_at: int = 0
    next_look: int = 0
    calm_log_odds: int | None = None
    log_odds: int | None = None
    groups: list[int] = []
    armed: bool = True
    cooldown_until: int = 0
    episodes: list[Episode] = []
    pending: list[Pending] = []
    counted: Counted | None = None
    lost_at: int = 0
    snoozed_until: int = 0
    muted_until: int = 0
    concern: Concern | None = None
    loss: str = ""

    def is_unhappy(self) -> bool:
        """Whether a service warning is open."""
        return self.concern is not None and not self.concern.ended_at

    def is_silent_arm(self) -> bool:
        """Whether the customer is watched in silence: nobody is told anything of them until that has its verdict."""
        return any(episode.holdout for episode in self.episodes)

    def open_warning(self) -> Episode | None:
        """The open episode, unless it is one that is watched in silence."""
        episode = self.open_episode()
        return None if episode is None or episode.holdout else episode

    def told_warning(self) -> Episode | None:
        """The open warning, where people have been told of it."""
        episode = self.open_warning()
        return episode if episode is not None and episode.raised else None

    def unraised(self) -> Episode | None:
        """The open warning, where nobody has been told of it."""
        episode = self.open_warning()
        return None if episode is None or episode.raised else episode

    def quiet_until(self) -> int:
        """Until when (µs) nothing new is to be said of the customer."""
        return max(self.snoozed_until, self.muted_until)

    def open_episode(self) -> Episode | None:
        """The episode that has not ended, if there is one (it is always the last)."""
        return self.episodes[-1] if self.episodes and not self.episodes[-1].ended_at else None


class CustomerState(Struct, array_like=True):
    """Facts and decisions of one id; `forward_to`, always the last, is set where the id turned out to be an alias."""

    version: int
    facts: Facts
    decisions: Decisions
    forward_to: str | None = None


class _HandedOver(Struct, array_like=True):
    """The facts of a handover, with a version in front: journals last longer than programs."""

    version: int
    facts: Facts


_NIL = 0xC0  # what msgpack ends on where the last field is None; no UTF-8 text ends on that byte
_ENCODER = msgspec.msgpack.Encoder()
_DECODER = msgspec.msgpack.Decoder(CustomerState)
_FACTS_DECODER = msgspec.msgpack.Decoder(_HandedOver)
_PAIR = 0x92  # a msgpack array of two, as handed-over facts begin
_LARGEST = 0x7F  # of a version: a one-byte integer


def new_state() -> CustomerState:
    """The state of an id nobody has heard of."""
    return CustomerState(VERSION, new_facts(), Decisions())


def encode_state(state: CustomerState) -> bytes:
    """The state as bytes; the same state always gives the same bytes."""
    return _ENCODER.encode(state)


def is_alias(body: bytes) -> bool:
    """Whether the bytes are the state of an alias, found out without decoding them."""
    return body[-1] != _NIL


def decode_state(body: bytes) -> CustomerState:
    """The state the bytes hold. Raises StateTooNewError where a newer version wrote them."""
    version = body[1]
    if not 1 <= version <= VERSION:  # the version is the first element, a one-byte integer
        raise StateTooNewError(
            f"the stored state has version {version}, this program knows {VERSION}: upgrade streamproc"
        )
    state = _DECODER.decode(body)
    state.version = VERSION
    return state


def encode_facts(facts: Facts) -> bytes:
    """Facts on their way to another id, as bytes; the same facts always give the same bytes."""
    return _ENCODER.encode(_HandedOver(VERSION, facts))


def decode_facts(body: bytes) -> Facts:
    """The facts the bytes hold.

    Raises StateTooNewError where a newer version wrote them, msgspec.DecodeError where they are none.
    """
    if body[:1] == bytes((_PAIR,)) and VERSION < body[1] <= _LARGEST:
        raise StateTooNewError(
            f"the facts handed over have version {body[1]}, this program knows {VERSION}: upgrade streamproc"
        )
    return _FACTS_DECODER.decode(body).facts
