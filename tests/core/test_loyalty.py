"""Five criteria, each with what it rests on or unmeasured; the kind of loyalty by a table; "not enough to say"."""

from collections.abc import Sequence
from typing import Any, get_args

import pytest

from streamproc.core.events import CustomerEvent
from streamproc.core.facts import Facts, new_facts, take
from streamproc.core.loyalty import KINDS_OF_LOYALTY, Criterion, Kind, criteria, kind_of_loyalty
from streamproc.core.time import day_of
from streamproc.testing.events import bought, complained, known, on, touched

NOW = on(300)
TODAY = day_of(NOW) - 1


def after(history: Sequence[CustomerEvent]) -> Facts:
    facts = new_facts()
    for event in history:
        take(facts, event)
    return facts


def found(history: Sequence[CustomerEvent], name: str) -> Criterion:
    (one,) = [c for c in criteria(after(history), TODAY) if c.name == name]
    return one


def kind(history: Sequence[CustomerEvent]) -> Kind | None:
    return kind_of_loyalty(after(history), NOW, TODAY).kind


def orders(n: int, **more: Any) -> list[CustomerEvent]:
    return [bought(on(100 + 20 * i), **more) for i in range(n)]


def answered(perceived: float, expected: float = 8.0, **more: object) -> CustomerEvent:
    told: dict[str, Any] = {"perceived": perceived, "expected": expected} | more
    return touched(on(280), "out", purpose="survey", result="resolved", **told)


def test_of_a_customer_nobody_knows_all_five_are_unmeasured() -> None:
    told = criteria(new_facts(), TODAY)
    assert [c.score for c in told] == [None] * 5
    assert len({c.name for c in told}) == 5


@pytest.mark.parametrize(("n", "score"), [(1, 0.0), (2, 0.5), (5, 0.8)])
def test_repeat_purchases(n: int, score: float) -> None:
    one = found(orders(n), "repeat_purchases")
    assert one.score == pytest.approx(score)
    assert one.of == n
    assert one.proofs[0].at == on(100 + 20 * (n - 1))


def test_who_takes_longer_to_choose_is_less_loyal() -> None:
    assert found(orders(1, deliberation_s=60.0), "time_to_choose").score is None
    quick, slow = (found(orders(3, deliberation_s=s), "time_to_choose") for s in (60.0, 36_000.0))
    assert quick.score == pytest.approx(60 / 61)
    assert slow.score == pytest.approx(1 / 11)
    assert (slow.figure, slow.of) == (36_000.0, 3)
    firm = found([*orders(3, deliberation_s=86_400.0), known(on(90), customer_kind="business")], "time_to_choose")
    assert firm.score == 0.5


def test_the_share_bought_below_the_list_price() -> None:
    assert found(orders(3), "price_sensitivity").score is None
    half = [bought(on(200), 500, list_amount=1_000), bought(on(220), 500, list_amount=500)]
    assert (found(half, "price_sensitivity").figure, found(half, "price_sensitivity").score) == (0.5, 0.5)
    assert found([*half, bought(on(230), 900)], "price_sensitivity").score == 0.5
    one_of_many = [*half, *(bought(on(230 + n), 500) for n in range(5))]
    assert found(one_of_many, "price_sensitivity").score is None  # of too little the list price is known


def test_the_attitude_to_competitors() -> None:
    silent = orders(3)
    named = [*silent, touched(on(130), competitor=True)]
    assert found(silent, "competitors").score is None
    assert found([*silent, touched(on(130), competitor=False)], "competitors").score == 1.0
    assert found([touched(on(-500), competitor=False), *silent], "competitors").score is None  # too long ago
    assert found(named, "competitors").score == 0.5  # bought on day 140
    gone = found([*named, touched(on(200), competitor=True)], "competitors")
    assert (gone.score, gone.figure) == (0.0, 2.0)
    assert [proof.event_id for proof in gone.proofs] == [f"c-t{on(130)}", f"c-t{on(200)}"]


def test_the_tolerance_of_faulty_quality() -> None:
    def faulty(day: float) -> CustomerEvent:
        return complained(on(day), complaint_id=f"k{day}", category="quality")

    assert found(orders(3), "tolerance").score is None
    assert found([*orders(3), complained(on(110), category="service")], "tolerance").score is None
    assert found([*orders(3), faulty(110)], "tolerance").score == 1.0
    assert found([*orders(3), faulty(150)], "tolerance").score == 0.0
    assert found([*orders(3), faulty(280)], "tolerance").score is None  # it is too early to tell
    both = found([*orders(3), faulty(110), faulty(150)], "tolerance")
    assert (both.score, both.of, len(both.proofs)) == (0.5, 2, 2)


SHOWN: dict[Kind, list[CustomerEvent]] = {
    "price": orders(4, list_amount=2_000),
    "incentive": orders(4, reward_amount=50),
    "monopoly": [*orders(4, contract_until=on(600)), answered(5.0)],
    "super_value": [*orders(6), answered(9.5, referral=True)],
    "latent": [*orders(1), answered(9.0)],
    "inertia": [*orders(6), answered(6.0, competitor=False)],
    "convenience": orders(6, deliberation_s=90.0, region="north"),
}


@pytest.mark.parametrize(("wanted", "history"), SHOWN.items())
def test_each_kind_of_loyalty_is_told_by_its_row(wanted: Kind, history: list[CustomerEvent]) -> None:
    told = kind_of_loyalty(after(history), NOW, TODAY)
    assert told.kind == wanted
    assert told.held
    assert all(one.condition.holds(one.value) for one in told.held)


def test_the_table_knows_all_seven() -> None:
    assert {rule.kind for rule in KINDS_OF_LOYALTY} == set(get_args(Kind)) == set(SHOWN)


@pytest.mark.parametrize(
    "history",
    [
        orders(6),  # nothing but that they buy
        orders(1),
        [*orders(4, contract_until=on(200)), answered(5.0)],  # the contract is over
        [*orders(6), answered(6.0), touched(on(270), competitor=True)],  # no habit: they look around
    ],
)
def test_where_it_is_not_enough_no_kind_is_named(history: list[CustomerEvent]) -> None:
    told = kind_of_loyalty(after(history), NOW, TODAY)
    assert (told.kind, told.held) == (None, ())
    assert told.unmeasured


def test_the_one_who_is_content_and_pays_the_full_price_stays_for_what_they_get() -> None:
    full = [bought(on(100 + 20 * i), 1_000, list_amount=1_000) for i in range(6)]
    assert kind([*full, answered(9.0)]) == "super_value"
    assert kind([*full, answered(7.0, competitor=False)]) == "inertia"
    assert kind([*full, answered(7.0)]) is None  # nobody asked about competitors
