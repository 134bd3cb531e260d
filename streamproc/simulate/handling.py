"""What customer and firm do about a grievance: complaints with a life, contacts, surveys, farewells."""

from random import Random
from typing import Final

from streamproc.core.time import DAY, HOUR, SECOND
from streamproc.simulate.grievances import Cause, Grievance
from streamproc.simulate.person import Person
from streamproc.simulate.records import COMPLAINTS, CONTACTS, Pen, Value, members
from streamproc.simulate.shop import chance

_TEXTS: Final[dict[Cause, str]] = {
    "quality": "arrived broken, again",
    "innovation": "is there anything new in this range",
    "service": "nobody could tell me what happens next",
    "market_control": "another dealer offers your goods below my price",
    "staff_departure": "who looks after us now",
    "competitor": "we have a better offer",
    "short_term_conduct": "you promised delivery by Friday",
    "price": "too expensive for what it is",
    "inconvenience": "the shop is too far, and the site was down",
    "natural": "no longer needed",
}
_DESKS = ("desk-1", "desk-2", "desk-3")
_ASKED_AS_INQUIRY = frozenset(("innovation", "market_control", "price"))
_SAYS_WHY = 0.5
_POOR = 3  # a resolution score up to this leaves the customer unhappy
_DELIGHTED = 9.0

# What becomes of a grievance's strength.
_UNSAID = 1.3  # what is not said cannot be put right
_UNSOLVED = 1.9
_REOPENED = 1.4
_SOLVED_POORLY = 1.1
_SOLVED_LATE = 0.5
_SOLVED_WELL = 0.15
_TAKEN_BACK = 0.7


class Desk:
    """Hears one customer and writes down what is said.

    `complained_at` (µs) is when the customer last complained, None for never.
    """

    __slots__ = ("_pen", "_person", "_rng", "complained_at")

    def __init__(self, person: Person, pen: Pen, rng: Random) -> None:
        self._person, self._pen, self._rng = person, pen, rng
        self.complained_at: int | None = None

    def hear(self, grievance: Grievance) -> None:
        """The customer complains, asks, or says nothing; the grievance's strength and evidence follow."""
        rng, temper = self._rng, self._person.temper
        if grievance.cause == "competitor":
            if chance(rng, _SAYS_WHY):
                self._offer_elsewhere(grievance)
        elif chance(rng, temper.complains):
            self._complain(grievance)
        elif chance(rng, temper.asks):
            self._ask(grievance)
        else:
            grievance.strength *= _UNSAID

    # -------------------------------------------------------------------------- complaints

    def _complain(self, grievance: Grievance) -> None:
        rng = self._rng
        complaint = members(complaint_id=f"k{self._pen.next_ref()}")
        opened = self._soon(grievance.at, 2.0)
        owner = members(owner=rng.choice(_DESKS))
        told = members(
            status="opened",
            category=grievance.cause,
            severity=min(5, 1 + int(grievance.strength * 500 * rng.uniform(0.6, 1.4))),
            channel=rng.choice(("phone", "email", "web")),
            text=_TEXTS[grievance.cause] if chance(rng, 0.3) else None,
        )
        grievance.evidence |= self._pen.put(opened, COMPLAINTS, complaint + told + owner)
        self.complained_at = opened
        grievance.strength *= self._handle(complaint, owner, opened)

    def _handle(self, complaint: str, owner: str, opened: int) -> float:
        """The firm's part of a complaint; answers the factor on the grievance."""
        rng, pen = self._rng, self._pen
        heard = opened + int(rng.lognormvariate(2.0, 1.0) * HOUR) // SECOND * SECOND
        if chance(rng, 0.05):
            pen.put(opened + DAY, COMPLAINTS, f'{complaint},"status":"withdrawn"{owner}')
            return _TAKEN_BACK
        pen.put(heard, COMPLAINTS, f'{complaint},"status":"acknowledged"{owner}')
        if chance(rng, 0.14):
            return _UNSOLVED
        solved = self._soon(heard, 3.0)
        quick = solved - opened < 3 * DAY
        score = _clip(round(rng.gauss(4.1 if quick else 2.8, 0.9)), 1, 5)
        self._solve(complaint, owner, solved, score)
        if score <= _POOR:
            if not chance(rng, 0.3):
                return _SOLVED_POORLY
            again = self._soon(solved, 3.0)
            pen.put(again, COMPLAINTS, f'{complaint},"status":"reopened"{owner}')
            self._solve(complaint, owner, self._soon(again, 4.0), score + 1)
            return _REOPENED
        return _SOLVED_WELL if quick else _SOLVED_LATE

    def _solve(self, complaint: str, owner: str, at: int, score: int) -> None:
        found = members(status="resolved", valid=chance(self._rng, 0.85), resolution_score=score)
        self._pen.put(at, COMPLAINTS, complaint + found + owner)

    # ---------------------------------------------------------------------------- contacts

    def _ask(self, grievance: Grievance) -> None:
        rng = self._rng
        solved = chance(rng, 0.6)
        grievance.evidence |= self._contact(
            self._soon(grievance.at, 1.5),
            direction="in",
            channel=rng.choice(("phone", "chat", "email")),
            purpose="inquiry" if grievance.cause in _ASKED_AS_INQUIRY else "support",
            result="resolved" if solved else "unresolved",
            perceived=self._grade(7.5 if solved else 3.5, 1.5),
            expected=self._grade(7.5, 1.0, at_least=3.0),
            wait_s=int(rng.lognormvariate(6.3 if grievance.cause == "service" else 4.5, 0.8)),
            staff_id=rng.choice(_DESKS),
            text=_TEXTS[grievance.cause] if chance(rng, _SAYS_WHY) else None,
        )
        grievance.strength *= 0.45 if solved else 1.5

    def _offer_elsewhere(self, grievance: Grievance) -> None:
        rng = self._rng
        saved = chance(rng, 0.35)
        grievance.evidence |= self._contact(
            self._soon(grievance.at, 4.0),
            direction="in",
            channel=rng.choice(("phone", "email")),
            purpose=rng.choice(("inquiry", "sales", "support")),
            result="saved" if saved else "unresolved",
            competitor=True,
            text=_TEXTS["competitor"] if chance(rng, _SAYS_WHY) else None,
        )
        grievance.strength *= 0.4 if saved else 1.2

    def survey(self, at: int, pressure: float) -> None:
        """The firm asks how it was; `pressure` (0-1) is how much weighs on the customer."""
        answered = chance(self._rng, 0.7)
        perceived = self._grade(8.0 - 5.0 * pressure, 1.2)
        expected = self._grade(7.5, 1.0, at_least=3.0)
        tells_others = answered and perceived > _DELIGHTED and chance(self._rng, 0.5)
        self._contact(
            self._soon(at, 5.0),
            direction="out",
            channel="email",
            purpose="survey",
            result="resolved" if answered else "no_answer",
            perceived=perceived if answered else None,
            expected=expected if answered else None,
            referral=True if tells_others else None,
        )

    def interest(self, at: int) -> None:
        """A question or a sales talk that has nothing to do with trouble."""
        inward = chance(self._rng, 0.6)
        self._contact(
            at,
            direction="in" if inward else "out",
            channel=self._rng.choice(("phone", "email", "web")),
            purpose="inquiry" if inward else "sales",
            result=self._rng.choice(("resolved", "resolved", "no_answer")),
        )

    def terminate(self, at: int, cause: Cause) -> bool:
        """The customer says so and goes; answers whether the cause was said."""
        says = chance(self._rng, _SAYS_WHY)
        written = self._contact(
            at,
            direction="in",
            channel=self._rng.choice(("phone", "email", "web")),
            purpose="cancellation",
            result="terminated",
            competitor=True if says and cause == "competitor" else None,
            text=_TEXTS[cause] if says else None,
        )
        return written and says

    def call_back(self, at: int, *, saved: bool) -> None:
        """The firm tries to win the customer back."""
        result = "saved" if saved else "no_answer"
        self._contact(at, direction="out", channel="phone", purpose="retention", result=result)

    def _contact(self, at: int, **said: Value) -> bool:
        return self._pen.put(at, CONTACTS, members(contact_id=f"t{self._pen.next_ref()}", **said))

    def _soon(self, at: int, days: float) -> int:
        """An hour after `at` at the earliest, `days` later on average (µs)."""
        return at + int(self._rng.expovariate(1 / days) * DAY) // SECOND * SECOND + HOUR

    def _grade(self, mean: float, spread: float, at_least: float = 0.0) -> float:
        return round(min(10.0, max(at_least, self._rng.gauss(mean, spread))), 1)


def _clip(value: int, least: int, most: int) -> int:
    return min(most, max(least, value))
