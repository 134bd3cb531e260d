import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from streamproc.scoring.examples import Sighting
from streamproc.scoring.snapshot import EVERYBODY, Population
from streamproc.trainer import sample as room
from streamproc.trainer.sample import FEWEST, LARGEST, Fitted, Sample

TODAY = 1_000


def sighting(customer: int, *, n_days: int = 3, gap: int = 10, last: int = 900, log_amount: float = 7.0) -> Sighting:
    gaps = n_days - 1
    return Sighting(
        customer_id=str(customer),
        customer=customer,
        first=last - gaps * gap,
        last=last,
        n_days=n_days,
        log_gaps=gaps * float(np.log(gap)),
        log_gaps_square=0.0,
        log_amount=log_amount,
        log_lines=0.5,
        horizon=30.0,
    )


def test_the_latest_sighting_of_a_customer_counts() -> None:
    kept = Sample([sighting(5, n_days=2), sighting(5, n_days=3)])
    assert [s.n_days for s in kept.sightings()] == [3]


def test_of_too_many_the_smallest_hashes_stay_and_bound_what_is_wanted() -> None:
    kept = Sample(sighting(n) for n in range(LARGEST + 50, 0, -1))
    assert [s.customer for s in kept.sightings()] == list(range(1, LARGEST + 1))
    assert kept.below == LARGEST + 1
    kept.see(sighting(LARGEST + 7))
    assert len(kept.sightings()) == LARGEST


@settings(max_examples=20)
@given(st.permutations(range(40)), st.integers(1, 40))
def test_who_is_kept_does_not_depend_on_the_order(order: list[int], most: int) -> None:
    before = room.LARGEST
    room.LARGEST = most
    try:
        kept = Sample(sighting(n) for n in order)
    finally:
        room.LARGEST = before
    assert [s.customer for s in kept.sightings()] == list(range(most))
    assert kept.below == (most if most < 40 else EVERYBODY)


def test_too_few_customers_fit_nothing() -> None:
    before = Fitted()
    assert Sample(sighting(n) for n in range(FEWEST - 1)).fit(TODAY, before) is before


def test_regular_buyers_are_fitted_as_such() -> None:
    kept = Sample(sighting(n, n_days=12, gap=9 + n % 3, last=960 + n % 30) for n in range(200))
    fitted = Fitted()
    for _ in range(4):
        fitted = kept.fit(TODAY, fitted)
    assert fitted.customers == 200
    assert fitted.prior.k == 1
    assert fitted.rhythm.k > 1
    assert abs(fitted.population.gap - 1 / 3) < 0.01
    assert abs(fitted.population.log_gap - np.log(1 / 3)) < 0.02
    assert fitted.population.log_amount == 7.0
    assert fitted.population.log_gap_spread == 0.2


def test_a_population_of_one_time_buyers_keeps_the_usual_gaps_but_not_the_amounts() -> None:
    fitted = Sample(sighting(n, n_days=1, log_amount=3.0) for n in range(60)).fit(TODAY, Fitted())
    assert fitted.population.gap == Population().gap
    assert fitted.population.log_amount == 3.0


def test_unknown_money_is_left_out_of_the_mean() -> None:
    fitted = Sample(sighting(n, log_amount=0.0 if n % 2 else 6.0) for n in range(60)).fit(TODAY, Fitted())
    assert fitted.population.log_amount == 6.0


def test_silence_since_the_last_sighting_is_counted_up_to_today() -> None:
    kept = Sample(sighting(n, n_days=6, gap=5 + n % 7) for n in range(100))
    soon, late = kept.fit(910, Fitted()), kept.fit(1_400, Fitted())
    assert late.prior.a / (late.prior.a + late.prior.b) > soon.prior.a / (soon.prior.a + soon.prior.b)
