from datetime import UTC, datetime
from decimal import Decimal
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from streamproc.core.time import DAY, HOUR, SECOND, from_datetime
from streamproc.intake.money import MAX_MINOR, digits_of, to_decimal, to_minor
from streamproc.intake.refusal import Refusal
from streamproc.intake.times import Times
from tests.intake.kit import refused

NEW_YEAR_2024 = 19_723 * DAY


@pytest.mark.parametrize(
    ("stamp", "at"),
    [
        ("2024-01-01", NEW_YEAR_2024),
        ("20240101", NEW_YEAR_2024),
        ("2024-01-01T00:00:00Z", NEW_YEAR_2024),
        ("2024-01-01t00:00:00z", NEW_YEAR_2024),
        ("2024-01-01 02:00:00+02:00", NEW_YEAR_2024),
        ("2024-01-01T00:00:00.000001Z", NEW_YEAR_2024 + 1),
        ("1704067200", NEW_YEAR_2024),
        ("1704067200000", NEW_YEAR_2024),
        ("1704067200000000", NEW_YEAR_2024),
        (1704067200, NEW_YEAR_2024),
        (1704067200.5, NEW_YEAR_2024 + SECOND // 2),
        (1704067200000, NEW_YEAR_2024),
        (1704067200000000, NEW_YEAR_2024),
        (0, 0),
        (-1, -SECOND),
    ],
)
def test_stamps_that_can_be_read_in_one_way_are(stamp: str | float, at: int) -> None:
    assert Times().parse(stamp) == at


@pytest.mark.parametrize(
    "stamp",
    ["yesterday", "01/02/2024", "2024-13-01", "45293", "2024", "nan", "1e9", float("nan"), float("inf"), 10**18],
)
def test_what_is_no_time_or_has_two_readings_is_refused(stamp: str | float) -> None:
    assert refused(Times().parse(stamp)).reason == "bad_time"


def test_an_empty_stamp_is_a_missing_one() -> None:
    assert refused(Times().parse("")).reason == "missing_field"


def test_a_naive_stamp_is_local_to_the_zone_and_an_offset_wins() -> None:
    times = Times(ZoneInfo("Asia/Shanghai"))
    assert times.parse("2024-01-01") == NEW_YEAR_2024 - 8 * HOUR
    assert times.parse("2024-01-01T00:00:00Z") == NEW_YEAR_2024


def test_a_stamp_doubled_by_a_clock_change_is_its_first_instant() -> None:
    at = from_datetime(datetime(2024, 10, 27, 0, 30, tzinfo=UTC))
    assert Times(ZoneInfo("Europe/Berlin")).parse("2024-10-27 02:30:00") == at


def test_a_format_is_the_only_reading() -> None:
    times = Times(layout="%d/%m/%Y")
    assert times.parse("31/12/2023") == NEW_YEAR_2024 - DAY
    assert refused(times.parse("2024-01-01")).detail.endswith("%d/%m/%Y)")


@given(st.datetimes(min_value=datetime(1970, 1, 1), max_value=datetime(2900, 1, 1), timezones=st.timezones()))  # noqa: DTZ001
def test_every_rfc_3339_stamp_is_its_own_instant(when: datetime) -> None:
    assert Times().parse(when.isoformat()) == from_datetime(when)


@given(st.text(max_size=40))
def test_no_text_raises(stamp: str) -> None:
    assert isinstance(Times().parse(stamp), int | Refusal)


@given(st.decimals(allow_nan=False, allow_infinity=False, places=4))
def test_a_plain_decimal_text_is_itself(amount: Decimal) -> None:
    assert to_decimal(format(amount, "f")) == amount


@given(st.floats(allow_nan=False, allow_infinity=False))
def test_a_number_is_what_its_shortest_text_says(amount: float) -> None:
    assert to_decimal(amount) == Decimal(repr(amount))


@pytest.mark.parametrize("text", ["1.", ".5", "+7", "-0", "007"])
def test_a_point_and_a_sign_may_stand_where_they_do_no_harm(text: str) -> None:
    assert to_decimal(text) == Decimal(text)


@given(st.integers(-MAX_MINOR, MAX_MINOR), st.sampled_from([0, 2, 3]))
def test_minor_units_come_back_exactly(minor: int, digits: int) -> None:
    assert to_minor(Decimal(minor).scaleb(-digits), digits) == minor


@pytest.mark.parametrize(
    ("amount", "minor"),
    [("0.125", 12), ("0.135", 14), ("-0.125", -12), ("505.29999999999995", 50530), ("1e3", 100_000), ("-0", 0)],
)
def test_what_is_finer_than_the_minor_unit_is_rounded_half_to_even(amount: str, minor: int) -> None:
    assert to_minor(Decimal(amount), 2) == minor


@pytest.mark.parametrize(
    ("amount", "reason"),
    [
        ("NaN", "not_finite"),
        ("Infinity", "not_finite"),
        ("1e99999999", "out_of_range"),
        ("10000000000000.01", "out_of_range"),
        ("1e15", "out_of_range"),
    ],
)
def test_what_is_no_amount_is_refused(amount: str, reason: str) -> None:
    assert refused(to_minor(Decimal(amount), 2, "cost")) == Refusal(
        reason,  # type: ignore[arg-type]
        "cost",
        "" if reason == "not_finite" else "more than 1e15 minor units",
    )


def test_currencies_have_their_own_digits() -> None:
    assert [digits_of(code) for code in ("JPY", "EUR", "KWD", "XYZ")] == [0, 2, 3, 2]
