"""The firm at a glance and the record of the warnings, opened in a real browser; their figures are those of status."""

from pathlib import Path
from typing import Any

import pytest

from streamproc.words import Language, Words, words_in
from tests.browser import Browser
from tests.cli.shop import Cli, asked

LANGUAGES: tuple[Language, ...] = ("en", "zh-CN")

TILES = (
    "Object.fromEntries([...document.querySelectorAll('.tiles div')].map(e => [...e.children].map(c => c.innerText)))"
)
EMPTY = "[...document.querySelectorAll('[data-chart]')].filter(e => !e.querySelector('svg path')).length"
LAST_ROWS = """Object.fromEntries([...document.querySelectorAll('section')].map(s => [s.querySelector('h2').textContent,
    [...s.querySelectorAll('tbody tr:last-child > *')].map(c => c.textContent)]))"""


def opened(browser: Browser, file: Path, charts: int) -> None:
    """Opens a report: all charts drawn, nothing fetched, nothing refused."""
    browser.open(file.as_uri())
    assert browser.evaluate("document.querySelectorAll('[data-chart]').length") == charts
    browser.wait_until(f"{EMPTY} === 0")
    assert browser.evaluate("performance.getEntriesByType('resource').length") == 0
    assert browser.errors == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_firm_at_a_glance_is_drawn_and_agrees_with_status(
    language: Language, folder: Path, tmp_path: Path, cli: Cli, browser: Browser
) -> None:
    file, words = tmp_path / "firm.html", words_in(language)
    ran = cli("report", "--out", file, "--data", folder, "--lang", language)
    assert (ran.code, ran.out) == (0, f"{file}\n")
    opened(browser, file, 20)
    [now] = cli("status", "--json", "--data", folder).lines
    assert browser.evaluate(TILES) == tiles_of(now, words)
    assert browser.evaluate("document.documentElement.lang") == language
    last = browser.evaluate(LAST_ROWS)
    money = [words.money(now[name], now["currency"]) for name in ("customer_equity", "value_at_risk")]
    assert last[words.say("Equity and value at risk")][1:] == money
    assert last[words.say("Three dimensions of growth")][1] == words.number(now["growth"]["customers"])
    for section in (words.say("Customer pyramid"), words.say("Five segments")):
        assert sum(map(int, last[section][1:])) == now["growth"]["customers"]


def tiles_of(now: dict[str, Any], words: Words) -> dict[str, str]:
    """What the first figures must be, by what status says."""
    currency, cost = now["currency"], now["acquisition_cost"]
    return {
        words.say("Customers"): words.number(now["customers"]),
        words.say("Relationships (N)"): words.number(now["growth"]["customers"]),
        words.say("Customer equity"): words.money(now["customer_equity"], currency),
        words.say("Value at risk"): words.money(now["value_at_risk"], currency),
        words.say("Open warnings"): words.number(now["open_warnings"]),
        words.say("Silent and unhappy"): words.number(now["unhappy"]),
        words.say("Satisfaction, last year"): words.share(now["satisfaction"]),
        words.say("Cost of a new customer, by the last campaign"): words.money(cost, currency),
    }


@pytest.mark.parametrize("language", LANGUAGES)
def test_the_record_is_drawn_and_agrees_with_status(
    language: Language, folder: Path, tmp_path: Path, cli: Cli, browser: Browser
) -> None:
    file, words = tmp_path / "record.html", words_in(language)
    ran = cli("record", "--html", file, "--data", folder, "--lang", language)
    assert ran.code == 0
    [record] = cli("record", "--json", "--data", folder).lines
    [now] = cli("status", "--json", "--data", folder).lines
    opened(browser, file, 1 + 5 if record["judged"] else 5)
    tiles = browser.evaluate(TILES)
    assert tiles[words.say("Open warnings")] == words.number(now["open_warnings"])
    assert tiles[words.say("Warnings raised")] == words.number(record["raised"])
    assert all(value in ran.out for value in tiles.values())  # the terminal says the same


def test_the_record_counts_what_status_and_the_feed_count(folder: Path, cli: Cli) -> None:
    [record] = cli("record", "--json", "--data", folder).lines
    [now] = cli("status", "--json", "--data", folder).lines
    assert record["raised"] + sum(record["service"].values()) == sum(now["warnings"].values())
    assert (record["right"], record["false_alarms"]) == (now["verdicts"]["right"], now["verdicts"]["wrong"])
    assert record["open"] == now["open_warnings"]
    [lost] = asked(folder, "SELECT count(*) FROM feed WHERE kind = 'lost' AND warning_id NOT LIKE 's-%'")
    assert record["recall"]["foreseen"] == lost
    assert record["recall"]["losses"] >= now["stages"]["lost"]


def test_the_record_since_a_day_is_of_what_was_raised_from_then_on(folder: Path, cli: Cli) -> None:
    [record] = cli("record", "--since", "2024-12-01", "--json", "--data", folder).lines
    query = "SELECT count(*) FROM warnings WHERE raised_at >= '2024-12-01' AND id NOT LIKE 's-%'"
    assert [record["raised"]] == asked(folder, query)
    assert record["recall"]["since"] >= "2024-12"


@pytest.mark.parametrize(("name", "option"), [("report", "--out"), ("record", "--html")])
def test_a_file_that_cannot_be_written_is_told_before_the_work(name: str, option: str, folder: Path, cli: Cli) -> None:
    ran = cli(name, option, folder, "--data", folder)
    assert ran.code == 2
    assert "a file is wanted" in ran.err
