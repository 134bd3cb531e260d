import msgspec
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamproc.scoring.examples import Example, Sighting, customer_hash, example_of, features_of, pack, sighting_of
from streamproc.scoring.features import features
from streamproc.scoring.rows import Rows
from streamproc.scoring.score import score
from tests.scoring.made import TODAY, busy_snapshot, buyers_of, made_rows, row

AT = 86_400_000_000 * (TODAY + 1)


def seen_of(rows: Rows) -> Sighting:
    return sighting_of(buyers_of(rows)[0], "c", customer_hash("c"))


def test_the_hash_is_stable_and_fits_63_bits() -> None:
    assert customer_hash("12345") == customer_hash("12345") != customer_hash("12346")
    assert customer_hash("12345") == 4_191_766_902_426_598_224


@given(st.text(min_size=1, max_size=20))
def test_every_id_has_a_hash(customer: str) -> None:
    assert 0 <= customer_hash(customer) < 1 << 63


def test_features_come_back_from_examples_as_they_went_in() -> None:
    snapshot = busy_snapshot()
    rows = features(made_rows(25), snapshot)
    told = score(rows, snapshot)
    examples = [example_of(rows, i, f"c{i}", AT, int(told.log_odds_micro[i])) for i in range(25)]
    back = features_of(examples)
    assert all(np.array_equal(rows[i], back[i]) for i in range(len(rows)))
    assert (score(back, snapshot).contributions == told.contributions).all()


def test_an_example_says_whether_its_customer_was_active() -> None:
    snapshot = busy_snapshot()
    for since, active in ((90, True), (91, False)):
        rows = features(row([TODAY - since]), snapshot)
        assert example_of(rows, 0, "c", AT, 0).active is active


def test_features_of_another_layout_are_refused() -> None:
    rows = features(row([TODAY]), busy_snapshot())
    short = msgspec.structs.replace(example_of(rows, 0, "c", AT, 0), features=pack(rows.x[0, :5]))
    with pytest.raises(ValueError, match="reshape"):
        features_of([short])


def test_examples_and_sightings_survive_json_as_one_stream() -> None:
    rows = made_rows(1)
    example = example_of(features(rows, busy_snapshot()), 0, "c", AT, -5)
    for item in (example, seen_of(rows)):
        assert msgspec.json.decode(msgspec.json.encode(item), type=Example | Sighting) == item


def test_a_sighting_sums_up_the_purchase_days() -> None:
    seen = seen_of(row([TODAY - 30, TODAY - 20, TODAY]))
    assert (seen.first, seen.last, seen.n_days) == (TODAY - 30, TODAY, 3)
    assert seen.customer == customer_hash("c")
    assert seen.log_gaps == pytest.approx(np.log(10) + np.log(20))
    assert seen.log_gaps_square == pytest.approx(np.log(2) ** 2 / 2)
    assert seen.log_amount == pytest.approx(np.log(5_000))
    assert seen.log_lines == pytest.approx(np.log(2))


def test_log_gaps_of_a_long_history_are_scaled_up_to_all_of_it() -> None:
    seen = seen_of(row(list(range(TODAY - 400, TODAY, 10))))
    assert seen.n_days == 40
    assert seen.log_gaps == pytest.approx(39 * np.log(10))


def test_a_first_purchase_without_money_is_a_sighting_too() -> None:
    seen = seen_of(row([TODAY], amount=0, lines=0))
    assert (seen.log_gaps, seen.log_amount, seen.log_lines) == (0.0, 0.0, 0.0)
