"""A service warning on the terminal and on the page: no probability, its signs, and what the loyalty means."""

from pathlib import Path

import pytest
from msgspec.structs import asdict
from rich.console import Console

from streamproc.adapters.web.views import view_of
from streamproc.cli.render import warning_lines
from streamproc.desk.report import Current, WarningNow
from streamproc.testing.feed_entries import unhappy
from streamproc.words import Language, words_in
from tests.cli.shop import Cli

EXPECTED: dict[Language, tuple[str, ...]] = {
    "en": (
        "unhappy and silent; to be spoken to by Mar 9, 2024",
        "lifetime value",
        "Silent and unhappy: Mar 1, 2024 a question unresolved",
        "Loyalty: price. Leaves with the discount.",
    ),
    "zh-CN": ("不满意但不抱怨", "终身价值", "问题未解决", "折扣一停就会离开。"),
}


def raised() -> WarningNow:
    told = unhappy().warning
    assert told is not None
    current = Current(severity=told.severity, probability=None, expected_loss=told.value.expected_loss)
    return WarningNow(**asdict(told), state="raised", updated_at=told.raised_at, current=current)


@pytest.mark.parametrize("language", EXPECTED)
def test_the_terminal_says_what_is_wrong_and_by_when_to_speak_to_them(language: Language) -> None:
    console = Console(width=200, color_system=None)
    with console.capture() as capture:
        for line in warning_lines(raised(), language):
            console.print(line)
    text = capture.get()
    assert [part for part in EXPECTED[language] if part not in text] == []
    assert "%" not in text


@pytest.mark.parametrize("language", EXPECTED)
def test_the_card_says_so_too(language: Language) -> None:
    card = view_of(raised(), words_in(language))
    said = " ".join((card.probability, card.likely, *card.signs, card.loyalty or ""))
    assert "%" not in said
    assert (card.stake, card.verdict, card.is_open) == ("", None, True)
    assert card.signs
    assert card.loyalty
    assert "400" in card.loss


def test_why_tells_of_a_service_warning_by_its_id_and_by_the_customers(cli: Cli, folder: Path) -> None:
    [told, *_] = [w for w in cli("warnings", "--json", "--data", folder).lines if w["warning_kind"] == "service"]
    [answer] = cli("why", told["id"], "--json", "--data", folder).lines
    assert (answer["customer_id"], answer["looked_at"]) == (told["customer_id"], told["raised_at"])
    service = answer["service"]
    assert (service["outcome"], service["warning_id"]) == ("raised", told["id"])
    assert service["discontent"] == told["discontent"]
    assert service["life"][0]["warning"]["id"] == told["id"]
    [before] = cli(
        "why", told["customer_id"], "--at", told["standing"]["last_purchase"], "--json", "--data", folder
    ).lines
    assert before["service"]["outcome"] in {"not_unhappy", "not_in_trade"}
    said = cli("why", told["id"], "--lang", "zh-CN", "--data", folder).out
    assert "服务预警：本次查看时发出。" in said
    assert "不满意但不抱怨" in said
    assert cli("why", "s-0123456789abcdef", "--data", folder).code == 1
