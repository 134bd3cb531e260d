"""One customer's history: orders, trouble, leaving for a cause, perhaps coming back; and the truth of it."""

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
from streamproc.simulate.shop import chance, dice
from streamproc.simulate.world import World

_SURVEYED = 0.009  # shares of orders
_TALKED = 0.008
_SENT_BACK = 0.3  # share of faulty goods
_FULL_PRESSURE = 0.008  # hazard a day at which a customer counts as wholly unhappy
_TRIED_HAZARD = 0.04  # of leaving, a day, after an only order that was a try
_FADES_FIRST = 0.6  # share of those without a need who buy less before they stop
_FADING_HAZARD = 1 / 120
_TALKED_ABOUT = 0.5
_TERMINATES = 0.05
_TERMINATES_CONTRACT = 0.6
_CALLED = 0.2
_WON_BACK = 0.13
_WON_BACK_CALLED = 0.3
_FORGOTTEN = 400 * DAY  # by then e^-(400/75) = 0.5 % of a grievance is left
_HALF_YEAR = 182 * DAY
_FRIDAY = 4
_ONLINE = frozenset(("web", "app"))


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
            f',"silent_unhappy":{_json(self.silent_unhappy)},"won_back_at":{won_back}'
            f',"left_evidence":{_json(self.left_evidence)}}}'
        )
        return entry(self.left_at, TRUTH, line)


def _json(truth: bool) -> str:  # noqa: FBT001  a value to print, not a switch
    return "true" if truth else "false"


def history(world: World, number: int) -> list[bytes]:
    """All events and departures of the customer of that number, as entries in no order."""
    rng = dice(world.shop.seed, number)
    person = draw_person(world, number, rng)
    pen = Pen(person.name, world.ends)
    _Life(world, person, pen, rng).live()
    return pen.entries


class _Life:
    """The customer as time goes by: `at` (µs) is the present order, `grievances` what weighs.

    `strikes` are what the world will do, of which the first `met` lie behind; `pressure` (0-1) is how much
    weighs; `fading`: the need is going.
    """

    __slots__ = (
        "at", "desk", "fading", "grievances", "last_purchase_at", "met", "orders", "pen", "person",
        "pressure", "rng", "strikes", "till", "world",
    )  # fmt: skip

    def __init__(self, world: World, person: Person, pen: Pen, rng: Random) -> None:
        self.world, self.person, self.pen, self.rng = world, person, pen, rng
        self.till = Till(world, person, pen, rng)
        self.desk = Desk(person, pen, rng)
        self.strikes = strikes_of(world, person, rng)
        self.met = 0
        self.grievances: list[Grievance] = []
        self.pressure = 0.0
        self.fading = False
        self.orders = 0
        self.at = person.arrives_at
        self.at = self.last_purchase_at = self._opening_hour(person.arrives_at)

    def live(self) -> None:
        """From the first order to the end of the days, or to leaving for good."""
        introduce(self.world, self.person, self.pen, self.at, self.rng)
        if self.person.prospect:
            return
        while self.at < self.world.ends:
            self._buy()
            following = self._opening_hour(self.at + self._gap())
            reason = self._reason_to_leave(following)
            if reason is None or not self.orders:
                self.at = following
            elif (back := self._leave(*reason)) is None:
                return
            else:
                self.at = back
                self.grievances.clear()
                self.fading = False

    # ------------------------------------------------------------------------------ buying

    def _buy(self) -> None:
        rng, at, person = self.rng, self.at, self.person
        self.pressure = self._pressure() if self.grievances else 0.0
        appetite = (0.8 if self.fading else 1.0) * (1 - 0.3 * self.pressure)
        stands, amount = self.till.order(at, appetite, self.pressure)
        if not stands:
            return
        self.orders += 1
        self.last_purchase_at = at
        returned = 1 - person.wallet.returns
        dial = rng.random()
        if dial < person.temper.trouble:
            grievance = fresh_grievance(at, rng)
            if grievance.cause == "quality" and chance(rng, _SENT_BACK):
                grievance.evidence = self.till.give_back(at, amount)
            self.desk.hear(grievance)
            self.grievances.append(grievance)
            self.pressure = self._pressure()
        elif dial > returned:
            self.till.give_back(at, amount)
        elif dial > returned - _SURVEYED:
            self.desk.survey(at, self.pressure)
        elif dial > returned - _SURVEYED - _TALKED:
            self.desk.interest(at + DAY)

    def _gap(self) -> int:
        """Time (µs) to the next order: gamma; shorter in season, longer under pressure."""
        rhythm = self.person.rhythm
        gap = self.rng.gammavariate(rhythm.shape, rhythm.gap / rhythm.shape)
        gap /= 1 + rhythm.swing * cos(tau * (day_of(self.at) - rhythm.peak) / 365.25)
        gap *= 1 + 0.8 * self.pressure
        if self.fading:
            gap *= 1.8
        if self.person.wallet.price_loyal and self.at >= self.world.discounts_end_at:
            gap *= 2.0
        return int(gap * DAY)

    def _opening_hour(self, at: int) -> int:
        """When an order due at `at` is placed: by firms on weekdays, by consumers often on a Saturday.

        Nobody orders online in an outage, and orders are ten minutes apart at least.
        """
        rng, kind = self.rng, self.person.kind
        day = day_of(at)
        weekday = (day + 3) % 7
        if kind is CONSUMER:
            if weekday < _FRIDAY and chance(rng, self.person.rhythm.weekend):
                day += _FRIDAY + 1 - weekday
        elif weekday > _FRIDAY:
            day += 7 - weekday
        opens, closes = kind.hours
        hour = opens + (closes - opens) * (rng.random() + rng.random()) / 2
        when = max(day * DAY + int(hour * 3600) * SECOND, self.at // SECOND * SECOND + 600 * SECOND)
        if self.person.channel in _ONLINE and (until := self.world.outage_until(when)) is not None:
            return until + rng.randrange(3600) * SECOND
        return when

    # ------------------------------------------------------------------------------ leaving

    def _pressure(self) -> float:
        """How much weighs on the customer now, 0-1."""
        return min(1.0, sum([grievance.left_over(self.at) for grievance in self.grievances]) / _FULL_PRESSURE)

    def _meet_strikes(self, until: int) -> None:
        """What the world does to the customer between the present order and `until` (µs)."""
        while self.met < len(self.strikes) and self.strikes[self.met].at < until:
            strike = self.strikes[self.met]
            self.met += 1
            if strike.at < self.at:
                continue  # what happened while the customer was away is no grievance
            if strike.cause == "market_control" or (not strike.evidence and chance(self.rng, _TALKED_ABOUT)):
                self.desk.hear(strike)
            self.grievances.append(strike)

    def _reason_to_leave(self, following: int) -> tuple[Grievance | None, int] | None:
        """Over what (None: nothing) and when the customer leaves before `following`, if so."""
        if self.grievances and self.grievances[0].at < self.at - _FORGOTTEN:
            del self.grievances[0]
        self._meet_strikes(following)
        tried = self.orders == 1 and self.person.temper.one_timer
        drift = _TRIED_HAZARD if tried else _FADING_HAZARD if self.fading else self.person.temper.drift
        hazards = [drift * (following - self.at) / DAY]
        if self.grievances:
            hazards += [grievance.risk(self.at, following) for grievance in self.grievances]
        rng = self.rng
        if not chance(rng, 1 - exp(-sum(hazards))):
            return None
        blamed: Grievance | None = rng.choices([None, *self.grievances], hazards)[0]
        if blamed is None and not self.fading and not tried and chance(rng, _FADES_FIRST):
            self.fading = True  # the need goes first, the customer later
            return None
        since = self.at if blamed is None else max(self.at, blamed.at)
        left_at = since + int((following - since) * rng.uniform(0.05, 0.95)) // SECOND * SECOND
        return blamed, min(left_at + SECOND, following - SECOND)

    def _leave(self, blamed: Grievance | None, left_at: int) -> int | None:
        """Write the farewell and the truth; answers when (µs) the customer buys again, None for never."""
        if left_at >= self.world.ends:
            return None
        cause: Cause = "natural" if blamed is None else blamed.cause
        evidence = blamed is not None and (blamed.evidence or self._saw_raid(blamed))
        ends_it = chance(self.rng, _TERMINATES_CONTRACT if self.person.contract else _TERMINATES)
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

    def _saw_raid(self, blamed: Grievance) -> bool:
        """Whether an order went to the dealer from elsewhere, which the feed shows by region and dealer."""
        return blamed.cause == "market_control" and (self.till.raided_at or 0) > blamed.at

    def _come_back(self, left_at: int) -> int | None:
        rng = self.rng
        called = chance(rng, _CALLED)
        won = chance(rng, _WON_BACK_CALLED if called else _WON_BACK)
        if called:
            self.desk.call_back(left_at + rng.randrange(20, 80) * DAY, saved=won)
        back = self._opening_hour(left_at + rng.randrange(90, 330) * DAY)
        return back if won and back < self.world.ends else None
