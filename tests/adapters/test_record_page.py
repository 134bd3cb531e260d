"""What is said of the value saved: never more than the interval lets one say."""

import pytest

from streamproc.adapters.report.record import saved_said
from streamproc.desk.record import Saved
from streamproc.words import words_in

BETWEEN = ("-50.00", "250.00")


@pytest.mark.parametrize(
    ("saved", "english", "chinese"),
    [
        (Saved(claim="not_measured"), "not measured: nobody is watched in silence (holdout_share)", "未测量"),
        (Saved(claim="too_few", warned=9, silent=4), "too few verdicts yet to say", "判定太少"),
        (
            Saved(claim="too_wide", warned=100, silent=40, total="100.00", total_between=BETWEEN),
            "nothing can be claimed yet: -€50.00 to €250.00",
            "尚不能下结论",
        ),
        (
            Saved(claim="gain", warned=100, silent=40, total="100.00", total_between=BETWEEN),
            "€100.00 (-€50.00 to €250.00)",
            "€100.00",
        ),
    ],
)
def test_the_value_saved_is_claimed_only_where_the_interval_allows_it(saved: Saved, english: str, chinese: str) -> None:
    assert saved_said(saved, "EUR", words_in("en")) == english
    assert saved_said(saved, "EUR", words_in("zh-CN")).startswith(chinese)
