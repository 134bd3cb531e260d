"""What customer and firm do about a grievance: complaints with a life, contacts, surveys, farewells."""

from random import Random

from streamproc.core.time import DAY, HOUR, SECOND
from streamproc.simulate.grievances import Grievance
from streamproc.simulate.person import Person
from streamproc.simulate.records import COMPLAINTS, CONTACTS, Pen, members

_TEXTS = {
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
_SAYS_COMPETITOR = 0.5


class Desk:
    """Hears one customer. Each method writes what is said and answers by how much the grievance grows or shrinks."""

    __slots__ = ("_pen", "_person", "_rng", "complained_at")

    def __init__(self, person: Person, pen: Pen, rng: Random) -> None:
        self._person, self._pen, self._rng = person, pen, rng
        self.complained_at: int | None = None

    def hear(self, grievance: Grievance) -> None:
        """The customer complains, asks, or says nothing; the grievance's strength and evidence follow."""
        rng, temper = self._rng, self._person.temper
        dial = rng.random()
        if grievance.cause == "competitor":
            if dial < _SAYS_COMPETITOR:
                self._offer_elsewhere(grievance)
        elif dial < temper.complains:
            self._complain(grievance)
        elif dial < temper.complains + (1 - temper.complains) * temper.asks:
            self._ask(grievance)
        else:
            grievance.strength *= 1.3  # what is not said cannot be put right

    def _soon(self, at: int, days: float) -> int:
        return at + int(self._rng.expovariate(1 / days) * DAY) // SECOND * SECOND + HOUR

    def _complain(self, grievance: Grievance) -> None:
        rng = self._rng
        complaint = members(complaint_id=f"k{self._pen.next_ref()}")
        opened = self._soon(grievance.at, 2.0)
        owner = members(owner=rng.choice(_DESKS))
        severity = min(5, 1 + int(grievance.strength * 600 * rng.uniform(0.6, 1.4)))
        told = members(
            status="opened",
            category=grievance.cause,
            severity=severity,
            channel=rng.choice(("phone", "email", "web")),
            text=_TEXTS[grievance.cause] if rng.random() < 0.3 else None,
        )
        grievance.evidence |= self._pen.put(opened, COMPLAINTS, complaint + told + owner)
        grievance.complained = True
        self.complained_at = opened
        grievance.strength *= self._handle(complaint, owner, opened)

    def _handle(self, complaint: str, owner: str, opened: int) -> float:
        """The firm's part of a complaint; answers the factor on the grievance."""
        rng, pen = self._rng, self._pen
        heard = opened + int(rng.lognormvariate(2.0, 1.0) * HOUR) // SECOND * SECOND
        if rng.random() < 0.05:
            pen.put(opened + DAY, COMPLAINTS, f'{complaint},"status":"withdrawn"{owner}')
            return 0.7
        pen.put(heard, COMPLAINTS, f'{complaint},"status":"acknowledged"{owner}')
        if rng.random() < 0.14:
            return 1.9  # never solved
        solved = self._soon(heard, 3.0)
        quick = solved - opened < 3 * DAY
        score = min(5, max(1, round(rng.gauss(4.1 if quick else 2.8, 0.9))))
        self._solve(complaint, owner, solved, score)
        if score <= 3 and rng.random() < 0.3:
            again = self._soon(solved, 3.0)
            pen.put(again, COMPLAINTS, f'{complaint},"status":"reopened"{owner}')
            self._solve(complaint, owner, self._soon(again, 4.0), min(5, score + 1))
            return 1.4
        return 0.15 if quick and score > 3 else 0.5 if score > 3 else 1.1

    def _solve(self, complaint: str, owner: str, at: int, score: int) -> None:
        found = members(status="resolved", valid=self._rng.random() < 0.85, resolution_score=score)
        self._pen.put(at, COMPLAINTS, complaint + found + owner)

    def _contact(self, at: int, body: str) -> bool:
        return self._pen.put(at, CONTACTS, members(contact_id=f"t{self._pen.next_ref()}") + body)

    def _ask(self, grievance: Grievance) -> None:
        rng = self._rng
        solved = rng.random() < 0.6
        expected = min(10.0, max(3.0, rng.gauss(7.5, 1.0)))
        body = members(
            direction="in",
            channel=rng.choice(("phone", "chat", "email")),
            purpose="inquiry" if grievance.cause in {"innovation", "market_control", "price"} else "support",
            result="resolved" if solved else "unresolved",
            perceived=round(min(10.0, max(0.0, rng.gauss(7.5 if solved else 3.5, 1.5))), 1),
            expected=round(expected, 1),
            wait_s=int(rng.lognormvariate(4.5 if grievance.cause != "service" else 6.3, 0.8)),
            staff_id=rng.choice(_DESKS),
            text=_TEXTS[grievance.cause] if rng.random() < 0.5 else None,
        )
        grievance.evidence |= self._contact(self._soon(grievance.at, 1.5), body)
        grievance.strength *= 0.45 if solved else 1.5

    def _offer_elsewhere(self, grievance: Grievance) -> None:
        rng = self._rng
        saved = rng.random() < 0.35
        body = members(
            direction="in",
            channel=rng.choice(("phone", "email")),
            purpose=rng.choice(("inquiry", "sales", "support")),
            result="saved" if saved else "unresolved",
            competitor=True,
            text=_TEXTS["competitor"] if rng.random() < 0.5 else None,
        )
        grievance.evidence |= self._contact(self._soon(grievance.at, 4.0), body)
        grievance.strength *= 0.4 if saved else 1.2

    def survey(self, at: int, pressure: float) -> None:
        """The firm asks how it was; `pressure` (0-1) is how much weighs on the customer."""
        rng = self._rng
        answered = rng.random() < 0.7
        perceived = min(10.0, max(0.0, rng.gauss(8.0 - 5.0 * pressure, 1.2)))
        body = members(
            direction="out",
            channel="email",
            purpose="survey",
            result="resolved" if answered else "no_answer",
            perceived=round(perceived, 1) if answered else None,
            expected=round(min(10.0, max(3.0, rng.gauss(7.5, 1.0))), 1) if answered else None,
            referral=True if answered and perceived > 9 and rng.random() < 0.5 else None,
        )
        self._contact(self._soon(at, 5.0), body)

    def interest(self, at: int) -> None:
        """A question or a sales talk that has nothing to do with trouble."""
        rng = self._rng
        inward = rng.random() < 0.6
        body = members(
            direction="in" if inward else "out",
            channel=rng.choice(("phone", "email", "web")),
            purpose="inquiry" if inward else "sales",
            result=rng.choice(("resolved", "resolved", "no_answer")),
        )
        self._contact(at, body)

    def terminate(self, at: int, cause: str) -> bool:
        """The customer says so and goes; answers whether the cause was said."""
        rng = self._rng
        says = rng.random() < _SAYS_COMPETITOR
        body = members(
            direction="in",
            channel=rng.choice(("phone", "email", "web")),
            purpose="cancellation",
            result="terminated",
            competitor=True if says and cause == "competitor" else None,
            text=_TEXTS[cause] if says else None,
        )
        return self._contact(at, body) and says

    def call_back(self, at: int, *, saved: bool) -> None:
        """The firm tries to win the customer back."""
        body = members(
            direction="out", channel="phone", purpose="retention", result="saved" if saved else "no_answer"
        )
        self._contact(at, body)
