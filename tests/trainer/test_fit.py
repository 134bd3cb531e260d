import numpy as np
import pytest
from scipy.optimize import approx_fprime

from streamproc.scoring.buying import Buying
from streamproc.trainer.fit import fit, fit_bg_nbd, histories, likelihood
from tests.trainer.shop import simulated


@pytest.mark.parametrize("k", [1, 2, 3, 4])
@pytest.mark.parametrize("modified", [False, True])
@pytest.mark.parametrize("at", [(0.8, 1.0, 0.8, 3.0), (0.2, 4.0, 1.5, 0.7), (3.0, 0.3, 0.1, 9.0)])
def test_the_gradient_is_the_slope(k: int, at: tuple[float, ...], modified: bool) -> None:
    sample = simulated(150, 1, r=0.8, alpha=0.6, a=0.7, b=2.5, k=k)
    logs = np.log(np.array(at))
    _, slope = likelihood(logs, k, modified=modified, sample=sample)

    def value(point: np.ndarray) -> float:
        return likelihood(point, k, modified=modified, sample=sample)[0]

    measured = approx_fprime(logs, value, 1e-6)
    assert slope == pytest.approx(measured, rel=1e-3, abs=0.05)


def test_the_likelihood_of_one_customer_is_the_published_one() -> None:
    # Fader, Hardie & Lee 2005, equation 6, for a customer with x = 1.
    r, alpha, a, b = 0.5, 2.0, 0.9, 1.7
    sample = histories(np.array([1.0]), np.array([1.5]), np.array([4.0]), 0.0)
    value, _ = likelihood(np.log(np.array([r, alpha, a, b])), 1, modified=False, sample=sample)
    alive = r * alpha**r / (alpha + 4.0) ** (r + 1) * b / (a + b)
    gone = r * alpha**r / (alpha + 1.5) ** (r + 1) * a / (a + b)
    assert value == pytest.approx(np.log(alive + gone))


def test_bg_nbd_parameters_are_recovered() -> None:
    sample = simulated(6_000, 2, r=0.8, alpha=0.6, a=0.9, b=2.5)
    found = fit_bg_nbd(sample)
    assert found.r == pytest.approx(0.8, rel=0.1)
    assert found.alpha == pytest.approx(0.6, rel=0.15)
    assert found.a / (found.a + found.b) == pytest.approx(0.9 / 3.4, abs=0.04)
    assert (found.k, found.modified) == (1, False)


@pytest.mark.parametrize("k", [1, 3])
def test_the_regularity_of_the_rhythm_is_found(k: int) -> None:
    sample = simulated(1_500, 3, r=1.5, alpha=0.4 / k, a=0.8, b=5.0, k=k)
    model = Buying()
    for _ in range(4):
        model = fit(sample, model)
    assert model.k == k
    assert fit(sample, model, widest=1).k <= k


def test_equal_customers_are_merged() -> None:
    one = simulated(200, 4, r=0.8, alpha=0.6, a=0.9, b=2.5)
    columns = [np.repeat(column, 3) for column in one[:3]]
    three = histories(columns[0], columns[1], columns[2], 0.0)
    assert len(three.repeats) == len(one.repeats)
    assert three.customers == 3 * one.customers == 600.0


def test_a_few_customers_leave_the_parameters_near_the_prior() -> None:
    same = np.ones(20)
    found = fit(histories(5 * same, 0.5 * same, 0.6 * same, 0.0), Buying(), widest=1)
    assert 0.8 < found.r < 12.0  # their rate is about 8 a horizon
    assert all(0.01 < n < 20.0 for n in (found.alpha, found.a, found.b))


def test_fitting_again_from_the_solution_stays_there() -> None:
    sample = simulated(800, 5, r=0.8, alpha=0.6, a=0.9, b=2.5)
    once = fit(sample, Buying(), widest=1)
    again = fit(sample, once, widest=1)
    assert again.r == pytest.approx(once.r, rel=0.02)
    assert again.modified == once.modified
