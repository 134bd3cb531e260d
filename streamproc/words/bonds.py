"""What ties a customer to the firm, as lines of a name and a text: satisfaction, service, loyalty, discontent."""

from collections.abc import Callable, Sequence
from typing import NamedTuple, Protocol

from streamproc.words.language import Words

HOUR_S = 3_600


class Satisfaction(Protocol):
    """What was perceived over what was expected; None: unmeasured."""

    @property
    def transaction(self) -> float | None:
        """The last answer's."""
        ...

    @property
    def told_at(self) -> str | None:
        """When that was."""
        ...

    @property
    def cumulative(self) -> float | None:
        """All answers', by age, corrected."""
        ...

    @property
    def uncorrected(self) -> float | None:
        """Before the correction."""
        ...

    @property
    def surveys(self) -> int:
        """How many answers."""
        ...

    @property
    def valid_complaints(self) -> int:
        """Of a year."""
        ...

    @property
    def returns(self) -> int:
        """Of a year."""
        ...

    @property
    def orders(self) -> int:
        """Of a year."""
        ...


class Service(Protocol):
    """The four properties; None: unmeasured."""

    @property
    def mean_wait_s(self) -> float | None:
        """Seconds."""
        ...

    @property
    def mean_answer_s(self) -> float | None:
        """Seconds."""
        ...

    @property
    def accurate(self) -> float | None:
        """Share solved the first time."""
        ...

    @property
    def ended(self) -> int:
        """Of how many."""
        ...

    @property
    def spread(self) -> float | None:
        """Points."""
        ...

    @property
    def surveys(self) -> int:
        """Of how many."""
        ...

    @property
    def reliable(self) -> float | None:
        """Share neither reopened nor repeated."""
        ...

    @property
    def complaints(self) -> int:
        """Of how many."""
        ...


class Criterion(Protocol):
    """One criterion of loyalty."""

    @property
    def criterion(self) -> str:
        """Its code."""
        ...

    @property
    def score(self) -> float | None:
        """0-1, None: unmeasured."""
        ...

    @property
    def figure(self) -> float | None:
        """What it rests on."""
        ...

    @property
    def of(self) -> int:
        """Of how many things."""
        ...


class Condition(Protocol):
    """What a kind of loyalty was named for."""

    @property
    def measure(self) -> str:
        """Its code."""
        ...

    @property
    def value(self) -> float:
        """As measured."""
        ...


class Sign(Protocol):
    """A sign of discontent."""

    @property
    def sign(self) -> str:
        """Its code."""
        ...

    @property
    def at(self) -> str:
        """When."""
        ...


class Loyalty(Protocol):
    """The criteria and the kind."""

    @property
    def criteria(self) -> Sequence[Criterion]:
        """All five."""
        ...

    @property
    def kind(self) -> str | None:
        """None: not enough to say."""
        ...

    @property
    def because(self) -> Sequence[Condition]:
        """What speaks for the kind."""
        ...


class Discontent(Protocol):
    """Whether the customer is silent and unhappy."""

    @property
    def silent_and_unhappy(self) -> bool:
        """Enough signs."""
        ...

    @property
    def signs(self) -> Sequence[Sign]:
        """What shows it."""
        ...


class Bond(Protocol):
    """All of it."""

    @property
    def satisfaction(self) -> Satisfaction:
        """How content."""
        ...

    @property
    def service(self) -> Service:
        """How well served."""
        ...

    @property
    def loyalty(self) -> Loyalty:
        """How loyal."""
        ...

    @property
    def discontent(self) -> Discontent:
        """Silent and unhappy."""
        ...


class Line(NamedTuple):
    """A name and what is said of it."""

    name: str
    text: str


def bond_lines(words: Words, bond: Bond) -> list[Line]:
    """All that is to be said, in order."""
    return [
        *_satisfaction(words, bond.satisfaction),
        *service_lines(words, bond.service),
        *(Line(words.term("criterion", c.criterion), _criterion(words, c)) for c in bond.loyalty.criteria),
        *_kind(words, bond.loyalty),
        *discontent_lines(words, bond.discontent),
    ]


def _satisfaction(words: Words, told: Satisfaction) -> list[Line]:
    names = words.say("Satisfaction, last answer"), words.say("Satisfaction, cumulative")
    return [Line(names[0], _last_answer(words, told)), Line(names[1], _all_answers(words, told))]


def _last_answer(words: Words, told: Satisfaction) -> str:
    if told.transaction is None or told.told_at is None:
        return words.say("unmeasured")
    return words.say(
        "{share} of what was expected, on {date}", share=words.share(told.transaction), date=words.date(told.told_at)
    )


def _all_answers(words: Words, told: Satisfaction) -> str:
    if told.cumulative is None or told.uncorrected is None:
        return words.say("unmeasured")
    return words.say(
        "{share} of what was expected, by {answers}; {uncorrected} before {valid} and {returns} on {orders} in a year",
        share=words.share(told.cumulative),
        answers=words.count("{n} answer", "{n} answers", told.surveys),
        uncorrected=words.share(told.uncorrected),
        valid=words.count("{n} valid complaint", "{n} valid complaints", told.valid_complaints),
        returns=words.count("{n} return", "{n} returns", told.returns),
        orders=words.count("{n} order", "{n} orders", told.orders),
    )


def service_lines(words: Words, told: Service) -> list[Line]:
    """The four properties of the service, of a customer or of the firm."""
    return [
        Line(words.term("service", "timely"), _timely(words, told)),
        Line(words.term("service", "accurate"), _accurate(words, told)),
        Line(words.term("service", "consistent"), _consistent(words, told)),
        Line(words.term("service", "reliable"), _reliable(words, told)),
    ]


def _timely(words: Words, told: Service) -> str:
    parts = []
    if told.mean_wait_s is not None:
        parts.append(words.say("waited {time} on average", time=lasting(words, told.mean_wait_s)))
    if told.mean_answer_s is not None:
        time = lasting(words, told.mean_answer_s)
        parts.append(words.say("complaints answered after {time} on average", time=time))
    return "; ".join(parts) or words.say("unmeasured")


def _accurate(words: Words, told: Service) -> str:
    if told.accurate is None:
        return words.say("unmeasured")
    share, n = words.share(told.accurate), words.number(told.ended)
    return words.say("{share} of {n} questions and complaints solved the first time", share=share, n=n)


def _consistent(words: Words, told: Service) -> str:
    if told.spread is None:
        return words.say("unmeasured")
    points, n = words.number(told.spread), words.number(told.surveys)
    return words.say("{n} answers spread by {points} points", points=points, n=n)


def _reliable(words: Words, told: Service) -> str:
    if told.reliable is None:
        return words.say("unmeasured")
    share, n = words.share(told.reliable), words.number(told.complaints)
    return words.say("{share} of {n} complaints neither reopened nor repeated", share=share, n=n)


def lasting(words: Words, seconds: float) -> str:
    """A time span in the unit that fits: seconds, minutes, hours or days."""
    if seconds < 120:  # noqa: PLR2004 - two of the next unit
        return words.count("{n} second", "{n} seconds", round(seconds))
    if seconds < 2 * HOUR_S:
        return words.count("{n} minute", "{n} minutes", round(seconds / 60))
    if seconds < 48 * HOUR_S:
        return words.count("{n} hour", "{n} hours", round(seconds / HOUR_S))
    return words.days(round(seconds / (24 * HOUR_S)))


def _criterion(words: Words, told: Criterion) -> str:
    if told.score is None or told.figure is None:
        return words.say("unmeasured")
    return f"{told.score:.2f}: {_BASIS[told.criterion](words, told)}"


def _repeats(words: Words, told: Criterion) -> str:
    return words.say("bought on {days}", days=words.days(told.of))


def _choosing(words: Words, told: Criterion) -> str:
    return words.say("usually chooses within {time}", time=lasting(words, told.figure or 0.0))


def _price(words: Words, told: Criterion) -> str:
    share = words.share(told.figure or 0.0)
    return words.say("{share} of a year's revenue with a known list price below it", share=share)


def _competitors(words: Words, told: Criterion) -> str:
    return words.count("{n} mention of a competitor in a year", "{n} mentions of competitors in a year", told.of)


def _tolerance(words: Words, told: Criterion) -> str:
    n, borne = words.number(told.of), words.number(told.figure or 0.0)
    return words.say("bought again after {borne} of {n} quality complaints", borne=borne, n=n)


_BASIS: dict[str, Callable[[Words, Criterion], str]] = {
    "repeat_purchases": _repeats,
    "time_to_choose": _choosing,
    "price_sensitivity": _price,
    "competitors": _competitors,
    "tolerance": _tolerance,
}


def _kind(words: Words, told: Loyalty) -> list[Line]:
    name = words.say("Kind of loyalty")
    if told.kind is None:
        return [Line(name, words.say("not enough to say"))]
    because = ", ".join(f"{words.term('measure', c.measure)} {_measured(words, c)}" for c in told.because)
    text = words.say(
        "{kind} ({because}). {meaning}",
        kind=words.term("loyalty", told.kind),
        because=because,
        meaning=words.term("loyalty means", told.kind),
    )
    return [Line(name, text)]


def loyalty_said(words: Words, kind: str) -> str:
    """What the kind of loyalty means for a warning."""
    kind_said, meaning = words.term("loyalty", kind), words.term("loyalty means", kind)
    return words.say("Loyalty: {kind}. {meaning}", kind=kind_said, meaning=meaning)


def _measured(words: Words, condition: Condition) -> str:
    if condition.measure in {"discounted", "rewarded", "satisfaction"}:
        return words.share(condition.value)
    return words.number(condition.value)


def discontent_lines(words: Words, told: Discontent) -> list[Line]:
    """The signs of discontent of one who does not complain; nothing where there are none."""
    if not told.signs:
        return []
    signs = "; ".join(f"{words.date(s.at)} {words.term('sign', s.sign)}" for s in told.signs)
    name = words.say("Silent and unhappy") if told.silent_and_unhappy else words.say("Signs of discontent")
    return [Line(name, signs)]
