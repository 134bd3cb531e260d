"""What the desk does at the end of a tick, once every partition's summary of that tick is in.

Today it raises every would-warn; what the base's figures mean for grades is decided here, for all partitions alike.
"""

from typing import NamedTuple

from msgspec import Struct, field

from streamproc.core.alerts import Alert
from streamproc.core.control import Disposition
from streamproc.core.population import grade_thresholds
from streamproc.desk.alerts import Watch, watch_tick
from streamproc.desk.warning import Entry, Money, entry_of, raised, warning_of
from streamproc.monitor.effects import Effect, EpisodeChanged, Totals, Verdict, WouldWarn


class Desk(Struct):
    """The desk's state: the thresholds it last announced, and those that the next tick is to carry."""

    money: Money
    live: bool = False
    announced: tuple[int, int, int] | None = None
    grades: tuple[int, int, int] | None = None
    watch: Watch = field(default_factory=Watch)

    def news(self) -> tuple[int, int, int] | None:
        """Thresholds that no tick has carried yet, None if there are none; they count as announced from now on."""
        if self.grades == self.announced:
            return None
        self.announced = self.grades
        return self.grades


class Answer(NamedTuple):
    """What the desk adds to the feed, what it writes to the journal, and the alerts' lines."""

    entries: list[Entry]
    records: list[Disposition]
    alerts: list[Alert]


def end_of_tick(desk: Desk, at: int, effects: list[Effect], base: Totals | None) -> Answer:
    """Answers one tick's effects, sorted by customer; `base` are all partitions' totals where they are due."""
    entries: list[Entry] = []
    records: list[Disposition] = []
    for effect in effects:
        if isinstance(effect, WouldWarn):
            warning = warning_of(effect, desk.money, history=not desk.live)
            entries.append(raised(warning))
            records.append(Disposition(at=at, customer_id=effect.customer_id, warning_id=effect.id, outcome="raised"))
        elif isinstance(effect, EpisodeChanged | Verdict):
            entries.append(entry_of(effect, desk.money, history=not desk.live))
    if base is not None:
        desk.grades = grade_thresholds(base.contribution) or desk.grades
    alerts = watch_tick(desk.watch, at, effects, base, history=not desk.live)
    return Answer(entries, records, alerts)
