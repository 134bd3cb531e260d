"""Working hours and days as the firm tells them."""

from datetime import date

import pytest

from streamproc.core.hours import Hours, read_day, read_hours


@pytest.mark.parametrize(
    ("detail", "hours"),
    [
        ({"from": "09:30", "to": "24:00"}, Hours(570, 1440, None)),
        ({"days": "1-5"}, Hours(None, None, (1, 2, 3, 4, 5))),
        ({"days": "5, 1,3"}, Hours(None, None, (1, 3, 5))),
        ({"days": 6.0, "from": "8:00", "to": "12:00"}, Hours(480, 720, (6,))),
    ],
)
def test_hours_and_days_are_read(detail: dict[str, str | float | bool | None], hours: Hours) -> None:
    assert read_hours(detail) == hours


@pytest.mark.parametrize(
    ("detail", "said"),
    [
        ({}, "which hours"),
        ({"from": "09:00"}, "from and to"),
        ({"from": "17:00", "to": "09:00"}, "from and to"),
        ({"from": "9", "to": "17:00"}, "from and to"),
        ({"from": "09:00", "to": "24:30"}, "from and to"),
        ({"days": "Mon-Fri"}, "days: weekdays"),
        ({"days": "5-1"}, "days: weekdays"),
        ({"days": "0-8"}, "days: weekdays"),
    ],
)
def test_what_says_neither_is_told(detail: dict[str, str | float | bool | None], said: str) -> None:
    with pytest.raises(ValueError, match=said):
        read_hours(detail)


def test_a_day_is_a_date() -> None:
    assert read_day("2026-05-01", {}) == read_day(None, {"day": "2026-05-01"}) == date(2026, 5, 1)
    for text in ("01.05.2026", "2026-5-1", None):
        with pytest.raises(ValueError, match="a date such as"):
            read_day(text, {})
