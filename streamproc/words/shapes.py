"""What sentences are made from: the parts of warnings and reports that are read here, whoever holds them."""

from collections.abc import Sequence
from typing import Protocol


class Evidence(Protocol):
    """An event behind a reason."""

    @property
    def occurred_at(self) -> str:
        """RFC 3339."""
        ...


class Reason(Protocol):
    """What a group adds to the log-odds of leaving, and the change since the last look."""

    @property
    def reason(self) -> str:
        """The group."""
        ...

    @property
    def log_odds(self) -> float:
        """Positive: raises the risk."""
        ...

    @property
    def change(self) -> float | None:
        """None at the first look."""
        ...

    @property
    def evidence(self) -> Sequence[Evidence]:
        """The events behind it."""
        ...


class Standing(Protocol):
    """Where the customer stands."""

    @property
    def orders(self) -> int:
        """Orders so far."""
        ...

    @property
    def purchase_days(self) -> int:
        """Days with a purchase so far."""
        ...

    @property
    def recency_days(self) -> int:
        """Days since the last purchase."""
        ...

    @property
    def usual_gap_days(self) -> float | None:
        """Days between purchases, None before the second."""
        ...

    @property
    def spend_trend(self) -> float | None:
        """Spend of the last half-year over that of the one before."""
        ...

    @property
    def last_gap_days(self) -> int | None:
        """Days between the last two days of purchase, None before the second."""
        ...

    @property
    def articles_a_day(self) -> float | None:
        """Distinct articles on a day of purchase, None where the feed does not tell."""
        ...

    @property
    def discount_share(self) -> float | None:
        """Share of the last year's revenue below the list price, None where no list price is known."""
        ...


class Value(Protocol):
    """The customer's money."""

    @property
    def currency(self) -> str:
        """Its code."""
        ...

    @property
    def revenue_a_year(self) -> str:
        """Decimal text."""
        ...

    @property
    def assumed(self) -> bool:
        """Costs are assumed."""
        ...

    @property
    def measured(self) -> bool:
        """False: the feed knows no money."""
        ...


class Risk(Protocol):
    """By which model a risk was told."""

    @property
    def speaks(self) -> str:
        """prior, blend or learned."""
        ...


class Rule(Protocol):
    """The numbers a look was judged by."""

    @property
    def probability(self) -> float | None:
        """The risk."""
        ...

    @property
    def raise_at(self) -> float:
        """The risk that raises a warning."""
        ...

    @property
    def clear_at(self) -> float:
        """The risk below which a warning is over."""
        ...

    @property
    def silent_days(self) -> int | None:
        """Days since the last purchase."""
        ...

    @property
    def least_silent_days(self) -> float | None:
        """Days without a purchase before which nothing is warned of."""
        ...

    @property
    def snoozed_until(self) -> str | None:
        """Until when the desk let the customer's warning sleep."""
        ...

    @property
    def muted_until(self) -> str | None:
        """Until when nobody is to be warned of the customer, None where no end was told."""
        ...

    @property
    def purchase_days(self) -> int:
        """Days with a purchase so far."""
        ...

    @property
    def minimum_purchase_days(self) -> int:
        """Days with a purchase below which nothing is warned of."""
        ...

    @property
    def cooldown_until(self) -> str | None:
        """When a warning is possible again."""
        ...

    @property
    def last_retention_contact(self) -> str | None:
        """When the firm last tried to keep the customer."""
        ...

    @property
    def recent_contact_days(self) -> int:
        """How long such a contact holds warnings back."""
        ...

    @property
    def customers_fitted(self) -> int:
        """Customers the model rests on."""
        ...

    @property
    def minimum_customers_fitted(self) -> int:
        """Customers below which no model is trusted."""
        ...

    @property
    def expected_loss(self) -> str | None:
        """Decimal text, None where no money is known."""
        ...

    @property
    def minimum_expected_loss(self) -> str:
        """What must be at stake for a warning, decimal text."""
        ...

    @property
    def currency(self) -> str:
        """Of both."""
        ...


class Answer(Protocol):
    """A look's outcome with its rule."""

    @property
    def outcome(self) -> str | None:
        """Its code."""
        ...

    @property
    def rule(self) -> Rule | None:
        """The numbers behind it."""
        ...


class Clue(Protocol):
    """An event that speaks for a cause."""

    @property
    def sign(self) -> str:
        """What it is."""
        ...

    @property
    def event_id(self) -> str | None:
        """Its id, None where that was not kept."""
        ...

    @property
    def occurred_at(self) -> str:
        """RFC 3339."""
        ...

    @property
    def size(self) -> float | None:
        """A figure that belongs to it."""
        ...


class Cause(Protocol):
    """A likely cause of leaving."""

    @property
    def cause(self) -> str:
        """Which of the nine."""
        ...

    @property
    def strength(self) -> float:
        """0-1."""
        ...

    @property
    def evidence(self) -> Sequence[Clue]:
        """What speaks for it, heaviest first."""
        ...

    @property
    def manner(self) -> str | None:
        """How a service was poor."""
        ...


class Texts(Protocol):
    """One text in both languages."""

    @property
    def en(self) -> str:
        """In English."""
        ...

    @property
    def zh(self) -> str:
        """In Chinese."""
        ...


class Step(Protocol):
    """Something that a warning asks for."""

    @property
    def en(self) -> str:
        """What, in English."""
        ...

    @property
    def zh(self) -> str:
        """What, in Chinese."""
        ...

    @property
    def role_en(self) -> str:
        """Who, in English."""
        ...

    @property
    def role_zh(self) -> str:
        """Who, in Chinese."""
        ...

    @property
    def tie(self) -> str | None:
        """Which tie it offers."""
        ...

    @property
    def due_by(self) -> str:
        """RFC 3339."""
        ...
