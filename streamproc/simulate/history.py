"""One customer's history: orders at their rhythm, trouble, handling, leaving, sometimes coming back; and its truth."""

from dataclasses import dataclass
from math import cos, exp, tau
from random import Random

from streamproc.core.time import DAY, SECOND, day_of
from streamproc.simulate.grievances import Cause, Grievance, fresh_grievance, strikes_of
from streamproc.simulate.handling import Desk
from streamproc.simulate.introduction import introduce
from streamproc.simulate.orders import Till
from streamproc.simulate.person import CONSUMER, Person, draw_person
from streamproc.simulate.records import TRUTH, Pen, clock_text, entry
from streamproc.simulate.shop import dice
from streamproc.simulate.world import World

_SURVEYED = 0.012  # shares of orders
_TALKED = 0.008
_FULL_PRESSURE = 0.008  # hazard a day at which a customer counts as wholly unhappy
_FADING_HAZARD = 1 / 120
_TRIED_HAZARD = 0.04
_WON_BACK = 0.13
_WON_BACK_CALLED = 0.3
_CALLED = 0.2
_TERMINATES = 0.05
_TERMINATES_CONTRACT = 0.6
_HALF = 0.5
_HALF_YEAR = 182 * DAY


@dataclass(frozen=True, slots=True)
class Departure:
    """The truth about one leaving; times in µs. `won_back_at` is None if the customer never bought again."""

    customer_id: str
    left_at: int
    cause: Cause
    last_purchase_at: int
    silent_unhappy: bool
    won_back_at: int | None
    left_evidence: bool

    def to_entry(self) -> bytes:
        """The line of truth.jsonl as an entry."""
        won_back = "null" if self.won_back_at is None else f'"{clock_text(self.won_back_at)}"'
        line = (
            f'{{"customer_id":"{self.customer_id}","left_at":"{clock_text(self.left_at)}","cause":"{self.cause}"'
            f',"last_purchase_at":"{clock_text(self.last_purchase_at)}"'
            f',"silent_unhappy":{"true" if self.silent_unhappy else "false"},"won_back_at":{won_back}'
            f',"left_evidence":{"true" if self.left_evidence else "false"}}}'
        )
        return entry(self.left_at, TRUTH, line)


def history(world: World, number: int) -> list[bytes]:
    """All events and departures of the customer of that number, as entries in no order."""
    rng = dice(world.shop.seed, number)
    person = draw_person(world, number, rng)
    pen = Pen(person.name, world.ends)
    _Life(world, person, pen, rng).live()
    return pen.entries


class _Life:
    """The customer as time goes by: `at` is the present order, `grievances` what weighs."""

    __slots__ = (
        "at", "desk", "fading", "grievances", "last_purchase_at", "orders", "pen", "person", "rng", "strikes",
        "struck", "till", "world",
    )  # fmt: skip

    def __init__(self, world: World, person: Person, pen: Pen, rng: Random) -> None:
        self.world, self.person, self.pen, self.rng = world, person, pen, rng
        self.till = Till(world, person, pen, rng)
        self.desk = Desk(person, pen, rng)
        self.strikes = strikes_of(world, person, rng)
        self.struck = 0
        self.grievances: list[Grievance] = []
        self.fading = False
        self.orders = 0
        self.at = self.last_purchase_at = person.arrives_at
        self.at = self._opening_hour(person.arrives_at)

    def live(self) -> None:
        """From the first order to the end of the days, or to leaving for good."""
        introduce(self.world, self.person, self.pen, self.at, self.rng)
        while self.at < self.world.ends:
            self._buy()
            following = self._opening_hour(self.at + self._gap())
            if (cause := self._reason_to_leave(following)) is None:
                self.at = following
            elif (back := self._leave(*cause, following)) is None:
                return
            else:
                self.at = back
                self.grievances.clear()
                self.fading = False

    # ------------------------------------------------------------------------------ buying

    def _buy(self) -> None:
        rng, at, temper = self.rng, self.at, self.person.temper
        pressure = self._pressure(at) if self.grievances else 0.0
        appetite = (0.8 if self.fading else 1.0) * (1 - 0.3 * pressure)
        stands, amount = self.till.order(at, appetite, pressure)
        if not stands:
            return
        self.orders += 1
        self.last_purchase_at = at
        dial = rng.random()
        if dial < temper.trouble:
            grievance = fresh_grievance(at, rng)
            self._feel(grievance)
            if grievance.cause == "quality" and rng.random() < 0.3:
                self.till.give_back(at, amount)
                grievance.evidence = True
        elif dial > 1 - self.person.wallet.returns:
            self.till.give_back(at, amount)
        elif dial > 1 - self.person.wallet.returns - _SURVEYED:
            self.desk.survey(at, pressure)
        elif dial > 1 - self.person.wallet.returns - _SURVEYED - _TALKED:
            self.desk.interest(at + DAY)

    def _gap(self) -> int:
        """Time (µs) to the next order: gamma, faster in season, slower under pressure or when the need fades."""
        rhythm = self.person.rhythm
        gap = self.rng.gammavariate(rhythm.shape, rhythm.gap / rhythm.shape)
        gap /= 1 + rhythm.swing * cos(tau * (day_of(self.at) - rhythm.peak) / 365.25)
        if self.grievances:
            gap *= 1 + 0.8 * self._pressure(self.at)
        if self.fading:
            gap *= 1.8
        return int(gap * DAY)

    def _opening_hour(self, at: int) -> int:
        """The instant of an order that is due at `at`: a weekday for firms, often a Saturday for consumers."""
        rng = self.rng
        kind = self.person.kind
        day = day_of(at)
        weekday = (day + 3) % 7
        if kind is CONSUMER:
            if weekday < 4 and rng.random() < self.person.rhythm.weekend:
                day += 5 - weekday
        elif weekday > 4:
            day += 7 - weekday
        opens, closes = kind.hours
        hour = opens + (closes - opens) * (rng.random() + rng.random()) / 2
        when = day * DAY + int(hour * 3600) * SECOND
        return max(when, self.at // SECOND * SECOND + 600 * SECOND)

    # ------------------------------------------------------------------------------ leaving

    def _pressure(self, at: int) -> float:
        """How much weighs on the customer at `at`, 0-1."""
        return min(1.0, sum(grievance.left_over(at) for grievance in self.grievances) / _FULL_PRESSURE)

    def _feel(self, grievance: Grievance) -> None:
        self.desk.hear(grievance)
        self.grievances.append(grievance)

    def _reason_to_leave(self, following: int) -> tuple[Grievance | None, int] | None:
        """Whether the customer leaves before the order due at `following`: over which grievance (None: none), when."""
        while self.struck < len(self.strikes) and self.strikes[self.struck].at < following:
            strike = self.strikes[self.struck]
            self.struck += 1
            if strike.at >= self.at:
                self._strike(strike)
        rng, temper = self.rng, self.person.temper
        drift = _FADING_HAZARD if self.fading else temper.drift
        tried = temper.one_timer and self.orders == 1
        if tried:
            drift = _TRIED_HAZARD
        hazards = [drift * (following - self.at) / DAY]
        hazards += [grievance.risk(self.at, following) for grievance in self.grievances]
        if rng.random() >= 1 - exp(-sum(hazards)):
            return None
        blamed: Grievance | None = rng.choices([None, *self.grievances], hazards)[0]
        if blamed is None and not self.fading and not tried and rng.random() < 0.6:
            self.fading = True  # the need goes first, the customer later
            return None
        since = self.at if blamed is None else max(self.at, blamed.at)
        left_at = since + int((following - since) * rng.uniform(0.05, 0.95)) // SECOND * SECOND + SECOND
        return blamed, min(left_at, following - SECOND)

    def _strike(self, strike: Grievance) -> None:
        """The world does something to the customer; some of it is talked about."""
        rng = self.rng
        if strike.cause in {"price", "staff_departure"}:
            self.grievances.append(strike)  # the firm's own facts tell of it
        elif strike.cause == "market_control":
            strike.evidence = self.till.raided_at is not None
            self._feel(strike)
        elif rng.random() < _HALF:
            self._feel(strike)
        else:
            self.grievances.append(strike)

    def _leave(self, blamed: Grievance | None, left_at: int, following: int) -> int | None:
        """Write the farewell and the truth; answers when (µs) the customer buys again, None for never."""
        if left_at >= self.world.ends:
            return None if following >= self.world.ends else following
        rng = self.rng
        cause: Cause = "natural" if blamed is None else blamed.cause
        evidence = blamed is not None and (blamed.evidence or self._raided(blamed))
        ends_it = rng.random() < (_TERMINATES_CONTRACT if self.person.contract else _TERMINATES)
        if ends_it:
            evidence |= self.desk.terminate(left_at, cause) and blamed is not None
        spoke = self.desk.complained_at is not None and self.desk.complained_at > left_at - _HALF_YEAR
        back = self._come_back(left_at)
        departure = Departure(
            customer_id=self.person.name,
            left_at=left_at,
            cause=cause,
            last_purchase_at=self.last_purchase_at,
            silent_unhappy=blamed is not None and not spoke and not ends_it,
            won_back_at=back,
            left_evidence=evidence,
        )
        self.pen.entries.append(departure.to_entry())
        return back

    def _raided(self, blamed: Grievance) -> bool:
        return blamed.cause == "market_control" and (self.till.raided_at or 0) > blamed.at

    def _come_back(self, left_at: int) -> int | None:
        rng = self.rng
        called = rng.random() < _CALLED
        won = rng.random() < (_WON_BACK_CALLED if called else _WON_BACK)
        if called:
            self.desk.call_back(left_at + rng.randrange(20, 80) * DAY, saved=won)
        back = self._opening_hour(left_at + rng.randrange(90, 330) * DAY)
        return back if won and back < self.world.ends else None
