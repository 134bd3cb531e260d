import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from scipy.integrate import quad
from scipy.stats import gamma

from streamproc.scoring.buying import LEAST, Buying, erlang_tail, outlook

positive = st.floats(0.05, 20.0)
models = st.builds(
    Buying, r=positive, alpha=positive, a=positive, b=positive, k=st.integers(1, 4), modified=st.booleans()
)


def arrays(repeats: list[int], recency: list[float], age: list[float]) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    return np.array(repeats, dtype=float), np.array(recency), np.array(age)


def test_alive_is_the_published_formula_of_bg_nbd() -> None:
    model = Buying(r=0.243, alpha=4.414, a=0.793, b=2.426)
    x, last, age = 2, 30.43, 38.86
    told = outlook(model, *arrays([x], [age - last], [age])).alive[0]
    gone = model.a / (model.b + x - 1) * ((model.alpha + age) / (model.alpha + last)) ** (model.r + x)
    assert np.isclose(told, 1 / (1 + gone))


def test_one_time_buyers_are_alive_under_bg_nbd_and_not_surely_under_mbg_nbd() -> None:
    columns = arrays([0], [3.0], [3.0])
    assert outlook(Buying(), *columns).alive[0] == 1.0
    assert outlook(Buying(modified=True), *columns).alive[0] < 1.0


def test_a_one_time_buyer_stays_quiet_as_the_negative_binomial_says() -> None:
    model = Buying(r=0.8, alpha=1.3)
    told = outlook(model, *arrays([0], [2.0], [2.0]), floor=0.0).quiet[0]
    quiet = ((model.alpha + 2.0) / (model.alpha + 3.0)) ** model.r
    assert np.isclose(1 / (1 + np.exp(-told)), quiet)


def test_erlang_tail_is_the_mixed_survival_of_an_erlang_gap() -> None:
    r, alpha, u, k = 1.4, 0.8, 1.1, 3
    mixed, _ = quad(lambda rate: gamma.pdf(rate, r, scale=1 / alpha) * gamma.sf(u, k, scale=1 / rate), 0, np.inf)
    share, shape = np.array([u / (alpha + u)]), np.array([r])
    assert np.isclose((alpha / (alpha + u)) ** r * erlang_tail(share, shape, k)[0], mixed, rtol=1e-6)


@given(models, st.integers(0, 300), st.floats(0.0, 8.0), st.floats(0.0, 20.0))
def test_an_outlook_is_finite_and_within_bounds(model: Buying, x: int, last: float, silent: float) -> None:
    told = outlook(model, *arrays([x], [silent], [last + silent]))
    assert 0.0 <= told.alive[0] <= 1.0
    assert abs(told.quiet[0]) <= np.log(1 / LEAST)


@given(models, st.integers(0, 60), st.floats(0.0, 8.0), st.floats(0.0, 5.0), st.floats(0.01, 5.0))
def test_silence_never_makes_a_poisson_buyer_likelier_to_buy(
    model: Buying, x: int, last: float, silent: float, longer: float
) -> None:
    plain = Buying(r=model.r, alpha=model.alpha, a=model.a, b=model.b, modified=model.modified)
    ages = [last + silent, last + silent + longer]
    told = outlook(plain, *arrays([x, x], [silent, silent + longer], ages))
    assert told.quiet[1] >= told.quiet[0] - 1e-9


@given(st.integers(1, 40), st.floats(0.2, 5.0))
def test_regular_buyers_who_are_overdue_look_worse_the_more_regular_they_are(x: int, mean_gap: float) -> None:
    age = x * mean_gap + 3 * mean_gap
    columns = arrays([x], [3 * mean_gap], [age])
    alive = [outlook(Buying(alpha=1.0 / k, k=k), *columns).alive[0] for k in (1, 2, 4)]
    assert alive[0] >= alive[1] >= alive[2]


@given(models, st.lists(st.tuples(st.integers(0, 50), st.floats(0, 5), st.floats(0, 5)), min_size=2, max_size=40))
def test_each_row_is_on_its_own(model: Buying, some: list[tuple[int, float, float]]) -> None:
    x, last, silent = (np.array(column, dtype=float) for column in zip(*some, strict=True))
    whole = outlook(model, x, silent, last + silent)
    for i in range(len(some)):
        one = outlook(model, x[i : i + 1], silent[i : i + 1], (last + silent)[i : i + 1])
        assert one.quiet[0] == whole.quiet[i]
        assert one.alive[0] == whole.alive[i]


def test_without_a_floor_the_dead_are_counted_dead() -> None:
    columns = arrays([30], [6.0], [7.0])
    floored, bare = outlook(Buying(), *columns), outlook(Buying(), *columns, floor=0.0)
    assert bare.alive[0] == floored.alive[0] < 0.001
    assert bare.quiet[0] > floored.quiet[0]
