"""How each language writes numbers, money and times."""

import pytest

from streamproc.words import LANGUAGES, Language, words_in


@pytest.mark.parametrize(
    ("probability", "english", "chinese"),
    [
        (0.6789, "68 %", "68%"),
        (0.0, "< 1 %", "< 1%"),
        (0.004, "< 1 %", "< 1%"),
        (0.006, "1 %", "1%"),
        (0.994, "99 %", "99%"),
        (0.9999, "> 99 %", "> 99%"),
    ],
)
def test_a_probability_is_a_percentage_and_never_certain(probability: float, english: str, chinese: str) -> None:
    assert [words_in(language).probability(probability) for language in LANGUAGES] == [english, chinese]


@pytest.mark.parametrize(
    ("amount", "currency", "english", "chinese"),
    [
        ("1234.50", "EUR", "€1,234.50", "€1,234.50"),
        ("-3.00", "CNY", "-CN¥3.00", "-¥3.00"),
        ("1500", "JPY", "¥1,500", "JP¥1,500"),
    ],
)
def test_money_is_written_with_its_currency(amount: str, currency: str, english: str, chinese: str) -> None:
    assert [words_in(language).money(amount, currency) for language in LANGUAGES] == [english, chinese]


def test_times_are_days_in_utc_with_an_hour_where_there_is_one() -> None:
    english, chinese = (words_in(language) for language in LANGUAGES)
    assert english.moment("2025-03-04T00:00:00Z") == "Mar 4, 2025"
    assert english.moment("2025-03-04T23:30:00Z") == "Mar 4, 2025 23:30 UTC"
    assert chinese.moment("2025-03-04T23:30:00Z") == "2025年3月4日 23:30 UTC"
    assert chinese.date("2025-03-04T23:30:00Z") == "2025年3月4日"


@pytest.mark.parametrize(
    ("n", "english", "chinese"), [(1, "1 day", "1天"), (0, "0 days", "0天"), (2.55, "2.55 days", "2.55天")]
)
def test_days_are_counted(n: float, english: str, chinese: str) -> None:
    assert [words_in(language).days(n) for language in LANGUAGES] == [english, chinese]


@pytest.mark.parametrize(("factor", "text"), [(122.08, "120"), (2.718, "2.7"), (0.0831, "0.08"), (1.0, "1")])
def test_factors_have_two_digits(factor: float, text: str) -> None:
    assert words_in("en").factor(factor) == text


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_feeds_own_word_stays_and_none_is_a_dash(language: Language) -> None:
    words = words_in(language)
    assert words.term("cause", "leaking roof") == "leaking roof"
    assert words.term("grade", None) == "–"
    with pytest.raises(KeyError):
        words.term("no such kind", "x")


def test_one_word_may_have_two_meanings() -> None:
    chinese = words_in("zh-CN")
    assert chinese.term("phase", "return") == "回报"
    assert chinese.term("stream", "returns") == "退货"
