"""The field's figures: what they come to by our formulas, and the firm's own beside them."""

import pytest

from streamproc.adapters.report.benchmarks import beside_the_field
from streamproc.adapters.report.document import DASH
from streamproc.core.events import FirmFact
from streamproc.core.lifecycle import Stage
from streamproc.desk import benchmarks as field
from streamproc.desk.benchmarks import benchmarks, profit_of_less_churn
from streamproc.words import words_in
from tests.desk.test_story import day, midnight, moved, told, totals


def test_five_points_less_churn_lift_profit_as_the_field_says() -> None:
    lift = profit_of_less_churn(field.YEARLY_CHURN)
    assert lift == pytest.approx(0.3108, abs=1e-4)
    least, most = field.PROFIT_OF_LESS_CHURN
    assert least <= lift <= most
    assert profit_of_less_churn(0.0) == 0


def test_a_year_s_churn_is_that_of_its_months() -> None:
    months = [f"2025-{month:02}-01" for month in range(2, 8)]
    steps = [(None, [midnight(text, grades={"A": 100}, lost={"A": n})]) for n, text in enumerate(months)]
    ours = benchmarks(told("2025-07-20", *steps, now=totals(grades={"A": 100}, lost={"A": 90})))
    # One in a hundred each month, whatever happens in the one that is running.
    assert ours.yearly_churn == pytest.approx(1 - 0.99**12)
    assert ours.profit_of_less_churn == pytest.approx(profit_of_less_churn(1 - 0.99**12))


def test_two_months_tell_of_no_year() -> None:
    steps = [(None, [midnight(text, grades={"A": 100})]) for text in ("2025-02-01", "2025-03-01", "2025-04-01")]
    assert benchmarks(told("2025-04-20", *steps)).yearly_churn is None


def test_who_goes_on_from_a_stage_is_counted_of_all_who_came_to_it() -> None:
    first = [moved(c, "2025-01-02", Stage.POTENTIAL, Stage.FIRST_TIME) for c in "abcd"]
    then = [
        moved("a", "2025-01-03", Stage.FIRST_TIME, Stage.REPEAT),
        moved("b", "2025-01-03", Stage.FIRST_TIME, Stage.LOST),
        moved("b", "2025-01-05", Stage.LOST, Stage.REPEAT, back=True),
        moved("c", "2025-01-03", Stage.FIRST_TIME, Stage.POTENTIAL),  # the order was cancelled
        moved("t", "2025-01-03", Stage.TARGET, Stage.FIRST_TIME),
    ]
    ours = benchmarks(told("2025-01-20", (None, [*first, *then]), now=totals(stages={"first_time": 2, "target": 3})))
    assert ours.first_time_who_buy_again == pytest.approx(1 / 4)
    assert ours.prospects_who_buy == pytest.approx(1 / 4)


def test_of_a_firm_nobody_knows_nothing_is_guessed() -> None:
    ours = benchmarks(told("2025-01-20"))
    assert (ours.yearly_churn, ours.keeping_cost, ours.prospects_who_buy) == (None, None, None)
    table = beside_the_field(ours, "EUR", words_in("en")).table
    assert table is not None
    assert [cells[1] for cells in table.rows][:5] == [DASH] * 5


def test_each_of_the_unhappy_sways_25_others() -> None:
    assert benchmarks(told("2025-01-20", now=totals(unhappy=4))).swayed == 100


def test_keeping_a_customer_may_cost_a_fifth_of_winning_one() -> None:
    detail: dict[str, str | float | bool | None] = {"cost_per_mailing": 0.5, "response_rate": 0.01}
    campaign = FirmFact(event_id="x", at=day("2025-01-02"), kind="marketing", detail=detail)
    assert benchmarks(told("2025-01-20", (campaign, []))).keeping_cost == pytest.approx(10)
