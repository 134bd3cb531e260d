"""What ties a customer to the firm, as stable JSON: how content, how well served, how loyal and of which kind."""

from msgspec import Struct

from streamproc.core.facts import Facts
from streamproc.core.loyalty import Criterion, criteria, kind_of_loyalty
from streamproc.core.satisfaction import Service, satisfaction, service, service_sums
from streamproc.core.time import SECOND, to_text, today_of
from streamproc.core.unhappy import discontent
from streamproc.desk.discontent import DiscontentText, discontent_text
from streamproc.desk.warning import EvidenceText

DIGITS = 4


class SatisfactionText(Struct, frozen=True, kw_only=True):
    """What was perceived ÷ what was expected (1: as expected; None: unmeasured).

    `transaction` is the last answer's, `cumulative` weighs all answers of the last 14 months by age and is corrected
    by a year's valid complaints and returns per order; `uncorrected` is it before that.
    """

    transaction: float | None
    told_at: str | None
    cumulative: float | None
    uncorrected: float | None
    surveys: int
    valid_complaints: int
    returns: int
    orders: int


class CriterionText(Struct, frozen=True, kw_only=True):
    """One of the five criteria of loyalty: `score` 0-1 (None: unmeasured), the `figure` behind it, of `of` things."""

    criterion: str
    score: float | None
    figure: float | None
    of: int
    evidence: tuple[EvidenceText, ...]


class ConditionText(Struct, frozen=True, kw_only=True):
    """Why the kind of loyalty was named: a measure, its value, and what it had to reach (`least`) or be `under`."""

    measure: str
    value: float
    least: float | None
    under: float | None


class LoyaltyText(Struct, frozen=True, kw_only=True):
    """The five criteria, and the kind of loyalty with what speaks for it; `kind` None: not enough to say."""

    criteria: tuple[CriterionText, ...]
    kind: str | None
    because: tuple[ConditionText, ...]
    unmeasured: tuple[str, ...]


class Bond(Struct, frozen=True, kw_only=True):
    """What ties the customer to the firm, as of the clock. `service` covers the last year."""

    satisfaction: SatisfactionText
    service: Service
    loyalty: LoyaltyText
    discontent: DiscontentText


def bond_of(facts: Facts, at: int) -> Bond:
    """The bond at the instant `at` (µs)."""
    today = today_of(at)
    found = discontent(facts, today)
    return Bond(
        satisfaction=_satisfaction(facts, today),
        service=service(service_sums(facts, today)),
        loyalty=_loyalty(facts, at, today),
        discontent=discontent_text(found.signs, enough=found.enough),
    )


def _satisfaction(facts: Facts, today: int) -> SatisfactionText:
    found = satisfaction(facts, today)
    return SatisfactionText(
        transaction=_rounded(found.transaction),
        told_at=None if found.told_at is None else to_text(found.told_at * SECOND),
        cumulative=_rounded(found.cumulative),
        uncorrected=_rounded(found.uncorrected),
        surveys=found.surveys,
        valid_complaints=found.valid_complaints,
        returns=found.returns,
        orders=found.orders,
    )


def _loyalty(facts: Facts, at: int, today: int) -> LoyaltyText:
    found = kind_of_loyalty(facts, at, today)
    because = tuple(
        ConditionText(
            measure=one.condition.measure,
            value=round(one.value, DIGITS),
            least=one.condition.least,
            under=one.condition.under,
        )
        for one in found.held
    )
    told = tuple(_criterion(one) for one in criteria(facts, today))
    return LoyaltyText(criteria=told, kind=found.kind, because=because, unmeasured=found.unmeasured)


def _criterion(one: Criterion) -> CriterionText:
    evidence = tuple(EvidenceText(proof.stream, proof.event_id, to_text(proof.at)) for proof in one.proofs)
    score, figure = _rounded(one.score), _rounded(one.figure)
    return CriterionText(criterion=one.name, score=score, figure=figure, of=one.of, evidence=evidence)


def _rounded(figure: float | None) -> float | None:
    return None if figure is None else round(figure, DIGITS)
