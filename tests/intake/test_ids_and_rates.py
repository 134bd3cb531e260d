from decimal import ROUND_HALF_EVEN, Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamproc.core.events import FirmFact, Purchase
from streamproc.core.time import DAY
from streamproc.intake.ids import Occurrences, RowHasher, hash_of_bytes
from streamproc.intake.lines import add_line, first_line, line_of
from streamproc.intake.rates import MAX_CURRENCIES, MAX_RATES, Rates
from tests.intake.kit import refused


def rate(code: str | None, at: int, value: float | None) -> FirmFact:
    return FirmFact(event_id="f", at=at, kind="currency_rate", subject=code, value=value)


@given(st.lists(st.lists(st.text(max_size=5), min_size=2, max_size=2), max_size=5))
def test_different_rows_never_look_alike(rows: list[list[str]]) -> None:
    hasher = RowHasher(["a", "b"])
    assert len({hasher(row) for row in rows}) == len({tuple(row) for row in rows})


def test_the_header_is_part_of_what_a_row_says() -> None:
    assert RowHasher(["a", "b"])(["1", "2"]) != RowHasher(["a", "c"])(["1", "2"])
    assert RowHasher(["a", "b"])(["1", "2"]) == RowHasher(["a", "b"])(["1", "2"])


def test_blanks_around_a_json_event_say_nothing() -> None:
    assert hash_of_bytes(b'{"a":1}\r') == hash_of_bytes(b' {"a":1}')
    assert len(hash_of_bytes(b"")) == 32


def test_equal_contents_are_numbered() -> None:
    seen = Occurrences(in_order=True)
    assert [seen.number(1, name) for name in ("x", "y", "x", "x")] == [1, 1, 2, 3]
    assert seen.number(2, "x") == 1


def test_an_unsorted_feed_is_remembered_up_to_a_bound() -> None:
    seen = Occurrences(most=3)
    assert [seen.number(at, "x") for at in (1, 2, 1, 2)] == [1, 1, 2, 2]
    assert [seen.number(at, "x") for at in (3, 4)] == [1, 1]
    assert seen.number(1, "x") == 1, "the oldest instant made room"
    assert seen.number(4, "x") == 2


def test_the_rate_of_an_instant_is_the_last_one_before_it() -> None:
    rates = Rates("EUR")
    for at, value in ((10 * DAY, 0.9), (20 * DAY, 0.8), (15 * DAY, 0.85), (20 * DAY, 0.81)):
        assert rates.learn(rate("usd", at, value)) is None
    found = [rates.convert(10_000, "USD", day * DAY) for day in (10, 14, 15, 19, 20, 999)]
    assert found == [9000, 9000, 8500, 8500, 8100, 8100]
    assert refused(rates.convert(1, "USD", 10 * DAY - 1)).detail == (
        "no rate USD to EUR at or before 1970-01-10T23:59:59.999999Z"
    )
    assert refused(rates.convert(1, "GBP", 10 * DAY)).reason == "no_rate"
    assert rates.convert(7, "EUR", 0) == 7


@given(st.integers(-(10**12), 10**12), st.floats(1e-4, 1e4), st.sampled_from(["USD", "JPY", "KWD"]))
def test_conversion_is_decimal_and_rounds_half_to_even(minor: int, value: float, code: str) -> None:
    rates = Rates("EUR")
    rates.learn(rate(code, 0, value))
    digits = {"USD": 2, "JPY": 0, "KWD": 3}[code]
    exact = Decimal(minor).scaleb(-digits) * Decimal(repr(value)) * 100
    expected = int(exact.quantize(Decimal(1), ROUND_HALF_EVEN))
    converted = rates.convert(minor, code, 1)
    assert converted == expected or abs(expected) > 10**15


def test_an_amount_may_grow_too_large() -> None:
    rates = Rates("EUR")
    rates.learn(rate("KWD", 0, 1e9))
    assert refused(rates.convert(10**15, "KWD", 0)).reason == "out_of_range"


@pytest.mark.parametrize(
    ("code", "value", "reason"),
    [
        (None, 1.0, "bad_value"),
        ("EURO", 1.0, "bad_value"),
        ("E1R", 1.0, "bad_value"),
        ("ДЦФ", 1.0, "bad_value"),
        ("USD", None, "missing_field"),
        ("USD", 0.0, "out_of_range"),
        ("USD", -1.0, "out_of_range"),
    ],
)
def test_what_is_no_rate_is_refused(code: str | None, value: float | None, reason: str) -> None:
    assert refused(Rates("EUR").learn(rate(code, 0, value))).reason == reason


def test_other_facts_are_passed_by() -> None:
    rates = Rates("EUR")
    assert rates.learn(FirmFact(event_id="f", at=0, kind="holiday")) is None
    assert rates.dump() == {}


def test_rates_are_bounded() -> None:
    rates = Rates("EUR")
    for at in range(MAX_RATES + 1):
        rates.learn(rate("USD", at, 1.0))
    assert len(rates.dump()["USD"]) == MAX_RATES
    assert rates.dump()["USD"][0][0] == 1
    letters = [chr(65 + number) for number in range(26)]
    codes = [one + two + "A" for one in letters for two in letters][:MAX_CURRENCIES]
    assert refused([rates.learn(rate(code, 0, 1.0)) for code in codes][-1]).field == "subject"


def test_rates_come_back_from_plain_data() -> None:
    rates = Rates("EUR")
    rates.learn(rate("USD", 5, 0.1))
    rates.learn(rate("USD", 7, 1 / 3))
    again = Rates.load("EUR", rates.dump())
    assert again.dump() == rates.dump() == {"USD": [(5, "0.1"), (7, "0.3333333333333333")]}


def line(amount: int | None, lines: int | None = None) -> Purchase:
    return Purchase(event_id="x-1", customer_id="c", at=5, order_id="o", amount=amount, lines=lines, cost=amount)


def test_lines_of_an_order_add_up() -> None:
    order = add_line(add_line(first_line(line(100)), line(50)), line(7, lines=2))
    assert (order.amount, order.cost, order.quantity, order.lines) == (157, 157, 3.0, 4)
    assert order.event_id == first_line(line(1)).event_id
    assert line_of(order) == ("c", "o", 5)


def test_money_that_one_line_does_not_tell_is_not_known_of_the_order() -> None:
    assert add_line(first_line(line(100)), line(None)).amount is None
